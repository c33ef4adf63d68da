/*
 * What the tests of dist/ share. The generator is splitmix64: small, and the same everywhere.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

static uint64_t state;

/* Kept reachable, so that a leak checker sees real leaks only. */
struct kept {
    struct kept *next;
    uint8_t data[];
};

static struct kept *all_kept;

static uint8_t digit(char text)
{
    return (uint8_t)(text <= '9' ? text - '0' : text - 'a' + 10);
}

static struct kept *keep(size_t size)
{
    struct kept *kept = malloc(sizeof(*kept) + size);

    ck_assert_ptr_nonnull(kept);
    kept->next = all_kept;
    all_kept = kept;
    return kept;
}

struct cn_bytes from_hex(const char *hex)
{
    size_t size = strlen(hex) / 2;
    struct kept *kept = keep(size);

    for (size_t i = 0; i < size; i++)
        kept->data[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    return (struct cn_bytes){kept->data, size};
}

struct cn_bytes kept_bytes(const void *data, size_t size)
{
    struct kept *kept = keep(size);

    memcpy(kept->data, data, size);
    return (struct cn_bytes){kept->data, size};
}

uint8_t *exact(const void *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    ck_assert_ptr_nonnull(copy);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

void seed_random(uint64_t seed)
{
    state = seed;
}

uint32_t random_below(uint32_t limit)
{
    uint64_t mixed;

    state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (state ^ (state >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((mixed ^ (mixed >> 31)) % limit);
}

void mutate(uint8_t *data, size_t size)
{
    uint32_t times = 1 + random_below(3);

    while (times-- > 0)
        data[random_below((uint32_t)size)] = (uint8_t)random_below(256);
}

int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
