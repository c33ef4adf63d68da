/*
 * Trace lines: nothing without a hook, one line per event with one.
 */
#include "base/trace.h"

#include <check.h>

#include <string.h>

static int lines;
static int evaluated;
static char last[TRACE_LINE_MAX + 32];

static void keep(void *context, enum trace_level level, const char *layer, const char *line)
{
    ck_assert_ptr_eq(context, &lines);
    ck_assert_int_ge(level, TRACE_EVENT);
    lines++;
    last[0] = '\0';
    strncat(last, layer, 16);
    strncat(last, ": ", 3);
    strncat(last, line, TRACE_LINE_MAX);
}

static int evaluate(void)
{
    return ++evaluated;
}

/* Without a hook nothing is told and no argument is evaluated. */
START_TEST(off_costs_nothing)
{
    trace("test", "%d", evaluate());
    trace_set_hook(keep, &lines, TRACE_OFF);
    trace("test", "%d", evaluate());
    trace_set_hook(NULL, NULL, TRACE_DETAIL);
    trace("test", "%d", evaluate());
    ck_assert_int_eq(evaluated, 0);
    ck_assert_int_eq(lines, 0);
}
END_TEST

/* The hook gets events, and details only when it wants them. */
START_TEST(levels_are_respected)
{
    trace_set_hook(keep, &lines, TRACE_EVENT);
    trace("test", "event %d", 1);
    trace_detail("test", "detail %d", evaluate());
    ck_assert_int_eq(lines, 1);
    ck_assert_str_eq(last, "test: event 1");
    trace_set_hook(keep, &lines, TRACE_DETAIL);
    trace_detail("test", "detail %d", evaluate());
    ck_assert_str_eq(last, "test: detail 1");
}
END_TEST

/* A line that is too long is cut. */
START_TEST(long_lines_are_cut)
{
    trace_set_hook(keep, &lines, TRACE_EVENT);
    trace("x", "%0*d", 5000, 1);
    ck_assert_uint_eq(strlen(last), strlen("x: ") + TRACE_LINE_MAX - 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trace");
    TCase *tcase = tcase_create("trace");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tcase, off_costs_nothing);
    tcase_add_test(tcase, levels_are_respected);
    tcase_add_test(tcase, long_lines_are_cut);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
