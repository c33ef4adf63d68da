/*
 * The views that ordering, hashing and printing stand on: integers of any size, bits, identifiers,
 * funs, and lists in pieces.
 */
#include "etf/raw.h"

#include <string.h>

#include "support.h"

static struct cn_reader reader_of(const char *hex)
{
    struct cn_reader reader;

    cn_reader_init(&reader, term_from_hex(hex));
    return reader;
}

/* An integer is its sign and magnitude, without leading zeros, however it was written. */
START_TEST(integers_are_trimmed)
{
    static const char *const fives[] = {"6105", "6200000005", "6e010005",
                                        "6e03000500"
                                        "00",
                                        "6f000000020005"
                                        "00"};
    struct etf_integer integer;
    int64_t value;

    for (size_t i = 0; i < sizeof(fives) / sizeof(fives[0]); i++) {
        struct cn_reader reader = reader_of(fives[i]);

        ck_assert(etf_read_integer(&reader, &integer) && cn_reader_done(&reader));
        ck_assert(!integer.negative && integer.size == 1 && etf_magnitude(&integer)[0] == 5);
        ck_assert(etf_integer_value(&integer, &value) && value == 5);
    }
}
END_TEST

/* Zero has no bytes and no sign; the widest values fit 64 bits, the next ones do not. */
START_TEST(integers_at_their_bounds)
{
    struct cn_reader reader = reader_of("6e020100006280000000"
                                        "6e08010000000000000080"
                                        "6e08010100000000000080");
    struct etf_integer integer;
    int64_t value = 0;

    ck_assert(etf_read_integer(&reader, &integer));
    ck_assert(integer.size == 0 && !integer.negative);
    ck_assert(etf_read_integer(&reader, &integer));
    ck_assert(etf_integer_value(&integer, &value) && value == INT32_MIN);
    ck_assert(etf_read_integer(&reader, &integer));
    ck_assert(etf_integer_value(&integer, &value) && value == INT64_MIN);
    ck_assert(etf_read_integer(&reader, &integer));
    ck_assert(!etf_integer_value(&integer, &value) && value == INT64_MIN);
}
END_TEST

/* Bits are whole bytes and up to seven more; eight more are a whole byte. */
START_TEST(bits_are_counted)
{
    struct cn_reader reader = reader_of("4d0000000203ffa0"
                                        "4d0000000208ffa0"
                                        "6d0000000101"
                                        "4d000000010180"
                                        "6101");
    struct etf_bits bits;

    ck_assert(etf_read_bits(&reader, &bits) && bits.size == 1 && bits.extra == 3);
    ck_assert(etf_read_bits(&reader, &bits) && bits.size == 2 && bits.extra == 0);
    ck_assert(etf_read_bits(&reader, &bits) && bits.size == 1 && bits.extra == 0);
    ck_assert(etf_read_bits(&reader, &bits) && bits.size == 0 && bits.extra == 1);
    ck_assert(!etf_read_bits(&reader, &bits) && cn_reader_failed(&reader));
}
END_TEST

/* Pids, both kinds of ports and references give all their numbers. */
START_TEST(identifiers_are_whole)
{
    struct cn_reader reader = reader_of("5877036140620000000a0000000b0000000c"
                                        "5977036140620000000a0000000c"
                                        "78770361406200000001000000020000000c"
                                        "5a00027703614062000000010000000200000003");
    struct etf_identifier id;

    ck_assert(etf_read_identifier(&reader, &id));
    ck_assert(id.id == 10 && id.serial == 11 && id.creation == 12);
    ck_assert(cn_bytes_equal(id.node, "a@b"));
    ck_assert(etf_read_identifier(&reader, &id));
    ck_assert(id.id == 10 && id.creation == 12);
    ck_assert(etf_read_identifier(&reader, &id));
    ck_assert(id.id == (UINT64_C(1) << 32 | 2) && id.creation == 12);
    ck_assert(etf_read_identifier(&reader, &id));
    ck_assert(id.count == 2 && id.creation == 1 && id.words[0] == 2 && id.words[1] == 3);
    ck_assert(cn_reader_done(&reader));
    ck_assert(!etf_read_identifier(&reader, &id));
}
END_TEST

/* Funs give their name or their numbers and free variables. */
START_TEST(funs_are_opened)
{
    struct cn_reader reader = reader_of(
        "717705"
        "6c69737473"
        "77036d61706102"
        "700000003b01000102030405060708090a0b0c0d0e0f000000010000000177016d610562010203045877036140"
        "620000000a0000000b0000000c6109");
    struct etf_fun fun;

    ck_assert(etf_read_fun(&reader, &fun) && fun.external && fun.arity == 2);
    ck_assert(cn_bytes_equal(fun.module, "lists") && cn_bytes_equal(fun.function, "map"));
    ck_assert(etf_read_fun(&reader, &fun) && !fun.external && cn_reader_done(&reader));
    ck_assert(fun.arity == 1 && fun.index == 1 && fun.old_index == 5 && fun.old_uniq == 16909060);
    ck_assert(fun.free_count == 1 && fun.free.size == 2 && fun.free.data[1] == 9);
    ck_assert(cn_bytes_equal(fun.module, "m") && fun.uniq[15] == 15);
}
END_TEST

/* A list steps element by element over its pieces to its end or its tail. */
START_TEST(lists_are_stepped_through)
{
    struct cn_reader reader = reader_of("6c0000000161016b00020203"
                                        "6a");
    uint32_t left = 0;
    int64_t value;

    for (int64_t i = 1; i <= 3; i++) {
        ck_assert_int_eq(etf_list_step(&reader, &left), ETF_STEP_ELEMENT);
        ck_assert(cn_read_integer(&reader, &value) && value == i);
    }
    ck_assert_int_eq(etf_list_step(&reader, &left), ETF_STEP_END);
    ck_assert(cn_read_nil(&reader) && cn_reader_done(&reader));
    reader = reader_of("6c0000000161017701616a");
    left = 0;
    ck_assert_int_eq(etf_list_step(&reader, &left), ETF_STEP_ELEMENT);
    ck_assert(cn_skip(&reader));
    ck_assert_int_eq(etf_list_step(&reader, &left), ETF_STEP_TAIL);
    ck_assert(cn_read_this_atom(&reader, "a"));
    reader = reader_of("6c000000016101");
    left = 0;
    ck_assert_int_eq(etf_list_step(&reader, &left), ETF_STEP_ELEMENT);
    ck_assert(cn_skip(&reader));
    ck_assert_int_eq(etf_list_step(&reader, &left), ETF_STEP_IN_ERROR);
    ck_assert(cn_reader_failed(&reader));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("raw");
    TCase *tcase = tcase_create("raw");

    tcase_add_test(tcase, integers_are_trimmed);
    tcase_add_test(tcase, integers_at_their_bounds);
    tcase_add_test(tcase, bits_are_counted);
    tcase_add_test(tcase, identifiers_are_whole);
    tcase_add_test(tcase, funs_are_opened);
    tcase_add_test(tcase, lists_are_stepped_through);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
