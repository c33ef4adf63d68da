/*
 * The order of numbers is exact, where integers and floats meet too.
 */
#include "etf/number.h"

#include <float.h>
#include <math.h>

#include "support.h"

static struct etf_integer integer(const char *hex)
{
    struct etf_integer result;
    struct cn_reader reader;

    cn_reader_init(&reader, term_from_hex(hex));
    ck_assert(etf_read_integer(&reader, &result));
    return result;
}

static struct etf_integer power_of_two(unsigned exponent, bool negative)
{
    static uint8_t bytes[200];
    struct etf_integer result = {.negative = negative, .size = exponent / 8 + 1, .big = bytes};

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = 0;
    bytes[exponent / 8] = (uint8_t)(1 << exponent % 8);
    return result;
}

/* Integers are ordered by sign, size and bytes. */
START_TEST(integers_are_ordered)
{
    static const char *const rising[] = {"6e09010000000000000000ff",
                                         "6e08010000000000000080",
                                         "6280000000",
                                         "62ffffffff",
                                         "6100",
                                         "6101",
                                         "61ff",
                                         "6200000100",
                                         "6e0800ffffffffffffff7f",
                                         "6e09000000000000000000ff"};
    size_t count = sizeof(rising) / sizeof(rising[0]);

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            struct etf_integer a = integer(rising[i]);
            struct etf_integer b = integer(rising[j]);
            int r = etf_compare_integers(&a, &b);

            ck_assert_int_eq((r > 0) - (r < 0), (i > j) - (i < j));
        }
}
END_TEST

/* Around each power of two up to the largest float, only the exact value is equal. */
START_TEST(floats_meet_integers_exactly)
{
    for (unsigned exponent = 0; exponent < 1024; exponent++) {
        double real = ldexp(1, (int)exponent);
        struct etf_integer plus = power_of_two(exponent, false);
        struct etf_integer minus;

        ck_assert_int_eq(etf_compare_integer_float(&plus, real), 0);
        ck_assert_int_lt(etf_compare_integer_float(&plus, nextafter(real, INFINITY)), 0);
        ck_assert_int_gt(etf_compare_integer_float(&plus, nextafter(real, 0)), 0);
        ck_assert_int_gt(etf_compare_integer_float(&plus, -real), 0);
        minus = power_of_two(exponent, true);
        ck_assert_int_eq(etf_compare_integer_float(&minus, -real), 0);
        ck_assert_int_gt(etf_compare_integer_float(&minus, nextafter(-real, -INFINITY)), 0);
        ck_assert_int_lt(etf_compare_integer_float(&minus, nextafter(-real, 0)), 0);
    }
}
END_TEST

/* Zero, fractions and the extremes. */
START_TEST(floats_meet_integers_at_the_edges)
{
    struct etf_integer zero = integer("6100");
    struct etf_integer big = power_of_two(1024, false);

    ck_assert_int_eq(etf_compare_integer_float(&zero, 0.0), 0);
    ck_assert_int_eq(etf_compare_integer_float(&zero, -0.0), 0);
    ck_assert_int_lt(etf_compare_integer_float(&zero, DBL_TRUE_MIN), 0);
    ck_assert_int_gt(etf_compare_integer_float(&zero, -DBL_TRUE_MIN), 0);
    ck_assert_int_lt(etf_compare_integer_float(&zero, 0.5), 0);
    ck_assert_int_gt(etf_compare_integer_float(&zero, -0.5), 0);
    ck_assert_int_gt(etf_compare_integer_float(&big, DBL_MAX), 0);
    ck_assert_int_lt(etf_compare_floats(-1.5, 1.5, false), 0);
    ck_assert_int_eq(etf_compare_floats(-0.0, 0.0, false), 0);
    ck_assert_int_lt(etf_compare_floats(-0.0, 0.0, true), 0);
    ck_assert_int_gt(etf_compare_floats(0.0, -0.0, true), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("number");
    TCase *tcase = tcase_create("number");

    tcase_add_test(tcase, integers_are_ordered);
    tcase_add_test(tcase, floats_meet_integers_exactly);
    tcase_add_test(tcase, floats_meet_integers_at_the_edges);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
