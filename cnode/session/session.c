/*
 * The session process: messages in, the game's table of functions, answers out.
 *
 * While a session runs its messages go straight to the game. In every other state `intercept` sees
 * them first and hands them to whoever moves the session, who holds or forwards them. When there is
 * no memory even to hold a message, a starting session executes it at once rather than lose it; the
 * moving ones decide for themselves (handoff_out.c, handoff_in.c).
 */
#include "session/session.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "session/carried_out.h"
#include "session/conductor.h"
#include "session/conflict.h"
#include "session/drain.h"
#include "session/dropped.h"
#include "session/ended.h"
#include "session/events.h"
#include "session/forward.h"
#include "session/handoff_in.h"
#include "session/handoff_out.h"
#include "session/handoff_words.h"
#include "session/host.h"
#include "session/members.h"
#include "session/move.h"
#include "session/naming.h"
#include "session/repeat.h"
#include "session/round.h"
#include "session/start.h"
#include "session/state_body.h"
#include "session/words.h"

static const struct sm_state states[] = {
    [SESSION_STARTING] = {"starting", SM_TO(SESSION_RUNNING) | SM_TO(SESSION_ENDED),
                          .initial = true},
    [SESSION_RUNNING] = {"running", SM_TO(SESSION_FROZEN) | SM_TO(SESSION_ENDED)},
    [SESSION_FROZEN] = {"frozen",
                        SM_TO(SESSION_RUNNING) | SM_TO(SESSION_FORWARDING) | SM_TO(SESSION_ENDED)},
    [SESSION_FORWARDING] = {"forwarding", SM_TO(SESSION_RUNNING) | SM_TO(SESSION_ENDED)},
    [SESSION_RECEIVING] = {"receiving", SM_TO(SESSION_READY) | SM_TO(SESSION_ENDED),
                           .initial = true},
    [SESSION_READY] = {"ready", SM_TO(SESSION_RUNNING) | SM_TO(SESSION_ENDED)},
    [SESSION_ENDED] = {"ended", 0, .final = true},
};
static const struct sm_table table = SM_TABLE("session", states);

struct cn_bytes session_id(const struct session *session)
{
    return (struct cn_bytes){.data = session->text, .size = session->id_size};
}

struct cn_bytes session_code(const struct session *session)
{
    return (struct cn_bytes){.data = session->text + session->id_size, .size = session->code_size};
}

const struct cn_pid *session_pid(const struct session *session)
{
    return gen_server_pid(session->server);
}

enum session_state session_state(const struct session *session)
{
    return (enum session_state)sm_state(&session->sm);
}

/* It is not yet known whether the session will ever run here. */
static bool unsettled(const struct session *session)
{
    enum session_state state = session_state(session);

    return state == SESSION_STARTING || state == SESSION_RECEIVING || state == SESSION_READY;
}

int session_send(struct session *session, const struct cn_pid *to, struct cn_term message)
{
    return procs_send_pid(session->hosts->procs, gen_server_process(session->server), to, message);
}

int session_hold(struct session *session, struct cn_term message)
{
    const struct hosts_config *config = &session->hosts->config;

    return held_add(&session->held, message, config->held_messages_max, config->held_bytes_max);
}

void session_stop(struct session *session, struct cn_term reason)
{
    if (session->stopping)
        return;
    session->stopping = true;
    gen_server_stop(session->server, reason);
}

void session_stop_atom(struct session *session, const char *reason)
{
    if (session->stopping)
        return;
    session->stopping = true;
    gen_server_stop_atom(session->server, reason);
}

void session_take_outcome(struct session *session, int outcome)
{
    if (outcome == CN_GAME_CHANGED) {
        state_body_drop(session);
        session->version++;
        round_arm(session);
        events_changed(session);
    } else if (outcome == CN_GAME_ENDED) {
        session_stop_atom(session, "normal");
    } else if (session->timer == 0 && session_state(session) == SESSION_RUNNING) {
        round_arm(session); /* there may be memory for it now */
    }
}

/* Answer a call with the state. */
static void reply_state(struct session *session, const struct gen_from *from)
{
    struct etf_body *body;
    int error = state_body_get(session, &body);

    if (error == 0)
        gen_reply_shared(session->hosts->procs, from, body);
    else
        gen_reply(session->hosts->procs, from, words_failure(error));
}

/* Answer a call with what the game wrote. */
static void reply_written(struct session *session, const struct gen_from *from,
                          struct cn_writer *reply)
{
    struct procs *procs = session->hosts->procs;
    struct etf_body *body;
    int error = etf_body_new(reply, &body);

