/*
 * The table of names that processes of this node have: names end with their process, and those
 * that somebody else moved here are cared for once adopted.
 */
#include "unit/registry/ours.h"

/* The end of a process takes its names away, here and at the BEAM. */
START_TEST(end_of_process_frees_its_names)
{
    link_up(1);
    ask_register("one", &pid, 0);
    ask_register("two", &pid, 1);
    world_settle(&world);
    ck_assert_uint_eq(global_count(global), 2);
    process_exit_atom(process, "broken");
    world_settle(&world);
    ck_assert_uint_eq(global_count(global), 0);
    ck_assert_uint_eq(b.count, 0);
}
END_TEST

/* A name that somebody moved to us is cared for once it is adopted. */
START_TEST(adopted_name_is_cared_for)
{
    link_up(1);
    beam_set(&b, "name", &pid);
    ck_assert_int_eq(global_adopt(global, atom("name"), &pid, GLOBAL_NOTIFY_ALL), 0);
    link_cut(1);
    beam_set(&b, "name", NULL);
    link_up(1);
    ck_assert_str_eq(beam_whereis(&b, "name"), "<a.4.0>");
    pid.serial++;
    ck_assert_int_eq(global_adopt(global, atom("other"), &pid, GLOBAL_NOTIFY_ALL),
                     0); /* it has ended: nothing */
    ck_assert_uint_eq(global_count(global), 1);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, end_of_process_frees_its_names);
    tcase_add_test(tcase, adopted_name_is_cared_for);
}

int main(void)
{
    return run_tests("global_names", add, ours_setup, ours_teardown);
}
