/*
 * Passing messages on, and knowing when to stop: watchers are counted every 100 ms.
 */
#include "session/forward.h"

#include "base/alloc.h"
#include "session/conflict.h"
#include "session/drain.h"
#include "session/ended.h"
#include "session/events.h"
#include "session/handoff_in.h"
#include "session/handoff_out.h"
#include "session/host.h"
#include "session/locate.h"
#include "session/words.h"
#include "session/handoff_words.h"

#define CHECK_INTERVAL_MS 100
#define STAY_MS           500
/* Longer than a caller waits by default; no drain ends one that gave way. */
#define GAVE_WAY_STAY_MS 6500

/* Somebody needs it, for its end would be news. */
static bool watched(const struct session *session)
{
    const struct forward *forward = session->forward;

    if (forward->conflict &&
        procs_now_ms(session->hosts->procs) >= forward->since_ms + GAVE_WAY_STAY_MS)
        return false;
    return process_watchers(gen_server_process(session->server), NULL) > 0;
}

void forward_names(struct session *session, struct forward *forward,
                   const struct naming_result *result)
{
    forward->names = result->error == 0 ? FORWARD_NAMES_MOVED : FORWARD_NAMES_FAILED;
    forward->until_ms = procs_now_ms(session->hosts->procs) + STAY_MS;
}

static void names_moved(struct session *session, const struct naming_result *result)
{
    forward_names(session, session->forward, result);
}

/* Wish, once more, that the target has the names. */
static void move_names(struct session *session)
{
    struct forward *forward = session->forward;

    forward->names = FORWARD_NAMES_MOVING;
    if (naming_wish(session, NAMING_MOVE, &forward->target, names_moved) != 0)
        forward->names = FORWARD_NAMES_FAILED;
}

static void check_in(struct session *session, uint64_t wait_ms)
{
    if (process_start_timer(gen_server_process(session->server), wait_ms,
                            &session->forward->timer) != 0)
        forward_end(session);
}

/* An earlier owner may have moved them here after they had left: then they are to be moved on. */
static void looked(struct session *session, const struct naming_result *result)
{
    if (session_state(session) != SESSION_FORWARDING)
        return;
    if (result->error == 0 && result->held == 0 && !session->forward->asking) {
        forward_end(session);
        return;
    }
    session->forward->names = FORWARD_NAMES_FAILED;
    check_in(session, CHECK_INTERVAL_MS);
}

/* End when the time has come, else look again later. */
static void check(struct session *session)
{
    struct forward *forward = session->forward;
    uint64_t now_ms = procs_now_ms(session->hosts->procs);
    uint64_t wait_ms = CHECK_INTERVAL_MS;
    bool moved = forward->names == FORWARD_NAMES_MOVED;

    forward->timer = 0;
    if (forward->asking)
        moved = false;
    else if (forward->names == FORWARD_NAMES_FAILED)
        move_names(session);
    if (moved && now_ms >= forward->until_ms && !watched(session)) {
        if (naming_wish(session, NAMING_LOOK, session_pid(session), looked) != 0)
            forward_end(session);
        return;
    }
    if (moved && now_ms < forward->until_ms)
        wait_ms = forward->until_ms - now_ms;
    check_in(session, wait_ms);
}

void forward_start(struct session *session, struct forward *forward)
{
    sm_move(&session->sm, SESSION_FORWARDING);
    list_remove(&session->contested);
    session->forward = forward;
    session->hosts->table.forwarders++;
    process_stall_on_busy(gen_server_process(session->server));
    check(session);
}

/* Watch @newer, and pass on to it: the owner has moved on, or is looked at again. The names go to
 * it too if they are still under way. */
static void follow(struct session *session, const struct cn_pid *newer)
{
    struct process *process = gen_server_process(session->server);
    struct forward *forward = session->forward;
    struct dest dest = words_to_pid(newer);

    forward->target = *newer;
    if (process_monitor(process, &dest, &forward->monitor) != 0)
        forward_end(session);
    else if (forward->names == FORWARD_NAMES_MOVING)
        move_names(session);
}

/* Own the session again, with the state that it left with. */
static void recover(struct session *session)
{
    struct forward *forward = session->forward;
    struct hosts *hosts = session->hosts;

    host_log(hosts, HOSTS_LOG_ERROR, "session %.*s: its owner on %s died: it goes on here",
             (int)session->id_size, (const char *)session->text, forward->target.node);
    if (forward->timer != 0)
        process_cancel_timer(gen_server_process(session->server), forward->timer);
    session->epoch += forward->owners; /* should one of them live: who did more stays */
    session->owns_names = true;
    session->forward = NULL;
    hosts->table.forwarders--;
    process_run_on_busy(gen_server_process(session->server));
    mem_free(forward);
    if (naming_wish(session, NAMING_MOVE, session_pid(session), NULL) != 0)
        host_log(hosts, HOSTS_LOG_ERROR, "session %.*s: no memory to take its names back",
                 (int)session->id_size, (const char *)session->text);
    events_moved(session);
    session_run(session);
    conflict_expect(session);
    drain_session_is_back(hosts, session);
}

