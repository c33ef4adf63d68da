/*
 * A step of which each allocation fails in turn.
 *
 * Whatever fails must leave nothing behind: that is counted here. What else must be as it was, the
 * step says itself.
 */
#ifndef TESTS_NO_MEMORY_H
#define TESTS_NO_MEMORY_H

#include <check.h>

#include "base/alloc.h"

/**
 * Call @step(context) with its first allocation failing, then with its second, and so on, until it
 * gives 0. Returns how often it was called.
 */
static inline size_t no_memory_sweep(int (*step)(void *context), void *context)
{
    size_t calls = 0;
    int error = -1;

    while (error != 0) {
        mem_test_begin();
        mem_test_fail(++calls);
        error = step(context);
        mem_test_fail(0);
        if (error != 0)
            ck_assert_int_eq(mem_test_end(), 0);
    }
    (void)mem_test_end();
    return calls;
}

#endif
