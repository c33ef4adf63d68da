/*
 * How many names fit: bundles follow the slowest server, and end with the slice.
 */
#include <check.h>
#include <stdlib.h>

#include "registry/slice.h"

#define LOCK_MS 50u

static struct slice slice;

static void setup(void)
{
    slice_init(&slice);
    slice_begin(&slice, 1000, 1000);
}

/* Tell a bundle at @now_ms that is answered @ms later; gives how many names that were. */
static uint32_t tell(uint64_t now_ms, uint64_t ms)
{
    uint32_t names = slice_room(&slice, now_ms);

    slice_told(&slice, names);
    slice_answered(&slice, names, now_ms, now_ms + ms);
    return names;
}

/* The first bundle is small; as long as names take no time the next ones are ever larger. */
START_TEST(bundles_grow)
{
    uint32_t first = tell(1000, 0);
    uint32_t last = first;

    ck_assert_uint_lt(first, 20);
    for (int i = 0; i < 10; i++) {
        uint32_t next = tell(1000, 0);

        ck_assert_uint_ge(next, last);
        ck_assert_uint_le(next, 4 * last);
        last = next;
    }
    ck_assert_uint_gt(last, 500);
}
END_TEST

/* Names that took longer, or less, count in the mean: one bundle that had to wait for a processor
 * says little, and does not end the slice. */
START_TEST(mean_is_believed)
{
    uint32_t fast = 0;

    for (int i = 0; i < 4; i++)
        tell(1000, 0);
    fast = slice.name_us;
    tell(1000, 12);
    ck_assert_uint_gt(slice.name_us, fast);
    ck_assert_uint_lt(slice.name_us, 2000);
    ck_assert_uint_gt(slice_room(&slice, 1012), 2);
    ck_assert(!slice_is_over(&slice, 1012));
}
END_TEST

/* A name that takes longer than a bundle should is still told while the slice has time for it. */
START_TEST(slow_names_go_one_by_one)
{
    slice.name_us = 8000;
    slice.names = 5;
    slice.busy_us = 40000;
    tell(1000, 8);
    ck_assert_uint_eq(slice_room(&slice, 1008), 1);
    slice_told(&slice, 1);
    ck_assert_uint_eq(slice_room(&slice, 1008), 1);
    slice_told(&slice, 1);
    ck_assert_uint_eq(slice_room(&slice, 1020), 0);
    ck_assert(slice_is_over(&slice, 1020));
}
END_TEST

/* A second bundle is timed from the answer to the first; when both are answered at once they are
 * taken together. */
START_TEST(waiting_is_no_work)
{
    uint32_t first = 0;
    uint32_t second = 0;
    uint64_t busy_us = 0;

    tell(1000, 2);
    first = slice_room(&slice, 1002);
    slice_told(&slice, first);
    second = slice_room(&slice, 1002);
    slice_told(&slice, second);
    ck_assert_uint_gt(second, 0);
    busy_us = slice.busy_us;
    slice_answered(&slice, first, 1002, 1006);
    slice_answered(&slice, second, 1002, _i == 0 ? 1010 : 1006);
    ck_assert_uint_eq(slice.busy_us - busy_us, _i == 0 ? 8000 : 4000);
}
END_TEST

/* Nor is the way, when servers had nothing to do before: as long as that of the lock's answers. */
START_TEST(way_is_no_work)
{
    uint64_t busy_us = 0;

    slice_begin(&slice, 1000, 1006);
    busy_us = slice.busy_us;
    tell(1006, 5);
    ck_assert_uint_eq(slice.busy_us - busy_us, 2000);
    slice_told(&slice, 1);
    slice_told(&slice, 1);
    slice_answered(&slice, 1, 1011, 1016);
    ck_assert_uint_eq(slice.busy_us - busy_us, 4000);
    slice_answered(&slice, 1, 1011, 1018);
    ck_assert_uint_eq(slice.busy_us - busy_us, 6000);
}
END_TEST

/* A slice begins with a small bundle that is answered before the next is told. */
START_TEST(first_bundle_is_answered_first)
{
    uint32_t first = slice_room(&slice, 1000);

    slice_told(&slice, first);
    ck_assert_uint_eq(slice_room(&slice, 1000), 0);
    ck_assert(!slice_is_over(&slice, 1000));
    slice_answered(&slice, first, 1000, 1001);
    ck_assert_uint_ge(slice_room(&slice, 1001), 2 * first);
}
END_TEST

