/*
 * Registered names: one process each, gone with it, limited in number; registering fails
 * cleanly at every allocation.
 */
#include <string.h>

#include "base/error.h"
#include "unit/no_memory.h"
#include "unit/proc/world.h"

static struct procs *procs;
static struct probe p, q;
static struct process *one, *two;

static void setup(void)
{
    struct procs_limits limits = {.names_max = 3};

    ck_assert_int_eq(procs_new("x@world", 7, NULL, &limits, &procs), 0);
    one = probe_start(procs, &p);
    two = probe_start(procs, &q);
}

static void teardown(void)
{
    procs = procs_free(procs);
}

/* A name belongs to one process until that process ends. */
START_TEST(name_is_exclusive_until_the_end)
{
    ck_assert_int_eq(process_register(one, "name"), 0);
    ck_assert_int_eq(process_register(two, "name"), CN_E_TAKEN);
    ck_assert_int_eq(process_register(one, "name"), CN_E_TAKEN);
    ck_assert_ptr_eq(procs_whereis(procs, view("name")), one);
    process_exit_atom(one, "normal");
    (void)procs_run(procs, 1);
    ck_assert_ptr_null(procs_whereis(procs, view("name")));
    ck_assert_int_eq(process_register(two, "name"), 0);
}
END_TEST

/* Only the owner gives a name up. */
START_TEST(only_the_owner_unregisters)
{
    ck_assert_int_eq(process_register(one, "name"), 0);
    process_unregister(two, "name");
    ck_assert_ptr_eq(procs_whereis(procs, view("name")), one);
    process_unregister(one, "name");
    ck_assert_ptr_null(procs_whereis(procs, view("name")));
    ck_assert_ptr_null(process_name(one));
}
END_TEST

/* Names have a limit, a form, and a process may have several. */
START_TEST(names_are_limited)
{
    char name[300];

    memset(name, 'x', sizeof(name));
    name[256] = '\0';
    ck_assert_int_eq(process_register(one, ""), -22);
    ck_assert_int_eq(process_register(one, "undefined"), -22);
    ck_assert_int_eq(process_register(one, name), -22);
    ck_assert_int_eq(process_register(one, "a"), 0);
    ck_assert_int_eq(process_register(one, "b"), 0);
    ck_assert_int_eq(process_register(two, "c"), 0);
    ck_assert_int_eq(process_register(two, "d"), CN_E_LIMIT);
    ck_assert_str_eq(process_name(one), "b");
}
END_TEST

static void count_of_one(void *context, const char *name, struct process *process)
{
    *(size_t *)context += process == one && strlen(name) == 1 ? 1 : 0;
}

/* All names of live processes can be visited. */
START_TEST(names_can_be_visited)
{
    size_t count = 0;

    ck_assert_int_eq(process_register(one, "a"), 0);
    ck_assert_int_eq(process_register(one, "b"), 0);
    ck_assert_int_eq(process_register(two, "c"), 0);
    procs_each_name(procs, count_of_one, &count);
    ck_assert_uint_eq(count, 2);
    process_exit_atom(one, "normal");
    procs_each_name(procs, count_of_one, &count);
    ck_assert_uint_eq(count, 2);
}
END_TEST

static int register_one(void *context)
{
    int error = process_register(context, "name");

    ck_assert_ptr_eq(procs_whereis(procs, view("name")), error == 0 ? one : NULL);
    return error;
}

/* Registering fails cleanly at each allocation. */
START_TEST(register_survives_no_memory)
{
    ck_assert_uint_ge(no_memory_sweep(register_one, one), 3);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, name_is_exclusive_until_the_end);
    tcase_add_test(tcase, only_the_owner_unregisters);
    tcase_add_test(tcase, names_are_limited);
    tcase_add_test(tcase, names_can_be_visited);
    tcase_add_test(tcase, register_survives_no_memory);
}

int main(void)
{
    return run_tests("names", add, setup, teardown);
}
