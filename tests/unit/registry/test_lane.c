/*
 * The table of lanes: one lane a name, there as long as it has requests, with and without memory.
 */
#include <check.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "registry/lane.h"

static const uint8_t bytes[] = {97, 1, 97, 2};
static const struct cn_term one = {bytes, 2};
static const struct cn_term two = {bytes + 2, 2};

/* A name has one lane, which is there as long as it has requests. */
START_TEST(found_until_it_is_empty)
{
    struct lane *lanes = NULL;
    struct lane *lane = lane_get(&lanes, one);
    struct list request;

    list_init(&request);
    ck_assert_ptr_nonnull(lane);
    ck_assert_ptr_eq(lane_get(&lanes, one), lane);
    ck_assert_ptr_eq(lane_find(lanes, one), lane);
    ck_assert_ptr_null(lane_find(lanes, two));
    list_append(&lane->requests, &request);
    lane_put(&lanes, lane);
    ck_assert_ptr_eq(lane_find(lanes, one), lane);
    list_remove(&request);
    lane_put(&lanes, lane);
    ck_assert_ptr_null(lane_find(lanes, one));
}
END_TEST

/* Whichever allocation fails, the table is as it was. */
START_TEST(no_memory_leaves_the_table)
{
    struct lane *lanes = NULL;
    struct lane *lane = NULL;
    struct lane *other = NULL;
    size_t nth = 0;

    mem_test_begin();
    lane = lane_get(&lanes, one);
    do {
        mem_test_fail(++nth);
        other = lane_get(&lanes, two);
        ck_assert(mem_test_failed() == (other == NULL));
        ck_assert_ptr_eq(lane_find(lanes, one), lane);
        ck_assert_ptr_eq(lane_find(lanes, two), other);
    } while (other == NULL);
    ck_assert_uint_gt(nth, 1);
    lane_put(&lanes, other);
    lane_put(&lanes, lane);
    mem_test_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lane");
    TCase *tests = tcase_create("lane");
    SRunner *runner;
    int failed;

    tcase_add_test(tests, found_until_it_is_empty);
    tcase_add_test(tests, no_memory_leaves_the_table);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
