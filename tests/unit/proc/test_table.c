/*
 * Pid ids and serials: found while in use, rested before they are used again, limited in
 * number, unharmed by a lack of memory.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "proc/internal.h"
#include "unit/proc/world.h"

static struct table table;
static struct process *someone; /* never looked into */

static void setup(void)
{
    table = (struct table){0};
    someone = (struct process *)(void *)&table;
}

static void teardown(void)
{
    table_deinit(&table);
}

/* An id finds its process by id and serial, until it is removed. */
START_TEST(added_is_found_until_removed)
{
    uint32_t id = 0;
    uint32_t serial = 0;

    ck_assert_ptr_null(table_find(&table, 0, 0));
    ck_assert_int_eq(table_add(&table, someone, 10, &id, &serial), 0);
    ck_assert_uint_ne(id, 0);
    ck_assert_ptr_eq(table_find(&table, id, serial), someone);
    ck_assert_ptr_null(table_find(&table, id, serial + 1));
    ck_assert_ptr_null(table_find(&table, id + 1, serial));
    ck_assert_ptr_null(table_find(&table, UINT32_MAX, serial));
    table_remove(&table, id);
    ck_assert_ptr_null(table_find(&table, id, serial));
}
END_TEST

/* A pid is not given again: ids rest before they are used again, then with another serial. */
START_TEST(pids_are_not_reused_soon)
{
    static uint8_t seen[1 << 16];
    uint32_t id = 0;
    uint32_t serial = 0;

    for (size_t i = 0; i < 20000; i++) {
        ck_assert_int_eq(table_add(&table, someone, 10, &id, &serial), 0);
        ck_assert_uint_lt(id, 1100);
        ck_assert_uint_eq(serial, seen[id]); /* counts the earlier uses of this id */
        seen[id]++;
        table_remove(&table, id);
    }
}
END_TEST

/* The number of live processes is limited, however many came and went. */
START_TEST(live_processes_are_limited)
{
    uint32_t ids[3];
    uint32_t serial = 0;

    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(table_add(&table, someone, 3, &ids[i], &serial), 0);
    ck_assert_int_eq(table_add(&table, someone, 3, &ids[0], &serial), CN_E_LIMIT);
    table_remove(&table, ids[1]);
    ck_assert_int_eq(table_add(&table, someone, 3, &ids[1], &serial), 0);
}
END_TEST

/* Growing without memory leaves the table as it was. */
START_TEST(growing_survives_no_memory)
{
    uint32_t id = 0;
    uint32_t serial = 0;

    for (size_t i = 0; i < 63; i++)
        ck_assert_int_eq(table_add(&table, someone, 1000, &id, &serial), 0);
    mem_test_begin();
    mem_test_fail(1);
    ck_assert_int_eq(table_add(&table, someone, 1000, &id, &serial), -12);
    (void)mem_test_end();
    ck_assert_uint_eq(table.live, 63);
    ck_assert_int_eq(table_add(&table, someone, 1000, &id, &serial), 0);
    ck_assert_uint_eq(id, 64);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, added_is_found_until_removed);
    tcase_add_test(tcase, pids_are_not_reused_soon);
    tcase_add_test(tcase, live_processes_are_limited);
    tcase_add_test(tcase, growing_survives_no_memory);
}

int main(void)
{
    return run_tests("table", add, setup, teardown);
}
