/*
 * Which of two versions is the newer one, for texts as they are written and for odd ones: every
 * pair is compared both ways round.
 */
#include "session/app_version.h"

#include <string.h>

#include "unit/session/main.h"

static int compare(const char *a, const char *b)
{
    int forth = app_version_compare(view(a), view(b));
    int back = app_version_compare(view(b), view(a));

    ck_assert_int_eq(forth, -back);
    return forth;
}

/* Numbers count as numbers, from left to right; what is between them does not count. */
START_TEST(numbers_count)
{
    ck_assert_int_lt(compare("0.9.0", "0.10.0"), 0);
    ck_assert_int_lt(compare("1.2", "1.2.0"), 0);
    ck_assert_int_lt(compare("1.2.3", "2.0.0"), 0);
    ck_assert_int_lt(compare("", "0"), 0);
    ck_assert_int_lt(compare("1.0.0-rc1", "1.0.0-rc2"), 0);
    ck_assert_int_eq(compare("1.2.3", "v1-2-3"), 0);
    ck_assert_int_eq(compare("007", "7"), 0);
    ck_assert_int_eq(compare("abc", ""), 0);
}
END_TEST

/* A number without end is as large as any other such number, and nothing overflows. */
START_TEST(long_numbers)
{
    ck_assert_int_eq(
        compare("99999999999999999999999999999999999999", "1000000000000000000000000000"), 0);
    ck_assert_int_lt(compare("999999999999999999", "9999999999999999999"), 0);
    ck_assert_int_lt(compare("99999999999999999999999.1", "99999999999999999999999.2"), 0);
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("app_version", &tests);

    tcase_add_test(tests, numbers_count);
    tcase_add_test(tests, long_numbers);
    return run_suite(suite);
}
