/*
 * The target of a handoff: a paused process puts a session together, then becomes its owner.
 *
 *    offer accepted                 chunks, digest
 *        │        ┌───────────┐   both guards hold    ┌───────┐  activate, or the source's node
 *        └───────►│ receiving ├──────────────────────►│ ready ├───────────────► running
 *                 └─────┬─────┘        ready          └───┬───┘  is lost         (epoch + 1)
 *                       │ refuse; cancel; the source ends │ cancel; the source ends otherwise
 *                       ▼                                 ▼
 *                     ended                             ended
 *
 * These are states of the session itself (session.h). What arrives for the session meanwhile is
 * held and executed on activation. A ready process whose source's connection breaks says once more,
 * over a new one, that it is ready; if the source cannot be reached in 2 s it owns the newest state
 * there is, so it takes the names. One that is not ready has nothing to offer. A session
 * remembers the transfer by which it came: a source that did not hear `active` in time cancels and
 * owns the session again, at a higher epoch, so a cancel ends the new one even when it runs.
 * One whose source says nothing for 10 s, or for 15 s when it is ready, ends: the source has given
 * up by then, or will see the end.
 * Source: PROTOCOL.md.
 */
#ifndef SESSION_HANDOFF_IN_H
#define SESSION_HANDOFF_IN_H

#include "session/host.h"

/** Answer {offer, Offer}: writes {accept, Pid} or {refuse, Reason}; false, and nothing written, for
 * anything else. */
bool handoff_in_offer(struct hosts *hosts, struct cn_term request, struct cn_writer *writer);
/** See a message of a receiving or ready session. */
void handoff_in_message(struct session *session, struct cn_term message);
/** A timer of a receiving or ready session is due. */
void handoff_in_timer(struct session *session, uint64_t timer);
/**
 * See a word of the handoff by which a session came, now that it is no longer paused; true: it is
 * done with. A cancel ends it: its source owns the session again. An activate, said once more after
 * the connection was lost, is answered with active.
 */
bool handoff_in_late(struct session *session, struct cn_term message);
/** The session ends before it ran: release. */
void handoff_in_session_ends(struct session *session);

#endif
