/*
 * Assertions: they stop the process, and evaluate their condition once.
 *
 * Each failing one runs in a process of its own, which must end by SIGABRT and nothing else.
 */
#include "base/assert.h"

#include <check.h>

#include <signal.h>

/* A condition that holds lets the program go on and is evaluated exactly once. */
START_TEST(true_condition_passes)
{
    int evaluated = 0;

    cn_assert(++evaluated == 1);
    ck_assert_int_eq(evaluated, 1);
}
END_TEST

/* A condition that does not hold aborts the process. */
START_TEST(false_condition_aborts)
{
    cn_assert(1 + 1 == 3);
}
END_TEST

/* Code that cannot be reached aborts when it is. */
START_TEST(unreachable_aborts)
{
    cn_unreachable();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("assert");
    TCase *tcase = tcase_create("assert");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tcase, true_condition_passes);
    tcase_add_test_raise_signal(tcase, false_condition_aborts, SIGABRT);
    tcase_add_test_raise_signal(tcase, unreachable_aborts, SIGABRT);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
