/*
 * The timer of a session's round, set while the session runs; round.c says what becomes of it when
 * its end fails.
 */
#ifndef SESSION_ROUND_H
#define SESSION_ROUND_H

#include "session/host.h"

/** Set the timer for the game's deadline, unless it is set for it or was already. */
void round_arm(struct session *session);
/** Cancel it. */
void round_off(struct session *session);
/** The timer has fired: hand the game its message. The session may stop. */
void round_is_over(struct session *session);

#endif
