/*
 * Names and locks in :global, asked for by servers.
 *
 * The registry answers about names even when who asked has ended; those records become orphans of
 * the node until then. What concerns locks is forgotten with the server, as the locks are. A trans
 * is three steps: the lock, the body, the lock's release, with what the body wrote kept until the
 * end.
 */
#include "node/api.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"

static void on_global(void *context, enum global_outcome outcome, const struct cn_pid *holder)
{
    struct waiting *waiting = context;

    (void)holder;
    if (outcome == GLOBAL_UNREACHABLE)
        waiting_finish_atom(waiting, CN_EXIT, "timeout");
    else
        waiting_finish_atom(waiting, CN_DONE, outcome == GLOBAL_YES ? waiting->yes : waiting->no);
}

static void on_global_whereis(void *context, enum global_outcome outcome,
                              const struct cn_pid *holder)
{
    struct waiting *waiting = context;
    struct cn_writer writer;

    if (outcome != GLOBAL_YES || !holder) {
        on_global(waiting, outcome == GLOBAL_YES ? GLOBAL_NO : outcome, NULL);
        return;
    }
    cn_writer_init(&writer, 0);
    cn_write_pid(&writer, holder);
    if (cn_writer_error(&writer) == 0)
        waiting_finish(waiting, CN_DONE, cn_writer_term(&writer));
    else
        waiting_finish_atom(waiting, CN_EXIT, "timeout");
    cn_writer_free(&writer);
}

static struct waiting *waiting_for_global(struct cn_server *self, cn_done done, void *context,
                                          const char *yes, const char *no)
{
    struct waiting *waiting = waiting_new(self, done, context, NULL);

    if (waiting) {
        waiting->global = true;
        waiting->yes = yes;
        waiting->no = no;
    }
    return waiting;
}

/* The registry refuses for one condition only: somebody has killed its process. */
static int asked(struct waiting *waiting, int error)
{
    return waiting_refused(waiting, error > 0 ? -ESHUTDOWN : error);
}

/*
 * The registry takes a name for the same process twice, :global does not. While a question of
 * @self is open, the name may be on its way out.
 */
static bool holds(struct cn_server *self, struct cn_term name)
{
    const struct registry *registry = self->node->registry;
    struct cn_pid holder;

    list_for_each(item, &self->waitings) {
        if (container_of(item, struct waiting, list)->global)
            return false;
    }
    return registry->whereis_local(registry->context, name, &holder) &&
           cn_pid_equal(&holder, cn_server_pid(self));
}

int cn_global_register(struct cn_server *self, struct cn_term name, cn_done done, void *context)
{
    const struct registry *registry = self->node->registry;
    const char *yes = holds(self, name) ? "no" : "yes";
    struct waiting *waiting = waiting_for_global(self, done, context, yes, "no");

    if (!waiting)
        return waiting_error(self);
    return asked(waiting, registry->register_name(registry->context, name, cn_server_pid(self),
                                                  GLOBAL_NOTIFY_ALL, on_global, waiting));
}

int cn_global_unregister(struct cn_server *self, struct cn_term name, cn_done done, void *context)
{
    const struct registry *registry = self->node->registry;
    struct waiting *waiting = waiting_for_global(self, done, context, "ok", "ok");

    if (!waiting)
        return waiting_error(self);
    return asked(waiting, registry->unregister_name(registry->context, name, cn_server_pid(self),
                                                    on_global, waiting));
}

int cn_global_re_register(struct cn_server *self, struct cn_term name, const struct cn_pid *pid,
                          cn_done done, void *context)
{
    const struct registry *registry = self->node->registry;
    struct waiting *waiting = waiting_for_global(self, done, context, "yes", "no");

    if (!waiting)
        return waiting_error(self);
    return asked(waiting, registry->move_name(registry->context, name, pid, GLOBAL_NOTIFY_ALL,
                                              on_global, waiting));
}

static const char *result_text(const struct change_result *result)
{
    if (result->outcome == GLOBAL_UNREACHABLE)
        return "timeout";
    if (result->kind == CHANGE_UNREGISTER)
        return "ok";
    return result->outcome == GLOBAL_YES ? "yes" : "no";
}

