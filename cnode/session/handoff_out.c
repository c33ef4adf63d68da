/*
 * The source of a handoff, step by step. One structure while it lasts.
 *
 * Every failure goes one way: cancel is said to the target, names go back, the queue is executed
 * here; at the epoch that the target would have, for it may own the session, unless it refused.
 *
 * A lost connection is looked at twice. A target that was ready owns the session from then on, so
 * it is told over a new connection to activate, and a second loss, or its end, is the failure,
 * unless another host reaches it and hears that it owns the session.
 * Calls that were sent to it may have been lost with the first one: they go once more, for it knows
 * them by their tags. Anything else is sent once at most, as a BEAM sends it.
 */
#include "session/handoff_out.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"
#include "session/carried_out.h"
#include "session/conflict.h"
#include "session/events.h"
#include "session/failpoint.h"
#include "session/forward.h"
#include "session/handoff_in.h"
#include "session/handoff_words.h"
#include "session/host.h"
#include "session/locate.h"
#include "session/move.h"
#include "session/snapshot.h"
#include "session/words.h"

#define STEP_MS 5000
/* For so long nobody waits for names after one has waited in vain. */
#define NAMES_LATE_MS 1000

enum out_state {
    OUT_WAITING,
    OUT_MOVING,
    OUT_ACTIVATING,
    OUT_MOVED,
    OUT_FAILED,
};

static const struct sm_state states[] = {
    [OUT_WAITING] = {"waiting", SM_TO(OUT_MOVING) | SM_TO(OUT_ACTIVATING) | SM_TO(OUT_FAILED),
                     .initial = true},
    [OUT_MOVING] = {"moving", SM_TO(OUT_ACTIVATING) | SM_TO(OUT_FAILED)},
    [OUT_ACTIVATING] = {"activating", SM_TO(OUT_MOVED) | SM_TO(OUT_FAILED)},
    [OUT_MOVED] = {"moved", 0, .final = true},
    [OUT_FAILED] = {"failed", 0, .final = true},
};
static const struct sm_table table = SM_TABLE("handoff_out", states);

struct handoff_out {
    struct sm sm;
    struct cn_ref transfer;
    struct forward *forward; /* made beforehand: becoming a forwarder cannot fail */
    uint64_t timer;          /* of the present step */
    size_t sent;             /* of the held messages, the first ones: to the target */
    bool lost;               /* the connection was, once: nothing more is sent before `active` */
    int asking;              /* the hosts whether the target owns it; if not, this is the failure */
    handoff_done done;
};

static void out_free(struct handoff_out *out)
{
    mem_free(out->forward);
    mem_free(out);
}

/* Say @message, completed with the transfer, to the target. */
static int say(struct session *session, struct handoff_message *message)
{
    message->transfer = session->out->transfer;
    return handoff_say(session, &session->out->forward->target, message);
}

/* A step begins: in @wait_ms it is given up. */
static int step_timer(struct session *session, uint64_t wait_ms)
{
    struct process *process = gen_server_process(session->server);
    struct handoff_out *out = session->out;

    if (out->timer != 0)
        process_cancel_timer(process, out->timer);
    out->timer = 0;
    return process_start_timer(process, wait_ms, &out->timer);
}

/* The attempt is over without success: the session runs as before. */
static void give_up(struct session *session, int result)
{
    struct process *process = gen_server_process(session->server);
    struct handoff_out *out = session->out;
    struct handoff_message cancel = {.word = HANDOFF_CANCEL};
    bool names_moving = sm_state(&out->sm) != OUT_WAITING;

    host_log(session->hosts, HOSTS_LOG_WARNING, "session %.*s: move to %s failed: %s",
             (int)session->id_size, (const char *)session->text, out->forward->target.node,
             error_name(result));
    if (result != CN_E_CLOSED) /* nobody is there, or will be told when both are back */
        say(session, &cancel);
    process_demonitor(process, &out->forward->monitor, true);
    if (out->timer != 0)
        process_cancel_timer(process, out->timer);
    if (result != CN_E_REFUSED) {
        session->epoch++;      /* the target may own the session at that one, too: conflict.h */
        events_moved(session); /* and have told them so */
    }
    sm_move(&out->sm, OUT_FAILED);
    out_free(out);
    session->out = NULL;
    if (names_moving && naming_wish(session, NAMING_MOVE, session_pid(session), NULL) != 0)
        host_log(session->hosts, HOSTS_LOG_ERROR, "session %.*s: no memory to take its names back",
                 (int)session->id_size, (const char *)session->text);
    session_run(session);
    if (result != CN_E_REFUSED)
        conflict_expect(session);
}