    if (error != 0) {
        gen_reply(procs, from, words_failure(error));
        return;
    }
    gen_reply_shared(procs, from, body);
    etf_body_put(body);
}

static void handle_call(struct gen_server *self, void *state, const struct gen_from *from,
                        struct cn_term request)
{
    struct session *session = state;
    struct cn_game_env env = host_env(session->hosts);
    struct cn_writer reply;
    int outcome;

    if (session->stopping || repeat_is_late(session, from))
        return;
    cn_writer_init(&reply, 0);
    cn_writer_use_words(&reply, session->hosts->game->words);
    outcome = session->hosts->game->call(&env, session->game, request, &reply);
    if (outcome == CN_GAME_UNKNOWN && repeat_call(session, from, request))
        goto out;
    if (outcome == CN_GAME_UNKNOWN)
        words_error(&reply, "unknown_request");
    if (outcome == CN_GAME_CHANGED)
        repeat_note(session, from);
    if (outcome == CN_GAME_STATE)
        reply_state(session, from);
    else if (outcome < 0)
        gen_reply(session->hosts->procs, from, words_failure(outcome));
    else if (cn_writer_error(&reply) != 0 || cn_writer_term(&reply).size > 0)
        reply_written(session, from, &reply);
    session_take_outcome(session, outcome);
out:
    cn_writer_free(&reply);
}

static void handle_cast(struct gen_server *self, void *state, struct cn_term message)
{
    struct session *session = state;
    struct cn_game_env env = host_env(session->hosts);
    int outcome;

    if (session->stopping)
        return;
    outcome = session->hosts->game->cast(&env, session->game, message);
    dropped_outcome(session, "a cast", outcome);
    session_take_outcome(session, outcome);
}

static void handle_info(struct gen_server *self, void *state, struct cn_term message)
{
    struct session *session = state;
    struct cn_game_env env = host_env(session->hosts);
    int outcome;

    if (session->stopping)
        return;
    if (handoff_word(message) != HANDOFF_NONE) {
        if (handoff_in_late(session, message) || handoff_out_late(session, message))
            return;
        dropped_log(session->hosts, "session %.*s: late word of a handoff dropped",
                    (int)session->id_size, (const char *)session->text);
        return;
    }
    if (conflict_message(session, message))
        return;
    outcome = session->hosts->game->info(&env, session->game, message);
    dropped_outcome(session, "a message", outcome);
    session_take_outcome(session, outcome);
}

static void handle_timer(struct gen_server *self, void *state, uint64_t timer)
{
    struct session *session = state;

    if (session->stopping || state_body_timer(session, timer))
        return;
    if (timer == session->timer && session_state(session) == SESSION_RUNNING)
        round_is_over(session);
    else if (session_state(session) == SESSION_FROZEN)
        handoff_out_timer(session, timer);
    else if (session_state(session) == SESSION_FORWARDING)
        forward_timer(session, timer);
    else if (session_state(session) == SESSION_RECEIVING || session_state(session) == SESSION_READY)
        handoff_in_timer(session, timer);
}

static bool intercept(struct gen_server *self, void *state, struct cn_term message)
{
    struct session *session = state;

    if (session->stopping)
        return true;
    switch (session_state(session)) {
    case SESSION_STARTING:
        return session_hold(session, message) == 0;
    case SESSION_FROZEN: /* one that it cannot hold ends that state */
        return handoff_out_message(session, message) || intercept(self, state, message);
    case SESSION_FORWARDING:
        forward_message(session, message);
        return true;
    case SESSION_RECEIVING:
    case SESSION_READY:
        handoff_in_message(session, message);
        return true;
    case SESSION_RUNNING:
    case SESSION_ENDED:
        break;
    }
    return false;
}

static int format_state(void *state, struct cn_writer *writer)
{
    struct session *session = state;

    if (session->game == NULL) {
        cn_write_atom(writer, "nil");
        return 0;
    }
    return session->hosts->game->export(session->game, writer);
}

static void session_free(struct session *session)
{
    state_body_drop(session);
    session->hosts->game->free(session->game);
    held_free(session->held);
    carried_out_free(session->done);
    mem_free(session->came_by);
    mem_free(session);
}

