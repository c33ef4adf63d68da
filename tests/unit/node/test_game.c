/*
 * What a hosted game gets of its node: the command line's settings, a clock, chance.
 */
#include "node/game.h"

#include <string.h>
#include <time.h>
#include "unit/proc/world.h"

static void setup(void)
{
}

/* The settings are those of the command line. */
START_TEST(settings_are_handed_on)
{
    struct config config = {
        .capacity = 3, .round_seconds = 4, .drain_seconds = 5, .drain_bytes_per_second = 6};
    struct hosts_config hosts = {0};

    game_settings(&config, &hosts);
    ck_assert_uint_eq(hosts.capacity, 3);
    ck_assert_uint_eq(hosts.round_seconds, 4);
    ck_assert_uint_eq(hosts.drain_seconds, 5);
    ck_assert_uint_eq(hosts.bytes_per_second, 6);
    ck_assert_ptr_nonnull(hosts.app_version);
}
END_TEST

/* The clock is the wall's, and chance is no constant. */
START_TEST(clock_and_chance_are_real)
{
    struct config config = {0};
    struct hosts_config hosts = {0};
    uint8_t once[32] = {0};
    uint8_t again[32] = {0};

    game_settings(&config, &hosts);
    ck_assert_int_ge(hosts.wall_ms(NULL), ((int64_t)time(NULL) - 1) * 1000);
    ck_assert_int_le(hosts.wall_ms(NULL), ((int64_t)time(NULL) + 1) * 1000);
    hosts.random(NULL, once, sizeof once);
    hosts.random(NULL, again, sizeof again);
    ck_assert_int_ne(memcmp(once, again, sizeof once), 0);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, settings_are_handed_on);
    tcase_add_test(tcase, clock_and_chance_are_real);
}

int main(void)
{
    return run_tests("game", add, setup, setup);
}