static void fail(struct session *session, int result)
{
    handoff_done done = session->out->done;

    give_up(session, result);
    done(session, result);
}

static int send_snapshot(struct session *session, struct cn_term state)
{
    uint8_t done[CARRIED_OUT_BYTES_MAX];
    struct snapshot snapshot = {
        .id = session_id(session),
        .code = session_code(session),
        .epoch = session->epoch,
        .version = session->version,
        .state_version = session->hosts->game->state_version,
        .state = state,
        .carried_out = {.data = done,
                        .size = carried_out_write(session->done,
                                                  procs_now_ms(session->hosts->procs), done)},
        .mailbox_digest = process_mailbox_length(gen_server_process(session->server)),
    };
    uint8_t *data;
    size_t size;
    int error = snapshot_encode(&snapshot, &data, &size);

    if (error != 0)
        return error;
    error = handoff_say_state(session, &session->out->forward->target, &session->out->transfer,
                              (struct cn_bytes){.data = data, .size = size}, snapshot_hash(state));
    mem_free(data);
    return error;
}

static int send_state(struct session *session)
{
    struct cn_writer state;
    struct cn_term term;
    int error;

    if (move_state(session, &term))
        return send_snapshot(session, term);
    cn_writer_init(&state, session->hosts->config.snapshot_bytes_max);
    error = session->hosts->game->export(session->game, &state);
    if (error == 0)
        error = cn_writer_error(&state);
    if (error == 0)
        error = send_snapshot(session, cn_writer_term(&state));
    cn_writer_free(&state);
    return error;
}

static struct handoff_out *out_new(struct session *session, const struct cn_ref *transfer,
                                   const struct cn_pid *target, handoff_done done)
{
    struct handoff_out *out = mem_zalloc(sizeof(*out));
    struct dest dest = words_to_pid(target);

    if (out == NULL)
        return NULL;
    out->forward = mem_zalloc(sizeof(*out->forward));
    if (out->forward == NULL ||
        process_monitor(gen_server_process(session->server), &dest, &out->forward->monitor) != 0) {
        out_free(out);
        return NULL;
    }
    out->forward->target = *target;
    out->forward->since_ms = procs_now_ms(session->hosts->procs);
    out->transfer = *transfer;
    out->done = done;
    sm_init(&out->sm, &table, session->sm.id, OUT_WAITING);
    return out;
}

int handoff_out_start(struct session *session, const struct cn_ref *transfer,
                      const struct cn_pid *target, handoff_done done)
{
    struct handoff_out *out = out_new(session, transfer, target, done);
    int error;

    if (out == NULL)
        return -ENOMEM;
    session_freeze(session);
    session->out = out;
    error = step_timer(session, STEP_MS);
    if (error == 0)
        error = send_state(session);
    if (error != 0)
        give_up(session, error);
    return error;
}

static void activate(struct session *session)
{
    struct handoff_message message = {.word = HANDOFF_ACTIVATE};
    int error;

    if (failpoint("out_names"))
        return;
    error = step_timer(session, STEP_MS);
    if (error == 0)
        error = say(session, &message);
    if (error != 0)
        fail(session, error);
    else if (sm_state(&session->out->sm) != OUT_ACTIVATING)
        sm_move(&session->out->sm, OUT_ACTIVATING);
}

/* The connection is lost, but perhaps not the target. */
static void ask_again(struct session *session)
{
    struct handoff_out *out = session->out;
    struct dest dest = words_to_pid(&out->forward->target);
    int error = process_monitor(gen_server_process(session->server), &dest, &out->forward->monitor);

    out->lost = true;
    if (sm_state(&out->sm) == OUT_WAITING) {
        out->forward->names = FORWARD_NAMES_FAILED; /* the forwarder moves them */
        move_state_taken(session);
    }
    if (error != 0)
        fail(session, error);
    else
        activate(session);
}

