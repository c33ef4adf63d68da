/*
 * What moves cost, for the summary of a drain: bytes of state, and for how long sessions stood
 * still.
 *
 * The stall of a session is the time from its freeze to the target's word that it runs: what a
 * caller may have to wait. Counted by the millisecond, so that percentiles need no list of moves.
 */
#ifndef SESSION_FIGURES_H
#define SESSION_FIGURES_H

#include <stdint.h>

/** Longer stalls are counted together. */
#define FIGURES_STALL_MS_MAX 1000

/** The figures of moves that succeeded; zeroed: none yet. */
struct figures {
    uint64_t moves;
    uint64_t bytes;
    uint64_t longest_ms;
    uint64_t last_ms;
    uint32_t stalls[FIGURES_STALL_MS_MAX + 1]; /* by milliseconds */
};

/** Count a session of @bytes that stood still for @stall_ms. */
void figures_add(struct figures *figures, uint64_t bytes, uint64_t stall_ms);
/** Give the stall within which @percent of the sessions lie; 0 without any. */
uint64_t figures_stall_ms(const struct figures *figures, unsigned percent);

#endif
