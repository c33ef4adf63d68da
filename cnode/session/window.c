/*
 * Up by one after a whole window of good stalls, down by a quarter after a bad one.
 */
#include "session/window.h"

#define STALL_GOOD_MS 10

void window_init(struct window *window)
{
    *window = (struct window){.moving_max = WINDOW_FIRST};
}

bool window_is_open(const struct window *window)
{
    return window->moving < window->moving_max;
}

void window_take_stall(struct window *window, uint64_t stall_ms)
{
    if (stall_ms > window->worst_ms)
        window->worst_ms = stall_ms;
    if (++window->since_change < window->moving_max)
        return;
    if (window->worst_ms > STALL_GOOD_MS) {
        window->moving_max -= window->moving_max / 4;
        if (window->moving_max < WINDOW_MIN)
            window->moving_max = WINDOW_MIN;
    } else if (window->moving_max < WINDOW_MAX) {
        window->moving_max++;
    }
    window->since_change = 0;
    window->worst_ms = 0;
}
