/*
 * Names of errors: every condition has one of its own, and errno too.
 */
#include "base/error.h"

#include <check.h>

#include <errno.h>
#include <string.h>

/* Every condition has a name, and no two the same. */
START_TEST(each_condition_has_its_name)
{
    for (int a = 0; a < CN_E_COUNT_; a++) {
        ck_assert_str_ne(error_name(a), "unknown condition");
        for (int b = a + 1; b < CN_E_COUNT_; b++)
            ck_assert_str_ne(error_name(a), error_name(b));
    }
}
END_TEST

/* A negative error is named as errno names it; nonsense has a name too. */
START_TEST(errno_and_nonsense_are_named)
{
    ck_assert_str_eq(error_name(-ENOMEM), "ENOMEM");
    ck_assert_str_eq(error_name(-E2BIG), "E2BIG");
    ck_assert_ptr_nonnull(error_name(-99999));
    ck_assert_str_eq(error_name(99999), "unknown condition");
    ck_assert_str_eq(error_name(0), "ok");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("error");
    TCase *tcase = tcase_create("error");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tcase, each_condition_has_its_name);
    tcase_add_test(tcase, errno_and_nonsense_are_named);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
