/*
 * A point in time that each move pushes on; when it lies in the past, a move may begin.
 */
#include "session/bandwidth.h"

#define KEPT_US 10000

uint64_t bandwidth_wait_ms(const struct bandwidth *bandwidth, uint64_t now_ms)
{
    uint64_t now_us = now_ms * 1000;

    return bandwidth->next_us <= now_us ? 0 : (bandwidth->next_us - now_us + 999) / 1000;
}

void bandwidth_take(struct bandwidth *bandwidth, uint32_t bytes_per_second, uint64_t bytes,
                    uint64_t now_ms)
{
    uint64_t now_us = now_ms * 1000;
    uint64_t oldest_us = now_us > KEPT_US ? now_us - KEPT_US : 0;

    if (bytes_per_second == 0)
        return;
    if (bandwidth->next_us < oldest_us)
        bandwidth->next_us = oldest_us;
    bandwidth->next_us += bytes * 1000000 / bytes_per_second;
}
