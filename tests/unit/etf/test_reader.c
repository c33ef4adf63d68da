/*
 * The reader: every kind of value, the sticky error, strings that read as lists.
 *
 * What fails must leave its outputs alone, and nothing may be read after a failure.
 */
#include <cnode/term.h>

#include <string.h>

#include "support.h"

static struct cn_reader reader_of(const char *hex)
{
    struct cn_reader reader;

    cn_reader_init(&reader, term_from_hex(hex));
    return reader;
}

/* Each sample has its type, and skipping it reaches its end. */
START_TEST(types_are_told)
{
    static const enum cn_type types[] = {
        CN_TYPE_INTEGER, CN_TYPE_INTEGER, CN_TYPE_FLOAT,  CN_TYPE_ATOM,      CN_TYPE_ATOM,
        CN_TYPE_ATOM,    CN_TYPE_ATOM,    CN_TYPE_ATOM,   CN_TYPE_TUPLE,     CN_TYPE_TUPLE,
        CN_TYPE_TUPLE,   CN_TYPE_LIST,    CN_TYPE_LIST,   CN_TYPE_LIST,      CN_TYPE_LIST,
        CN_TYPE_LIST,    CN_TYPE_BINARY,  CN_TYPE_BINARY, CN_TYPE_BITSTRING, CN_TYPE_INTEGER,
        CN_TYPE_INTEGER, CN_TYPE_BIG,     CN_TYPE_BIG,    CN_TYPE_MAP,       CN_TYPE_MAP,
        CN_TYPE_MAP,     CN_TYPE_PID,     CN_TYPE_PORT,   CN_TYPE_PORT,      CN_TYPE_REF,
        CN_TYPE_REF,     CN_TYPE_FUN,     CN_TYPE_FUN,    CN_TYPE_FUN,
    };

    ck_assert_uint_eq(sample_count, sizeof(types) / sizeof(types[0]));
    for (size_t i = 0; i < sample_count; i++) {
        struct cn_reader reader = reader_of(samples[i].hex);

        ck_assert_msg(cn_peek(&reader) == types[i], "%s", samples[i].name);
        ck_assert(!cn_reader_done(&reader));
        ck_assert(cn_skip(&reader));
        ck_assert(cn_reader_done(&reader));
        ck_assert_int_eq(cn_peek(&reader), CN_TYPE_NONE);
        ck_assert(!cn_skip(&reader));
    }
}
END_TEST

/* A whole shape is read value by value, and its end is seen. */
START_TEST(a_shape_is_read)
{
    struct cn_reader reader = reader_of("6805"
                                        "77026f6b"
                                        "62fffffed4"
                                        "6d00000003616263"
                                        "463ff8000000000000"
                                        "740000000177046b6579737704747275"
                                        "65");
    struct cn_bytes bytes;
    uint32_t count;
    int64_t integer;
    double real;
    bool truth;

    ck_assert(cn_read_this_tuple(&reader, 5));
    ck_assert(cn_read_this_atom(&reader, "ok"));
    ck_assert(cn_read_integer(&reader, &integer));
    ck_assert_int_eq(integer, -300);
    ck_assert(cn_read_binary(&reader, &bytes));
    ck_assert(cn_bytes_equal(bytes, "abc"));
    ck_assert(cn_read_float(&reader, &real));
    ck_assert_double_eq(real, 1.5);
    ck_assert(cn_read_map(&reader, &count));
    ck_assert_uint_eq(count, 1);
    ck_assert(cn_read_atom(&reader, &bytes));
    ck_assert(cn_bytes_equal(bytes, "keys"));
    ck_assert(!cn_reader_done(&reader));
    ck_assert(cn_read_bool(&reader, &truth));
    ck_assert(truth);
    ck_assert(cn_reader_done(&reader));
    ck_assert(!cn_reader_failed(&reader));
}
END_TEST

