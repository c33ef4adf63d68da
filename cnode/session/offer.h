/*
 * An offer: what a host says of a session that it wants to move here.
 *
 * Nothing of it is believed before it is read as a whole; ids and codes are within their limits.
 * Source: PROTOCOL.md, "Graceful handoff of one session".
 */
#ifndef SESSION_OFFER_H
#define SESSION_OFFER_H

#include "session/host.h"

/** What an offer says. Views point into its term. */
struct offer {
    uint64_t protocol;
    struct cn_ref transfer;
    struct cn_bytes id;
    struct cn_bytes code;
    uint64_t epoch;
    uint64_t version;
    uint64_t state_version;
    uint64_t bytes;
    struct cn_pid source;
    struct cn_term subscribers; /* size 0: not named */
};

/** Read the map of an offer; false when something is missing or makes no sense. */
bool offer_read(struct cn_term map, struct offer *offer);
/** Say why @offer cannot be taken here; NULL: it can. */
const char *offer_refusal(const struct hosts *hosts, const struct offer *offer);

#endif
