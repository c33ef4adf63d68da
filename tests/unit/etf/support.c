/*
 * Shared parts of the tests of etf/.
 *
 * Bytes from hexadecimal text live in one static arena: tests run in processes of their own, so it
 * is never full, and nothing has to be released.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "etf/compare.h"
#include "etf/phash2.h"
#include "etf/print.h"
#include "etf/raw.h"
#include "etf/walk.h"

const struct sample samples[] = {
    {"small integer", "61ff"},
    {"integer", "62ffffffff"},
    {"float", "463ff8000000000000"},
    {"small atom", "77026f6b"},
    {"empty atom", "7700"},
    {"atom", "760003e282ac"},
    {"latin-1 atom", "6400026f6b"},
    {"small latin-1 atom", "73026f6b"},
    {"small tuple", "680261016a"},
    {"empty tuple", "6800"},
    {"large tuple", "69000000036101680061ff"},
    {"nil", "6a"},
    {"string", "6b0003010203"},
    {"list", "6c00000002620000012c7701616a"},
    {"improper list", "6c000000016101770161"},
    {"list in pieces", "6c0000000161016c0000000161026a"},
    {"binary", "6d00000003616263"},
    {"empty binary", "6d00000000"},
    {"bit binary", "4d0000000203ffa0"},
    {"small big", "6e0800ffffffffffffff7f"},
    {"negative big", "6e08010000000000000080"},
    {"big beyond 64 bits", "6e0901000000000000000001"},
    {"large big", "6f0000012c00000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021"
                  "22232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f40414243444546474849"
                  "4a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f7071"
                  "72737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f90919293949596979899"
                  "9a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1"
                  "c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9"
                  "eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff010101010101010101010101010101010101"
                  "0101010101010101010101010101010101010101010101010101"},
    {"map", "7400000002770161610177016261ff"},
    {"empty map", "7400000000"},
    {"map as a key", "74000000017400000001610161026a"},
    {"pid", "5877036140620000000a0000000b0000000c"},
    {"port", "5977036140620000000a0000000c"},
    {"v4 port", "78770361406200000001000000010000000c"},
    {"reference", "5a0003770361406200000001000000020000000300000004"},
    {"reference of five words", "5a00057703614062000000010000000200000003000000040000000500000006"},
    {"external fun", "7177056c6973747377036d61706102"},
    {"fun", "700000004001000102030405060708090a0b0c0d0e0f000000010000000177016d61056201020304"
            "5877036140620000000a0000000b0000000c68026101770178"},
    {"fun without variables",
     "700000003901000102030405060708090a0b0c0d0e0f000000010000000077016d61056201020304"
     "5877036140620000000a0000000b0000000c"},
};
const size_t sample_count = sizeof(samples) / sizeof(samples[0]);

static uint8_t arena[1 << 22];
static size_t arena_used;

static uint8_t *arena_take(size_t size)
{
    uint8_t *memory = arena + arena_used;

    ck_assert_uint_le(size, sizeof(arena) - arena_used);
    arena_used += size;
    return memory;
}

static unsigned digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

struct cn_term term_from_hex(const char *hex)
{
    size_t size = strlen(hex) / 2;
    uint8_t *data = arena_take(size);

    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    return (struct cn_term){data, size};
}

uint8_t *exact_copy(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    ck_assert_ptr_nonnull(copy);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

void write_all_samples(struct cn_writer *writer)
{
    cn_write_tuple(writer, (uint32_t)sample_count);
    for (size_t i = 0; i < sample_count; i++)
        cn_write_term(writer, term_from_hex(samples[i].hex));
}

static bool copy_list(struct cn_reader *reader, struct cn_writer *writer, bool open_strings)
{
    struct cn_reader start = *reader;
    struct cn_term term;
    uint32_t count;

    if (!cn_read_list(reader, &count))
        return false;
    if (reader->string_left > 0 && !open_strings) {
        *reader = start;
        if (!cn_read_term(reader, &term))
            return false;
        cn_write_term(writer, term);
        return true;
    }
    cn_write_list(writer, count);
    for (uint32_t i = 0; i < count; i++)
        if (!copy_by_value(reader, writer, open_strings))
            return false;
    if (count == 0)
        cn_write_nil(writer);
    return count == 0 || copy_by_value(reader, writer, open_strings);
}

static bool copy_terms(struct cn_reader *reader, struct cn_writer *writer, uint64_t count,
                       bool open_strings)
{
    for (; count > 0; count--)
        if (!copy_by_value(reader, writer, open_strings))
            return false;
    return true;
}

/* A pid or reference; as a whole when its node has a name that the reader does not give. */
static bool copy_identifier(struct cn_reader *reader, struct cn_writer *writer)
{
    struct cn_reader start = *reader;
    struct cn_term term;
    struct cn_pid pid;
    struct cn_ref ref;

    if (cn_peek(reader) == CN_TYPE_PID && cn_read_pid(reader, &pid)) {
        cn_write_pid(writer, &pid);
        return true;
    }
    *reader = start;
    if (cn_peek(reader) == CN_TYPE_REF && cn_read_ref(reader, &ref)) {
        cn_write_ref(writer, &ref);
        return true;
    }
    *reader = start;
    if (!cn_read_term(reader, &term))
        return false;
    cn_write_term(writer, term);
    return true;
}