/* The names do not decide about the move: without them the target runs all the same. */
static void activate_ahead(struct session *session, const char *why)
{
    host_log(session->hosts, HOSTS_LOG_DEBUG, "session %.*s: moves ahead of its names: %s",
             (int)session->id_size, (const char *)session->text, why);
    activate(session);
}

static void names_moved(struct session *session, const struct naming_result *result)
{
    struct handoff_out *out = session->out;

    if (session_state(session) == SESSION_FORWARDING)
        forward_names(session, session->forward, result);
    if (session_state(session) != SESSION_FROZEN)
        return;
    forward_names(session, out->forward, result);
    if (sm_state(&out->sm) != OUT_MOVING)
        return;
    if (result->error != 0)
        activate_ahead(session, error_name(result->error));
    else
        activate(session);
}

/* What forwarding the queue needs to know. */
struct forwarding {
    struct session *session;
    size_t may_be_there; /* of the next ones: sent over a connection that was lost since */
    bool calls_again;    /* of these, calls go once more */
    int error;
};

static bool is_call(struct cn_term message)
{
    struct cn_reader reader;

    cn_reader_init(&reader, message);
    return cn_peek(&reader) == CN_TYPE_TUPLE && cn_read_this_tuple(&reader, 3) &&
           cn_read_this_atom(&reader, "$gen_call");
}

static bool forward_held(void *context, struct cn_term message)
{
    struct forwarding *forwarding = context;

    /* The target knows calls by their tags; anything else would be executed twice. */
    if (forwarding->may_be_there > 0 && forwarding->may_be_there-- &&
        !(forwarding->calls_again && is_call(message)))
        return true;
    forwarding->error = session_send(forwarding->session,
                                     &forwarding->session->out->forward->target, message);
    return forwarding->error == 0;
}

/* The target holds the state: it gets the queue, then the names. */
static void ready(struct session *session, const struct handoff_message *message)
{
    struct handoff_out *out = session->out;
    struct hosts *hosts = session->hosts;
    struct forwarding forwarding = {.session = session, .error = 0};

    if (sm_state(&out->sm) != OUT_WAITING || !cn_pid_equal(&message->pid, &out->forward->target) ||
        failpoint("out_ready"))
        return;
    sm_move(&out->sm, OUT_MOVING);
    move_state_taken(session);
    held_each(session->held, forward_held, &forwarding);
    out->sent = held_count(session->held);
    if (forwarding.error == 0)
        forwarding.error = step_timer(session, hosts->config.names_wait_ms);
    if (forwarding.error == 0)
        forwarding.error = naming_wish(session, NAMING_MOVE, &out->forward->target, names_moved);
    if (forwarding.error != 0)
        fail(session, forwarding.error);
    else if (session->out != NULL && sm_state(&session->out->sm) == OUT_MOVING &&
             procs_now_ms(hosts->procs) < hosts->names_late_ms)
        activate_ahead(session, "others waited in vain");
}

/* The target owns the session: this process only passes messages on. @calls_again: the target
 * remembers what it has carried out of those that were sent over a connection that was lost. */
static void active(struct session *session, uint64_t epoch, bool calls_again)
{
    struct handoff_out *out = session->out;
    struct forward *forward = out->forward;
    struct forwarding forwarding = {
        .session = session, .may_be_there = out->sent, .calls_again = calls_again};
    handoff_done done = out->done;

    if (sm_state(&out->sm) != OUT_ACTIVATING)
        return;
    if (out->timer != 0)
        process_cancel_timer(gen_server_process(session->server), out->timer);
    if (out->lost)
        held_each(session->held, forward_held, &forwarding);
    sm_move(&out->sm, OUT_MOVED);
    out->forward = NULL;
    out_free(out);
    session->epoch = epoch;
    session->owns_names = false;
    session->held = held_free(session->held);
    forward_start(session, forward);
    done(session, 0);
}

/* All hosts have been asked: somebody owns the session, or it is over, or it goes on here. That has
 * taken seconds, in which the target may have forgotten what it carried out: nothing goes twice. */
