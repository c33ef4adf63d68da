/*
 * Functions that need a session: find it, call it, find it again when it has moved meanwhile.
 *
 *            ┌────────────────────── gone (up to 5 times) ─────────────────────┐
 *            ▼                                                                 │
 *    find: own table, else all hosts ──► pid ──► GenServer.call, 5 s ──► reply │ timeout
 *            │                                                            │        │
 *            └► nobody, but a host was lost just now: gone                answer   raise
 *            └► nobody: {error, not_alive}
 *
 * A call that broke off may have been carried out, so an update is not called again but asked for
 * as a repetition (repeat.h); when the session does not know, the answer is {error, in_doubt}.
 *
 * Gone is what a caller of a moved or ended session sees: noproc, noconnection, {shutdown, {moved,
 * New}} (New is called next), and the orderly ends. A timeout is not repeated, for the call may
 * have been carried out.
 */
#ifndef SESSION_ENGINE_CALL_H
#define SESSION_ENGINE_CALL_H

#include "session/host.h"

/** Carry out a function of kind CALL, CALL_BY_CODE or WHEREIS. Ownership: @apply is consumed, now
 * or later. */
void engine_call_run(struct hosts *hosts, const struct cn_game_function *function,
                     struct apply *apply, const struct cn_term *arguments);

#endif
