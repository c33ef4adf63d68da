/*
 * Requests of one name stand in a lane and go one after the other. Who asks keeps the table of
 * lanes, and a list of those whose first request may start.
 */
#ifndef REGISTRY_LANE_H
#define REGISTRY_LANE_H

#include <cnode/term.h>

#include "base/list.h"
#include "base/map.h"

/** All requests of one name, in their order; only the first is under way. */
struct lane {
    struct map_handle hh; /* by the name's bytes */
    struct list requests; /* of its owner's requests */
    struct list ready;    /* in its owner's list, when the first may start */
    size_t size;
    uint8_t bytes[];
};

/** Find the lane of @name; NULL. */
struct lane *lane_find(struct lane *lanes, struct cn_term name);
/** Find or make it. Errors: NULL without memory. */
struct lane *lane_get(struct lane **lanes, struct cn_term name);
/** Release it when it has no requests. */
void lane_put(struct lane **lanes, struct lane *lane);

#endif
