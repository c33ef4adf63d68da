/*
 * Term order and equality beyond what the comparison with a real BEAM shows (test_beam.c): other
 * ways to write the same term, maps in any order, running out of memory or of effort.
 */
#include "etf/compare.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "etf/walk.h"

#include "support.h"

static int order(const char *a, const char *b)
{
    int r = etf_compare(term_from_hex(a), term_from_hex(b));
    int opposite = etf_compare(term_from_hex(b), term_from_hex(a));

    r = (r > 0) - (r < 0);
    ck_assert_int_eq(r, (opposite < 0) - (opposite > 0));
    return r;
}

static bool equal(const char *a, const char *b)
{
    return cn_term_equal(term_from_hex(a), term_from_hex(b));
}

/* The types follow one another as the manual says. */
START_TEST(types_are_ordered)
{
    static const char *const rising[] = {
        "6101",                             /* number */
        "770161",                           /* atom */
        "5a00017701610000000100000001",     /* reference */
        "717701617701616101",               /* fun */
        "597701610000000100000001",         /* port */
        "58770161000000010000000100000001", /* pid */
        "6800",
        "7400000000",
        "6a",
        "6c000000016a6a",
        "6d00000000",
    };
    size_t count = sizeof(rising) / sizeof(rising[0]);

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            ck_assert_int_eq(order(rising[i], rising[j]), (i > j) - (i < j));
}
END_TEST

/* Every sample equals itself and no other sample, except for atoms under different tags. */
START_TEST(samples_differ)
{
    for (size_t i = 0; i < sample_count; i++)
        for (size_t j = 0; j < sample_count; j++) {
            struct cn_term a = term_from_hex(samples[i].hex);
            struct cn_term b = term_from_hex(samples[j].hex);
            bool both_ok = cn_term_is_atom(a, "ok") && cn_term_is_atom(b, "ok");

            ck_assert_msg(cn_term_equal(a, b) == (i == j || both_ok), "%s, %s", samples[i].name,
                          samples[j].name);
            ck_assert_int_eq(etf_compare_exact(a, b) == 0, i == j || both_ok);
        }
}
END_TEST

/* The same term may be written in several ways. */
START_TEST(forms_do_not_matter)
{
    ck_assert(equal("6b0003010203", "6c000000036101610261036a"));
    ck_assert(equal("6b0003010203", "6c0000000161016c00000002610261036a"));
    ck_assert(equal("6c0000000161016b00020203", "6b0003010203"));
    ck_assert(!equal("6b0003010203", "6c00000003610161026103770161"));
    ck_assert(equal("6105", "6e020005"
                            "00"));
    ck_assert(equal("77026f6b", "6400026f6b"));
    ck_assert(equal("680161"
                    "05",
                    "690000000162"
                    "00000005"));
    ck_assert(equal("4d0000000203ffa0", "4d0000000203ffbf"));
    ck_assert(!equal("4d0000000203ffa0", "4d0000000203ffc0"));
    ck_assert(equal("4d0000000108ff", "6d00000001ff"));
    ck_assert(!equal("6101", "463ff0000000000000"));
    ck_assert_int_eq(order("6101", "463ff0000000000000"), 0);
    ck_assert(!equal("468000000000000000", "460000000000000000"));
    ck_assert_int_eq(order("468000000000000000", "460000000000000000"), 0);
}
END_TEST

/* Write a map of @count coordinates as keys, in the order that @step gives. */
static void write_grid(struct cn_writer *writer, int64_t count, int64_t step, int64_t last)
{
    cn_write_map(writer, (uint32_t)count);
    for (int64_t i = 0; i < count; i++) {
        int64_t n = i * step % count;

        cn_write_map(writer, 3);
        for (int64_t field = 0; field < 3; field++) {
            static const char *const names[] = {"__struct__", "q", "r"};
            int64_t which = (field + step) % 3;

            cn_write_atom(writer, names[which]);
            if (which == 0)
                cn_write_atom(writer, "Elixir.Minotaur.GameEngine.Coord");
            else
                cn_write_integer(writer, which == 1 ? n / 7 : n % 7);
        }
        cn_write_integer(writer, n == count - 1 ? last : n);
    }
}

