/*
 * Two owners of one session, and how one of them ends.
 *
 * While nodes cannot reach each other both sides may go on with a session: a paused copy whose
 * source is lost, a source or a forwarder whose target is, or two hosts that started the same game.
 * When they meet again, the one with the higher epoch stays, then the one with the higher version,
 * then the one on the greater node. They settle it between themselves:
 *
 *     A: {session_claim, Id, Epoch, Version, A}  ──►  B    who is below ends:
 *     A  ◄── {session_yield, Id, Epoch, Version, B, CarriedOut}
 *                                                          who is above answers with its own claim,
 *                                                          and A ends
 *
 * Versions only rise, so of two claims that cross each other never both are below. A forwarder and
 * a session on its way pass claims on, as they do everything. Who ends logs it, tells its
 * subscribers where the session is, and becomes a forwarder, whose reason is
 * {shutdown, {session_conflict, Winner}}; it keeps its state, for the winner may be gone. Who stays
 * logs how many updates of the last 256 only the other had carried out, and takes the names.
 *
 * They learn of each other by :global, which takes a name that two have from both and says
 * {global_name_conflict, Name, Other}; and, for one that may have another owner, by asking all
 * hosts: at once, and when a host comes.
 *
 * They ask for an hour: a session without a rival by then has none that anybody heard of.
 *
 * How it fails: without memory for a claim the next conflict or host brings another one; who cannot
 * become a forwarder ends at once.
 *
 * Source: PROTOCOL.md, "Two owners".
 */
#ifndef SESSION_CONFLICT_H
#define SESSION_CONFLICT_H

#include "session/session.h"

/** Take a word of the above at a running session; false, and nothing done, for anything else. */
bool conflict_message(struct session *session, struct cn_term message);
/** The process @source, from which the running @session came, says that it owns it again. */
void conflict_give_back(struct session *session, const struct cn_pid *source);
/** The running @session may have another owner: it looks for one, now and when a host comes within
 * an hour. */
void conflict_expect(struct session *session);
/** A host has come: sessions that may have another owner ask for it, some at a time. */
void conflict_host_met(struct hosts *hosts);

#endif
