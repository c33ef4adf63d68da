/*
 * The number of moves at a time, by the stalls that they cause.
 */
#include <check.h>
#include <stdlib.h>

#include "session/window.h"

static void take(struct window *window, size_t moves, uint64_t stall_ms)
{
    for (size_t i = 0; i < moves; i++)
        window_take_stall(window, stall_ms);
}

/* It is open until as many move as may. */
START_TEST(opens_and_closes)
{
    struct window window;

    window_init(&window);
    window.moving = WINDOW_FIRST - 1;
    ck_assert(window_is_open(&window));
    window.moving = WINDOW_FIRST;
    ck_assert(!window_is_open(&window));
}
END_TEST

/* A whole window of good stalls widens it by one, up to its end. */
START_TEST(widens)
{
    struct window window;

    window_init(&window);
    take(&window, WINDOW_FIRST - 1, 10);
    ck_assert_uint_eq(window.moving_max, WINDOW_FIRST);
    take(&window, 1, 10);
    ck_assert_uint_eq(window.moving_max, WINDOW_FIRST + 1);
    take(&window, 10000, 0);
    ck_assert_uint_eq(window.moving_max, WINDOW_MAX);
}
END_TEST

/* One bad stall among a window's narrows it by a quarter, down to its other end. */
START_TEST(narrows)
{
    struct window window;

    window_init(&window);
    take(&window, 10000, 0);
    take(&window, 1, 11);
    take(&window, WINDOW_MAX, 0);
    ck_assert_uint_eq(window.moving_max, WINDOW_MAX - WINDOW_MAX / 4);
    take(&window, 10000, 11);
    ck_assert_uint_eq(window.moving_max, WINDOW_MIN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("window");
    TCase *tests = tcase_create("window");
    SRunner *runner;
    int failed;

    tcase_add_test(tests, opens_and_closes);
    tcase_add_test(tests, widens);
    tcase_add_test(tests, narrows);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
