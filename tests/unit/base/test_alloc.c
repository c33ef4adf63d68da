/*
 * The allocation seam: what it gives, and the hooks that tests of all layers lean on.
 */
#include "base/alloc.h"

#include <check.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Every allocation is usable, zeroed where promised, and released again. */
START_TEST(memory_is_given_and_released)
{
    char *zeros;
    char *copy;
    void *empty;

    mem_test_begin();
    zeros = mem_zalloc_array(3, 5);
    for (int i = 0; i < 15; i++)
        ck_assert_int_eq(zeros[i], 0);
    copy = mem_dup_text("copy");
    ck_assert_str_eq(copy, "copy");
    copy = mem_realloc(copy, 1000);
    ck_assert_str_eq(copy, "copy");
    empty = mem_alloc(0);
    ck_assert_ptr_nonnull(empty);
    ck_assert_int_eq(mem_test_live(), 3);
    mem_free(zeros);
    mem_free(copy);
    mem_free(empty);
    mem_free(NULL);
    ck_assert_int_eq(mem_test_end(), 0);
}
END_TEST

/* A product that overflows is refused instead of wrapping around. */
START_TEST(array_overflow_is_refused)
{
    ck_assert_ptr_null(mem_zalloc_array(SIZE_MAX / 2, 3));
}
END_TEST

/* The n-th allocation fails, once, and only that one; a failed resize leaves the old memory. */
START_TEST(nth_allocation_fails_once)
{
    char *first;
    char *third;

    mem_test_begin();
    mem_test_fail(2);
    first = mem_dup("ab", 3);
    ck_assert_ptr_nonnull(first);
    ck_assert(!mem_test_failed());
    ck_assert_ptr_null(mem_realloc(first, 100));
    ck_assert(mem_test_failed());
    ck_assert_str_eq(first, "ab");
    third = mem_zalloc(1);
    ck_assert_ptr_nonnull(third);
    ck_assert_uint_eq(mem_test_count(), 3);
    mem_free(first);
    mem_free(third);
    ck_assert_int_eq(mem_test_end(), 0);
}
END_TEST

/* Memory handed to somebody who uses free() is forgotten, and free() takes it. */
START_TEST(forgotten_memory_is_freed_by_others)
{
    void *memory;

    mem_test_begin();
    memory = mem_alloc(10);
    mem_forget(memory);
    ck_assert_int_eq(mem_test_end(), 0);
    free(memory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("alloc");
    TCase *tcase = tcase_create("alloc");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tcase, memory_is_given_and_released);
    tcase_add_test(tcase, array_overflow_is_refused);
    tcase_add_test(tcase, nth_allocation_fails_once);
    tcase_add_test(tcase, forgotten_memory_is_freed_by_others);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