/* Maps are equal whatever the order of their pairs, down into the keys. */
START_TEST(order_of_pairs_does_not_matter)
{
    struct cn_writer a;
    struct cn_writer b;
    struct cn_writer c;

    cn_writer_init(&a, 0);
    cn_writer_init(&b, 0);
    cn_writer_init(&c, 0);
    write_grid(&a, 37, 1, 5);
    write_grid(&b, 37, 11, 5);
    write_grid(&c, 37, 11, 6);
    ck_assert(cn_term_equal(cn_writer_term(&a), cn_writer_term(&b)));
    ck_assert_int_eq(etf_compare(cn_writer_term(&a), cn_writer_term(&b)), 0);
    ck_assert(!cn_term_equal(cn_writer_term(&a), cn_writer_term(&c)));
    ck_assert_int_lt(etf_compare(cn_writer_term(&b), cn_writer_term(&c)), 0);
    ck_assert_int_gt(etf_compare(cn_writer_term(&c), cn_writer_term(&a)), 0);
    cn_writer_free(&a);
    cn_writer_free(&b);
    cn_writer_free(&c);
}
END_TEST

/* Whichever allocation fails, the answer is the same and nothing stays behind. */
START_TEST(answers_do_not_need_memory)
{
    struct cn_writer a;
    struct cn_writer b;
    size_t nth = 0;

    mem_test_begin();
    cn_writer_init(&a, 0);
    cn_writer_init(&b, 0);
    write_grid(&a, 5, 1, 5);
    write_grid(&b, 5, 2, 5);
    do {
        mem_test_fail(++nth);
        ck_assert(cn_term_equal(cn_writer_term(&a), cn_writer_term(&b)));
    } while (mem_test_failed());
    ck_assert_uint_gt(nth, 2);
    cn_writer_free(&a);
    cn_writer_free(&b);
    ck_assert_int_eq(mem_test_end(), 0);
}
END_TEST

/* Keys decide before values, the smallest key whose values differ before the others. */
START_TEST(maps_are_ordered_by_keys_first)
{
    /* in pairs a: 1, b: 2 and so on, in odd orders */
    ck_assert_int_eq(order("7400000002"
                           "7701626109"
                           "7701616101",
                           "7400000002"
                           "7701616102"
                           "7701626101"),
                     -1);
    ck_assert_int_eq(order("7400000002"
                           "7701616109"
                           "7701626109",
                           "7400000002"
                           "7701636101"
                           "7701616101"),
                     -1);
    ck_assert_int_eq(order("7400000002"
                           "7701616101"
                           "7701626109",
                           "7400000002"
                           "7701616101"
                           "7701626108"),
                     1);
    ck_assert_int_eq(order("7400000001"
                           "7701616101",
                           "7400000002"
                           "7701616101"
                           "7701626101"),
                     -1);
    ck_assert_int_eq(order("7400000001"
                           "61026a",
                           "7400000001"
                           "463ff00000000000006a"),
                     -1);
    ck_assert_int_eq(order("7400000001"
                           "6a6101",
                           "7400000001"
                           "6a463ff0000000000000"),
                     0);
}
END_TEST

/* Maps inside keys inside maps, made to be expensive, end soon. */
START_TEST(effort_is_bounded)
{
    struct cn_writer writer[2];

    for (int side = 0; side < 2; side++) {
        cn_writer_init(&writer[side], 0);
        for (int level = 0; level < 400; level++) {
            cn_write_map(&writer[side], 2);
            if (side == 0) {
                cn_write_integer(&writer[side], 0);
                cn_write_nil(&writer[side]);
            }
        }
        cn_write_nil(&writer[side]);
        for (int level = 0; level < 400; level++) {
            cn_write_nil(&writer[side]);
            if (side == 1) {
                cn_write_integer(&writer[side], 0);
                cn_write_nil(&writer[side]);
            }
        }
    }
    ck_assert(cn_term_equal(cn_writer_term(&writer[0]), cn_writer_term(&writer[1])));
    cn_writer_free(&writer[0]);
    cn_writer_free(&writer[1]);
}
END_TEST

/* Bytes that are no terms are compared as bytes. */
START_TEST(broken_bytes_are_just_bytes)
{
    ck_assert(equal("ff", "ff"));
    ck_assert(!equal("ff", "fe"));
    ck_assert(!equal("68026101", "68026102"));
    ck_assert_int_eq(order("680261", "6802"), 1);
    ck_assert_int_eq(etf_compare((struct cn_term){NULL, 0}, (struct cn_term){NULL, 0}), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("compare");
    TCase *tcase = tcase_create("compare");

    tcase_add_test(tcase, types_are_ordered);
    tcase_add_test(tcase, samples_differ);
    tcase_add_test(tcase, forms_do_not_matter);
    tcase_add_test(tcase, order_of_pairs_does_not_matter);
    tcase_add_test(tcase, answers_do_not_need_memory);
    tcase_add_test(tcase, maps_are_ordered_by_keys_first);
    tcase_add_test(tcase, effort_is_bounded);
    tcase_add_test(tcase, broken_bytes_are_just_bytes);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
