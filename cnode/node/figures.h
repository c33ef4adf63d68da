/*
 * What this node has used: time, processor time, memory. For erlang:statistics and erlang:memory.
 */
#ifndef NODE_FIGURES_H
#define NODE_FIGURES_H

#include "otp/functions.h"

struct figures {
    uint64_t started_ms;
};

/** Let the node's time begin. */
void figures_start(struct figures *figures);
/** Measure what has been used since. */
void figures_measure(const struct figures *figures, struct node_figures *ret_figures);

#endif
