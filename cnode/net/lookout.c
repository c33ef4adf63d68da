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

void lookout_begin(struct lookout *lookout, int fd)
{
    uint64_t now = loop_clock_us();
    uint64_t until = now + LOOKOUT_US;

    lookout->since_us = now;
    if (!lookout_pays(lookout, now))
        return;
    while (now < until && !is_there(fd)) {
        uint64_t before = now;

        (void)sched_yield();
        now = loop_clock_us();
        if (now - before > TAKEN_US) {
            lookout->crowded_until_us = now + LOOKOUT_CROWDED_US;
            return;
        }
    }
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
