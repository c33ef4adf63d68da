/*
 * Looking out: each wait that was long counts against the next looks at once, and several short
 * ones bring them back. How it fails: it costs LOOKOUT_US of a processor that nobody else wanted.
 */
#include "net/lookout.h"

#include <poll.h>
#include <sched.h>

#include "net/loop.h"

#define LONG_US  1000 /* a wait counts for so much at most */
#define TAKEN_US 20   /* a look that takes so long was interrupted by somebody */

static bool is_there(int fd)
{
    struct pollfd events = {.fd = fd, .events = POLLIN};

    return poll(&events, 1, 0) != 0;
}

bool lookout_pays(const struct lookout *lookout, uint64_t now_us)
{
    return lookout->lately_us <= LOOKOUT_US && now_us >= lookout->crowded_until_us;
}

/* How long to step back after @us the last time. */
static uint64_t step_up(uint64_t us)
{
    if (us < LOOKOUT_CROWDED_US_MIN / 2)
        return LOOKOUT_CROWDED_US_MIN;
    return us < LOOKOUT_CROWDED_US_MAX / 4 ? us * 4 : LOOKOUT_CROWDED_US_MAX;
}

bool lookout_again(struct lookout *lookout, uint64_t before_us, uint64_t now_us)
{
    if (now_us - before_us > TAKEN_US) {
        lookout->crowded_us = step_up(lookout->crowded_us);
        lookout->crowded_until_us = now_us + lookout->crowded_us;
        return false;
    }
    if (before_us == lookout->since_us)
        lookout->crowded_us -= lookout->crowded_us / 4;
    return now_us - lookout->since_us < LOOKOUT_US;
}

void lookout_begin(struct lookout *lookout, int fd)
{
    uint64_t now = loop_clock_us();
    uint64_t before;

    lookout->since_us = now;
    if (!lookout_pays(lookout, now))
        return;
    do {
        before = now;
        if (is_there(fd))
            return;
        (void)sched_yield();
        now = loop_clock_us();
    } while (lookout_again(lookout, before, now));
}

void lookout_end(struct lookout *lookout)
{
    uint64_t waited_us = loop_clock_us() - lookout->since_us;

    if (lookout->since_us == 0)
        return;
    lookout->since_us = 0;
    if (waited_us > LONG_US)
        waited_us = LONG_US;
    lookout->lately_us = (lookout->lately_us * 3 + waited_us) / 4;
}
