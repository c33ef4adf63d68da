/*
 * Fragments that come in: put together in any mixture of sequences, kept within limits, refused
 * when they break the count, released when they never end.
 */
#include "support.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "dist/fragments.h"

static const struct fragment_limits limits = {
    .sequences_max = 3, .sequence_bytes_max = 20, .bytes_max = 30, .atom_bytes_max = 30};
static struct fragments fragments;
static const struct atom_table no_atoms;

static void setup(void)
{
    mem_test_begin();
    fragments_init(&fragments, &limits);
}

static void teardown(void)
{
    fragments_deinit(&fragments);
    ck_assert_int_eq(mem_test_end(), 0);
}

static struct cn_bytes text(const char *from)
{
    return (struct cn_bytes){(const uint8_t *)from, strlen(from)};
}

static int add(uint64_t id, uint64_t fragment, const char *data,
               struct fragment_sequence **ret_done)
{
    return fragments_add(&fragments, id, fragment, text(data), ret_done);
}

static void is(struct fragment_sequence *sequence, const char *expected)
{
    ck_assert_ptr_nonnull(sequence);
    ck_assert_uint_eq(fragment_sequence_bytes(sequence).size, strlen(expected));
    ck_assert_mem_eq(fragment_sequence_bytes(sequence).data, expected, strlen(expected));
    fragment_sequence_free(sequence);
}

/* Two sequences take turns; each comes out whole, with the atoms of its own header. */
START_TEST(sequences_take_turns)
{
    struct atom_table atoms = {.count = 1, .texts = {{(const uint8_t *)"first", 5}}};
    struct fragment_sequence *done;

    ck_assert_int_eq(fragments_start(&fragments, 1, 3, &atoms, text("aa")), 0);
    ck_assert_int_eq(fragments_start(&fragments, 2, 2, &no_atoms, text("b")), 0);
    atoms.texts[0] = text("later");
    ck_assert_int_eq(add(1, 2, "aaa", &done), 0);
    ck_assert_ptr_null(done);
    ck_assert_int_eq(add(2, 1, "bbb", &done), 0);
    is(done, "bbbb");
    ck_assert_int_eq(add(1, 1, "", &done), 0);
    ck_assert_uint_eq(done->atom_count, 1);
    ck_assert(cn_bytes_equal(done->atoms[0], "first"));
    is(done, "aaaaa");
    ck_assert_int_eq(fragments_start(&fragments, 1, 2, &no_atoms, text("c")), 0);
}
END_TEST

/* Counting wrongly, starting twice, going on without a start. */
START_TEST(broken_sequences)
{
    struct fragment_sequence *done;

    ck_assert_int_eq(add(1, 1, "a", &done), CN_E_INVALID);
    ck_assert_int_eq(fragments_start(&fragments, 1, 1, &no_atoms, text("a")), CN_E_INVALID);
    ck_assert_int_eq(fragments_start(&fragments, 1, 0, &no_atoms, text("a")), CN_E_INVALID);
    ck_assert_int_eq(fragments_start(&fragments, 1, 9, &no_atoms, text("a")), 0);
    ck_assert_int_eq(fragments_start(&fragments, 1, 9, &no_atoms, text("a")), CN_E_INVALID);
    ck_assert_int_eq(add(1, 9, "a", &done), CN_E_INVALID);
    ck_assert_int_eq(add(1, 7, "a", &done), CN_E_INVALID);
    ck_assert_int_eq(add(1, 0, "a", &done), CN_E_INVALID);
    ck_assert_int_eq(add(1, 8, "a", &done), 0);
    ck_assert_ptr_null(done);
}
END_TEST

/* A number of fragments that nobody can send costs nothing. */
START_TEST(limits_hold)
{
    struct fragment_sequence *done;

    ck_assert_int_eq(fragments_start(&fragments, 1, UINT64_MAX, &no_atoms, text("0123456789")), 0);
    ck_assert_int_eq(add(1, UINT64_MAX - 1, "0123456789", &done), 0);
    ck_assert_int_eq(add(1, UINT64_MAX - 2, "x", &done), CN_E_LIMIT);
    ck_assert_int_eq(fragments_start(&fragments, 2, 2, &no_atoms, text("0123456789")), 0);
    ck_assert_int_eq(add(2, 1, "x", &done), CN_E_LIMIT);
    ck_assert_int_eq(fragments_start(&fragments, 3, 2, &no_atoms, text("")), 0);
    ck_assert_int_eq(fragments_start(&fragments, 4, 2, &no_atoms, text("")), CN_E_LIMIT);
    ck_assert_int_eq(add(3, 1, "", &done), 0);
    fragment_sequence_free(done);
    ck_assert_int_eq(fragments_start(&fragments, 4, 2, &no_atoms, text("")), 0);
}
END_TEST

/* Atoms that headers name are held with their sequences, and bounded; afterwards none are. */
START_TEST(atoms_count)
{
    struct atom_table atoms = {.count = 1, .texts = {{(const uint8_t *)"a long one", 10}}};
    struct fragment_sequence *done;

    ck_assert_int_eq(fragments_start(&fragments, 1, 2, &atoms, text("0123")), 0);
    ck_assert_uint_eq(fragments.atom_bytes, 26);
    ck_assert_int_eq(fragments_start(&fragments, 2, 2, &atoms, text("")), CN_E_LIMIT);
    ck_assert_int_eq(add(1, 1, "", &done), 0);
    fragment_sequence_free(done);
    ck_assert_uint_eq(fragments.atom_bytes, 0);
    ck_assert_uint_eq(fragments.bytes, 0);
    ck_assert_int_eq(fragments_start(&fragments, 2, 2, &atoms, text("")), 0);
}
END_TEST

/* Every allocation fails once: an error, and nothing is left behind. */
START_TEST(no_memory)
{
    struct atom_table atoms = {.count = 1, .texts = {{(const uint8_t *)"a", 1}}};
    size_t nth = 1;

    for (;; nth++) {
        int rc;

        mem_test_fail(nth);
        rc = fragments_start(&fragments, 1, 2, &atoms, text("abc"));
        if (!mem_test_failed())
            break;
        ck_assert_int_lt(rc, 0);
        ck_assert_uint_eq(fragments.bytes, 0);
        ck_assert_uint_eq(fragments.atom_bytes, 0);
    }
    ck_assert_uint_gt(nth, 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fragments");
    TCase *tcase = tcase_create("fragments");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, sequences_take_turns);
    tcase_add_test(tcase, broken_sequences);
    tcase_add_test(tcase, limits_hold);
    tcase_add_test(tcase, atoms_count);
    tcase_add_test(tcase, no_memory);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