/* When servers are known, a few more names need not wait for that answer; not the many that fast
 * servers could do. */
START_TEST(few_names_need_not_wait)
{
    uint32_t first = 0;

    for (int i = 0; i < (_i == 0 ? 1 : 20); i++)
        tell(1000, _i == 0 ? 3 : 0);
    slice_begin(&slice, 2000, 2000);
    first = slice_room(&slice, 2000);
    slice_told(&slice, first);
    if (_i == 0) {
        ck_assert_uint_gt(slice_room(&slice, 2000), 0);
        slice_told(&slice, slice_room(&slice, 2000));
    }
    ck_assert_uint_eq(slice_room(&slice, 2000), 0);
    ck_assert(!slice_is_over(&slice, 2000));
}
END_TEST

/* What was fast may be slow when somebody has joined. */
START_TEST(what_is_known_is_forgotten)
{
    uint32_t first = slice_room(&slice, 1000);

    for (int i = 0; i < 20; i++)
        tell(1000, 0);
    slice_begin(&slice, 2000, 2000);
    ck_assert_uint_gt(slice_room(&slice, 2000), 100);
    slice_forget(&slice);
    ck_assert_uint_eq(slice_room(&slice, 2000), first);
}
END_TEST

/* What is told and not answered is counted, and there is a last bundle. */
START_TEST(open_names_fill_the_slice)
{
    uint32_t names = 0;
    uint32_t told = tell(1000, 1);

    while ((names = slice_room(&slice, 1000)) > 0) {
        slice_told(&slice, names);
        told += names;
    }
    ck_assert_uint_le(told * slice.name_us, LOCK_MS * 1000);
    ck_assert(slice_is_over(&slice, 1000));
    ck_assert_uint_eq(slice_room(&slice, 1000 + LOCK_MS), 0);
}
END_TEST

/* However long the lock took, each slice tells one name; and more later, when servers are fast. */
START_TEST(slow_lock_still_tells)
{
    slice_begin(&slice, 1000, 5000);
    slice.name_us = 50000;
    ck_assert(!slice_is_over(&slice, 5000));
    ck_assert_uint_eq(slice_room(&slice, 5000), 1);
    tell(5000, 40);
    ck_assert_uint_eq(slice_room(&slice, 5040), 0);
    ck_assert(slice_is_over(&slice, 5040));
}
END_TEST

/* A lock that is asked for while the last bundle of the slice before is under way was not on its
 * way for so long. */
START_TEST(lock_behind_a_bundle_came_fast)
{
    slice_told(&slice, 1);
    slice_answered(&slice, 1, 1000, 1020);
    slice_begin(&slice, 1010, 1022);
    ck_assert_uint_eq(slice.answer_ms, 1);
    ck_assert_uint_eq(slice.began_ms, 1021);
}
END_TEST

/* A server that becomes twice, or five times, as slow in the middle does not hold the lock longer
 * than it may. */
START_TEST(sudden_slowness_ends_in_time)
{
    uint64_t now_ms = 1000;
    uint64_t us = 0;
    uint32_t name_us = 500;
    uint32_t names = 0;

    while ((names = slice_room(&slice, now_ms)) > 0) {
        if (now_ms > 1010)
            name_us = _i == 0 ? 1000 : 2500;
        us += (uint64_t)names * name_us;
        slice_told(&slice, names);
        slice_answered(&slice, names, now_ms, 1000 + us / 1000);
        now_ms = 1000 + us / 1000;
    }
    ck_assert(slice_is_over(&slice, now_ms));
    ck_assert_uint_gt(now_ms, 1025);
    ck_assert_uint_le(now_ms, 1000 + LOCK_MS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("registry/slice");
    TCase *tcase = tcase_create("slice");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, bundles_grow);
    tcase_add_test(tcase, mean_is_believed);
    tcase_add_test(tcase, slow_names_go_one_by_one);
    tcase_add_loop_test(tcase, waiting_is_no_work, 0, 2);
    tcase_add_test(tcase, way_is_no_work);
    tcase_add_test(tcase, first_bundle_is_answered_first);
    tcase_add_loop_test(tcase, few_names_need_not_wait, 0, 2);
    tcase_add_test(tcase, what_is_known_is_forgotten);
    tcase_add_test(tcase, open_names_fill_the_slice);
    tcase_add_test(tcase, slow_lock_still_tells);
    tcase_add_test(tcase, lock_behind_a_bundle_came_fast);
    tcase_add_loop_test(tcase, sudden_slowness_ends_in_time, 0, 2);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
