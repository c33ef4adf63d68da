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

static const char *const texts[] = {"atom1", "atom2", "word3", "word4", "word5"};
static const struct cn_words words = {5, texts};
static const struct cn_words other_words = {2, texts + 3};

/* Byte for byte: words come first, and cost their numbers once they are known. */
START_TEST(words_byte_for_byte)
{
    static const char *const short_texts[] = {"a", "b", "c"};
    static const struct cn_words short_words = {3, short_texts};
    uint8_t header[32];

    atom_cache_out_begin(out);
    ck_assert(atom_cache_out_words(out, &short_words));
    ck_assert_uint_eq(atom_cache_out_header_size(out), 12);
    atom_cache_out_write_header(out, header);
    ck_assert_mem_eq(header, "\x03\x88\x08\x00\x01\x61\x01\x01\x62\x02\x01\x63", 12);
    for (int i = 0; i < 3; i++) { /* looked up, remembered, copied */
        atom_cache_out_begin(out);
        ck_assert(atom_cache_out_words(out, &short_words));
        ck_assert_int_eq(find("b"), 1);
        ck_assert_uint_eq(atom_cache_out_header_size(out), 6);
        atom_cache_out_write_header(out, header);
        ck_assert_mem_eq(header, "\x03\x00\x00\x00\x01\x02", 6);
        ck_assert_int_eq(find("d"), 3);
        ck_assert_uint_eq(atom_cache_out_header_size(out), 10);
        atom_cache_out_write_header(out, header);
        ck_assert_mem_eq(header, "\x04\x00\x80\x00\x00\x01\x02", 7);
        ck_assert_uint_eq(header[7], 3 + i); /* slots that are taken back come last */
        ck_assert_mem_eq(header + 8, "\x01\x64", 2);
        atom_cache_out_abort(out);
    }
}
END_TEST

/* Words that do not fit, or are there twice, do not get the first indices. */
START_TEST(words_that_cannot_be_first)
{
    static const char *const twice[] = {"a", "b", "a"};
    static const struct cn_words words_twice = {3, twice};

    atom_cache_out_begin(out);
    ck_assert(!atom_cache_out_words(out, &words_twice));
    atom_cache_out_abort(out);
    mem_test_fail(1);
    ck_assert(!atom_cache_out_words(out, &words));
    mem_test_fail(0);
    atom_cache_out_abort(out);
    ck_assert(atom_cache_out_words(out, &words));
}
END_TEST

/*
 * Start some frames with words, of which two are atoms that also come by themselves; gives the
 * number of atoms.
 */
static int start_with_words(uint32_t *numbers)
{
    uint32_t kind = random_below(8);

    if (kind > 1)
        return 0;
    ck_assert(atom_cache_out_words(out, kind == 0 ? &words : &other_words));
    memcpy(numbers,
           kind == 0 ? (uint32_t[]){1, 2, 90003, 90004, 90005} : (uint32_t[]){90004, 90005},
           (kind == 0 ? 5 : 2) * sizeof(*numbers));
    return kind == 0 ? 5 : 2;
}

/* Write the text of atom or word @number. */
static void name_atom(char *text, size_t size, uint32_t number)
{
    if (number >= 90000)
        (void)snprintf(text, size, "word%u", number - 90000);
    else
        (void)snprintf(text, size, "atom%u", number);
}

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
        count = start_with_words(numbers);
        for (int i = 0; i < lookups; i++) {
            uint32_t number = random_below(range);
            int index;

            name_atom(text, sizeof(text), number);
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
            name_atom(text, sizeof(text), numbers[i]);
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
    tcase_add_test(tcase, words_byte_for_byte);
    tcase_add_test(tcase, words_that_cannot_be_first);
    tcase_add_test(tcase, caches_stay_in_step);
    tcase_add_test(tcase, no_memory);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