static bool copy_container(struct cn_reader *reader, struct cn_writer *writer, bool open_strings)
{
    uint32_t count;

    if (cn_peek(reader) == CN_TYPE_TUPLE) {
        if (!cn_read_tuple(reader, &count))
            return false;
        cn_write_tuple(writer, count);
        return copy_terms(reader, writer, count, open_strings);
    }
    if (!cn_read_map(reader, &count))
        return false;
    cn_write_map(writer, count);
    return copy_terms(reader, writer, 2 * (uint64_t)count, open_strings);
}

bool copy_by_value(struct cn_reader *reader, struct cn_writer *writer, bool open_strings)
{
    struct cn_bytes bytes;
    struct cn_term term;
    int64_t integer;
    double real;

    switch (cn_peek(reader)) {
    case CN_TYPE_ATOM:
        if (!cn_read_atom(reader, &bytes))
            return false;
        cn_write_atom_bytes(writer, bytes);
        return true;
    case CN_TYPE_INTEGER:
        if (!cn_read_integer(reader, &integer))
            return false;
        cn_write_integer(writer, integer);
        return true;
    case CN_TYPE_FLOAT:
        if (!cn_read_float(reader, &real))
            return false;
        cn_write_float(writer, real);
        return true;
    case CN_TYPE_BINARY:
        if (!cn_read_binary(reader, &bytes))
            return false;
        cn_write_binary(writer, bytes);
        return true;
    case CN_TYPE_LIST:
        return copy_list(reader, writer, open_strings);
    case CN_TYPE_TUPLE:
    case CN_TYPE_MAP:
        return copy_container(reader, writer, open_strings);
    case CN_TYPE_PID:
    case CN_TYPE_REF:
        return copy_identifier(reader, writer);
    default:
        if (!cn_read_term(reader, &term))
            return false;
        cn_write_term(writer, term);
        return true;
    }
}

void touch_everything(struct cn_term term)
{
    static const uint8_t nil[] = {106};
    char line[200];
    struct cn_term value;
    struct cn_reader reader;
    size_t size;

    (void)etf_print(term, line, sizeof(line));
    (void)etf_phash2(term);
    (void)etf_compare(term, term);
    (void)etf_compare_exact(term, (struct cn_term){nil, sizeof(nil)});
    (void)cn_map_get(term, "key", &value);
    (void)cn_term_is_atom(term, "key");
    (void)etf_skip(term.data, term.size, &size);
    cn_reader_init(&reader, term);
    while (cn_peek(&reader) != CN_TYPE_NONE && cn_skip(&reader))
        ;
}

int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
