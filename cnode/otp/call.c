/*
 * Outgoing calls.
 *
 * The reference of the monitor on the server is also the alias for the answer and the key of the
 * call (as gen:call does it). So one record in proc/ serves for all three; when the
 * call ends, in whatever way, the alias dies with the monitor, and what comes later vanishes there.
 * What still slips through (a server that answers the pid) is recognised by its tag and dropped.
 *
 * A timeout finds its call in a second map, by the timer: thousands of calls that time out together
 * cost what they cost one by one.
 */
#include "otp/call.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "otp/internal.h"

#define CALLS_MAX 1000000u

static struct call *call_find(struct gen_server *self, const struct cn_ref *ref)
{
    struct call *call = NULL;
    struct procs *procs = gen_server_procs(self);

    if (ref->creation != procs_creation(procs) || strcmp(ref->node, procs_node(procs)) != 0)
        return NULL;
    map_find(self->calls, ref->words, sizeof(ref->words), call);
    return call;
}

void call_tag(const struct call *call, struct cn_ref *ret_ref)
{
    struct procs *procs = gen_server_procs(call->server);

    *ret_ref = (struct cn_ref){.count = call->count, .creation = procs_creation(procs)};
    memcpy(ret_ref->words, call->words, sizeof(ret_ref->words));
    memcpy(ret_ref->node, procs_node(procs), strlen(procs_node(procs)) + 1);
}

/* Errors: -ENOMEM, with no timer running. */
static int timer_start(struct call *call, uint32_t timeout_ms)
{
    struct gen_server *self = call->server;
    struct call_timer *timer = &call->timer;
    int r = process_start_timer(self->process, timeout_ms, &timer->id);

    if (r != 0)
        return r;
    timer->call = call;
    if (!map_add(self->call_timers, &timer->id, sizeof(timer->id), timer)) {
        process_cancel_timer(self->process, timer->id);
        timer->id = 0;
        return -ENOMEM;
    }
    return 0;
}

/* The timer has ended or is taken back. */
static void timer_forget(struct call *call)
{
    if (call->timer.id == 0)
        return;
    process_cancel_timer(call->server->process, call->timer.id);
    map_remove(call->server->call_timers, &call->timer);
    call->timer.id = 0;
}

void call_free(struct call *call, bool flush)
{
    struct gen_server *self = call->server;
    struct cn_ref ref;

    call_tag(call, &ref);
    process_demonitor(self->process, &ref, flush);
    timer_forget(call);
    map_remove(self->calls, call);
    mem_free(call);
}

static int send_request(struct gen_server *self, const char *label, const struct dest *dest,
                        const struct cn_ref *ref, struct cn_term request)
{
    struct cn_writer writer;
    int r = 0;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 3);
    cn_write_atom(&writer, label);
    cn_write_tuple(&writer, 2);
    cn_write_pid(&writer, gen_server_pid(self));
    cn_write_list(&writer, 1);
    cn_write_atom(&writer, "alias");
    cn_write_ref(&writer, ref);
    cn_write_term(&writer, request);
    r = cn_writer_error(&writer);
    if (r == 0)
        r = procs_send(gen_server_procs(self), self->process, dest, cn_writer_term(&writer));
    cn_writer_free(&writer);
    /* A peer that cannot be reached is told by the monitor. */
    return r == -ENOMEM || r == -E2BIG ? r : 0;
}

static bool map_add_call(struct gen_server *self, const struct cn_ref *ref, struct call *call)
{
    call->server = self;
    memcpy(call->words, ref->words, sizeof(call->words));
    call->count = ref->count;
    return map_add(self->calls, call->words, sizeof(call->words), call);
}

int call_add(struct gen_server *self, const struct cn_ref *ref, uint32_t timeout_ms, call_done done,
             void *context, struct call **ret_call)
{
    struct call *call = mem_zalloc(sizeof(*call));
    int r = 0;

    if (call == NULL || !map_add_call(self, ref, call)) {
        process_demonitor(self->process, ref, true);
        mem_free(call);
        return -ENOMEM;
    }
    call->done = done;
    call->context = context;
    if (timeout_ms != 0)
        r = timer_start(call, timeout_ms);
    if (r != 0) {
        call_free(call, true);
        return r;
    }
    *ret_call = call;
    return 0;
}

bool calls_full(const struct gen_server *self)
{
    return map_count(self->calls) >= CALLS_MAX;
}

static int start(struct gen_server *self, const char *label, const struct dest *dest,
                 struct cn_term request, uint32_t timeout_ms, call_done done, void *context,
                 struct call **ret_call)
{
    struct call *call = NULL;
    struct cn_ref ref;
    int r = 0;