static void on_changed(void *context, const struct change_result *results, size_t count)
{
    struct waiting *waiting = context;
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_list(&writer, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        cn_write_atom(&writer, result_text(&results[i]));
    cn_write_nil(&writer);
    if (cn_writer_error(&writer) == 0)
        waiting_finish(waiting, CN_DONE, cn_writer_term(&writer));
    else
        waiting_finish_atom(waiting, CN_EXIT, "timeout");
    cn_writer_free(&writer);
}

static struct change change_of(const struct cn_global_change *change)
{
    static const enum change_kind kinds[] = {
        [CN_REGISTER] = CHANGE_REGISTER,
        [CN_UNREGISTER] = CHANGE_UNREGISTER,
        [CN_RE_REGISTER] = CHANGE_MOVE,
    };
    static const enum global_method methods[] = {
        [CN_NOTIFY_ALL] = GLOBAL_NOTIFY_ALL,
        [CN_NOTIFY_ONE] = GLOBAL_NOTIFY_ONE,
        [CN_EXIT_ONE] = GLOBAL_EXIT_ONE,
    };

    return (struct change){kinds[change->verb], change->name, change->pid,
                           methods[change->conflict]};
}

int cn_global_change(struct cn_server *self, const struct cn_global_change *changes, size_t count,
                     cn_done done, void *context)
{
    struct change *copies = count > 0 ? mem_zalloc_array(count, sizeof *copies) : NULL;
    struct waiting *waiting = copies ? waiting_for_global(self, done, context, "", "") : NULL;
    int error = count > 0 ? waiting_error(self) : -EINVAL;

    for (size_t i = 0; copies && i < count; i++)
        copies[i] = change_of(&changes[i]);
    if (waiting)
        error = asked(waiting,
                      batch_start(self->node->registry, copies, count, on_changed, waiting));
    mem_free(copies);
    return error;
}

int cn_global_whereis(struct cn_server *self, struct cn_term name, cn_done done, void *context)
{
    const struct registry *registry = self->node->registry;
    struct waiting *waiting = waiting_for_global(self, done, context, "", "undefined");

    if (!waiting)
        return waiting_error(self);
    return asked(waiting,
                 registry->whereis_name(registry->context, name, on_global_whereis, waiting));
}

/* {global_name_conflict, Name} or {global_name_conflict, Name, Other} */
void global_note_conflict(struct cn_server *self, struct cn_term message)
{
    const struct registry *registry = self->node->registry;
    struct cn_reader reader;
    struct cn_term name;
    uint32_t arity = 0;

    cn_reader_init(&reader, message);
    if (cn_peek(&reader) == CN_TYPE_TUPLE && cn_read_tuple(&reader, &arity) &&
        (arity == 2 || arity == 3) && cn_peek(&reader) == CN_TYPE_ATOM &&
        cn_read_this_atom(&reader, "global_name_conflict") && cn_read_term(&reader, &name))
        registry->lost_name(registry->context, name, cn_server_pid(self));
}

/* Locks. */

/* What a trans keeps until its end. */
struct trans {
    void (*body)(struct cn_server *self, void *context, struct cn_writer *result);
    struct cn_writer id;
    struct cn_writer result;
};

void trans_free(struct trans *trans)
{
    if (!trans)
        return;
    cn_writer_free(&trans->id);
    cn_writer_free(&trans->result);
    mem_free(trans);
}

static int lock_error(int error)
{
    switch (error) {
    case CN_E_INVALID:
        return -EINVAL;
    case CN_E_UNSUPPORTED:
        return -ENOTSUP;
    default:
        return error > 0 ? -ESHUTDOWN : error;
    }
}

static void on_lock(void *context, bool held)
{
    struct waiting *waiting = context;

    waiting_finish_atom(waiting, CN_DONE, held ? waiting->yes : waiting->no);
}

static struct waiting *waiting_for_lock(struct cn_server *self, cn_done done, void *context,
                                        const char *yes, const char *no)
{
    struct waiting *waiting = waiting_for_global(self, done, context, yes, no);

    if (waiting)
        waiting->global = false; /* it goes with the server, as the lock does */
    return waiting;
}

int cn_global_set_lock(struct cn_server *self, struct cn_term id, uint32_t retries, cn_done done,
                       void *context)
{
    const struct registry *registry = self->node->registry;
    struct waiting *waiting = waiting_for_lock(self, done, context, "true", "false");

    if (!waiting)
        return waiting_error(self);
    return waiting_refused(waiting, lock_error(registry->set_lock(registry->context, self->gen, id,
                                                                  retries, on_lock, waiting)));
}

int cn_global_del_lock(struct cn_server *self, struct cn_term id, cn_done done, void *context)
{
    const struct registry *registry = self->node->registry;
    struct waiting *waiting = waiting_for_lock(self, done, context, "true", "true");

    if (!waiting)
        return waiting_error(self);
    return waiting_refused(waiting, lock_error(registry->del_lock(registry->context, self->gen, id,
                                                                  on_lock, waiting)));
}

static void on_trans_free(void *context, bool held)
{
    struct waiting *waiting = context;
    struct trans *trans = waiting->trans;

    waiting->trans = NULL;
    if (cn_writer_error(&trans->result) == 0 && cn_writer_term(&trans->result).size > 0)
        waiting_finish(waiting, CN_DONE, cn_writer_term(&trans->result));
    else
        waiting_finish_atom(waiting, CN_EXIT, "system_limit");
    trans_free(trans);
}

static void on_trans_lock(void *context, bool held)
{
    struct waiting *waiting = context;
    struct cn_server *self = waiting->server;
    const struct registry *registry = self->node->registry;
    struct trans *trans = waiting->trans;

    if (!held) {
        waiting_finish_atom(waiting, CN_DONE, "aborted");
        return;
    }
    trans->body(self, waiting->context, &trans->result);
    if (registry->del_lock(registry->context, self->gen, cn_writer_term(&trans->id), on_trans_free,
                           waiting) != 0)
        on_trans_free(waiting, false);
}

static struct trans *trans_new(struct cn_term id,
                               void (*body)(struct cn_server *self, void *context,
                                            struct cn_writer *result))
{
    struct trans *trans = mem_zalloc(sizeof *trans);

    if (!trans)
        return NULL;
    trans->body = body;
    cn_writer_init(&trans->id, 0);
    cn_writer_init(&trans->result, 0);
    cn_write_term(&trans->id, id);
    if (cn_writer_error(&trans->id) == 0)
        return trans;
    trans_free(trans);
    return NULL;
}

int cn_global_trans(struct cn_server *self, struct cn_term id, uint32_t retries,
                    void (*body)(struct cn_server *self, void *context, struct cn_writer *result),
                    cn_done done, void *context)
{
    const struct registry *registry = self->node->registry;
    struct waiting *waiting = waiting_for_lock(self, done, context, "", "");

    if (waiting)
        waiting->trans = trans_new(id, body);
    if (!waiting)
        return waiting_error(self);
    if (!waiting->trans)
        return waiting_refused(waiting, -ENOMEM);
    return waiting_refused(waiting,
                           lock_error(registry->set_lock(registry->context, self->gen, id, retries,
                                                         on_trans_lock, waiting)));
}
