/*
 * The table of functions: found by module, name and arity, and by nothing that merely looks
 * like them.
 */
#include <string.h>

#include "base/error.h"
#include "otp/internal.h"
#include "unit/no_memory.h"
#include "unit/otp/asker.h"

static void run_nothing(void *context, struct apply *apply, const struct cn_term *arguments)
{
    apply_return_atom(apply, "nothing");
}

/* A function is found by module, name and arity, all three. */
START_TEST(found_by_all_three)
{
    ck_assert_ptr_nonnull(functions_find(functions, view("test"), view("echo"), 1));
    ck_assert_ptr_null(functions_find(functions, view("test"), view("echo"), 2));
    ck_assert_ptr_null(functions_find(functions, view("test"), view("ech"), 1));
    ck_assert_ptr_null(functions_find(functions, view("tes"), view("techo"), 1));
}
END_TEST

/* One function of a name; names beyond an atom's length are nobody's. */
START_TEST(names_are_checked)
{
    static char endless[300];
    struct function again = {"test", "echo", 1, run_nothing, NULL};
    struct function wild = {endless, "echo", 1, run_nothing, NULL};

    memset(endless, 'x', sizeof(endless) - 1);
    ck_assert_int_eq(functions_add(functions, &again, 1), CN_E_TAKEN);
    ck_assert_int_eq(functions_add(functions, &wild, 1), -22);
    ck_assert_ptr_null(functions_find(functions, view(endless), view("echo"), 1));
}
END_TEST

static int add_one(void *context)
{
    return functions_add(functions, context, 1);
}

/* Adding fails cleanly at each allocation. */
START_TEST(add_survives_no_memory)
{
    struct function function = {"other", "nothing", 0, run_nothing, NULL};

    ck_assert_uint_gt(no_memory_sweep(add_one, &function), 1);
    ck_assert_str_eq(rpc("other", "nothing", parse("[]")), "reply nothing");
}
END_TEST

/* A node whose names are taken already cannot have functions. */
START_TEST(names_must_be_free)
{
    struct functions *second = NULL;

    ck_assert_int_eq(functions_new(world_procs(&world, 0), &second), CN_E_TAKEN);
    ck_assert_ptr_null(functions_free(NULL));
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, found_by_all_three);
    tcase_add_test(tcase, names_are_checked);
    tcase_add_test(tcase, add_survives_no_memory);
    tcase_add_test(tcase, names_must_be_free);
}

int main(void)
{
    return run_tests("functions", add, asker_setup, asker_teardown);
}
