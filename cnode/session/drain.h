/*
 * The drain: this host leaves, every session moves to another.
 *
 *    ┌─────────┐ all sessions tried   ┌────────────┐ no forwarder left,   ┌──────────┐
 *    │ moving  ├─────────────────────►│ forwarding ├─────────────────────►│ finished │
 *    └────┬────┘                      └─────┬──────┘ or end of the time   └────▲─────┘
 *         └──── deadline, hurry, abort ─────┴───────────────────────────────────┘
 *
 * At most 64 sessions move at a time. Sessions that are just starting or arriving are waited for
 * and moved too. A session that nobody takes runs on here until the node exits, and counts as lost.
 * Source: PROTOCOL.md, "Drain".
 */
#ifndef SESSION_DRAIN_H
#define SESSION_DRAIN_H

#include "session/move.h"

/** Begin, unless it has begun. Errors: -ENOMEM; then the host goes on as before. */
int drain_start(struct hosts *hosts);
/** Answer the call `:drain`, when the drain is over. */
void drain_call(struct hosts *hosts, const struct gen_from *from);
/** At most one second is left. */
void drain_hurry(struct hosts *hosts);
/** No time is left. */
void drain_abort(struct hosts *hosts);
/** A session has begun to run here: if this host leaves, it must go. */
void drain_session_runs(struct hosts *hosts, struct session *session);
/** A session that had moved runs here again, for its new owner died: it must go again. */
void drain_session_is_back(struct hosts *hosts, struct session *session);
/** A move that the conductor began has ended: whom nobody took must go all the same. */
void drain_conducted(struct hosts *hosts, const struct move_outcome *outcome);
/** A session has ended, or there is room for another move. */
void drain_go_on(struct hosts *hosts);
/** Release. */
void drain_free(struct hosts *hosts);

#endif
