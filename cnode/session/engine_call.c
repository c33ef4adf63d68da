/*
 * Calls to sessions on behalf of callers of the engine. One structure per call.
 *
 * When the owner's node was lost, its session mostly runs elsewhere already, which is looked for at
 * once; or it may be about to: then the next look waits a moment, and finding nobody counts as one
 * of the five. A call that finds nobody when a host was lost just before is like one that was on
 * its way then.
 */
#include "session/engine_call.h"

#include <string.h>

#include "base/alloc.h"
#include "session/ended.h"
#include "session/locate.h"
#include "session/members.h"
#include "session/words.h"

#define CALL_MS   5000
#define TRIES_MAX 5
#define PAUSE_MS  100

struct engine_call {
    struct operation operation;
    struct hosts *hosts;
    const struct cn_game_function *function;
    struct apply *apply;
    struct cn_writer request;
    struct host_timer timer; /* a pause before the next look */
    struct cn_pid pid;       /* the session's, as last found */
    struct cn_ref tag;       /* of the first call that broke off; count 0: none did */
    struct cn_ref latest;    /* of the present one */
    uint64_t began_ms;
    unsigned tries;
    bool node_lost; /* the owner's node broke away: somebody may take over soon */
    bool looked;    /* since then */
    enum locate_by by;
    size_t key_size;
    uint8_t key[];
};

static void look(struct engine_call *call);

static void call_free(struct engine_call *call)
{
    operation_end(&call->operation);
    host_timer_stop(call->hosts, &call->timer);
    cn_writer_free(&call->request);
    mem_free(call);
}

static void call_release(struct operation *operation)
{
    call_free(container_of(operation, struct engine_call, operation));
}

static void finish(struct engine_call *call, struct cn_term answer)
{
    struct apply *apply = call->apply;

    apply_return(apply, answer);
    call_free(call);
}

static void finish_writer(struct engine_call *call, struct cn_writer *writer)
{
    finish(call, words_answer(writer));
    cn_writer_free(writer);
}

static void finish_error(struct engine_call *call, const char *reason)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    words_error(&writer, reason);
    finish_writer(call, &writer);
}

static void finish_not_alive(struct engine_call *call)
{
    finish_error(call, call->hosts->game->not_alive);
}

static void finish_ok(struct engine_call *call, struct cn_term value)
{
    struct apply *apply = call->apply;

    apply_return_ok(apply, value);
    call_free(call);
}

static void finish_reply(struct engine_call *call, struct cn_term reply)
{
    if (call->function->wrap_ok)
        finish_ok(call, reply);
    else
        finish(call, reply);
}

/* Take the answer to a repetition: repeat.h. A host that does not know them cannot know either. */
static void finish_repetition(struct engine_call *call, struct cn_term reply)
{
    struct cn_term detail;

    if (words_read_pair(reply, "now", &detail))
        finish_reply(call, detail);
    else if (words_read_pair(reply, "carried_out", &detail))
        finish_ok(call, detail);
    else
        finish_error(call, "in_doubt");
}

/* Raise what GenServer.call would: exit({Reason, {GenServer, call, [Pid, Request, Timeout]}}). */
static void finish_raise(struct engine_call *call, struct cn_term reason)
{
    struct apply *apply = call->apply;
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_term(&writer, reason);
    cn_write_tuple(&writer, 3);
    cn_write_atom(&writer, "Elixir.GenServer");
    cn_write_atom(&writer, "call");
    cn_write_list(&writer, 3);
    cn_write_pid(&writer, &call->pid);
    cn_write_term(&writer, cn_writer_term(&call->request));
    cn_write_integer(&writer, CALL_MS);
    cn_write_nil(&writer);
    apply_raise(apply, "exit", words_answer(&writer));
    cn_writer_free(&writer);
    call_free(call);
}

static void pause_over(struct host_timer *timer)
{
    look(container_of(timer, struct engine_call, timer));
}

/* Look again, at once or, when its node was lost and nobody has it yet, in a moment. */
static void look_again(struct engine_call *call)
{
    if (call->tries >= TRIES_MAX)
        finish_not_alive(call);
    else if (!call->node_lost || !call->looked)
        look(call);
    else if (host_timer_start(call->hosts, &call->timer, PAUSE_MS, pause_over) != 0)
        finish_not_alive(call);
}

static void answered(struct gen_server *self, void *context, enum call_outcome outcome,
                     struct cn_term term);

/* The call broke off, and may have been carried out: reading twice does no harm. */
static bool is_repetition(const struct engine_call *call)
{
    return call->tag.count > 0 && !call->function->reads;
}

static void write_repetition(const struct engine_call *call, struct cn_writer *writer)
{
    cn_write_tuple(writer, 4);
    cn_write_atom(writer, "repeat");
    cn_write_ref(writer, &call->tag);
    cn_write_unsigned(writer, procs_now_ms(call->hosts->procs) - call->began_ms);
    cn_write_term(writer, cn_writer_term(&call->request));
}

