/*
 * Servers: otp/'s gen_server with public types in its callbacks.
 *
 * The record lives from cn_server_start to the end of `terminate`. Before that callback everything
 * that the server waits for ends, so that an application releases each context in one place.
 */
#include "node/api.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

_Static_assert((int)CN_TAKEN == (int)CN_E_TAKEN && (int)CN_LIMIT == (int)CN_E_LIMIT,
               "public conditions are the internal ones");

static void on_call(struct gen_server *gen, void *state, const struct gen_from *from,
                    struct cn_term request)
{
    struct cn_server *self = state;

    (void)gen;
    self->callbacks->handle_call(self, self->state, (const struct cn_from *)from, request);
}

static void on_cast(struct gen_server *gen, void *state, struct cn_term message)
{
    struct cn_server *self = state;

    (void)gen;
    self->callbacks->handle_cast(self, self->state, message);
}

static void on_info(struct gen_server *gen, void *state, struct cn_term message)
{
    struct cn_server *self = state;

    (void)gen;
    global_note_conflict(self, message);
    if (self->callbacks->handle_info)
        self->callbacks->handle_info(self, self->state, message);
}

static void on_timer(struct gen_server *gen, void *state, uint64_t timer)
{
    (void)gen;
    waiting_timer(state, timer);
}

static int on_format_state(void *state, struct cn_writer *writer)
{
    struct cn_server *self = state;

    return self->callbacks->format_state(self->state, writer);
}

static void on_terminate(struct gen_server *gen, void *state, struct cn_term reason)
{
    struct cn_server *self = state;

    (void)gen;
    waiting_end_all(self);
    if (self->callbacks->terminate)
        self->callbacks->terminate(self, self->state, reason);
    mem_free(self);
}

/* What the application left out is left out below too, where each has its default. */
static struct gen_server_callbacks gen_callbacks(const struct cn_server_callbacks *callbacks)
{
    return (struct gen_server_callbacks){
        .module = callbacks->module,
        .handle_call = callbacks->handle_call ? on_call : NULL,
        .handle_cast = callbacks->handle_cast ? on_cast : NULL,
        .handle_info = on_info,
        .handle_timer = on_timer,
        .format_state = callbacks->format_state ? on_format_state : NULL,
        .terminate = on_terminate,
    };
}

int cn_server_start(struct cn_node *node, const struct cn_server_callbacks *callbacks, void *state,
                    struct cn_server **ret_server)
{
    struct cn_server *self = mem_zalloc(sizeof *self);

    if (!self)
        return -ENOMEM;
    self->node = node;
    self->callbacks = callbacks;
    self->gen_callbacks = gen_callbacks(callbacks);
    self->state = state;
    list_init(&self->waitings);
    int error = gen_server_start(node->procs, &self->gen_callbacks, self, &self->gen);
    if (error != 0) {
        mem_free(self);
        return error;
    }
    process_stall_on_busy(gen_server_process(self->gen));
    *ret_server = self;
    return 0;
}

void cn_server_stop(struct cn_server *self, struct cn_term reason)
{
    gen_server_stop(self->gen, reason);
}

void cn_server_stop_atom(struct cn_server *self, const char *reason)
{
    gen_server_stop_atom(self->gen, reason);
}

struct cn_node *cn_server_node(const struct cn_server *self)
{
    return self->node;
}

const struct cn_pid *cn_server_pid(const struct cn_server *self)
{
    return gen_server_pid(self->gen);
}

void cn_server_trap_exit(struct cn_server *self, bool trap)
{
    process_trap_exit(gen_server_process(self->gen), trap);
}

int cn_server_register(struct cn_server *self, const char *name)
{
    return process_register(gen_server_process(self->gen), name);
}

void cn_server_unregister(struct cn_server *self, const char *name)
{
    process_unregister(gen_server_process(self->gen), name);
}

void cn_make_ref(struct cn_server *self, struct cn_ref *ret_ref)
{
    procs_make_ref(self->node->procs, ret_ref);
}

struct cn_kept {
    struct cn_term term;
    struct shared *owner; /* NULL: it is in `bytes` */
    uint8_t bytes[];
};

struct cn_kept *cn_keep(struct cn_server *self, struct cn_term term)
{
    struct shared *owner = process_message_owner(gen_server_process(self->gen), term);
    struct cn_kept *kept = mem_alloc(sizeof *kept + (owner ? 0 : term.size));

    if (!kept)
        return NULL;
    *kept = (struct cn_kept){term, owner};
    if (owner) {
        shared_take(owner);
    } else {
        memcpy(kept->bytes, term.data, term.size);
        kept->term.data = kept->bytes;
    }
    return kept;
}

struct cn_term cn_kept_term(const struct cn_kept *kept)
{
    return kept->term;
}

struct cn_kept *cn_kept_free(struct cn_kept *kept)
{
    if (kept)
        shared_put(kept->owner);
    mem_free(kept);
    return NULL;
}

int cn_reply(struct cn_server *self, const struct cn_from *from, struct cn_term reply)
{
    int error = gen_reply(self->node->procs, (const struct gen_from *)from, reply);

    return error == -ENOMEM || error == -E2BIG || error == -EINVAL ? error : 0;
}

int cn_reply_written(struct cn_server *self, const struct cn_from *from, struct cn_writer *reply)
{
    int error = gen_reply_written(self->node->procs, (const struct gen_from *)from, reply);

    return error == -ENOMEM || error == -E2BIG || error == -EINVAL ? error : 0;
}

struct cn_from *cn_from_keep(const struct cn_from *from)
{
    return (struct cn_from *)gen_from_copy((const struct gen_from *)from);
}

struct cn_from *cn_from_free(struct cn_from *from)
{
    gen_from_free((struct gen_from *)from);
    return NULL;
}