/* After the first failure nothing is read any more, and no output was touched. */
START_TEST(errors_are_sticky)
{
    struct cn_reader reader = reader_of("68036101770261626103");
    struct cn_bytes bytes = {NULL, 7};
    struct cn_term term = {NULL, 7};
    struct cn_pid pid = {.id = 7};
    struct cn_ref ref = {.count = 7};
    uint32_t count = 7;
    int64_t integer = 7;
    double real = 7;
    bool truth = true;

    ck_assert(cn_read_this_tuple(&reader, 3));
    ck_assert(!cn_read_binary(&reader, &bytes));
    ck_assert(cn_reader_failed(&reader));
    ck_assert(!cn_read_integer(&reader, &integer));
    ck_assert(!cn_read_atom(&reader, &bytes));
    ck_assert(!cn_read_bool(&reader, &truth));
    ck_assert(!cn_read_float(&reader, &real));
    ck_assert(!cn_read_tuple(&reader, &count));
    ck_assert(!cn_read_list(&reader, &count));
    ck_assert(!cn_read_map(&reader, &count));
    ck_assert(!cn_read_nil(&reader));
    ck_assert(!cn_read_pid(&reader, &pid));
    ck_assert(!cn_read_ref(&reader, &ref));
    ck_assert(!cn_read_term(&reader, &term));
    ck_assert(!cn_skip(&reader));
    ck_assert(!cn_reader_done(&reader));
    ck_assert_int_eq(cn_peek(&reader), CN_TYPE_NONE);
    ck_assert(bytes.size == 7 && term.size == 7 && pid.id == 7 && ref.count == 7);
    ck_assert(count == 7 && integer == 7 && real == 7 && truth);
}
END_TEST

/* Each reading function refuses every sample of another type. */
START_TEST(other_types_are_refused)
{
    for (size_t i = 0; i < sample_count; i++) {
        struct cn_term term = term_from_hex(samples[i].hex);
        struct cn_reader start;
        struct cn_reader r;
        enum cn_type type;
        struct cn_bytes bytes;
        struct cn_pid pid;
        struct cn_ref ref;
        uint32_t count;
        int64_t integer;
        double real;

        cn_reader_init(&start, term);
        type = cn_peek(&start);
        ck_assert_int_eq((r = start, cn_read_atom(&r, &bytes)), type == CN_TYPE_ATOM);
        ck_assert_int_eq((r = start, cn_read_integer(&r, &integer)), type == CN_TYPE_INTEGER);
        ck_assert_int_eq((r = start, cn_read_float(&r, &real)), type == CN_TYPE_FLOAT);
        ck_assert_int_eq((r = start, cn_read_binary(&r, &bytes)), type == CN_TYPE_BINARY);
        ck_assert_int_eq((r = start, cn_read_tuple(&r, &count)), type == CN_TYPE_TUPLE);
        ck_assert_int_eq((r = start, cn_read_list(&r, &count)), type == CN_TYPE_LIST);
        ck_assert_int_eq((r = start, cn_read_map(&r, &count)), type == CN_TYPE_MAP);
        ck_assert_int_eq((r = start, cn_read_pid(&r, &pid)), type == CN_TYPE_PID);
        ck_assert_int_eq((r = start, cn_read_ref(&r, &ref)), type == CN_TYPE_REF);
        ck_assert_int_eq((r = start, cn_read_nil(&r)), term.data[0] == 106);
    }
}
END_TEST

/* Integers of every width are read by value; beyond 64 bits they are something else. */
START_TEST(integers_of_every_width)
{
    static const struct {
        const char *hex;
        int64_t value;
    } integers[] = {
        {"6100", 0},
        {"6e0000", 0},
        {"6e0001", 0},
        {"6e010105", -5},
        {"62000000ff", 255},
        {"6280000000", INT32_MIN},
        {"6e0800ffffffffffffff7f", INT64_MAX},
        {"6e08010000000000000080", INT64_MIN},
        {"6f00000002000100", 1},
    };
    static const char *const bigs[] = {"6e08000000000000000080", "6e08010100000000000080",
                                       "6e0900000000000000000001"};
    int64_t value;

    for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
        struct cn_reader reader = reader_of(integers[i].hex);

        ck_assert_int_eq(cn_peek(&reader), CN_TYPE_INTEGER);
        ck_assert(cn_read_integer(&reader, &value));
        ck_assert(value == integers[i].value);
        ck_assert(cn_reader_done(&reader));
    }
    for (size_t i = 0; i < sizeof(bigs) / sizeof(bigs[0]); i++) {
        struct cn_reader reader = reader_of(bigs[i]);

        ck_assert_int_eq(cn_peek(&reader), CN_TYPE_BIG);
        ck_assert(!cn_read_integer(&reader, &value));
    }
}
END_TEST

