/*
 * The conductor: moves that an operator orders while this host stays.
 *
 * `{move, Id, Node}` moves one session to just that host; `rebalance` moves those sessions whose
 * placement names another host. As few move at a time as in a drain (window.h). Source:
 * PROTOCOL.md, "Calls to H".
 *
 * How it fails: a session that its target does not take runs on here, and the answer says why. When
 * a drain begins nothing more is begun here: orders that wait are refused, and the drain waits for
 * the moves that are under way and takes over those that fail.
 */
#ifndef SESSION_CONDUCTOR_H
#define SESSION_CONDUCTOR_H

#include "session/host.h"

/** Answer {move, Id, Node} or rebalance, now or later; false: it is neither. */
bool conductor_call(struct hosts *hosts, const struct gen_from *from, struct cn_term request);
/** A drain begins: begin nothing more. Returns how many sessions are on their way. */
size_t conductor_yield(struct hosts *hosts);
/** A session has ended, or there is room for another move. */
void conductor_go_on(struct hosts *hosts);
/** Release. */
void conductor_free(struct hosts *hosts);

#endif
