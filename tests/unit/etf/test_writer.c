/*
 * The writer: the bytes a BEAM would write, within the limit, and whole or not at all.
 *
 * Every allocation of a long write is failed in turn; what the writer holds is released each time.
 */
#include <cnode/term.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <ei.h>

#include "base/alloc.h"
#include "etf/walk.h"
#include "etf/writer.h"

#include "support.h"

static struct cn_writer writer;

static void setup(void)
{
    mem_test_begin();
    cn_writer_init(&writer, 0);
}

static void teardown(void)
{
    cn_writer_free(&writer);
    ck_assert_int_eq(mem_test_end(), 0);
}

/* What was written is exactly @hex; then start again. */
static void expect(const char *hex)
{
    struct cn_term expected = term_from_hex(hex);
    struct cn_term found = cn_writer_term(&writer);

    ck_assert_int_eq(cn_writer_error(&writer), 0);
    ck_assert_uint_eq(found.size, expected.size);
    ck_assert_mem_eq(found.data, expected.data, expected.size);
    cn_writer_reset(&writer);
}

/* Integers take the shortest form, as on a BEAM. */
START_TEST(integers_are_shortest)
{
    static const struct {
        int64_t value;
        const char *hex;
    } integers[] = {
        {0, "6100"},
        {255, "61ff"},
        {256, "6200000100"},
        {-1, "62ffffffff"},
        {1 << 27, "6208000000"},
        {INT32_MAX, "627fffffff"},
        {INT32_MIN, "6280000000"},
        {(int64_t)INT32_MAX + 1, "6e040000000080"},
        {(int64_t)INT32_MIN - 1, "6e040101000080"},
        {INT64_MAX, "6e0800ffffffffffffff7f"},
        {INT64_MIN, "6e08010000000000000080"},
    };

    for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
        cn_write_integer(&writer, integers[i].value);
        expect(integers[i].hex);
    }
    cn_write_unsigned(&writer, 7);
    expect("6107");
    cn_write_unsigned(&writer, UINT64_MAX);
    expect("6e0800ffffffffffffffff");
}
END_TEST

/* Everything else is written as a BEAM writes it. */
START_TEST(forms_are_those_of_a_beam)
{
    const struct cn_pid pid = {10, 11, 12, "a@b"};
    const struct cn_ref ref = {{2, 3, 4}, 3, 1, "a@b"};

    cn_write_atom(&writer, "ok");
    expect("77026f6b");
    cn_write_atom(&writer, "");
    expect("7700");
    cn_write_bool(&writer, true);
    cn_write_bool(&writer, false);
    expect("770474727565770566616c7365");
    cn_write_float(&writer, 1.5);
    expect("463ff8000000000000");
    cn_write_string(&writer, "abc");
    cn_write_binary(&writer, (struct cn_bytes){NULL, 0});
    expect("6d000000036162636d00000000");
    cn_write_tuple(&writer, 255);
    cn_write_tuple(&writer, 256);
    expect("68ff6900000100");
    cn_write_list(&writer, 2);
    cn_write_list(&writer, 0);
    cn_write_nil(&writer);
    expect("6c000000026a");
    cn_write_map(&writer, 3);
    expect("7400000003");
    cn_write_pid(&writer, &pid);
    expect("5877036140620000000a0000000b0000000c");
    cn_write_ref(&writer, &ref);
    expect("5a00037703614062000000010000000200000003"
           "00000004");
    cn_write_term(&writer, term_from_hex("680161016a"));
    etf_write_raw(&writer, "\x83", 1);
    etf_write_raw(&writer, NULL, 0);
    expect("680161016a83");
}
END_TEST

/* Long atoms get a longer head, 255 characters are the most, and they must be UTF-8. */
START_TEST(atoms_are_checked)
{
    char text[4 * 256 + 1] = {0};

    for (size_t i = 0; i < 255; i++)
        memcpy(text + 4 * i, "\xf0\x9f\x8e\xb2", 4);
    cn_write_atom(&writer, text);
    ck_assert_uint_eq(cn_writer_term(&writer).size, 3 + 4 * 255);
    ck_assert_mem_eq(cn_writer_term(&writer).data, "\x76\x03\xfc", 3);
    cn_writer_reset(&writer);
    memset(text, 'a', 256);
    text[256] = 0;
    cn_write_atom(&writer, text);
    ck_assert_int_eq(cn_writer_error(&writer), -EINVAL);
    cn_writer_reset(&writer);
    cn_write_atom(&writer, "\xff");
    ck_assert_int_eq(cn_writer_error(&writer), -EINVAL);
}
END_TEST

/* A value without an encoding is an error that stays, and nothing is written any more. */
START_TEST(errors_are_sticky)
{
    size_t size = 7;

    cn_write_integer(&writer, 1);
    cn_write_float(&writer, NAN);
    ck_assert_int_eq(cn_writer_error(&writer), -EINVAL);
    cn_write_integer(&writer, 2);
    cn_write_string(&writer, "more");
    ck_assert_int_eq(cn_writer_error(&writer), -EINVAL);
    ck_assert_ptr_null(cn_writer_term(&writer).data);
    ck_assert_ptr_null(cn_writer_take(&writer, &size));
    ck_assert_uint_eq(size, 7);
    ck_assert_int_eq(mem_test_live(), 0);
    ck_assert_int_eq(cn_writer_error(&writer), -EINVAL);
    cn_writer_reset(&writer);
    cn_write_integer(&writer, 3);
    expect("6103");
}
END_TEST

