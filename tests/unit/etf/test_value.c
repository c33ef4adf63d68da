/*
 * Small questions about texts, terms, pids and references, answered exactly.
 *
 * Each answer is checked for what it must not take for equal, field by field.
 */
#include <cnode/term.h>

#include <string.h>

#include "support.h"

/* Text is equal in length and bytes, not as a prefix. */
START_TEST(text_is_compared_whole)
{
    struct cn_bytes text = {(const uint8_t *)"abc", 3};

    ck_assert(cn_bytes_equal(text, "abc"));
    ck_assert(!cn_bytes_equal(text, "ab"));
    ck_assert(!cn_bytes_equal(text, "abcd"));
    ck_assert(cn_bytes_equal((struct cn_bytes){NULL, 0}, ""));
}
END_TEST

/* A term is an atom only when nothing else is there, under any of its tags. */
START_TEST(atoms_are_recognized)
{
    ck_assert(cn_term_is_atom(term_from_hex("77026f6b"), "ok"));
    ck_assert(cn_term_is_atom(term_from_hex("7600026f6b"), "ok"));
    ck_assert(cn_term_is_atom(term_from_hex("73026f6b"), "ok"));
    ck_assert(!cn_term_is_atom(term_from_hex("77026f6b"), "o"));
    ck_assert(!cn_term_is_atom(term_from_hex("77026f6b6a"), "ok"));
    ck_assert(!cn_term_is_atom(term_from_hex("6d000000026f6b"), "ok"));
    ck_assert(!cn_term_is_atom((struct cn_term){NULL, 0}, "ok"));
}
END_TEST

/* A map's value is found under its atom key among keys of any type. */
START_TEST(map_values_are_found)
{
    struct cn_term map = term_from_hex("7400000003"
                                       "61016a"
                                       "68026a6a7700"
                                       "7701616105");
    struct cn_term value = {NULL, 0};

    ck_assert(cn_map_get(map, "a", &value));
    ck_assert_uint_eq(value.size, 2);
    ck_assert_mem_eq(value.data, "\x61\x05", 2);
    value.data = NULL;
    ck_assert(!cn_map_get(map, "b", &value));
    ck_assert(!cn_map_get(map, "", &value));
    ck_assert(!cn_map_get(term_from_hex("6a"), "a", &value));
    ck_assert(!cn_map_get(term_from_hex("7400000002770161"), "b", &value));
    ck_assert_ptr_null(value.data);
}
END_TEST

/* Pids are the same only with the same numbers, creation and node. */
START_TEST(pids_are_compared)
{
    const struct cn_pid pid = {1, 2, 3, "a@b"};
    struct cn_pid other = pid;

    ck_assert(cn_pid_equal(&pid, &other));
    other.id = 9;
    ck_assert(!cn_pid_equal(&pid, &other));
    other = (struct cn_pid){1, 9, 3, "a@b"};
    ck_assert(!cn_pid_equal(&pid, &other));
    other = (struct cn_pid){1, 2, 9, "a@b"};
    ck_assert(!cn_pid_equal(&pid, &other));
    other = (struct cn_pid){1, 2, 3, "a@c"};
    ck_assert(!cn_pid_equal(&pid, &other));
}
END_TEST

/* References are the same only with the same words, creation and node; unused words do not count.
 */
START_TEST(refs_are_compared)
{
    const struct cn_ref ref = {{1, 2, 3, 8, 8}, 3, 4, "a@b"};
    struct cn_ref other = ref;

    other.words[4] = 9;
    ck_assert(cn_ref_equal(&ref, &other));
    other.words[2] = 9;
    ck_assert(!cn_ref_equal(&ref, &other));
    other = ref;
    other.count = 2;
    ck_assert(!cn_ref_equal(&ref, &other));
    other = ref;
    other.creation = 9;
    ck_assert(!cn_ref_equal(&ref, &other));
    other = ref;
    other.node[0] = 'b';
    ck_assert(!cn_ref_equal(&ref, &other));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("value");
    TCase *tcase = tcase_create("value");

    tcase_add_test(tcase, text_is_compared_whole);
    tcase_add_test(tcase, atoms_are_recognized);
    tcase_add_test(tcase, map_values_are_found);
    tcase_add_test(tcase, pids_are_compared);
    tcase_add_test(tcase, refs_are_compared);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
