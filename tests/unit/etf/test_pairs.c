/*
 * A map's pairs in the order of their keys, with memory and without.
 */
#include "etf/pairs.h"

#include "base/alloc.h"

#include "support.h"

static uint64_t effort;

static void setup(void)
{
    effort = 1000000;
    mem_test_begin();
}

static void teardown(void)
{
    ck_assert_int_eq(mem_test_end(), 0);
}

static bool start(struct etf_pairs *pairs, struct cn_term map)
{
    struct cn_reader reader;
    uint32_t count;

    cn_reader_init(&reader, map);
    ck_assert(cn_read_map(&reader, &count));
    return etf_pairs_init(pairs, &reader, count, (struct etf_comparison){.effort = &effort});
}

/* Keys come out in order, each with its value, whether there was memory for sorting or not. */
START_TEST(keys_come_in_order)
{
    struct cn_writer writer;
    struct etf_pairs pairs;
    struct etf_pair pair;

    cn_writer_init(&writer, 0);
    cn_write_map(&writer, 101);
    for (int64_t i = 0; i < 101; i++) {
        cn_write_integer(&writer, i * 37 % 101);
        cn_write_integer(&writer, i * 37 % 101 + 1000);
    }
    for (size_t fail = 0; fail < 2; fail++) {
        mem_test_fail(fail);
        ck_assert(start(&pairs, cn_writer_term(&writer)));
        for (int64_t i = 0; i < 101; i++) {
            struct cn_reader reader;
            int64_t value;

            ck_assert(etf_pairs_next(&pairs, &pair));
            cn_reader_init(&reader, pair.key);
            ck_assert(cn_read_integer(&reader, &value) && value == i);
            cn_reader_init(&reader, pair.value);
            ck_assert(cn_read_integer(&reader, &value) && value == i + 1000);
        }
        ck_assert(!etf_pairs_next(&pairs, &pair));
        etf_pairs_deinit(&pairs);
    }
    cn_writer_free(&writer);
}
END_TEST

/* Among keys, integers come before floats; the empty map has no pairs. */
START_TEST(keys_are_compared_exactly)
{
    struct etf_pairs pairs;
    struct etf_pair pair;

    ck_assert(start(&pairs, term_from_hex("7400000002"
                                          "463ff00000000000006a"
                                          "61026a")));
    ck_assert(etf_pairs_next(&pairs, &pair) && pair.key.size == 2);
    ck_assert(etf_pairs_next(&pairs, &pair) && pair.key.size == 9);
    ck_assert(!etf_pairs_next(&pairs, &pair));
    etf_pairs_deinit(&pairs);
    ck_assert(start(&pairs, term_from_hex("7400000000")));
    ck_assert(!etf_pairs_next(&pairs, &pair));
    etf_pairs_deinit(&pairs);
}
END_TEST

/* Bytes that end inside a pair are an error, with nothing left behind. */
START_TEST(broken_pairs_are_an_error)
{
    struct etf_pairs pairs;

    ck_assert(!start(&pairs, term_from_hex("740000000261016a61026d")));
    etf_pairs_deinit(&pairs);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pairs");
    TCase *tcase = tcase_create("pairs");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, keys_come_in_order);
    tcase_add_test(tcase, keys_are_compared_exactly);
    tcase_add_test(tcase, broken_pairs_are_an_error);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