/* A string reads as the list it is, element by element and then its tail. */
START_TEST(strings_are_lists)
{
    struct cn_reader reader = reader_of("68026b000301fe036105");
    struct cn_term term;
    uint32_t count;
    int64_t integer;

    ck_assert(cn_read_this_tuple(&reader, 2));
    ck_assert_int_eq(cn_peek(&reader), CN_TYPE_LIST);
    ck_assert(cn_read_list(&reader, &count));
    ck_assert_uint_eq(count, 3);
    ck_assert_int_eq(cn_peek(&reader), CN_TYPE_INTEGER);
    ck_assert(cn_read_integer(&reader, &integer));
    ck_assert_int_eq(integer, 1);
    ck_assert(cn_read_term(&reader, &term));
    ck_assert_uint_eq(term.size, 2);
    ck_assert_mem_eq(term.data, "\x61\xfe", 2);
    ck_assert(cn_skip(&reader));
    ck_assert_int_eq(cn_peek(&reader), CN_TYPE_LIST);
    ck_assert(!cn_reader_done(&reader));
    ck_assert(cn_read_nil(&reader));
    ck_assert(cn_read_integer(&reader, &integer));
    ck_assert_int_eq(integer, 5);
    ck_assert(cn_reader_done(&reader));
}
END_TEST

/* The tail of a string can be read as a list, a term, or skipped, and must be read. */
START_TEST(the_tail_of_a_string)
{
    struct cn_reader start = reader_of("6b000109");
    struct cn_reader reader;
    struct cn_term term;
    uint32_t count;
    int64_t integer;

    ck_assert(cn_read_list(&start, &count) && cn_skip(&start));
    ck_assert(!cn_reader_done(&start));
    reader = reader_of("6b000109");
    ck_assert(cn_read_list(&reader, &count) && cn_read_integer(&reader, &integer));
    ck_assert(!cn_reader_done(&reader) && cn_read_nil(&reader) && cn_reader_done(&reader));
    reader = start;
    ck_assert(cn_read_list(&reader, &count) && count == 0 && cn_reader_done(&reader));
    reader = start;
    ck_assert(cn_skip(&reader) && cn_reader_done(&reader));
    reader = start;
    ck_assert(cn_read_term(&reader, &term) && cn_reader_done(&reader));
    ck_assert(term.size == 1 && term.data[0] == 106);
    reader = start;
    ck_assert(!cn_read_tuple(&reader, &count) && cn_reader_failed(&reader));
}
END_TEST

/* Inside a string nothing but integers can be read. */
START_TEST(string_elements_are_integers)
{
    struct cn_reader start = reader_of("6b0003686a6a");
    struct cn_reader reader;
    struct cn_bytes bytes;
    struct cn_pid pid;
    uint32_t count;

    ck_assert(cn_read_list(&start, &count));
    ck_assert(!(reader = start, cn_read_tuple(&reader, &count)));
    ck_assert(!(reader = start, cn_read_list(&reader, &count)));
    ck_assert(!(reader = start, cn_read_nil(&reader)));
    ck_assert(!(reader = start, cn_read_atom(&reader, &bytes)));
    ck_assert(!(reader = start, cn_read_binary(&reader, &bytes)));
    ck_assert(!(reader = start, cn_read_pid(&reader, &pid)));
}
END_TEST

