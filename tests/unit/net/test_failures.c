/*
 * Failed handshakes: free at first, then slower and slower, and forgotten. Time is a number here.
 */
#include "support.h"

#include <string.h>

#include "base/text.h"
#include "net/failures.h"

static struct failures failures;

static void setup(void)
{
    memset(&failures, 0, sizeof(failures));
}

static void note(const char *host, unsigned times, uint64_t now_ms)
{
    while (times-- > 0)
        failures_note(&failures, host, now_ms);
}

/* Ten failures cost nothing, each further one doubles the wait up to three seconds. */
START_TEST(delays_grow_to_a_limit)
{
    static const uint32_t expected[] = {100, 200, 400, 800, 1600, 3000, 3000};

    note("10.0.0.1", 10, 5);
    ck_assert_uint_eq(failures_delay_ms(&failures, "10.0.0.1", 5), 0);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        ck_assert_uint_eq(failures_note(&failures, "10.0.0.1", 5), 11 + i);
        ck_assert_uint_eq(failures_delay_ms(&failures, "10.0.0.1", 5), expected[i]);
    }
    note("10.0.0.1", 1000000, 5);
    ck_assert_uint_eq(failures_delay_ms(&failures, "10.0.0.1", 5), 3000);
    ck_assert_uint_eq(failures_delay_ms(&failures, "10.0.0.2", 5), 0);
}
END_TEST

/* A proven cookie forgets at once, quiet forgets after a minute. */
START_TEST(failures_are_forgotten)
{
    note("10.0.0.1", 50, 0);
    failures_forget(&failures, "10.0.0.1");
    ck_assert_uint_eq(failures_delay_ms(&failures, "10.0.0.1", 0), 0);
    ck_assert_uint_eq(failures_note(&failures, "10.0.0.1", 0), 1);
    note("10.0.0.2", 50, 0);
    ck_assert_uint_gt(failures_delay_ms(&failures, "10.0.0.2", FAILURES_FORGET_MS), 0);
    ck_assert_uint_eq(failures_delay_ms(&failures, "10.0.0.2", FAILURES_FORGET_MS + 1), 0);
    ck_assert_uint_eq(failures_note(&failures, "10.0.0.2", FAILURES_FORGET_MS + 1), 1);
    failures_forget(&failures, "10.0.0.3");
}
END_TEST

/* A million addresses cost no more than the table; those that failed last are remembered. */
START_TEST(table_is_bounded)
{
    char host[ADDRESS_TEXT_MAX];

    for (unsigned i = 0; i < 20000; i++) {
        text_format(host, sizeof(host), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        note(host, 11, i);
    }
    ck_assert_uint_gt(failures_delay_ms(&failures, host, 20000), 0);
    ck_assert_uint_eq(failures_delay_ms(&failures, "10.0.0.0", 20000), 0);
}
END_TEST

/* The log hears of the first failures and then of every hundredth. */
START_TEST(log_is_not_flooded)
{
    unsigned told = 0;

    for (uint32_t count = 1; count <= 1000; count++)
        told += failures_worth_telling(count) ? 1 : 0;
    ck_assert_uint_eq(told, 20);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("failures");
    TCase *tcase = tcase_create("failures");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, delays_grow_to_a_limit);
    tcase_add_test(tcase, failures_are_forgotten);
    tcase_add_test(tcase, table_is_bounded);
    tcase_add_test(tcase, log_is_not_flooded);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
