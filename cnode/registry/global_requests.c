/*
 * Requests: what is asked of :global, carried out by rpc at a BEAM neighbour.
 *
 * Requests of one name stand in a lane and go one after the other; different names go side by side,
 * at most IN_FLIGHT_MAX at once, which keeps a BEAM's registrar busy without filling its mailbox.
 *
 *     register    register_name_external -> yes | no -> whereis_name -> ours: yes, other's: no
 *     unregister  whereis_name -> ours: unregister_name
 *     move        re_register_name -> yes
 *     whereis     whereis_name
 *
 * A `no` whose name nobody has, and a neighbour that ends or cannot answer, mean: try again, with
 * the registrar of that moment. Without any neighbour the node's own table decides.
 */
#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "base/trace.h"
#include "registry/global_internal.h"

#define IN_FLIGHT_MAX  64u
#define TRIES_MAX      5u
#define RPC_TIMEOUT_MS 60000u

static struct cn_term request_name(const struct request *request)
{
    return (struct cn_term){request->lane->bytes, request->lane->size};
}

bool requests_busy(struct global *global, struct cn_term name)
{
    return lane_find(global->lanes, name) != NULL;
}

int requests_kick(struct global *global)
{
    static const uint8_t pump[] = {0x77, 4, 'p', 'u', 'm', 'p'};
    int r = 0;

    if (global->kicked)
        return 0;
    r = procs_send_pid(global->procs, NULL, gen_server_pid(global->server),
                       (struct cn_term){pump, sizeof(pump)});
    global->kicked = r == 0;
    return r;
}

int requests_add(struct global *global, const struct wish *wish)
{
    struct request *request = NULL;
    struct lane *lane = NULL;

    if (global->server == NULL)
        return CN_E_CLOSED;
    request = mem_zalloc(sizeof(*request));
    lane = request != NULL ? lane_get(&global->lanes, wish->name) : NULL;
    if (lane == NULL || requests_kick(global) != 0) {
        if (lane != NULL)
            lane_put(&global->lanes, lane);
        mem_free(request);
        return -ENOMEM;
    }
    /* Nothing can fail below. */
    request->global = global;
    request->lane = lane;
    request->kind = wish->kind;
    request->method = wish->method;
    request->done = wish->done;
    request->context = wish->context;
    if (wish->pid != NULL)
        request->pid = *wish->pid;
    if (wish->node != NULL)
        text_copy(request->node, sizeof(request->node), wish->node);
    if (list_empty(&lane->requests))
        list_append(&global->ready, &lane->ready);
    list_append(&lane->requests, &request->in_lane);
    return 0;
}

/* Take the request out of its lane, so that the next of that name can start, and answer. */
static void finish(struct request *request, enum global_outcome outcome,
                   const struct cn_pid *holder)
{
    struct global *global = request->global;
    struct lane *lane = request->lane;

    list_remove(&request->in_lane);
    if (list_empty(&lane->requests))
        lane_put(&global->lanes, lane);
    else
        list_append(&global->ready, &lane->ready);
    if (request->done != NULL)
        request->done(request->context, outcome, holder);
    mem_free(request);
}

static void step(struct request *request);

/* The rpc of a request has ended. */
static void ended_rpc(struct request *request)
{
    request->global->in_flight--;
}

/* The neighbour did not do it: ask the present registrar, unless that was tried often enough. */
static void try_again(struct request *request, enum call_outcome outcome)
{
    request->tries++;
    if (outcome == CALL_TIMEOUT || request->tries >= TRIES_MAX)
        finish(request, GLOBAL_UNREACHABLE, NULL);
    else if (neighbours_pending(request->global))
        list_append(&request->global->ready, &request->lane->ready);
    else
        step(request);
}

static bool read_pid(struct cn_term term, struct cn_pid *ret_pid)
{
    struct cn_reader reader;

    cn_reader_init(&reader, term);
    return cn_read_pid(&reader, ret_pid);
}

/* Call global:Function(Name), or, @giving it, (Name, Pid, Method), at the request's node. */
static void rpc(struct request *request, const char *function, bool giving, call_done done)
{
    struct global *global = request->global;
    struct cn_writer writer;
    int r = 0;

    cn_writer_init(&writer, 0);
    cn_write_list(&writer, giving ? 3 : 1);
    cn_write_term(&writer, request_name(request));
    if (giving) {
        cn_write_pid(&writer, &request->pid);
        global_method_write(&global->hooks, request->method, &writer);
    }
    cn_write_nil(&writer);
    r = cn_writer_error(&writer);
    if (r == 0)
        r = call_rpc(global->server, request->node, "global", function, cn_writer_term(&writer),
                     RPC_TIMEOUT_MS, done, request, NULL);
    cn_writer_free(&writer);
    if (r != 0)
        finish(request, GLOBAL_UNREACHABLE, NULL);
    else
        global->in_flight++;
}