/* Pids and references come out with all that names them. */
START_TEST(identifiers_are_read)
{
    struct cn_reader reader = reader_of("5877036140620000000a0000000b0000000c");
    struct cn_pid pid;
    struct cn_ref ref;

    ck_assert(cn_read_pid(&reader, &pid) && cn_reader_done(&reader));
    ck_assert(pid.id == 10 && pid.serial == 11 && pid.creation == 12);
    ck_assert_str_eq(pid.node, "a@b");
    reader = reader_of("5a00057703614062000000010000000200000003000000040000000500000006");
    ck_assert(cn_read_ref(&reader, &ref) && cn_reader_done(&reader));
    ck_assert(ref.count == 5 && ref.creation == 1 && ref.words[0] == 2 && ref.words[4] == 6);
    ck_assert_str_eq(ref.node, "a@b");
}
END_TEST

/* A node's name fits up to 255 bytes, is an error beyond, and must be text. */
START_TEST(node_names_are_bounded)
{
    uint8_t data[1 + 3 + 256 + 12] = {88, 118, 0, 255};
    struct cn_reader reader;
    struct cn_pid pid = {.id = 9};
    struct cn_term term;

    memset(data + 4, 'n', 256);
    cn_reader_init(&reader, (struct cn_term){data, sizeof(data) - 1});
    ck_assert(cn_read_pid(&reader, &pid) && cn_reader_done(&reader));
    ck_assert_uint_eq(strlen(pid.node), 255);
    data[2] = 1;
    data[3] = 0;
    pid.id = 9;
    cn_reader_init(&reader, (struct cn_term){data, sizeof(data)});
    ck_assert(!cn_read_pid(&reader, &pid));
    ck_assert_uint_eq(pid.id, 9);
    cn_reader_init(&reader, (struct cn_term){data, sizeof(data)});
    ck_assert(cn_read_term(&reader, &term) && cn_reader_done(&reader));
    reader = reader_of("5877036100620000000a0000000b0000000c");
    ck_assert(!cn_read_pid(&reader, &pid));
}
END_TEST

/* Counts that the bytes cannot hold are errors, although nobody walked over them. */
START_TEST(counts_are_not_believed)
{
    static const char *const claims[] = {"6cffffffff6a", "69ffffffff6a", "74ffffffff6a",
                                         "68026a",       "6bffff01",     "6dffffffff01"};

    for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
        struct cn_reader start = reader_of(claims[i]);
        struct cn_reader reader;
        struct cn_bytes bytes;
        uint32_t count;

        ck_assert(!(reader = start, cn_read_list(&reader, &count)));
        ck_assert(!(reader = start, cn_read_tuple(&reader, &count)));
        ck_assert(!(reader = start, cn_read_map(&reader, &count)));
        ck_assert(!(reader = start, cn_read_binary(&reader, &bytes)));
        ck_assert(!(reader = start, cn_skip(&reader)));
    }
}
END_TEST

/* An empty term is no term. */
START_TEST(nothing_is_no_term)
{
    struct cn_reader reader;
    struct cn_term term;

    cn_reader_init(&reader, (struct cn_term){NULL, 0});
    ck_assert_int_eq(cn_peek(&reader), CN_TYPE_NONE);
    ck_assert(cn_reader_done(&reader));
    ck_assert(!cn_read_term(&reader, &term));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reader");
    TCase *tcase = tcase_create("reader");

    tcase_add_test(tcase, types_are_told);
    tcase_add_test(tcase, a_shape_is_read);
    tcase_add_test(tcase, errors_are_sticky);
    tcase_add_test(tcase, other_types_are_refused);
    tcase_add_test(tcase, integers_of_every_width);
    tcase_add_test(tcase, strings_are_lists);
    tcase_add_test(tcase, the_tail_of_a_string);
    tcase_add_test(tcase, string_elements_are_integers);
    tcase_add_test(tcase, identifiers_are_read);
    tcase_add_test(tcase, node_names_are_bounded);
    tcase_add_test(tcase, counts_are_not_believed);
    tcase_add_test(tcase, nothing_is_no_term);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