static void asked(struct session *session, const struct cn_pid *owner, bool ended)
{
    struct process *process = gen_server_process(session->server);
    struct handoff_out *out = session->out;
    struct handoff_message activate_word = {.word = HANDOFF_ACTIVATE};
    struct dest dest;
    int result;

    if (session_state(session) != SESSION_FROZEN || out == NULL || out->asking == 0)
        return;
    result = out->asking;
    out->asking = 0;
    dest = words_to_pid(&out->forward->target);
    process_demonitor(process, &out->forward->monitor, true); /* it may have gone off */
    if ((owner == NULL && !ended) || process_monitor(process, &dest, &out->forward->monitor) != 0) {
        fail(session, result);
        return;
    }
    (void)say(session, &activate_word);
    active(session, session->epoch + 1, false);
}

/* An attempt has failed after `activate`: the target may own the session all the same. */
static void fail_unless_owned(struct session *session, int result)
{
    struct handoff_out *out = session->out;
    struct locate_question question = {.lost = &out->forward->target,
                                       .since_ms = out->forward->since_ms};

    if (out->asking != 0)
        return;
    if (sm_state(&out->sm) != OUT_ACTIVATING) {
        fail(session, result);
        return;
    }
    if (out->timer != 0)
        process_cancel_timer(gen_server_process(session->server), out->timer);
    out->timer = 0;
    out->asking = result;
    locate_other(session, &question, asked);
}

static void take_word(struct session *session, struct cn_term term)
{
    struct handoff_message message;

    if (!handoff_read(term, &message))
        return;
    if (!cn_ref_equal(&message.transfer, &session->out->transfer)) {
        (void)handoff_out_late(session, term);
        return;
    }
    switch (message.word) {
    case HANDOFF_READY:
        ready(session, &message);
        break;
    case HANDOFF_REFUSE:
        if (sm_state(&session->out->sm) == OUT_WAITING)
            fail(session, CN_E_REFUSED);
        break;
    case HANDOFF_ACTIVE:
        if (!failpoint("out_active"))
            active(session, message.epoch, true);
        break;
    default:
        break;
    }
}

static bool is_down_of_target(const struct session *session, struct cn_term message,
                              struct process_down *ret_down)
{
    return process_read_down(message, ret_down) &&
           cn_ref_equal(&ret_down->ref, &session->out->forward->monitor);
}

bool handoff_out_message(struct session *session, struct cn_term message)
{
    struct process_down down;
    int error;

    if (handoff_word(message) != HANDOFF_NONE) {
        if (!handoff_in_late(session, message))
            take_word(session, message);
        return true;
    }
    if (is_down_of_target(session, message, &down)) {
        if (cn_term_is_atom(down.reason, "noconnection") && !session->out->lost)
            ask_again(session);
        else
            fail_unless_owned(session, CN_E_CLOSED);
        return true;
    }
    error = session_hold(session, message);
    if (error != 0) {
        fail(session, error);
        return false;
    }
    if (sm_state(&session->out->sm) == OUT_WAITING || session->out->lost)
        return true;
    session->out->sent++;
    error = session_send(session, &session->out->forward->target, message);
    if (error != 0)
        fail(session, error);
    return true;
}

bool handoff_out_late(struct session *session, struct cn_term message)
{
    struct handoff_message word;

    if (!handoff_read(message, &word) || word.word != HANDOFF_READY ||
        (session_state(session) == SESSION_FORWARDING &&
         cn_pid_equal(&word.pid, forward_target(session))))
        return false;
    (void)handoff_say(session, &word.pid,
                      &(struct handoff_message){.word = HANDOFF_CANCEL, .transfer = word.transfer});
    return true;
}

void handoff_out_timer(struct session *session, uint64_t timer)
{
    if (timer != session->out->timer)
        return;
    session->out->timer = 0;
    if (sm_state(&session->out->sm) != OUT_MOVING) {
        fail_unless_owned(session, CN_E_TIMEOUT);
        return;
    }
    session->hosts->names_late_ms = procs_now_ms(session->hosts->procs) + NAMES_LATE_MS;
    activate_ahead(session, "they take longer than it may stand still");
}

void handoff_out_session_ends(struct session *session)
{
    out_free(session->out);
    session->out = NULL;
}