/* Infinity, a reference without words, a node's name without an end, an empty term: all refused. */
START_TEST(odd_values_are_refused)
{
    struct cn_ref ref = {{1}, 0, 1, "a@b"};
    struct cn_pid pid = {1, 2, 3, ""};

    cn_write_float(&writer, -INFINITY);
    ck_assert_int_eq(cn_writer_error(&writer), -EINVAL);
    cn_writer_reset(&writer);
    cn_write_ref(&writer, &ref);
    ck_assert_int_eq(cn_writer_error(&writer), -EINVAL);
    cn_writer_reset(&writer);
    ref.count = 6;
    cn_write_ref(&writer, &ref);
    ck_assert_int_eq(cn_writer_error(&writer), -EINVAL);
    cn_writer_reset(&writer);
    memset(pid.node, 'x', sizeof(pid.node));
    cn_write_pid(&writer, &pid);
    ck_assert_int_eq(cn_writer_error(&writer), -EINVAL);
    cn_writer_reset(&writer);
    cn_write_term(&writer, (struct cn_term){NULL, 0});
    ck_assert_int_eq(cn_writer_error(&writer), -EINVAL);
}
END_TEST

/* The limit is reached exactly and never passed, by heads, texts and copies alike. */
START_TEST(the_limit_holds)
{
    struct cn_writer small;
    struct cn_bytes ten = {(const uint8_t *)"0123456789", 10};

    cn_writer_init(&small, 15);
    cn_write_binary(&small, ten);
    ck_assert_int_eq(cn_writer_error(&small), 0);
    cn_write_nil(&small);
    ck_assert_int_eq(cn_writer_error(&small), -E2BIG);
    cn_writer_free(&small);
    cn_writer_init(&small, 14);
    cn_write_binary(&small, ten);
    ck_assert_int_eq(cn_writer_error(&small), -E2BIG);
    ck_assert_int_eq(mem_test_live(), 0);
    cn_writer_reset(&small);
    cn_write_atom(&small, "0123456789abc");
    ck_assert_int_eq(cn_writer_error(&small), -E2BIG);
    cn_writer_reset(&small);
    cn_write_atom(&small, "0123456789ab");
    ck_assert_int_eq(cn_writer_error(&small), 0);
    cn_write_term(&small, term_from_hex("6a"));
    ck_assert_int_eq(cn_writer_error(&small), -E2BIG);
    cn_writer_free(&small);
    cn_write_tuple(&writer, UINT32_MAX);
    ck_assert_int_eq(cn_writer_error(&writer), -E2BIG);
}
END_TEST

/* Taken bytes belong to the caller, for free(), and the writer starts again empty. */
START_TEST(taken_bytes_are_the_callers)
{
    size_t size = 0;
    uint8_t *data;

    ck_assert_ptr_null(cn_writer_take(&writer, &size));
    cn_write_integer(&writer, 5);
    data = cn_writer_take(&writer, &size);
    ck_assert_uint_eq(size, 2);
    ck_assert_mem_eq(data, "\x61\x05", 2);
    free(data);
    ck_assert_uint_eq(cn_writer_term(&writer).size, 0);
    cn_write_integer(&writer, 6);
    expect("6106");
}
END_TEST

static void write_much(struct cn_writer *to)
{
    const struct cn_pid pid = {10, 11, 12, "a@b"};

    cn_write_list(to, 200);
    for (int i = 0; i < 200; i++) {
        cn_write_tuple(to, 5);
        cn_write_atom(to, "an_atom_of_some_length");
        cn_write_integer(to, INT64_MIN);
        cn_write_pid(to, &pid);
        cn_write_string(to, "some text that takes room");
        cn_write_float(to, 0.1);
    }
    cn_write_nil(to);
}

/* Whichever allocation fails, the error is -ENOMEM and nothing stays behind. */
START_TEST(every_allocation_may_fail)
{
    size_t nth = 0;
    size_t size;

    do {
        cn_writer_free(&writer);
        mem_test_fail(++nth);
        write_much(&writer);
        ck_assert_int_eq(cn_writer_error(&writer), mem_test_failed() ? -ENOMEM : 0);
    } while (mem_test_failed());
    ck_assert_uint_gt(nth, 5);
    ck_assert_int_eq(etf_walk(writer.data, writer.size, NULL, &size), 0);
    ck_assert_uint_eq(size, writer.size);
}
END_TEST

static const char *const texts[] = {"ok", "a_word"};
static const struct cn_words words = {2, texts};

