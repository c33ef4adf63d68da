/*
 * The encoded state of a session, kept for those who read it.
 *
 * Most calls read, and between two changes all of them get the same term. So it is written once per
 * change, when somebody asks, and shared by all answers on their way. It is dropped with the next
 * change, and when nobody has asked for a while.
 */
#ifndef SESSION_STATE_BODY_H
#define SESSION_STATE_BODY_H

#include "etf/body.h"
#include "session/session.h"

/** How long a state that nobody asks for is kept. */
#define STATE_BODY_QUIET_MS 10000

/**
 * Give the session's state as a term. Ownership: the session's; valid until its next change.
 * Errors: -ENOMEM, -E2BIG.
 */
int state_body_get(struct session *session, struct etf_body **ret_body);
/** Forget it: the state has changed, or goes away. */
void state_body_drop(struct session *session);
/** Take a timer of the session; false when it is another's. */
bool state_body_timer(struct session *session, uint64_t timer);

#endif
