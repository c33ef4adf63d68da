/*
 * Moving one session away: an offer to each host of its ranking until one takes it.
 *
 * A refusal costs the session nothing, it runs on; at most once around the ranking.
 *
 *                  accept                      moved
 *    ┌──────────┐         ┌─────────────┐
 *    │ offering ├────────►│ handing off ├──────────────► done (true)
 *    └──▲────┬──┘         └──────┬──────┘
 *       │    │ refuse, down, 5 s │ failed
 *       └────┴───────────────────┘ next of the ranking ──► none left: done (false)
 *
 * How it fails: out of memory counts as a refusal.
 */
#ifndef SESSION_MOVE_H
#define SESSION_MOVE_H

#include "session/session.h"

/** What came of a move. */
enum move_result {
    MOVE_MOVED, /* the session is a forwarder now */
    MOVE_LOST,  /* nobody took it: it runs on here */
    MOVE_ENDED, /* the session has ended by itself */
};

/** Called exactly once, unless move_start fails. */
typedef void (*move_done)(struct hosts *hosts, enum move_result result);

/** Begin to move the running @session. Errors: -ENOMEM; then @done is not called. */
int move_start(struct session *session, move_done done);
/** The session ends while `session->move` is at work. */
void move_session_ends(struct session *session);

#endif
