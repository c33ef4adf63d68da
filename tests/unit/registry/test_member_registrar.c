/*
 * The registrar of node a: waiting for a lock or a first join, and what is answered when.
 */
#include "unit/registry/members.h"

/* Without any peer a name is taken at once, but never from inside the call. */
START_TEST(alone_a_name_is_taken_at_once)
{
    ask(0, "name", 0, 0);
    ask(0, "name", 0, 1);
    ask(0, "name", 1, 2);
    ck_assert_str_eq(answers[0], "");
    world_settle(&world);
    ck_assert_str_eq(answers[0], "yes <a.6.0>");
    ck_assert_str_eq(answers[1], "yes <a.6.0>");
    ck_assert_str_eq(answers[2], "no <a.6.0>");
    ck_assert_uint_eq(member_locks(ones[0].member), 0);
}
END_TEST

/* While somebody else holds the lock, it is asked for again and again. */
START_TEST(taken_lock_is_waited_for)
{
    ck_assert_int_eq(locks_set(ones[0].member, parse("{global,x}"), &ones[1].pids[0]), 0);
    ask(0, "name", 0, 0);
    pass(2000);
    ck_assert_str_eq(answers[0], "");
    locks_delete(ones[0].member, parse("{global,x}"), &ones[1].pids[0]);
    pass(3000);
    ck_assert_str_eq(answers[0], "yes <a.6.0>");
}
END_TEST

/* With the first peer up, a name waits for the join, or for some time if none comes of it. */
START_TEST(first_join_is_waited_for)
{
    script(1);
    join(0, 1);
    ask(0, "name", 0, 0);
    pass(1900);
    ck_assert_str_eq(answers[0], "");
    pass(300);
    ck_assert_str_eq(answers[0], "yes <a.6.0>");
}
END_TEST

/* A name that the peer brings is taken. */
START_TEST(name_of_the_first_peer_is_taken)
{
    ask(1, "name", 0, 0);
    world_settle(&world);
    join(0, 1);
    ask(0, "name", 0, 1);
    pass(3000);
    ck_assert_str_eq(answers[1], "no <b.6.0>");
}
END_TEST

/* A process that has ended gets no name, and one that ends meanwhile keeps none. */
START_TEST(dead_process_gets_no_name)
{
    ask(0, "name", 0, 0);
    ck_assert_int_eq(
        procs_exit_signal(world_procs(&world, 0), NULL, &ones[0].pids[0], atom("kill")), 0);
    world_settle(&world);
    ck_assert_str_eq(answers[0], "no");
    ck_assert_str_eq(holder(0, "name"), "");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, alone_a_name_is_taken_at_once);
    tcase_add_test(tcase, taken_lock_is_waited_for);
    tcase_add_test(tcase, first_join_is_waited_for);
    tcase_add_test(tcase, name_of_the_first_peer_is_taken);
    tcase_add_test(tcase, dead_process_gets_no_name);
}

int main(void)
{
    return run_tests("member_registrar", add, members_setup, members_teardown);
}
