/*
 * The timer heap: smallest first, equal keys in order, any item removable.
 */
#include "base/heap.h"

#include <check.h>

#include <stdlib.h>

#define ITEMS 2000

static struct heap heap;
static struct heap_item items[ITEMS];

static size_t number_of(const struct heap_item *item)
{
    return (size_t)(item - items);
}

/* Items come out by key, whatever the order in which they went in. */
START_TEST(smallest_key_first)
{
    uint64_t last = 0;
    size_t count = 0;

    heap_init(&heap);
    ck_assert_ptr_null(heap_pop(&heap));
    for (size_t i = 0; i < ITEMS; i++)
        heap_insert(&heap, &items[i], (i * 7919) % ITEMS);
    for (struct heap_item *item = heap_peek(&heap); item != NULL; item = heap_peek(&heap)) {
        ck_assert_uint_ge(item->key, last);
        last = item->key;
        ck_assert_ptr_eq(heap_pop(&heap), item);
        ck_assert(!heap_holds(item));
        count++;
    }
    ck_assert_uint_eq(count, ITEMS);
}
END_TEST

/* Items with equal keys come out in the order in which they went in. */
START_TEST(equal_keys_keep_their_order)
{
    heap_init(&heap);
    for (size_t i = 0; i < ITEMS; i++)
        heap_insert(&heap, &items[i], i % 3);
    for (size_t key = 0; key < 3; key++)
        for (size_t i = key; i < ITEMS; i += 3)
            ck_assert_uint_eq(number_of(heap_pop(&heap)), i);
}
END_TEST

/* What is due by a moment comes out, what is later stays. */
START_TEST(pop_until_stops_at_the_moment)
{
    heap_init(&heap);
    for (size_t i = 0; i < 10; i++)
        heap_insert(&heap, &items[i], i * 10);
    for (size_t i = 0; i <= 5; i++)
        ck_assert_uint_eq(number_of(heap_pop_until(&heap, 50)), i);
    ck_assert_ptr_null(heap_pop_until(&heap, 59));
    ck_assert_uint_eq(heap.count, 4);
}
END_TEST

/* Count the children that do not belong below @item, all the way down. */
static int disorder(const struct heap_item *item)
{
    int wrong = 0;

    for (int side = 0; side < 2; side++) {
        const struct heap_item *child = item->child[side];

        if (child == NULL)
            continue;
        wrong += child->parent != item || child->key < item->key ||
                 (child->key == item->key && child->sequence < item->sequence);
        wrong += disorder(child);
    }
    return wrong;
}

/* Any mixture of inserting and removing keeps every parent before its children. */
START_TEST(random_use_keeps_the_order)
{
    size_t count = 0;
    int wrong = 0;

    srand(1);
    heap_init(&heap);
    for (int round = 0; round < 100000; round++) {
        struct heap_item *item = &items[rand() % ITEMS];

        if (heap_holds(item)) {
            heap_remove(&heap, item);
            heap_remove(&heap, item);
            count--;
        } else {
            heap_insert(&heap, item, (uint64_t)(rand() % 50));
            count++;
        }
        wrong += heap.count != count;
        if (round % 1000 == 0 && heap.root != NULL)
            wrong += disorder(heap.root);
    }
    ck_assert_int_eq(wrong, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("heap");
    TCase *tcase = tcase_create("heap");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tcase, smallest_key_first);
    tcase_add_test(tcase, equal_keys_keep_their_order);
    tcase_add_test(tcase, pop_until_stops_at_the_moment);
    tcase_add_test(tcase, random_use_keeps_the_order);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
