/*
 * The source of a handoff: a session's old process gives itself away.
 *
 * The target's host has accepted; from here on the old process speaks with the new one alone, which
 * makes the order "state, queue, activate" certain without acknowledgements.
 *
 *           state, digest sent            queue and names on their way
 *   ┌─────────┐     ready      ┌────────┐   names moved   ┌────────────┐   active   ┌───────┐
 *   │ waiting ├───────────────►│ moving ├────────────────►│ activating ├───────────►│ moved │
 *   └────┬────┘                └───┬────┘                 └─────┬──────┘            └───────┘
 *        │ refused                 │                            │   (the session: forwarding)
 *        │ the new process ends, 5 s without a step, no memory, too long a queue
 *        │                         │                            │
 *        └─────────────────────────┴────────────┬───────────────┘
 *                                          ┌────▼───┐
 *                                          │ failed │  (the session: running again)
 *                                          └────────┘
 *
 * The names do not decide about a move: a registry that has many to move needs longer for them than
 * a session may stand still. When they have not moved after `names_wait_ms`, or the registry
 * answers that it cannot move them, the target is activated all the same; so are those that follow
 * within a second, without a wait, for their names stand behind the others'. The wish stays under
 * way, the forwarder repeats one that failed, and stays until the names have moved.
 *
 * When the connection is lost the new process is told once more to activate, from each of these
 * states: if it was ready it runs.
 *
 * The queue is held until `active`: when the target fails, the session executes it itself, as if
 * nothing had happened. Source: PROTOCOL.md, "Graceful handoff of one session".
 */
#ifndef SESSION_HANDOFF_OUT_H
#define SESSION_HANDOFF_OUT_H

#include "session/session.h"

/**
 * Called exactly once unless the session ends first. @result: 0 (it is a forwarder now),
 * CN_E_REFUSED, CN_E_CLOSED (the new process ended), CN_E_TIMEOUT, CN_E_LIMIT (its queue), or
 * another error; then it runs as before.
 */
typedef void (*handoff_done)(struct session *session, int result);

/**
 * Hand the running @session over to @target, the paused process that accepted the attempt
 * @transfer. Errors: those of sending, -ENOMEM; then it runs as before, the target is told, and
 * @done is not called.
 */
int handoff_out_start(struct session *session, const struct cn_ref *transfer,
                      const struct cn_pid *target, handoff_done done);
/** See a message of a frozen session; false: it has thawed and executes the message itself. */
bool handoff_out_message(struct session *session, struct cn_term message);
/**
 * See a word of a handoff at a session that is not frozen: a target that says ready, for an attempt
 * that was given up and whose cancel it has not heard, hears it now. False: it is something else.
 */
bool handoff_out_late(struct session *session, struct cn_term message);
/** A timer of the frozen session is due. */
void handoff_out_timer(struct session *session, uint64_t timer);
/** The session ends while frozen: release. The target sees it by its monitor. */
void handoff_out_session_ends(struct session *session);

#endif