/* The process may have ended while the name was being registered: the BEAMs' monitors see to it. */
static bool still_held(struct request *request)
{
    struct held_name *held = names_find(request->global, request_name(request));

    return held != NULL && cn_pid_equal(&held->owner->pid, &request->pid);
}

static void lost_to(struct request *request, const struct cn_pid *other)
{
    struct global *global = request->global;
    struct held_name *held = names_find(global, request_name(request));

    if (held != NULL && cn_pid_equal(&held->owner->pid, &request->pid))
        names_release(global, held);
    if (request->kind == REQUEST_REPAIR && global->hooks.on_conflict != NULL)
        global->hooks.on_conflict(global->hooks.context, request_name(request), &request->pid,
                                  other);
    finish(request, GLOBAL_NO, other);
}

/* The answer to: who has it, since you say no? */
static void on_holder(struct gen_server *self, void *context, enum call_outcome outcome,
                      struct cn_term term)
{
    struct request *request = context;
    struct cn_pid holder;

    ended_rpc(request);
    if (outcome != CALL_REPLY || !read_pid(term, &holder))
        try_again(request, outcome);
    else if (cn_pid_equal(&holder, &request->pid))
        finish(request, GLOBAL_YES, &request->pid);
    else
        lost_to(request, &holder);
    requests_pump(gen_server_state(self));
}

static void on_registered(struct gen_server *self, void *context, enum call_outcome outcome,
                          struct cn_term term)
{
    struct request *request = context;

    ended_rpc(request);
    if (outcome == CALL_REPLY && cn_term_is_atom(term, "yes"))
        finish(request, still_held(request) ? GLOBAL_YES : GLOBAL_NO,
               still_held(request) ? &request->pid : NULL);
    else if (outcome == CALL_REPLY && cn_term_is_atom(term, "no"))
        rpc(request, "whereis_name", false, on_holder);
    else
        try_again(request, outcome);
    requests_pump(gen_server_state(self));
}

static void step_register(struct request *request, const char *registrar)
{
    struct global *global = request->global;
    struct held_name *held = names_find(global, request_name(request));

    if (held != NULL && !cn_pid_equal(&held->owner->pid, &request->pid)) {
        finish(request, GLOBAL_NO, &held->owner->pid);
        return;
    }
    if (held == NULL && (request->kind == REQUEST_REPAIR || request->tries > 0 ||
                         procs_find(global->procs, &request->pid) == NULL)) {
        finish(request, GLOBAL_NO, NULL); /* it has ended meanwhile */
        return;
    }
    if (held != NULL)
        request->method = held->method;
    else if (names_hold(global, request_name(request), &request->pid, request->method) != 0) {
        finish(request, GLOBAL_UNREACHABLE, NULL);
        return;
    }
    if (registrar == NULL)
        finish(request, GLOBAL_YES, &request->pid);
    else
        rpc(request, "register_name_external", true, on_registered);
}

static void on_unregistered(struct gen_server *self, void *context, enum call_outcome outcome,
                            struct cn_term term)
{
    struct request *request = context;

    ended_rpc(request);
    if (outcome == CALL_REPLY && !cn_term_is_atom(term, "ok"))
        outcome = CALL_DOWN; /* {badrpc, _} */
    if (outcome == CALL_REPLY)
        finish(request, GLOBAL_YES, NULL);
    else
        try_again(request, outcome);
    requests_pump(gen_server_state(self));
}

static void on_holder_to_unregister(struct gen_server *self, void *context,
                                    enum call_outcome outcome, struct cn_term term)
{
    struct request *request = context;
    struct cn_pid holder;

    ended_rpc(request);
    if (outcome == CALL_REPLY && cn_term_is_atom(term, "undefined"))
        finish(request, GLOBAL_YES, NULL);
    else if (outcome != CALL_REPLY || !read_pid(term, &holder))
        try_again(request, outcome);
    else if (cn_pid_equal(&holder, &request->pid))
        rpc(request, "unregister_name", false, on_unregistered);
    else
        finish(request, GLOBAL_NO, &holder);
    requests_pump(gen_server_state(self));
}