static bool pass_held(void *context, struct cn_term message)
{
    struct session *session = context;

    session_send(session, &session->forward->target, message);
    return true;
}

/* The session is over, and so is this. */
static void follow_to_the_end(struct session *session)
{
    ended_note(session);
    forward_end(session);
}

/* All hosts have been asked; @owner: who owns the session; @ended: it is over. */
static void asked(struct session *session, const struct cn_pid *owner, bool ended)
{
    struct forward *forward = session->forward;

    if (session_state(session) != SESSION_FORWARDING || !forward->asking)
        return;
    if (owner == NULL && session->displaced) {
        owner = locate_here(session->hosts, LOCATE_BY_ID, session_id(session));
        if (owner == NULL) /* its return came to nothing */
            session_table_restore(&session->hosts->table, session);
    }
    forward->asking = false;
    if (owner != NULL && cn_pid_equal(owner, &forward->target)) {
        forward_end(session); /* only this process does not reach it: callers may */
    } else if (owner != NULL) {
        host_log(session->hosts, HOSTS_LOG_INFO, "session %.*s: its owner is on %s now",
                 (int)session->id_size, (const char *)session->text, owner->node);
        forward->owners++;
        follow(session, owner);
        held_each(session->held, pass_held, session);
        session->held = held_free(session->held);
    } else if (session->displaced) {
        forward_end(session);
    } else if (forward->over || ended) {
        follow_to_the_end(session);
    } else {
        recover(session);
    }
}

/* Before anything is decided: somebody else may own it. @over: if nobody does, it has ended. */
static void ask_hosts(struct session *session, bool over)
{
    struct forward *forward = session->forward;
    struct locate_question question = {
        .except = &forward->target, .lost = &forward->target, .since_ms = forward->since_ms};

    forward->asking = true;
    forward->over = over;
    locate_other(session, &question, asked);
}

/* The owner is gone: on to where it went, if it says so. One that is not there any more when a lost
 * connection is back may have crashed meanwhile; else it has ended as it should. */
static void owner_down(struct session *session, struct cn_term reason)
{
    struct forward *forward = session->forward;
    struct cn_term detail;
    struct cn_pid newer;
    bool tried = forward->lost;

    forward->lost = false;
    if (words_read_pair(reason, "shutdown", &detail) && words_read_new_pid(detail, &newer)) {
        forward->owners++;
        follow(session, &newer);
    } else if (cn_term_is_atom(reason, "noconnection") && !tried) {
        forward->lost = true;
        newer = forward->target;
        follow(session, &newer);
    } else if (ended_in_order(reason)) {
        follow_to_the_end(session);
    } else {
        ask_hosts(session, cn_term_is_atom(reason, "noproc") && !tried && !forward->conflict);
    }
}

void forward_message(struct session *session, struct cn_term message)
{
    struct forward *forward = session->forward;
    struct process_down down;

    if (handoff_word(message) != HANDOFF_NONE) {
        (void)(handoff_in_late(session, message) || handoff_out_late(session, message));
        return;
    }
    if (process_read_down(message, &down) && cn_ref_equal(&down.ref, &forward->monitor))
        owner_down(session, down.reason);
    else if (!forward->asking || session_hold(session, message) != 0)
        session_send(session, &forward->target, message);
}

void forward_timer(struct session *session, uint64_t timer)
{
    if (timer == session->forward->timer)
        check(session);
}

void forward_end(struct session *session)
{
    struct cn_writer reason;

    if (session->stopping)
        return;
    cn_writer_init(&reason, 0);
    cn_write_tuple(&reason, 2);
    cn_write_atom(&reason, "shutdown");
    words_pid(&reason, session->forward->conflict ? "session_conflict" : "moved",
              &session->forward->target);
    if (cn_writer_error(&reason) == 0)
        session_stop(session, cn_writer_term(&reason));
    else
        session_stop_atom(session, "shutdown");
    cn_writer_free(&reason);
}

void forward_session_ends(struct session *session)
{
    mem_free(session->forward);
    session->forward = NULL;
}

const struct cn_pid *forward_target(const struct session *session)
{
    return &session->forward->target;
}
