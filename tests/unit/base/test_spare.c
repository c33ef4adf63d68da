/*
 * The spare piece: what is kept, for whom, and for how long. Tests run in processes of their own,
 * so nothing is kept at their start.
 */
#include "base/spare.h"

#include <check.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define MB ((size_t)1 << 20)

/* Large memory is given again to who needs about as much; small memory is not kept. */
START_TEST(large_memory_is_used_again)
{
    uint8_t *first = mem_alloc(10 * MB);
    uint8_t *second = mem_alloc(100);

    ck_assert(!spare_put(second));
    mem_free(second);
    mem_free(first);
    ck_assert_ptr_null(spare_take(11 * MB, 2));
    ck_assert_ptr_null(spare_take(4 * MB, 2));
    second = mem_alloc(6 * MB);
    ck_assert_ptr_eq(second, first);
    ck_assert_ptr_null(spare_take(6 * MB, 2));
    mem_free(second);
}
END_TEST

/* The larger of two pieces stays, and none beyond the limit. */
START_TEST(the_larger_piece_stays)
{
    void *small = mem_alloc(2 * MB);
    void *large = mem_alloc(9 * MB);
    void *taken;

    mem_free(large);
    mem_free(small);
    ck_assert_ptr_eq(taken = spare_take(9 * MB, 2), large);
    small = mem_alloc(2 * MB);
    mem_free(small);
    mem_free(taken);
    ck_assert_ptr_eq(taken = spare_take(9 * MB, 2), large);
    mem_free(taken);
    mem_free(mem_alloc(SPARE_BYTES_MAX + MB));
    ck_assert_ptr_eq(taken = spare_take(9 * MB, 2), large);
    free(taken);
}
END_TEST

/* A buffer that grows moves into the spare piece with what it holds, and grows there. */
START_TEST(what_grows_moves_into_it)
{
    uint8_t *large = mem_alloc(30 * MB);
    uint8_t *grown = mem_alloc(3 * MB);

    memset(grown, 7, 3 * MB);
    mem_free(large);
    grown = mem_realloc(grown, 6 * MB);
    ck_assert_ptr_eq(grown, large);
    ck_assert_uint_eq(grown[0], 7);
    ck_assert_int_eq(memcmp(grown, grown + 1, 3 * MB - 1), 0);
    ck_assert_ptr_eq(mem_realloc(grown, 30 * MB), large);
    grown = mem_realloc(grown, 2 * MB); /* shrinking gives memory back */
    ck_assert_uint_lt(spare_size(grown), 4 * MB);
    ck_assert_uint_eq(grown[2 * MB - 1], 7);
    mem_free(grown);
    mem_free(mem_alloc(30 * MB));
    grown = mem_realloc(mem_dup_text("small"), 20 * MB);
    ck_assert_uint_ge(spare_size(grown), 30 * MB);
    ck_assert_str_eq((char *)grown, "small");
    mem_free(grown);
}
END_TEST

/* What nobody used for a while is given back. */
START_TEST(it_is_given_back_in_time)
{
    mem_free(mem_alloc(5 * MB));
    spare_age(1000);
    spare_age(1000 + SPARE_MS - 1);
    mem_free(spare_take(5 * MB, 2));
    spare_age(1000 + SPARE_MS);
    spare_age(1000 + SPARE_MS * 2 - 1);
    mem_free(spare_take(5 * MB, 2));
    spare_age(1000 + SPARE_MS * 2);
    spare_age(1000 + SPARE_MS * 3);
    ck_assert_ptr_null(spare_take(5 * MB, 2));
}
END_TEST

/* Memory in reserve does not hide that an allocation fails, and is not counted as live. */
START_TEST(tests_see_through_it)
{
    void *memory;

    mem_test_begin();
    mem_free(mem_alloc(5 * MB));
    ck_assert_int_eq(mem_test_live(), 0);
    mem_test_fail(1);
    ck_assert_ptr_null(mem_alloc(5 * MB));
    memory = mem_alloc(5 * MB);
    mem_test_fail(1);
    ck_assert_ptr_null(mem_realloc(memory, 6 * MB));
    mem_free(memory);
    ck_assert_int_eq(mem_test_end(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spare");
    TCase *tcase = tcase_create("spare");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tcase, large_memory_is_used_again);
    tcase_add_test(tcase, the_larger_piece_stays);
    tcase_add_test(tcase, what_grows_moves_into_it);
    tcase_add_test(tcase, it_is_given_back_in_time);
    tcase_add_test(tcase, tests_see_through_it);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