    if (calls_full(self))
        return CN_E_LIMIT;
    r = process_monitor_alias(self->process, dest, &ref);
    if (r == 0)
        r = call_add(self, &ref, timeout_ms, done, context, &call);
    if (r != 0)
        return r;
    r = send_request(self, label, dest, &ref, request);
    if (r != 0) {
        call_free(call, true);
        return r;
    }
    if (ret_call != NULL)
        *ret_call = call;
    return 0;
}

int call_start(struct gen_server *self, const struct dest *dest, struct cn_term request,
               uint32_t timeout_ms, call_done done, void *context, struct call **ret_call)
{
    return start(self, "$gen_call", dest, request, timeout_ms, done, context, ret_call);
}

int call_start_as(struct gen_server *self, const char *label, const struct dest *dest,
                  struct cn_term request, uint32_t timeout_ms, call_done done, void *context)
{
    return start(self, label, dest, request, timeout_ms, done, context, NULL);
}

void call_write_down(struct cn_writer *writer, struct cn_term reason, const char *node)
{
    if (!cn_term_is_atom(reason, "noconnection") || node == NULL || node[0] == '\0') {
        cn_write_term(writer, reason);
        return;
    }
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "nodedown");
    cn_write_atom(writer, node);
}

void call_cancel(struct call *call)
{
    call_free(call, true);
}

static void call_end(struct call *call, enum call_outcome outcome, struct cn_term term)
{
    struct gen_server *self = call->server;
    call_done done = call->done;
    void *context = call->context;

    if (call->erpc) {
        erpc_call_end(call, outcome, term);
        return;
    }
    call_free(call, outcome != CALL_DOWN);
    done(self, context, outcome, term);
}

/* {[alias | Ref], Reply}, with a reference of this node. */
static bool read_answer(struct cn_term message, struct cn_ref *ret_ref, struct cn_term *ret_reply)
{
    struct cn_reader reader;
    uint32_t count = 0;

    cn_reader_init(&reader, message);
    return cn_read_this_tuple(&reader, 2) && cn_read_list(&reader, &count) && count == 1 &&
           cn_read_this_atom(&reader, "alias") && cn_read_ref(&reader, ret_ref) &&
           cn_read_term(&reader, ret_reply);
}

/* {spawn_reply, Ref, error, Reason}, with a reference of this node. */
static bool read_refusal(struct cn_term message, struct cn_ref *ret_ref, struct cn_term *ret_reason)
{
    struct cn_reader reader;

    cn_reader_init(&reader, message);
    return cn_read_this_tuple(&reader, 4) && cn_read_this_atom(&reader, "spawn_reply") &&
           cn_read_ref(&reader, ret_ref) && cn_read_this_atom(&reader, "error") &&
           cn_read_term(&reader, ret_reason);
}

bool calls_take(struct gen_server *self, struct cn_term message)
{
    struct process_down down;
    struct cn_ref ref;
    struct cn_term term;
    struct call *call = NULL;

    if (read_refusal(message, &ref, &term)) {
        call = call_find(self, &ref);
        if (call != NULL)
            erpc_call_refused(call, term);
        return true; /* a refusal of a call that has ended is nobody's */
    }

    if (read_answer(message, &ref, &term)) {
        call = call_find(self, &ref);
        if (call != NULL && !call->erpc)
            call_end(call, CALL_REPLY, term);
        return true; /* an answer to a call that has ended is nobody's */
    }
    if (!process_read_down(message, &down))
        return false;
    call = call_find(self, &down.ref);
    if (call == NULL)
        return false;
    call_end(call, CALL_DOWN, down.reason);
    return true;
}

bool calls_take_timer(struct gen_server *self, uint64_t timer)
{
    static const uint8_t timeout[] = {0x77, 7, 't', 'i', 'm', 'e', 'o', 'u', 't'};
    struct call_timer *found = NULL;

    map_find(self->call_timers, &timer, sizeof(timer), found);
    if (found == NULL)
        return false;
    call_end(found->call, CALL_TIMEOUT, (struct cn_term){timeout, sizeof(timeout)});
    return true;
}

void calls_drop(struct gen_server *self)
{
    struct call *call = NULL;
    struct call *next = NULL;

    map_for_each(self->calls, call, next) call_free(call, false); /* its mailbox goes too */
}

int call_rpc(struct gen_server *self, const char *node, const char *module, const char *function,
             struct cn_term arguments, uint32_t timeout_ms, call_done done, void *context,
             struct call **ret_call)
{
    struct dest rex = {.kind = DEST_NAME, .name = "rex", .node = node};
    struct cn_writer writer;
    int r = 0;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 5);
    cn_write_atom(&writer, "call");
    cn_write_atom(&writer, module);
    cn_write_atom(&writer, function);
    cn_write_term(&writer, arguments);
    cn_write_atom(&writer, "user");
    r = cn_writer_error(&writer);
    if (r == 0)
        r = call_start(self, &rex, cn_writer_term(&writer), timeout_ms, done, context, ret_call);
    cn_writer_free(&writer);
    return r;
}
