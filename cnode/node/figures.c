/*
 * What this process has used, as the operating system tells it. Nothing here can fail: what cannot
 * be measured is 0.
 */
#include "node/figures.h"

#include <malloc.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ms(clockid_t clock)
{
    struct timespec now = {0};

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t memory_bytes(void)
{
#ifdef __GLIBC__
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
#else
    struct rusage usage = {0};

    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_maxrss * 1024;
#endif
}

void figures_start(struct figures *figures)
{
    figures->started_ms = now_ms(CLOCK_MONOTONIC);
}

void figures_measure(const struct figures *figures, struct node_figures *ret_figures)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    *ret_figures = (struct node_figures){
        .uptime_ms = now_ms(CLOCK_MONOTONIC) - figures->started_ms,
        .runtime_ms = now_ms(CLOCK_PROCESS_CPUTIME_ID),
        .memory_bytes = memory_bytes(),
        .processors = processors > 0 ? (uint32_t)processors : 1,
    };
}
