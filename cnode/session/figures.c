/*
 * A histogram by the millisecond and two sums, of constant size whatever is counted: a percentile
 * is found by walking it. Nothing can fail.
 */
#include "session/figures.h"

void figures_add(struct figures *figures, uint64_t bytes, uint64_t stall_ms)
{
    figures->moves++;
    figures->bytes += bytes;
    figures->stalls[stall_ms < FIGURES_STALL_MS_MAX ? stall_ms : FIGURES_STALL_MS_MAX]++;
    figures->last_ms = stall_ms;
    if (stall_ms > figures->longest_ms)
        figures->longest_ms = stall_ms;
}

uint64_t figures_stall_ms(const struct figures *figures, unsigned percent)
{
    uint64_t wanted = (figures->moves * percent + 99) / 100;
    uint64_t counted = 0;

    for (uint64_t ms = 0; ms < FIGURES_STALL_MS_MAX; ms++) {
        counted += figures->stalls[ms];
        if (counted >= wanted)
            return ms;
    }
    return figures->longest_ms;
}
