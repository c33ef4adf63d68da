/*
 * Intrusive lists: order, removal, walking while removing, joining.
 *
 * list.h is all inline, so this is also where it is compiled under every warning.
 */
#include "base/list.h"

#include <check.h>

struct number {
    int value;
    struct list links;
};

static struct number numbers[5] = {
    {.value = 0}, {.value = 1}, {.value = 2}, {.value = 3}, {.value = 4}};
static struct list head = LIST_INIT(head);

static int value_of(struct list *links)
{
    return container_of(links, struct number, links)->value;
}

static void fill(void)
{
    list_init(&head);
    for (int i = 0; i < 5; i++)
        list_append(&head, &numbers[i].links);
}

/* Items come out in the order in which they were appended; prepended ones come first. */
START_TEST(order_is_kept)
{
    int expected = 1;

    list_init(&head);
    ck_assert_ptr_null(list_first(&head));
    ck_assert_ptr_null(list_pop(&head));
    for (int i = 2; i < 5; i++)
        list_append(&head, &numbers[i].links);
    list_prepend(&head, &numbers[1].links);
    ck_assert_uint_eq(list_count(&head), 4);
    list_for_each(item, &head)
        ck_assert_int_eq(value_of(item), expected++);
    ck_assert_int_eq(value_of(list_first(&head)), 1);
    ck_assert_int_eq(value_of(list_last(&head)), 4);
}
END_TEST

/* An item may be removed during a walk, and removing it again does nothing. */
START_TEST(removal_during_a_walk)
{
    fill();
    list_for_each_safe(item, &head)
        if (value_of(item) % 2 == 1) {
            list_remove(item);
            ck_assert(list_empty(item));
            list_remove(item);
        }
    ck_assert_uint_eq(list_count(&head), 3);
    for (int i = 0; i < 6; i += 2)
        ck_assert_int_eq(value_of(list_pop(&head)), i);
    ck_assert(list_empty(&head));
}
END_TEST

/* Joining moves all items to the end of the other list; joining an empty one moves nothing. */
START_TEST(splice_moves_all)
{
    struct list other;

    fill();
    list_init(&other);
    list_splice(&head, &other);
    ck_assert_uint_eq(list_count(&head), 5);
    list_splice(&other, &head);
    ck_assert(list_empty(&head));
    ck_assert_int_eq(value_of(list_first(&other)), 0);
    ck_assert_int_eq(value_of(list_last(&other)), 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("list");
    TCase *tcase = tcase_create("list");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tcase, order_is_kept);
    tcase_add_test(tcase, removal_during_a_walk);
    tcase_add_test(tcase, splice_moves_all);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
