/*
 * The queue of held messages: order, limit, memory.
 *
 * Nothing here needs a cluster; it is there all the same, for the terms that it helps to write.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "session/held.h"
#include "unit/session/main.h"

static char seen[64];
static size_t seen_max;

static bool visit(void *context, struct cn_term message)
{
    strncat(seen, show(message), sizeof(seen) - strlen(seen) - 1);
    return strlen(seen) < seen_max;
}

/* Messages come back in the order in which they were held, as often as asked. */
START_TEST(keeps_order)
{
    struct held *held = NULL;

    seen[0] = '\0';
    seen_max = 60;
    held_each(held, visit, NULL);
    ck_assert_uint_eq(held_count(held), 0);
    ck_assert_int_eq(held_add(&held, atom("a"), 10, 100), 0);
    ck_assert_int_eq(held_add(&held, atom("b"), 10, 100), 0);
    ck_assert_int_eq(held_add(&held, atom("c"), 10, 100), 0);
    held_each(held, visit, NULL);
    ck_assert_str_eq(seen, "abc");
    seen_max = 4;
    held_each(held, visit, NULL);
    ck_assert_str_eq(seen, "abca");
    ck_assert_ptr_null(held_free(held));
}
END_TEST

/* Beyond the limit, of messages or of their bytes, nothing is held. */
START_TEST(has_a_limit)
{
    struct held *held = NULL;

    ck_assert_int_eq(held_add(&held, atom("a"), 1, 100), 0);
    ck_assert_int_eq(held_add(&held, atom("b"), 1, 100), CN_E_LIMIT);
    ck_assert_uint_eq(held_count(held), 1);
    ck_assert_int_eq(held_add(&held, atom("of_eight"), 9, 12), CN_E_LIMIT);
    ck_assert_int_eq(held_add(&held, atom("of_eight"), 9, 13), 0);
    ck_assert_uint_eq(held_count(held), 2);
    held_free(held);
}
END_TEST

/* Without memory the queue is as it was. */
START_TEST(survives_without_memory)
{
    struct cn_term message = atom("a");
    struct held *held = NULL;

    mem_test_begin();
    for (size_t i = 1; i <= 2; i++) {
        mem_test_fail(i);
        ck_assert_int_eq(held_add(&held, message, 10, 100), -ENOMEM);
        ck_assert_ptr_null(held);
        ck_assert_int_eq(mem_test_live(), 0);
    }
    mem_test_fail(0);
    ck_assert_int_eq(held_add(&held, message, 10, 100), 0);
    held_free(held);
    ck_assert_int_eq(mem_test_end(), 0);
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("held", &tests);

    tcase_add_test(tests, keeps_order);
    tcase_add_test(tests, has_a_limit);
    tcase_add_test(tests, survives_without_memory);
    return run_suite(suite);
}
