/*
 * Maps: found by key, unchanged when memory runs out, in order of insertion.
 */
#include "base/map.h"

#include <check.h>

#include <stdlib.h>
#include <string.h>

#define ITEMS 1000

struct item {
    int key;
    struct map_handle hh;
};

static struct item items[ITEMS];

static struct item *find(struct item *map, int key)
{
    struct item *item;

    map_find(map, &key, sizeof(key), item);
    return item;
}

static bool add(struct item **map, struct item *item)
{
    return map_add(*map, &item->key, sizeof(item->key), item);
}

/* Every key that was added is found, a removed one is not, and walking keeps the order. */
START_TEST(keys_are_found_in_order)
{
    struct item *map = NULL;
    struct item *item;
    struct item *next;
    int expected = 0;

    mem_test_begin();
    for (int i = 0; i < ITEMS; i++) {
        items[i].key = i;
        ck_assert(add(&map, &items[i]));
    }
    ck_assert_uint_eq(map_count(map), ITEMS);
    for (int i = 0; i < ITEMS; i++)
        ck_assert_ptr_eq(find(map, i), &items[i]);
    ck_assert_ptr_null(find(map, ITEMS));
    map_for_each(map, item, next)
    {
        ck_assert_int_eq(item->key, expected++);
        map_remove(map, item);
        ck_assert_ptr_null(find(map, item->key));
    }
    ck_assert_ptr_null(map);
    ck_assert_int_eq(mem_test_end(), 0);
}
END_TEST

/* An item that finds no memory is not in the map, everything before it still is. */
START_TEST(failed_add_changes_nothing)
{
    struct item *map = NULL;
    int failures = 0;

    mem_test_begin();
    for (int i = 0; i < ITEMS; i++) {
        items[i].key = i;
        mem_test_fail(1);
        if (add(&map, &items[i]))
            continue;
        failures++;
        ck_assert_ptr_null(find(map, i));
        ck_assert_uint_eq(map_count(map), (size_t)i);
        for (int j = 0; j < i; j++)
            ck_assert_ptr_eq(find(map, j), &items[j]);
        mem_test_fail(0);
        ck_assert(add(&map, &items[i]));
    }
    ck_assert_int_gt(failures, 2);
    map_clear(map);
    ck_assert_ptr_null(map);
    ck_assert_int_eq(mem_test_end(), 0);
}
END_TEST

/* Equal bytes hash alike within a process, and different ones nearly always apart. */
START_TEST(hash_depends_on_all_bytes)
{
    char key[8] = "keykeyk";
    unsigned hash = map_hash(key, sizeof(key));
    int same = 0;

    ck_assert_uint_eq(map_hash(key, sizeof(key)), hash);
    for (size_t i = 0; i < sizeof(key); i++) {
        key[i] ^= 1;
        same += map_hash(key, sizeof(key)) == hash;
        key[i] ^= 1;
    }
    ck_assert_int_eq(same, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("map");
    TCase *tcase = tcase_create("map");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tcase, keys_are_found_in_order);
    tcase_add_test(tcase, failed_add_changes_nothing);
    tcase_add_test(tcase, hash_depends_on_all_bytes);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
