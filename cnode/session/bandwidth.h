/*
 * How many bytes of states may leave in a second, so that moves leave room on the network.
 *
 * Taken before a session's first offer, and again after each attempt that failed, for its state was
 * sent: an offer that is refused costs nothing more (move.c; Mover on a BEAM). N bytes keep the
 * next move from beginning for as long as N bytes take. Time that was not used is kept for 10 ms,
 * since timers are no finer than a millisecond. So in any span of time no more begins than the rate
 * allows, plus those 10 ms and one state. Pure; nothing fails.
 */
#ifndef SESSION_BANDWIDTH_H
#define SESSION_BANDWIDTH_H

#include <stdint.h>

/** Zeroed: nothing has been sent. */
struct bandwidth {
    uint64_t next_us; /* when the next move may begin */
};

/** Tell in how many milliseconds the next move may begin: 0 is now. */
uint64_t bandwidth_wait_ms(const struct bandwidth *bandwidth, uint64_t now_ms);
/** A move of @bytes begins, where @bytes_per_second, if not 0, may. */
void bandwidth_take(struct bandwidth *bandwidth, uint32_t bytes_per_second, uint64_t bytes,
                    uint64_t now_ms);

#endif
