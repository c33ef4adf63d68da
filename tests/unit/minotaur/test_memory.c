/*
 * The allocation seam: zeros, copies, growth, and failure that leaves all as it was.
 *
 * Failing goes through the node's own seam (begin_counting), as in the sweeps of other tests.
 */
#include "support.h"

#include "base/alloc.h"
#include "minotaur/memory.h"

/* Arrays are zeros; none is nothing. */
START_TEST(arrays)
{
    uint64_t *items = memory_array(1000, sizeof *items);

    for (int i = 0; i < 1000; i++)
        ck_assert_uint_eq(items[i], 0);
    memory_release(items);
    ck_assert_ptr_null(memory_array(0, 8));
    memory_release(NULL);
}
END_TEST

/* A copy is equal and apart. */
START_TEST(copies)
{
    int items[] = {1, 2, 3};
    int *copy = memory_copy(items, 3, sizeof *items);

    ck_assert_mem_eq(copy, items, sizeof items);
    ck_assert_ptr_ne(copy, items);
    ck_assert_ptr_null(memory_copy(items, 0, sizeof *items));
    memory_release(copy);
}
END_TEST

/* Growth keeps the items, comes in steps, and does nothing while there is room. */
START_TEST(growth)
{
    uint32_t capacity = 0;
    uint32_t *items = NULL;
    uint32_t moves = 0;

    for (uint32_t i = 0; i < 100000; i++) {
        uint32_t before = capacity;

        items = memory_grow(items, &capacity, i + 1, sizeof *items);
        must(items != NULL);
        items[i] = i;
        moves += capacity != before;
    }
    ck_assert_uint_lt(moves, 32);
    for (uint32_t i = 0; i < 100000; i++)
        must(items[i] == i);
    memory_release(items);
}
END_TEST

/* Growth beyond the counter, or without memory, leaves everything as it was. */
START_TEST(growth_fails)
{
    uint32_t capacity = UINT32_MAX - 1;
    uint32_t small = 0;
    char item = 1;
    void *items;

    ck_assert_ptr_null(memory_grow(&item, &capacity, UINT32_MAX, 1));
    ck_assert_uint_eq(capacity, UINT32_MAX - 1);

    begin_counting();
    items = memory_grow(NULL, &small, 1, 8);
    mem_test_fail(1);
    ck_assert_ptr_null(memory_grow(items, &small, 5, 8));
    ck_assert_uint_eq(small, 4);
    mem_test_fail(1);
    ck_assert_ptr_null(memory_array(1, 1));
    memory_release(items);
    end_counting();
}
END_TEST

TEST_MAIN("memory", arrays, copies, growth, growth_fails)
