/*
 * Sorted arrays: searching, gaps, sorting, twins.
 *
 * The keys are those that break careless arithmetic: the widest, equal ones, none at all.
 */
#include "support.h"

#include "minotaur/keyed.h"

struct item {
    int64_t key;
    char name;
};

#define COUNT(items) (sizeof(items) / sizeof((items)[0]))

static char find(const struct item *items, uint32_t count, int64_t key)
{
    const struct item *item = keyed_find(items, count, sizeof *items, key);

    return item != NULL ? item->name : '-';
}

/* Every key is found, also the widest, and no other. */
START_TEST(finding)
{
    static const struct item items[] = {
        {INT64_MIN, 'a'}, {-1, 'b'}, {0, 'c'}, {7, 'd'}, {INT64_MAX, 'e'}};

    for (uint32_t i = 0; i < COUNT(items); i++)
        ck_assert_int_eq(find(items, COUNT(items), items[i].key), items[i].name);
    ck_assert_int_eq(find(items, COUNT(items), 1), '-');
    ck_assert_int_eq(find(items, COUNT(items), INT64_MIN + 1), '-');
    ck_assert_int_eq(find(items, 0, 7), '-');
    ck_assert_int_eq(find(NULL, 0, 7), '-');
}
END_TEST

/* Searching tells where a missing key belongs; a gap there keeps the order. */
START_TEST(gaps)
{
    struct item items[6] = {{1, 'a'}, {3, 'b'}, {5, 'c'}};
    bool found;
    uint32_t at;

    at = keyed_search(items, 3, sizeof items[0], 4, &found);
    ck_assert(!found && at == 2);
    keyed_open_gap(items, 3, sizeof items[0], at);
    ck_assert_int_eq(items[2].key, 0);
    items[2] = (struct item){4, 'd'};
    ck_assert_int_eq(items[3].name, 'c');

    at = keyed_search(items, 4, sizeof items[0], 9, &found);
    ck_assert(!found && at == 4);
    keyed_open_gap(items, 4, sizeof items[0], at);
    items[4] = (struct item){9, 'e'};

    at = keyed_search(items, 5, sizeof items[0], 1, &found);
    ck_assert(found && at == 0);
    keyed_close_gap(items, 5, sizeof items[0], at);
    ck_assert_int_eq(items[0].name, 'b');
    ck_assert_int_eq(items[3].name, 'e');
}
END_TEST

/* Sorting puts keys in order and keeps items whole. */
START_TEST(sorting)
{
    struct item items[1000];
    uint32_t seed = 1;

    for (uint32_t i = 0; i < COUNT(items); i++) {
        seed = seed * 1664525 + 1013904223;
        items[i] = (struct item){(int64_t)(int32_t)seed * (1 << 20), (char)(seed & 0x3f)};
    }
    keyed_sort(items, COUNT(items), sizeof items[0]);
    for (uint32_t i = 0; i < COUNT(items); i++) {
        must(items[i].name == ((items[i].key >> 20) & 0x3f));
        must(i == 0 || items[i - 1].key <= items[i].key);
    }
    keyed_sort(NULL, 0, sizeof items[0]);
}
END_TEST

/* Two equal keys are noticed. */
START_TEST(twins)
{
    struct item items[] = {{1, 'a'}, {2, 'b'}, {2, 'c'}};

    ck_assert(keyed_has_twins(items, 3, sizeof items[0]));
    ck_assert(!keyed_has_twins(items, 2, sizeof items[0]));
    ck_assert(!keyed_has_twins(NULL, 0, sizeof items[0]));
}
END_TEST

TEST_MAIN("keyed", finding, gaps, sorting, twins)
