/*
 * Indexing: atoms become numbers wherever they stand, what is expanded again is the same term, and
 * the start of a term is as good as a whole one.
 */
#include "support.h"

#include <errno.h>
#include <string.h>

#include "etf/expand.h"
#include "etf/index.h"

static struct cn_bytes found[8];
static int found_count;

static int find(void *context, struct cn_bytes text)
{
    int max = *(int *)context;

    for (int i = 0; i < found_count; i++) {
        if (found[i].size == text.size && memcmp(found[i].data, text.data, text.size) == 0)
            return i;
    }
    if (found_count == max)
        return -1;
    found[found_count] = text;
    return found_count++;
}

static void comes_back(struct cn_term from, int max)
{
    struct cn_writer indexed;
    struct cn_writer expanded;
    struct cn_term term;
    size_t used;

    found_count = 0;
    cn_writer_init(&indexed, 0);
    cn_writer_init(&expanded, 0);
    ck_assert_int_eq(etf_index(from.data, from.size, find, &max, &indexed), 0);
    ck_assert_int_eq(etf_expand(indexed.data, indexed.size, found, (uint32_t)found_count, &expanded,
                                &term, &used),
                     0);
    ck_assert_uint_eq(used, indexed.size);
    ck_assert(cn_term_equal(term, from));
    cn_writer_free(&indexed);
    cn_writer_free(&expanded);
}

/* Every sample is itself again, however many atoms find a place in the table. */
START_TEST(samples_come_back)
{
    for (size_t i = 0; i < sample_count; i++) {
        for (int max = 0; max < 4; max++)
            comes_back(term_from_hex(samples[i].hex), max);
    }
}
END_TEST

/* The bytes are those that a BEAM would write. */
START_TEST(atoms_become_numbers)
{
    struct cn_term from = term_from_hex("680377026f6b587703614062000000010000000200000003"
                                        "77026f6b");
    struct cn_term expected = term_from_hex("6803520058520100000001000000020000000352"
                                            "00");
    struct cn_writer writer;
    int max = 8;

    found_count = 0;
    cn_writer_init(&writer, 0);
    ck_assert_int_eq(etf_index(from.data, from.size, find, &max, &writer), 0);
    ck_assert_uint_eq(writer.size, expected.size);
    ck_assert_mem_eq(writer.data, expected.data, expected.size);
    cn_writer_free(&writer);
}
END_TEST

/* A tuple's head and its first element, without the rest. */
START_TEST(the_start_of_a_term)
{
    struct cn_term from = term_from_hex("680277026f6b");
    struct cn_writer writer;
    int max = 8;

    found_count = 0;
    cn_writer_init(&writer, 0);
    ck_assert_int_eq(etf_index(from.data, from.size, find, &max, &writer), 0);
    ck_assert_uint_eq(writer.size, 4);
    ck_assert_mem_eq(writer.data, "\x68\x02\x52\x00", 4);
    ck_assert_int_eq(etf_index((const uint8_t *)"\x77", 1, find, &max, &writer), -EINVAL);
    cn_writer_free(&writer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("index");
    TCase *tcase = tcase_create("index");

    tcase_add_test(tcase, samples_come_back);
    tcase_add_test(tcase, atoms_become_numbers);
    tcase_add_test(tcase, the_start_of_a_term);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
