/*
 * The incoming atom cache: headers are read as the protocol writes them, and none that lies reads
 * beyond its bytes or brings an atom that is not one.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "dist/atom_cache_in.h"

static struct atom_cache_in *cache;
static struct atom_table table;

static void setup(void)
{
    cache = atom_cache_in_new();
    ck_assert_ptr_nonnull(cache);
}

static void teardown(void)
{
    cache = atom_cache_in_free(cache);
}

/* Read a header and one byte that follows it. */
static int read_hex(const char *hex, size_t *ret_size)
{
    struct cn_bytes header = from_hex(hex);
    uint8_t *copy = exact(header.data, header.size);
    int rc = atom_cache_in_read(cache, copy, header.size, &table, ret_size);

    free(copy);
    return rc;
}

static void text_is(uint32_t index, const char *text)
{
    ck_assert_uint_lt(index, table.count);
    ck_assert(cn_bytes_equal(table.texts[index], text));
}

/* A new entry in slot 0x305, then the same by its number, then another in its place. */
START_TEST(slots_are_filled_used_and_given_anew)
{
    size_t size;

    ck_assert_int_eq(read_hex("010b05026f6b"
                              "ff",
                              &size),
                     0);
    ck_assert_uint_eq(size, 6);
    text_is(0, "ok");
    ck_assert_int_eq(read_hex("023b0005026e6f05", &size), 0);
    text_is(0, "no");
    text_is(1, "no");
    ck_assert_int_eq(read_hex("00", &size), 0);
    ck_assert_uint_eq(size, 1);
    ck_assert_int_eq(read_hex("010305", &size), 0);
    text_is(0, "no");
}
END_TEST

/* A slot that one header names twice with a change between: the first text stays for the first. */
START_TEST(a_header_may_change_what_it_named)
{
    size_t size;

    ck_assert_int_eq(read_hex("010805026f6b", &size), 0);
    ck_assert_int_eq(read_hex("0280000505026e6f", &size), 0);
    text_is(0, "ok");
    text_is(1, "no");
}
END_TEST

/* Lengths of two bytes, when the half byte after the last reference says so. */
START_TEST(long_atoms)
{
    size_t size;

    ck_assert_int_eq(read_hex("0118050002c3a9", &size), 0);
    ck_assert_uint_eq(size, 7);
    text_is(0, "\xc3\xa9");
    ck_assert_int_eq(read_hex("0288010500016106000162", &size), 0);
    text_is(0, "a");
    text_is(1, "b");
}
END_TEST

/* What must end the connection. */
START_TEST(hostile_headers)
{
    static const struct {
        const char *hex;
        int error;
    } cases[] = {
        {"", CN_E_TERM_SHORT},
        {"01", CN_E_TERM_SHORT},
        {"0108", CN_E_TERM_SHORT},
        {"010805", CN_E_TERM_SHORT},
        {"010805036f6b", CN_E_TERM_SHORT},
        {"011805ffff6f6b", CN_E_TERM_SHORT},
        {"01180500", CN_E_TERM_SHORT},
        {"ff", CN_E_TERM_SHORT},
        {"010007", CN_E_INVALID},
        {"010805026fff", CN_E_TERM_ATOM},
    };
    size_t size;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_msg(read_hex(cases[i].hex, &size) == cases[i].error, "%s", cases[i].hex);
}
END_TEST

/* An atom of 255 characters is one, 256 are none. */
START_TEST(atoms_are_limited)
{
    uint8_t header[5 + 256] = {1, 0x18, 5, 0, 255};
    size_t size;

    memset(header + 5, 'x', 256);
    ck_assert_int_eq(atom_cache_in_read(cache, header, sizeof(header), &table, &size), 0);
    ck_assert_uint_eq(size, 260);
    header[3] = 1;
    header[4] = 0;
    ck_assert_int_eq(atom_cache_in_read(cache, header, sizeof(header), &table, &size),
                     CN_E_TERM_ATOM);
}
END_TEST

/* Without a cache no atom can be named. */
START_TEST(no_cache)
{
    struct cn_bytes header = from_hex("010805026f6b");
    size_t size;

    ck_assert_int_eq(atom_cache_in_read(NULL, header.data, header.size, &table, &size),
                     CN_E_INVALID);
    ck_assert_int_eq(atom_cache_in_read(NULL, (const uint8_t *)"\0", 1, &table, &size), 0);
}
END_TEST

/* Random bytes and headers with random damage: nothing is read beyond the end, nothing leaks. */
START_TEST(random_headers)
{
    size_t size;

    atom_cache_in_free(cache);
    mem_test_begin();
    cache = atom_cache_in_new();
    seed_random(7);
    for (int round = 0; round < 5000; round++) {
        uint8_t header[64];
        size_t length = random_below(sizeof(header));
        uint8_t *copy;

        for (size_t i = 0; i < length; i++)
            header[i] = (uint8_t)(random_below(4) == 0 ? random_below(256) : random_below(16));
        copy = exact(header, length);
        if (atom_cache_in_read(cache, copy, length, &table, &size) == 0) {
            ck_assert_uint_le(size, length);
            for (uint32_t i = 0; i < table.count; i++)
                ck_assert_uint_le(table.texts[i].size, 1020);
        }
        free(copy);
    }
    cache = atom_cache_in_free(cache);
    ck_assert_int_eq(mem_test_end(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("atom_cache_in");
    TCase *tcase = tcase_create("atom_cache_in");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, slots_are_filled_used_and_given_anew);
    tcase_add_test(tcase, a_header_may_change_what_it_named);
    tcase_add_test(tcase, long_atoms);
    tcase_add_test(tcase, hostile_headers);
    tcase_add_test(tcase, atoms_are_limited);
    tcase_add_test(tcase, no_cache);
    tcase_add_test(tcase, random_headers);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