/* A word is its text, or its number where the words are used; both say the same when copied. */
START_TEST(words_are_numbers_or_texts)
{
    struct cn_writer plain;

    cn_writer_init(&plain, 0);
    cn_write_word(&plain, &words, 0);
    ck_assert(cn_term_is_atom(cn_writer_term(&plain), "ok"));
    cn_writer_reset(&plain);
    cn_writer_use_words(&writer, &words);
    cn_write_tuple(&writer, 3);
    cn_write_word(&writer, &words, 1);
    cn_write_binary(&writer, (struct cn_bytes){(const uint8_t *)"\x52\x01", 2});
    cn_write_word(&writer, &words, 0);
    ck_assert(!writer.mixed);
    cn_write_written(&plain, &writer);
    expect("680352016d0000000252015200");
    cn_writer_free(&writer);
    cn_write_written(&writer, &writer); /* of nothing, nothing */
    cn_writer_use_words(&writer, NULL);
    cn_write_written(&writer, &plain);
    expect("68037706615f776f72646d00000002520177026f6b");
    cn_writer_free(&plain);
}
END_TEST

/* What the words do not cover is noted, whoever brings it. */
START_TEST(strange_atoms_are_noted)
{
    struct cn_pid pid = {.node = "a@b"};
    struct cn_writer other;

    cn_writer_use_words(&writer, &words);
    cn_write_term(&writer, term_from_hex("6d000000025201"));
    ck_assert(!writer.mixed);
    cn_write_term(&writer, term_from_hex("68016101"));
    ck_assert(writer.mixed);
    cn_writer_reset(&writer);
    ck_assert(!writer.mixed);
    cn_write_atom(&writer, "else");
    ck_assert(writer.mixed);
    cn_writer_init(&other, 0);
    cn_writer_use_words(&other, &words);
    cn_write_pid(&other, &pid);
    ck_assert(other.mixed);
    cn_writer_reset(&writer);
    cn_write_written(&writer, &other);
    ck_assert(writer.mixed);
    cn_writer_free(&other);
    cn_writer_init(&other, 4);
    cn_write_string(&other, "too long");
    cn_writer_reset(&writer);
    cn_write_written(&writer, &other);
    ck_assert_int_eq(cn_writer_error(&writer), -E2BIG);
    cn_writer_free(&other);
}
END_TEST

/* Heads, pids and references are what ei writes. */
START_TEST(forms_are_those_of_ei)
{
    static const uint32_t counts[] = {0, 1, 255, 256, 70000};
    struct cn_ref ref = {.words = {1, 0x80000002, 3, 4, 5}, .creation = 9, .node = "b@c"};
    struct cn_pid pid = {.id = 0xfffffff0, .serial = 7, .creation = 0xabcd, .node = "n\xc3\xa9@h"};
    erlang_pid ei_pid = {.num = pid.id, .serial = 7, .creation = 0xabcd, .node = "n\xc3\xa9@h"};
    erlang_ref ei_ref = {.n = {1, 0x80000002, 3, 4, 5}, .creation = 9, .node = "b@c"};
    char bytes[512];
    int size = 0;

    for (unsigned i = 0; i < 5; i++) {
        ei_encode_tuple_header(bytes, &size, (int)counts[i]);
        ei_encode_map_header(bytes, &size, (int)counts[i]);
        ei_encode_list_header(bytes, &size, (int)counts[i] + 1);
        cn_write_tuple(&writer, counts[i]);
        cn_write_map(&writer, counts[i]);
        cn_write_list(&writer, counts[i] + 1);
    }
    for (ref.count = 1; ref.count <= 5; ref.count++) {
        ei_ref.len = (int)ref.count;
        ei_encode_ref(bytes, &size, &ei_ref);
        cn_write_ref(&writer, &ref);
    }
    ei_encode_pid(bytes, &size, &ei_pid);
    cn_write_pid(&writer, &pid);
    ck_assert_uint_eq(writer.size, (size_t)size);
    ck_assert_mem_eq(writer.data, bytes, (size_t)size);
}
END_TEST

/* A binary can be filled in place; its size is held against the limit as any other. */
START_TEST(binaries_have_room)
{
    uint8_t *room = cn_write_binary_room(&writer, 3);

    ck_assert_ptr_nonnull(room);
    memcpy(room, "abc", 3);
    expect("6d00000003616263");
    cn_writer_reset(&writer);
    ck_assert_ptr_null(cn_write_binary_room(&writer, SIZE_MAX));
    ck_assert_int_eq(cn_writer_error(&writer), -E2BIG);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("writer");
    TCase *tcase = tcase_create("writer");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, integers_are_shortest);
    tcase_add_test(tcase, forms_are_those_of_a_beam);
    tcase_add_test(tcase, atoms_are_checked);
    tcase_add_test(tcase, errors_are_sticky);
    tcase_add_test(tcase, odd_values_are_refused);
    tcase_add_test(tcase, the_limit_holds);
    tcase_add_test(tcase, taken_bytes_are_the_callers);
    tcase_add_test(tcase, every_allocation_may_fail);
    tcase_add_test(tcase, words_are_numbers_or_texts);
    tcase_add_test(tcase, strange_atoms_are_noted);
    tcase_add_test(tcase, forms_are_those_of_ei);
    tcase_add_test(tcase, binaries_have_room);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
