/*
 * Looking out for input: when it pays, and that it ends. How long others take the processor is not
 * ours to say, so a look may be over early; then it says why.
 */
#include "net/lookout.h"

#include <check.h>

#include <stdlib.h>
#include <unistd.h>

#include "net/loop.h"

static struct lookout lookout;
static int ends[2];

static void setup(void)
{
    lookout = (struct lookout){0};
    ck_assert_int_eq(pipe(ends), 0);
}

static void teardown(void)
{
    close(ends[0]);
    close(ends[1]);
}

/* A wait that took so long. */
static void wait_for(uint64_t us)
{
    lookout.since_us = loop_clock_us() - us;
    lookout_end(&lookout);
}

/* One long wait ends it, a few short ones bring it back; no wait at all says nothing. */
START_TEST(it_pays_where_waits_are_short)
{
    uint64_t now_us = loop_clock_us();
    int waits = 0;

    lookout_end(&lookout);
    ck_assert(lookout_pays(&lookout, now_us));
    wait_for(1000000);
    ck_assert(!lookout_pays(&lookout, now_us));
    for (; !lookout_pays(&lookout, now_us); waits++) {
        lookout.since_us = loop_clock_us();
        lookout_end(&lookout);
    }
    ck_assert_int_ge(waits, 2);
}
END_TEST

/* It looks until something is there, or for its time, or until somebody takes the processor. */
START_TEST(a_look_has_an_end)
{
    uint64_t before_us = loop_clock_us();

    lookout_begin(&lookout, ends[0]);
    ck_assert(loop_clock_us() - before_us >= LOOKOUT_US || lookout.crowded_until_us > 0);
    lookout = (struct lookout){0};
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    lookout_begin(&lookout, ends[0]);
    ck_assert_uint_eq(lookout.crowded_until_us, 0);
}
END_TEST

/* Looks follow each other for their time, and none that took long. */
START_TEST(looks_go_on_for_a_while)
{
    lookout.since_us = 7000;
    ck_assert(lookout_again(&lookout, 7000, 7001));
    ck_assert(lookout_again(&lookout, 7000 + LOOKOUT_US - 2, 7000 + LOOKOUT_US - 1));
    ck_assert(!lookout_again(&lookout, 7000 + LOOKOUT_US - 1, 7000 + LOOKOUT_US));
    ck_assert(lookout_pays(&lookout, 7000 + LOOKOUT_US));
    ck_assert(!lookout_again(&lookout, 7000, 7000 + LOOKOUT_US / 2));
    ck_assert(!lookout_pays(&lookout, 7000 + LOOKOUT_US));
    ck_assert(lookout_pays(&lookout, 7000 + LOOKOUT_US + LOOKOUT_CROWDED_US_MIN));
}
END_TEST

/* A look at @at_us that was taken by somebody, in its first turn or a later one; how long it cost.
 */
static uint64_t step_back(uint64_t at_us, bool first)
{
    lookout.since_us = first ? at_us : at_us - 2;
    for (uint64_t us = lookout.since_us; us < at_us; us++)
        ck_assert(lookout_again(&lookout, us, us + 1));
    ck_assert(!lookout_again(&lookout, at_us, at_us + LOOKOUT_US));
    return lookout.crowded_until_us - at_us - LOOKOUT_US;
}

/* The more often others take it the longer they have it, up to a bound; looks in peace undo that.
 */
START_TEST(who_comes_again_has_longer)
{
    ck_assert_uint_eq(step_back(9000, true), LOOKOUT_CROWDED_US_MIN);
    ck_assert_uint_eq(step_back(9000, true), 4 * LOOKOUT_CROWDED_US_MIN);
    ck_assert_uint_eq(step_back(9000, false), 12 * LOOKOUT_CROWDED_US_MIN);
    for (int i = 0; i < 20; i++)
        step_back(9000, true);
    ck_assert_uint_eq(step_back(9000, true), LOOKOUT_CROWDED_US_MAX);
    for (int i = 0; i < 20; i++) {
        lookout.since_us = 9000;
        ck_assert(lookout_again(&lookout, 9000, 9001));
        ck_assert(lookout_again(&lookout, 9001, 9002));
    }
    ck_assert_uint_eq(step_back(9000, true), LOOKOUT_CROWDED_US_MIN);
}
END_TEST

/* Who was kept waiting has the processor for a while. */
START_TEST(others_go_first)
{
    lookout.crowded_until_us = 5000;
    ck_assert(!lookout_pays(&lookout, 4999));
    ck_assert(lookout_pays(&lookout, 5000));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lookout");
    TCase *tcase = tcase_create("lookout");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, it_pays_where_waits_are_short);
    tcase_add_test(tcase, a_look_has_an_end);
    tcase_add_test(tcase, looks_go_on_for_a_while);
    tcase_add_test(tcase, who_comes_again_has_longer);
    tcase_add_test(tcase, others_go_first);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