/* Whoever moved the session learns that it has ended. */
static void tell_movers(struct session *session, struct cn_term reason)
{
    switch (session_state(session)) {
    case SESSION_STARTING:
        start_session_ends(session, reason);
        break;
    case SESSION_FROZEN:
        handoff_out_session_ends(session);
        break;
    case SESSION_FORWARDING:
        forward_session_ends(session);
        break;
    case SESSION_RECEIVING:
    case SESSION_READY:
        handoff_in_session_ends(session);
        break;
    case SESSION_RUNNING:
    case SESSION_ENDED:
        break;
    }
    if (session->move != NULL)
        move_session_ends(session);
}

static bool owned(const struct session *session)
{
    enum session_state state = session_state(session);

    return session->owns_names && (state == SESSION_RUNNING || state == SESSION_FROZEN);
}

static void terminate(struct gen_server *self, void *state, struct cn_term reason)
{
    struct session *session = state;
    struct hosts *hosts = session->hosts;

    session->stopping = true;
    naming_session_ends(session);
    list_remove(&session->waiting);
    list_remove(&session->arrived);
    list_remove(&session->contested);
    if (owned(session) && ended_in_order(reason))
        ended_note(session);
    if (session_state(session) == SESSION_FORWARDING)
        hosts->table.forwarders--;
    if (session->displaced)
        hosts->table.displaced_count--;
    if (unsettled(session))
        hosts->table.unsettled--;
    session_table_remove(&hosts->table, session);
    tell_movers(session, reason);
    sm_move(&session->sm, SESSION_ENDED);
    session_free(session);
    members_load_changed(hosts);
    drain_go_on(hosts);
    conductor_go_on(hosts);
}

void session_callbacks_init(struct gen_server_callbacks *callbacks, const struct cn_game *game)
{
    *callbacks = (struct gen_server_callbacks){
        .module = game->server_module,
        .intercept = intercept,
        .handle_call = handle_call,
        .handle_cast = handle_cast,
        .handle_info = handle_info,
        .handle_timer = handle_timer,
        .format_state = format_state,
        .terminate = terminate,
    };
}

static struct session *session_alloc(struct hosts *hosts, const struct session_seed *seed)
{
    struct session *session = mem_zalloc(sizeof(*session) + seed->id.size + seed->code.size);

    if (session == NULL)
        return NULL;
    session->hosts = hosts;
    list_init(&session->waiting);
    list_init(&session->arrived);
    list_init(&session->contested);
    session->epoch = seed->epoch;
    session->version = seed->version;
    session->id_size = (uint32_t)seed->id.size;
    session->code_size = (uint32_t)seed->code.size;
    memcpy(session->text, seed->id.data, seed->id.size);
    if (seed->code.size > 0)
        memcpy(session->text + seed->id.size, seed->code.data, seed->code.size);
    return session;
}

int session_new(struct hosts *hosts, const struct session_seed *seed, struct session **ret_session)
{
    struct session *session = session_alloc(hosts, seed);
    int error;

    if (session == NULL)
        return -ENOMEM;
    error = session_table_add(&hosts->table, session);
    if (error != 0)
        goto out;
    error = gen_server_start(hosts->procs, &hosts->session_callbacks, session, &session->server);
    if (error != 0)
        goto out;
    /* nothing can fail below */
    session->game = seed->game;
    hosts->table.unsettled++;
    sm_init(&session->sm, &table, ++hosts->sequence, seed->state);
    members_load_changed(hosts);
    *ret_session = session;
    return 0;
out:
    session_table_remove(&hosts->table, session);
    session_free(session);
    return error;
}

struct session *session_find(struct hosts *hosts, const struct cn_pid *pid)
{
    struct gen_server *server = gen_server_find(hosts->procs, pid, &hosts->session_callbacks);
    struct session *session = server == NULL ? NULL : gen_server_state(server);

    return session == NULL || session->stopping ? NULL : session;
}

/* Handle a message that was held as one that comes now: by one before it the session may have given
 * way to another owner. */
static bool replay(void *context, struct cn_term message)
{
    struct session *session = context;

    if (!intercept(session->server, session, message))
        gen_server_handle(session->server, message);
    return !session->stopping;
}

void session_run(struct session *session)
{
    struct held *held = session->held;

    if (unsettled(session))
        session->hosts->table.unsettled--;
    sm_move(&session->sm, SESSION_RUNNING);
    session->held = NULL;
    events_note_round(session);
    round_arm(session);
    held_each(held, replay, session);
    held_free(held);
}

void session_freeze(struct session *session)
{
    sm_move(&session->sm, SESSION_FROZEN);
    state_body_drop(session);
    round_off(session);
}
