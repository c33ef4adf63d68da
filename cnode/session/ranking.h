/*
 * The ranking of the known hosts for one session, as a list that a caller walks.
 *
 * Made once, when a walk begins; whether a host still takes sessions is looked up again at each
 * step, for hosts come, go and fill up while others are asked.
 */
#ifndef SESSION_RANKING_H
#define SESSION_RANKING_H

#include "session/host.h"
#include "session/placement.h"

/** A walk around a ranking. Zeroed: empty. */
struct ranking {
    struct candidate *candidates;
    size_t count;
    size_t next;
    bool ordered; /* of one host that is asked whatever it said of itself */
};

/** Rank the known hosts, this one too, for the session @id. Errors: -ENOMEM. */
int ranking_init(struct ranking *ranking, const struct hosts *hosts, struct cn_bytes id);
/**
 * Rank the other known hosts for the session @id, which leaves this one. While a deploy is on those
 * with a newer version of the application come first, so that it moves once. Errors: -ENOMEM.
 */
int ranking_init_leaving(struct ranking *ranking, const struct hosts *hosts, struct cn_bytes id);
/** A ranking of @node alone, known or not, whatever it said of itself. Errors: -ENOMEM. */
int ranking_init_one(struct ranking *ranking, const char *node);
/** Release; an empty one is fine. */
void ranking_deinit(struct ranking *ranking);
/** Step to the next host that takes sessions now; NULL when the walk is over. */
const char *ranking_next(struct ranking *ranking, const struct hosts *hosts);
/**
 * Find the host of a ranking_init that takes sessions now and comes before this one, which counts
 * as taking its own; while a deploy is on, none with an older version of the application.
 * Ownership: the name is the ranking's.
 */
bool ranking_finds_better(struct ranking *ranking, const struct hosts *hosts,
                          const char **ret_node);

#endif
