/*
 * What a server waits for: answers to its calls, timers, :global (api_global.c).
 *
 * Each is one record that calls its cn_done exactly once. When the server ends, calls and timers of
 * the layers below end with it in silence, so all records are gone through here and told
 * CN_ENDED. :global answers even then: those records become orphans of the node until it does.
 */
#include "node/api.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/map.h"

struct waiting *waiting_new(struct cn_server *self, cn_done done, void *context,
                            const char *called_node)
{
    size_t size = called_node ? strlen(called_node) + 1 : 0;
    struct waiting *waiting = self->ending ? NULL : mem_zalloc(sizeof *waiting + size);

    if (!waiting)
        return NULL;
    waiting->server = self;
    waiting->node = self->node;
    waiting->done = done;
    waiting->context = context;
    if (size > 0)
        memcpy(waiting->called_node, called_node, size);
    list_append(&self->waitings, &waiting->list);
    return waiting;
}

int waiting_error(const struct cn_server *self)
{
    return self->ending ? -ESHUTDOWN : -ENOMEM;
}

static void waiting_free(struct waiting *waiting)
{
    if (waiting->timer != 0)
        map_remove(waiting->node->timers, waiting);
    list_remove(&waiting->list);
    trans_free(waiting->trans);
    mem_free(waiting);
}

void waiting_finish(struct waiting *waiting, enum cn_outcome outcome, struct cn_term term)
{
    struct cn_server *self = waiting->server;
    cn_done done = waiting->done;
    void *context = waiting->context;

    waiting_free(waiting);
    if (self)
        done(self, context, outcome, term);
}

void waiting_finish_atom(struct waiting *waiting, enum cn_outcome outcome, const char *text)
{
    uint8_t bytes[2 + 32] = {119}; /* SMALL_ATOM_UTF8_EXT */
    size_t size = strlen(text);

    cn_assert(size <= 32);
    bytes[1] = (uint8_t)size;
    memcpy(bytes + 2, text, size);
    waiting_finish(waiting, outcome, (struct cn_term){bytes, 2 + size});
}

int waiting_refused(struct waiting *waiting, int error)
{
    if (error != 0)
        waiting_free(waiting);
    return error;
}

/* Calls. */

static void finish_down(struct waiting *waiting, struct cn_term reason)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    call_write_down(&writer, reason, waiting->called_node);
    bool written = cn_writer_error(&writer) == 0;
    waiting_finish(waiting, CN_EXIT, written ? cn_writer_term(&writer) : reason);
    cn_writer_free(&writer);
}

static void on_call_done(struct gen_server *gen, void *context, enum call_outcome outcome,
                         struct cn_term term)
{
    (void)gen;
    if (outcome == CALL_DOWN)
        finish_down(context, term);
    else
        waiting_finish(context, outcome == CALL_REPLY ? CN_DONE : CN_EXIT, term);
}

static bool is_self(struct cn_server *self, const struct target *target)
{
    return target_find(self->node->procs, target) == gen_server_process(self->gen);
}

/* call.h knows no limit as 0; no time at all is the shortest there is. */
static uint32_t call_timeout(uint32_t timeout_ms)
{
    if (timeout_ms == CN_INFINITY)
        return 0;
    return timeout_ms > 0 ? timeout_ms : 1;
}

int cn_call(struct cn_server *self, struct cn_term to, struct cn_term request, uint32_t timeout_ms,
            cn_done done, void *context)
{
    struct target target;
    struct cn_term name;
    int error;

    if (global_call_is(to, &name))
        return global_call(self, name, request, timeout_ms, done, context);
    error = target_read(to, &target);
    if (error != 0 || target.dest.kind == DEST_ALIAS)
        return -EINVAL;
    if (is_self(self, &target))
        return -EDEADLK;
    const char *node = target.dest.kind == DEST_PID ? target.dest.pid.node : target.dest.node;
    struct waiting *waiting = waiting_new(self, done, context, node ? node : "");
    if (!waiting)
        return waiting_error(self);
    return waiting_refused(waiting,
                           call_start(self->gen, &target.dest, request, call_timeout(timeout_ms),
                                      on_call_done, waiting, NULL));
}

static void on_rpc_done(struct gen_server *gen, void *context, enum call_outcome outcome,
                        struct cn_term term)
{
    (void)gen;
    waiting_finish(context, outcome == CALL_REPLY ? CN_DONE : CN_EXIT, term);
}

int cn_rpc(struct cn_server *self, const struct cn_rpc_call *rpc, uint32_t timeout_ms, cn_done done,
           void *context)
{
    struct call_mfa mfa = {rpc->node, rpc->module, rpc->function, rpc->arguments};
    struct waiting *waiting = waiting_new(self, done, context, NULL);

    if (!waiting)
        return waiting_error(self);
    return waiting_refused(waiting,
                           call_erpc(self->node->functions, self->gen, &mfa,
                                     call_timeout(timeout_ms), on_rpc_done, waiting, NULL));
}

/* Timers. */

static struct waiting *timer_find(struct cn_server *self, uint64_t timer)
{
    struct waiting *waiting = NULL;

    map_find(self->node->timers, &timer, sizeof timer, waiting);
    return waiting && waiting->server == self ? waiting : NULL;
}

void waiting_timer(struct cn_server *self, uint64_t timer)
{
    struct waiting *waiting = timer_find(self, timer);

    if (waiting)
        waiting_finish_atom(waiting, CN_DONE, "timeout");
}

int cn_after(struct cn_server *self, uint64_t delay_ms, cn_done done, void *context,
             uint64_t *ret_timer)
{
    struct process *process = gen_server_process(self->gen);
    struct waiting *waiting = waiting_new(self, done, context, NULL);
    uint64_t timer;

    if (!waiting)
        return waiting_error(self);
    int error = process_start_timer(process, delay_ms, &timer);
    if (error != 0)
        return waiting_refused(waiting, error);
    waiting->timer = timer;
    if (!map_add(self->node->timers, &waiting->timer, sizeof waiting->timer, waiting)) {
        waiting->timer = 0;
        process_cancel_timer(process, timer);
        return waiting_refused(waiting, -ENOMEM);
    }
    if (ret_timer)
        *ret_timer = timer;
    return 0;
}

bool cn_after_cancel(struct cn_server *self, uint64_t timer)
{
    struct waiting *waiting = timer_find(self, timer);

    if (!waiting)
        return false;
    process_cancel_timer(gen_server_process(self->gen), timer);
    waiting_finish(waiting, CN_ENDED, (struct cn_term){0});
    return true;
}

/* The end. */

void waiting_end_all(struct cn_server *self)
{
    const struct registry *registry = self->node->registry;
    struct list *item;

    self->ending = true; /* or a callback that asks again would keep the loop going for ever */
    registry->locks_owner_ends(registry->context, self->gen);
    while ((item = list_pop(&self->waitings)) != NULL) {
        struct waiting *waiting = container_of(item, struct waiting, list);
        cn_done done = waiting->done;
        void *context = waiting->context;

        if (waiting->global) {
            waiting->server = NULL;
            list_append(&waiting->node->orphans, &waiting->list);
        } else {
            waiting_free(waiting);
        }
        done(self, context, CN_ENDED, (struct cn_term){0});
    }
}

void api_node_deinit(struct cn_node *node)
{
    struct list *item;

    while ((item = list_first(&node->orphans)) != NULL)
        waiting_free(container_of(item, struct waiting, list));
}