static void step_unregister(struct request *request, const char *registrar)
{
    struct global *global = request->global;
    struct held_name *held = names_find(global, request_name(request));

    if (held != NULL && cn_pid_equal(&held->owner->pid, &request->pid))
        names_release(global, held);
    if (registrar == NULL)
        finish(request, GLOBAL_YES, NULL);
    else
        rpc(request, "whereis_name", false, on_holder_to_unregister);
}

/* A pid of this node keeps its name under care, any other is no business of ours. */
static void moved(struct request *request)
{
    struct global *global = request->global;
    struct held_name *held = names_find(global, request_name(request));

    if (procs_find(global->procs, &request->pid) != NULL)
        (void)names_hold(global, request_name(request), &request->pid, request->method);
    else if (held != NULL)
        names_release(global, held);
    finish(request, GLOBAL_YES, &request->pid);
}

static void on_moved(struct gen_server *self, void *context, enum call_outcome outcome,
                     struct cn_term term)
{
    struct request *request = context;

    ended_rpc(request);
    if (outcome == CALL_REPLY && cn_term_is_atom(term, "yes"))
        moved(request);
    else
        try_again(request, outcome);
    requests_pump(gen_server_state(self));
}

static void step_move(struct request *request, const char *registrar)
{
    if (registrar == NULL)
        moved(request);
    else
        rpc(request, "re_register_name", true, on_moved);
}

static void on_whereis(struct gen_server *self, void *context, enum call_outcome outcome,
                       struct cn_term term)
{
    struct request *request = context;
    struct cn_pid holder;

    ended_rpc(request);
    if (outcome == CALL_REPLY && cn_term_is_atom(term, "undefined"))
        finish(request, GLOBAL_NO, NULL);
    else if (outcome == CALL_REPLY && read_pid(term, &holder))
        finish(request, GLOBAL_YES, &holder);
    else
        try_again(request, outcome);
    requests_pump(gen_server_state(self));
}

static void step_whereis(struct request *request, const char *registrar)
{
    struct held_name *held = names_find(request->global, request_name(request));

    if (held != NULL)
        finish(request, GLOBAL_YES, &held->owner->pid);
    else if (registrar == NULL)
        finish(request, GLOBAL_NO, NULL);
    else
        rpc(request, "whereis_name", false, on_whereis);
}

/* Begin a request, or begin it again, with whoever registers now. */
static void step(struct request *request)
{
    struct global *global = request->global;
    const char *registrar = neighbours_registrar(global);

    if (request->kind == REQUEST_REPAIR) {
        struct neighbour *asked = neighbours_find(global, request->node);

        if (asked == NULL || asked->kind != NEIGHBOUR_BEAM) {
            finish(request, GLOBAL_UNREACHABLE, NULL); /* when it comes back it is asked again */
            return;
        }
        step_register(request, request->node);
        return;
    }
    if (registrar != NULL)
        text_copy(request->node, sizeof(request->node), registrar);
    switch (request->kind) {
    case REQUEST_REGISTER:
    case REQUEST_REPAIR:
        step_register(request, registrar);
        return;
    case REQUEST_UNREGISTER:
        step_unregister(request, registrar);
        return;
    case REQUEST_MOVE:
        step_move(request, registrar);
        return;
    case REQUEST_WHEREIS:
        step_whereis(request, registrar);
        return;
    }
}

void requests_pump(struct global *global)
{
    struct list *item = NULL;

    while (global->server != NULL && global->in_flight < IN_FLIGHT_MAX &&
           !neighbours_pending(global) && (item = list_pop(&global->ready)) != NULL) {
        struct lane *lane = container_of(item, struct lane, ready);

        step(container_of(list_first(&lane->requests), struct request, in_lane));
    }
}

void requests_closed(struct global *global)
{
    struct lane *lane = NULL;
    struct lane *next = NULL;

    map_for_each(global->lanes, lane, next)
    {
        size_t left = list_count(&lane->requests);

        while (left-- > 0) { /* the last one takes its lane along */
            list_remove(&lane->ready);
            finish(container_of(list_first(&lane->requests), struct request, in_lane),
                   GLOBAL_UNREACHABLE, NULL);
        }
    }
    global->in_flight = 0;
}

void requests_free_all(struct global *global)
{
    struct lane *lane = NULL;
    struct lane *next = NULL;

    map_for_each(global->lanes, lane, next)
    {
        struct list *item = NULL;

        while ((item = list_pop(&lane->requests)) != NULL)
            mem_free(container_of(item, struct request, in_lane));
        lane_put(&global->lanes, lane);
    }
}
