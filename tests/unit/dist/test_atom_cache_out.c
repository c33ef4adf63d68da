/*
 * The outgoing atom cache: what its headers tell is what an incoming cache understands, over many
 * frames, more atoms than slots, and frames that were taken back.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dist/atom_cache_in.h"
#include "dist/atom_cache_out.h"

static struct atom_cache_out *out;
static struct atom_cache_in *in;

static void setup(void)
{
    mem_test_begin();
    out = atom_cache_out_new();
    in = atom_cache_in_new();
}

static void teardown(void)
{
    out = atom_cache_out_free(out);
    in = atom_cache_in_free(in);
    ck_assert_int_eq(mem_test_end(), 0);
}

static int find(const char *text)
{
    return atom_cache_out_find(out, (struct cn_bytes){(const uint8_t *)text, strlen(text)});
}

/* Send the header; gives its size. */
static size_t deliver(struct atom_table *table)
{
    size_t size = atom_cache_out_header_size(out);
    uint8_t *header = malloc(size);
    size_t used;

    ck_assert_ptr_nonnull(header);
    atom_cache_out_write_header(out, header);
    ck_assert_int_eq(atom_cache_in_read(in, header, size, table, &used), 0);
    ck_assert_uint_eq(used, size);
    free(header);
    return size;
}

/* Byte for byte: a new atom with its text, later its number alone, the same atom only once. */
START_TEST(headers_byte_for_byte)
{
    uint8_t header[16];

    atom_cache_out_begin(out);
    ck_assert_uint_eq(atom_cache_out_header_size(out), 1);
    atom_cache_out_write_header(out, header);
    ck_assert_uint_eq(header[0], 0);
    ck_assert_int_eq(find("ok"), 0);
    ck_assert_int_eq(find("ok"), 0);
    ck_assert_uint_eq(atom_cache_out_header_size(out), 6);
    atom_cache_out_write_header(out, header);
    ck_assert_mem_eq(header, "\x01\x08\x00\x02ok", 6);
    atom_cache_out_begin(out);
    ck_assert_int_eq(find("no"), 0);
    ck_assert_int_eq(find("ok"), 1);
    ck_assert_uint_eq(atom_cache_out_header_size(out), 8);
    atom_cache_out_write_header(out, header);
    ck_assert_mem_eq(header, "\x02\x08\x00\x01\x02no\x00", 8);
}
END_TEST

/* A text beyond 255 bytes makes all lengths of its header two bytes long. */
START_TEST(long_atoms)
{
    struct atom_table table;
    char text[511];

    for (size_t i = 0; i < 255; i++)
        memcpy(text + 2 * i, "\xc3\xa9", 2);
    text[510] = '\0';
    atom_cache_out_begin(out);
    find("ok");
    ck_assert_int_eq(find(text), 1);
    deliver(&table);
    ck_assert(cn_bytes_equal(table.texts[0], "ok"));
    ck_assert(cn_bytes_equal(table.texts[1], text));
    atom_cache_out_begin(out);
    ck_assert_int_eq(find(text), 0);
    ck_assert_uint_eq(deliver(&table), 3);
    ck_assert(cn_bytes_equal(table.texts[0], text));
}
END_TEST

/* The 256th atom of a frame finds no place. */
START_TEST(a_full_header)
{
    struct atom_table table;
    char text[16];

    atom_cache_out_begin(out);
    for (int i = 0; i < 300; i++) {
        (void)snprintf(text, sizeof(text), "a%d", i);
        ck_assert_int_eq(find(text), i < 255 ? i : -1);
    }
    ck_assert_int_eq(find("a7"), 7);
    deliver(&table);
    ck_assert_uint_eq(table.count, 255);
    ck_assert(cn_bytes_equal(table.texts[254], "a254"));
}
END_TEST

/* Random frames out of 5000 atoms, some taken back: both caches stay in step. */
START_TEST(caches_stay_in_step)
{
    struct atom_table table;
    char text[16];

    seed_random(11);
    for (int frame = 0; frame < 1500; frame++) {
        uint32_t numbers[255];
        int count = 0;
        int lookups = 1 + (int)random_below(60);
        uint32_t range = frame % 2 == 0 ? 5000 : 100;

        atom_cache_out_begin(out);
        for (int i = 0; i < lookups; i++) {
            uint32_t number = random_below(range);
            int index;

            (void)snprintf(text, sizeof(text), "atom%u", number);
            index = find(text);
            ck_assert_int_ge(index, 0);
            ck_assert_int_le(index, count);
            if (index == count)
                numbers[count++] = number;
            ck_assert_uint_eq(numbers[index], number);
        }
        if (random_below(10) == 0) {
            atom_cache_out_abort(out);
            continue;
        }
        deliver(&table);
        ck_assert_uint_eq(table.count, (unsigned)count);
        for (int i = 0; i < count; i++) {
            (void)snprintf(text, sizeof(text), "atom%u", numbers[i]);
            ck_assert(cn_bytes_equal(table.texts[i], text));
        }
    }
}
END_TEST

/* Without memory an atom has no place, and everything goes on. */
START_TEST(no_memory)
{
    struct atom_table table;

    atom_cache_out_begin(out);
    for (size_t nth = 1; nth <= 2; nth++) {
        mem_test_fail(nth);
        ck_assert_int_eq(find("ok"), -1);
    }
    mem_test_fail(0);
    ck_assert_int_eq(find("ok"), 0);
    deliver(&table);
    ck_assert(cn_bytes_equal(table.texts[0], "ok"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("atom_cache_out");
    TCase *tcase = tcase_create("atom_cache_out");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, headers_byte_for_byte);
    tcase_add_test(tcase, long_atoms);
    tcase_add_test(tcase, a_full_header);
    tcase_add_test(tcase, caches_stay_in_step);
    tcase_add_test(tcase, no_memory);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
