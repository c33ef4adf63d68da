/*
 * Bytes per second: when the next move may begin, and how much begins in a span of time.
 */
#include <check.h>
#include <stdlib.h>

#include "session/bandwidth.h"

/* Without a limit nothing waits. */
START_TEST(no_limit)
{
    struct bandwidth bandwidth = {0};

    bandwidth_take(&bandwidth, 0, UINT32_MAX, 5000);
    ck_assert_uint_eq(bandwidth_wait_ms(&bandwidth, 5000), 0);
}
END_TEST

/* A move of twice the rate keeps the next one waiting for two seconds, less the 10 ms before. */
START_TEST(a_large_move)
{
    struct bandwidth bandwidth = {0};

    bandwidth_take(&bandwidth, 1000, 2000, 5000);
    ck_assert_uint_eq(bandwidth_wait_ms(&bandwidth, 5000), 1990);
    ck_assert_uint_eq(bandwidth_wait_ms(&bandwidth, 6989), 1);
    ck_assert_uint_eq(bandwidth_wait_ms(&bandwidth, 6990), 0);
}
END_TEST

/* In ten seconds no more begins than ten seconds allow, 10 ms, and one move; and not much less,
 * though a move takes less than a millisecond. */
START_TEST(many_small_moves)
{
    struct bandwidth bandwidth = {0};
    uint64_t bytes = 0;

    for (uint64_t now_ms = 50000; now_ms < 60000; now_ms++)
        while (bandwidth_wait_ms(&bandwidth, now_ms) == 0) {
            bandwidth_take(&bandwidth, 1000000, 700, now_ms);
            bytes += 700;
        }
    ck_assert_uint_le(bytes, 10000000 + 10000 + 700);
    ck_assert_uint_ge(bytes, 9990000);
}
END_TEST

/* What was not used for long is lost. */
START_TEST(idle_time_is_not_saved_up)
{
    struct bandwidth bandwidth = {0};

    bandwidth_take(&bandwidth, 1000, 1000, 5000);
    bandwidth_take(&bandwidth, 1000, 1000, 100000);
    ck_assert_uint_eq(bandwidth_wait_ms(&bandwidth, 100000), 990);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bandwidth");
    TCase *tests = tcase_create("bandwidth");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tests, no_limit);
    tcase_add_test(tests, a_large_move);
    tcase_add_test(tests, many_small_moves);
    tcase_add_test(tests, idle_time_is_not_saved_up);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
