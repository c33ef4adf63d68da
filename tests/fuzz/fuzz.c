/*
 * Shared parts of the fuzz targets. Time is that of the processor, so that a busy machine fails
 * nobody.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"

uint64_t fuzz_cpu_ms(void)
{
    struct timespec now;

    cn_assert(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void fuzz_check_time(uint64_t from_ms, uint64_t ms_max)
{
    cn_assert(fuzz_cpu_ms() - from_ms < ms_max);
}

struct cn_term fuzz_exact(struct cn_term term)
{
    uint8_t *copy = malloc(term.size > 0 ? term.size : 1);

    cn_assert(copy != NULL);
    if (term.size > 0)
        memcpy(copy, term.data, term.size);
    return (struct cn_term){copy, term.size};
}

bool fuzz_same(struct cn_bytes a, struct cn_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}
