/*
 * Percentiles of stalls, at the ends of the histogram and beyond it.
 */
#include "session/figures.h"

#include "unit/session/main.h"

/* Without a move there is nothing to tell. */
START_TEST(none)
{
    struct figures figures = {.moves = 0};

    ck_assert_uint_eq(figures_stall_ms(&figures, 50), 0);
    ck_assert_uint_eq(figures_stall_ms(&figures, 100), 0);
}
END_TEST

/* A hundred moves of 1 to 100 ms: the percentile is the number, and the bytes are summed. */
START_TEST(percentiles)
{
    struct figures figures = {.moves = 0};

    for (uint64_t ms = 100; ms >= 1; ms--)
        figures_add(&figures, 10, ms);
    ck_assert_uint_eq(figures_stall_ms(&figures, 1), 1);
    ck_assert_uint_eq(figures_stall_ms(&figures, 50), 50);
    ck_assert_uint_eq(figures_stall_ms(&figures, 99), 99);
    ck_assert_uint_eq(figures_stall_ms(&figures, 100), 100);
    ck_assert_uint_eq(figures.bytes, 1000);
    ck_assert_uint_eq(figures.longest_ms, 100);
}
END_TEST

/* Stalls beyond the histogram are told as the longest of them. */
START_TEST(beyond)
{
    struct figures figures = {.moves = 0};

    figures_add(&figures, 0, 3);
    figures_add(&figures, 0, FIGURES_STALL_MS_MAX);
    figures_add(&figures, 0, 5 * FIGURES_STALL_MS_MAX);
    ck_assert_uint_eq(figures_stall_ms(&figures, 33), 3);
    ck_assert_uint_eq(figures_stall_ms(&figures, 50), 5 * FIGURES_STALL_MS_MAX);
    ck_assert_uint_eq(figures_stall_ms(&figures, 100), 5 * FIGURES_STALL_MS_MAX);
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("figures", &tests);

    tcase_add_test(tests, none);
    tcase_add_test(tests, percentiles);
    tcase_add_test(tests, beyond);
    return run_suite(suite);
}
