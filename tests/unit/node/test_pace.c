/*
 * The pace of turns: how long they run, when they are followed by a pause, and how its length is
 * found.
 */
#include "node/pace.h"

#include <check.h>

#include <stdlib.h>

static struct pace pace;

static void setup(void)
{
    pace_init(&pace);
}

/* A turn that leaves nothing is short; one that was never done runs as long as reading took. */
START_TEST(half_of_the_time_is_for_handling)
{
    pace_turn_ended(&pace, 1000);
    ck_assert_uint_eq(pace_turn_begins(&pace, 90000), 90000 + PACE_TURN_US);
    ck_assert_uint_eq(pace_pause_us(&pace, true, 0), 0);
    pace_turn_ended(&pace, 100000);
    ck_assert_uint_eq(pace_turn_begins(&pace, 107000), 114000);
    ck_assert_uint_eq(pace_turn_begins(&pace, 100100), 100100 + PACE_TURN_US);
}
END_TEST

/* Nobody waits where work is left, or where somebody has but few callers. */
START_TEST(few_callers_never_wait)
{
    ck_assert_uint_eq(pace_pause_us(&pace, true, 100), 0);
    ck_assert_uint_eq(pace_pause_us(&pace, false, PACE_ANSWERS_MIN - 1), 0);
    ck_assert_uint_gt(pace_pause_us(&pace, false, PACE_ANSWERS_MIN), 0);
}
END_TEST

/* Give the pause after @turns turns, in each of which so much of 20 answers was left. */
static uint32_t pause_after(int turns, uint32_t left_percent)
{
    uint32_t pause_us = pace_pause_us(&pace, false, 20);

    while (turns-- > 0) {
        pace_note_left(&pace, left_percent);
        pause_us = pace_pause_us(&pace, false, 20);
    }
    return pause_us;
}

/* Pauses grow while callers are busy through them, within bounds, and are short again when not. */
START_TEST(pauses_are_as_long_as_callers_are_busy)
{
    uint32_t shortest = pause_after(0, 0);
    uint32_t longest = pause_after(1000, 50);

    ck_assert_uint_gt(longest, 2 * shortest);
    ck_assert_uint_lt(longest, PACE_PAUSE_US_MAX);
    ck_assert_uint_eq(pause_after(1, 100), longest);
    ck_assert_uint_eq(pause_after(1, 49), longest);
    ck_assert_uint_eq(pause_after(1, 24), shortest);
    ck_assert_uint_gt(pause_after(1, 50), shortest);
}
END_TEST

/* However many answers are out, a pause has an end. */
START_TEST(pauses_are_bounded)
{
    ck_assert_uint_eq(pace_pause_us(&pace, false, 1000), PACE_PAUSE_US_MAX);
    ck_assert_uint_eq(pace_pause_us(&pace, false, UINT32_MAX), PACE_PAUSE_US_MAX);
    (void)pause_after(1000, 50);
    ck_assert_uint_eq(pace_pause_us(&pace, false, PACE_PAUSE_US_MAX - 1), PACE_PAUSE_US_MAX);
}
END_TEST

/* What is left after a turn without a pause says nothing. */
START_TEST(only_pauses_teach)
{
    uint32_t before = pause_after(3, 50);

    (void)pace_pause_us(&pace, true, 100);
    pace_note_left(&pace, 0);
    ck_assert_uint_eq(pause_after(0, 0), before);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pace");
    TCase *tcase = tcase_create("pace");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, half_of_the_time_is_for_handling);
    tcase_add_test(tcase, few_callers_never_wait);
    tcase_add_test(tcase, pauses_are_as_long_as_callers_are_busy);
    tcase_add_test(tcase, pauses_are_bounded);
    tcase_add_test(tcase, only_pauses_teach);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
