/*
 * gen_server: a process whose messages are sorted.
 *
 * The order of the questions is fixed: is it a system message; is the server suspended (then it is
 * kept); is it an answer to a call of ours; does the server intercept it; which callback. What only
 * looks like an envelope, with a wrong shape inside, is an info like any other.
 */
#include "otp/gen_server.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"
#include "otp/internal.h"

static bool read_envelope(struct cn_term message, const char *kind, uint32_t arity,
                          struct cn_reader *reader)
{
    cn_reader_init(reader, message);
    return cn_read_this_tuple(reader, arity) && cn_read_this_atom(reader, kind);
}

static bool read_call(struct cn_term message, struct gen_from *from, struct cn_term *request)
{
    struct cn_reader reader;
    struct cn_term caller;

    return read_envelope(message, "$gen_call", 3, &reader) && cn_read_term(&reader, &caller) &&
           gen_from_read(caller, from) == 0 && cn_read_term(&reader, request);
}

static bool read_cast(struct cn_term message, struct cn_term *request)
{
    struct cn_reader reader;

    return read_envelope(message, "$gen_cast", 2, &reader) && cn_read_term(&reader, request);
}

static void reply_unknown(struct procs *procs, const struct gen_from *from)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "error");
    cn_write_atom(&writer, "unknown_request");
    if (cn_writer_error(&writer) == 0)
        (void)gen_reply(procs, from, cn_writer_term(&writer));
    cn_writer_free(&writer);
}

void gen_server_handle(struct gen_server *self, struct cn_term message)
{
    const struct gen_server_callbacks *callbacks = self->callbacks;
    struct gen_from from;
    struct cn_term request;

    if (read_call(message, &from, &request)) {
        if (callbacks->handle_call != NULL)
            callbacks->handle_call(self, self->state, &from, request);
        else
            reply_unknown(process_procs(self->process), &from);
    } else if (read_cast(message, &request)) {
        if (callbacks->handle_cast != NULL)
            callbacks->handle_cast(self, self->state, request);
    } else if (callbacks->handle_info != NULL) {
        callbacks->handle_info(self, self->state, message);
    }
}

/* What is no system message. */
static void take(struct gen_server *self, struct cn_term message)
{
    const struct gen_server_callbacks *callbacks = self->callbacks;

    if (calls_take(self, message))
        return;
    if (callbacks->intercept != NULL && callbacks->intercept(self, self->state, message))
        return;
    gen_server_handle(self, message);
}

static void take_timer(struct gen_server *self, uint64_t timer)
{
    if (calls_take_timer(self, timer))
        return;
    if (self->callbacks->handle_timer != NULL)
        self->callbacks->handle_timer(self, self->state, timer);
}

static void on_message(struct process *process, void *state, struct cn_term message)
{
    struct gen_server *self = state;

    if (sys_take(self, message))
        return;
    if (self->suspended)
        process_keep_message(process);
    else
        take(self, message);
}

static void on_timer(struct process *process, void *state, uint64_t timer)
{
    struct gen_server *self = state;

    if (!self->suspended)
        take_timer(self, timer);
    else if (process_keep_timer(process, timer) != 0)
        gen_server_stop_atom(self, "killed");
}

static void on_ended(struct process *process, void *state, struct cn_term reason)
{
    struct gen_server *self = state;

    self->callbacks->terminate(self, self->state, reason);
    calls_drop(self);
    mem_free(self);
}

static const struct process_behaviour gen_behaviour = {
    .module = "gen_server",
    .message = on_message,
    .timer = on_timer,
    .ended = on_ended,
};

int gen_server_start(struct procs *procs, const struct gen_server_callbacks *callbacks, void *state,
                     struct gen_server **ret_server)
{
    struct gen_server *self = mem_zalloc(sizeof(*self));
    int r = 0;

    if (self == NULL)
        return -ENOMEM;
    self->callbacks = callbacks;
    self->state = state;
    r = process_start(procs, &gen_behaviour, self, &self->process);
    if (r != 0) {
        mem_free(self);
        return r;
    }
    *ret_server = self;
    return 0;
}

struct gen_server *gen_server_find(struct procs *procs, const struct cn_pid *pid,
                                   const struct gen_server_callbacks *callbacks)
{
    return gen_server_of(procs_find(procs, pid), callbacks);
}

struct gen_server *gen_server_of(struct process *process,
                                 const struct gen_server_callbacks *callbacks)
{
    struct gen_server *self = NULL;

    if (process == NULL || process_behaviour(process) != &gen_behaviour)
        return NULL;
    self = process_state(process);
    return callbacks == NULL || self->callbacks == callbacks ? self : NULL;
}

const char *gen_server_module(const struct gen_server *self)
{
    return self->callbacks->module;
}

struct process *gen_server_process(struct gen_server *self)
{
    return self->process;
}

struct procs *gen_server_procs(struct gen_server *self)
{
    return process_procs(self->process);
}

const struct cn_pid *gen_server_pid(struct gen_server *self)
{
    return process_pid(self->process);
}

void *gen_server_state(struct gen_server *self)
{
    return self->state;
}

void gen_server_stop(struct gen_server *self, struct cn_term reason)
{
    process_exit(self->process, reason);
}

void gen_server_stop_atom(struct gen_server *self, const char *reason)
{
    process_exit_atom(self->process, reason);
}