static void call_session(struct engine_call *call, const struct cn_pid *pid)
{
    struct dest dest = words_to_pid(pid);
    struct call *started;
    struct cn_writer again;
    int error;

    call->pid = *pid;
    call->tries++;
    cn_writer_init(&again, 0);
    if (is_repetition(call))
        write_repetition(call, &again);
    else
        cn_write_term(&again, cn_writer_term(&call->request));
    error = cn_writer_error(&again);
    if (error == 0)
        error = host_call(call->hosts, &dest, cn_writer_term(&again), CALL_MS, answered, call,
                          &started);
    cn_writer_free(&again);
    if (error != 0)
        finish(call, words_failure(error));
    else
        call_tag(started, &call->latest);
}

/* Tell whether @reason is {shutdown, {moved, Pid}}, or another that says where to go. */
static bool read_moved(struct cn_term reason, struct cn_pid *ret_pid)
{
    struct cn_term moved;

    return words_read_pair(reason, "shutdown", &moved) && words_read_new_pid(moved, ret_pid);
}

static void went_down(struct engine_call *call, struct cn_term reason)
{
    struct cn_pid new_pid;

    /* What was sent to a process that was not there is lost for sure. */
    if (call->tag.count == 0 && !cn_term_is_atom(reason, "noproc"))
        call->tag = call->latest;
    if (read_moved(reason, &new_pid) && call->tries < TRIES_MAX) {
        call_session(call, &new_pid);
    } else if (cn_term_is_atom(reason, "noconnection")) {
        call->node_lost = true;
        call->looked = false;
        look_again(call);
    } else if (cn_term_is_atom(reason, "noproc") || ended_in_order(reason)) {
        look_again(call);
    } else {
        finish_raise(call, reason);
    }
}

static void answered(struct gen_server *self, void *context, enum call_outcome outcome,
                     struct cn_term term)
{
    struct engine_call *call = context;

    if (outcome == CALL_REPLY && is_repetition(call))
        finish_repetition(call, term);
    else if (outcome == CALL_REPLY)
        finish_reply(call, term);
    else if (outcome == CALL_DOWN)
        went_down(call, term);
    else
        finish_raise(call, term);
}

static void finish_whereis(struct engine_call *call, const struct cn_pid *pid)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    if (pid == NULL)
        cn_write_atom(&writer, "nil");
    else
        cn_write_pid(&writer, pid);
    finish_writer(call, &writer);
}

/* The first look after the node was lost: who is still said to be there is not. */
static bool is_stale(const struct engine_call *call, const struct cn_pid *pid)
{
    return call->node_lost && !call->looked && strcmp(pid->node, call->pid.node) == 0;
}

static void found(void *context, const struct cn_pid *pid)
{
    struct engine_call *call = context;

    if (call->function->kind == CN_GAME_FUNCTION_WHEREIS) {
        finish_whereis(call, pid);
    } else if (pid != NULL && !is_stale(call, pid)) {
        call_session(call, pid);
    } else if (call->node_lost || members_lost_lately(call->hosts)) {
        call->tries += call->looked ? 1 : 0;
        call->node_lost = true;
        call->looked = true;
        look_again(call);
    } else {
        finish_not_alive(call);
    }
}

static void look(struct engine_call *call)
{
    struct cn_bytes key = {.data = call->key, .size = call->key_size};

    locate_session(call->hosts, call->by, key, found, call);
}

/* Write the request: the function's atom, or with more arguments {atom, Argument2, ...}. */
static int write_request(struct engine_call *call, const struct cn_term *arguments)
{
    const struct cn_game_function *function = call->function;

    cn_writer_init(&call->request, 0);
    if (function->kind == CN_GAME_FUNCTION_WHEREIS)
        return 0;
    if (function->arity > 1)
        cn_write_tuple(&call->request, function->arity);
    cn_write_atom(&call->request, function->request);
    for (uint32_t i = 1; i < function->arity; i++)
        cn_write_term(&call->request, arguments[i]);
    return cn_writer_error(&call->request);
}

static struct engine_call *call_new(struct hosts *hosts, const struct cn_game_function *function,
                                    struct cn_term key_term)
{
    struct cn_bytes key = {.size = 0};
    struct engine_call *call;
    struct cn_reader reader;

    cn_reader_init(&reader, key_term);
    cn_read_binary(&reader, &key); /* anything else is a key that nobody has */
    call = mem_zalloc(sizeof(*call) + key.size);
    if (call == NULL)
        return NULL;
    call->hosts = hosts;
    call->function = function;
    call->began_ms = procs_now_ms(hosts->procs);
    call->by = function->kind == CN_GAME_FUNCTION_CALL_BY_CODE ? LOCATE_BY_CODE : LOCATE_BY_ID;
    call->key_size = key.size;
    if (key.size > 0)
        memcpy(call->key, key.data, key.size);
    operation_begin(hosts, &call->operation, call_release);
    return call;
}

void engine_call_run(struct hosts *hosts, const struct cn_game_function *function,
                     struct apply *apply, const struct cn_term *arguments)
{
    struct engine_call *call = call_new(hosts, function, arguments[0]);

    if (call == NULL) {
        apply_return(apply, words_no_memory());
        return;
    }
    call->apply = apply;
    if (write_request(call, arguments) != 0)
        finish(call, words_no_memory());
    else
        look(call);
}
