/*
 * Sessions that have ended here, for a while.
 *
 * A session ends for good when its game does, or when its supervisor is told so. Whoever watches
 * sees it. A forwarder that is cut off just then does not: it finds nobody when it is back, and
 * would own the session again with the state that it kept; so would a copy whose source ended. So
 * they ask, {ended, Id}, and are told {ended, Epoch, AgeMs}. That means them if the one that ended
 * was of no lower epoch than theirs, and ended after they had stopped: an earlier session of the
 * same id, which somebody has started anew since, had ended before. Ages need no common clock.
 *
 * Only sessions of a second owner or a later one are noted: nobody can have a copy of others.
 *
 * How it fails: the oldest of ENDED_MAX, those that ended ENDED_MS ago, and one that finds no
 * memory, are forgotten, and the session may come back.
 *
 * Source: PROTOCOL.md, "Ended sessions".
 */
#ifndef SESSION_ENDED_H
#define SESSION_ENDED_H

#include "session/session.h"

/** So many are remembered. */
#define ENDED_MAX 65536
/** For so long. */
#define ENDED_MS 600000

/** Note that @session, whose owner was of its epoch, has ended for good. */
void ended_note(const struct session *session);
/** Find when @id ended here, and at which epoch; false: not known to have ended. */
bool ended_find(struct hosts *hosts, struct cn_bytes id, uint64_t *ret_epoch, uint64_t *ret_age_ms);
/** Write the answer to {ended, Id}; false when @request is something else. */
bool ended_answer(struct hosts *hosts, struct cn_term request, struct cn_writer *writer);
/** Tell whether a process has ended for good that ends with @reason. */
bool ended_in_order(struct cn_term reason);
/** Forget all. */
void ended_clear(struct hosts *hosts);

#endif
