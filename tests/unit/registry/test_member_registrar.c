/*
 * The registrar of node a: the order of one name's requests, waiting for a lock or a first join,
 * and what is answered when.
 */
#include "base/alloc.h"
#include "base/error.h"
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

/* Requests of one name are carried out in their order. */
START_TEST(requests_of_a_name_keep_their_order)
{
    ask(0, "name", 0, 0);
    ask_gone(0, "name", 0, 1);
    ask(0, "name", 1, 2);
    ask_move(0, "name", &ones[0].pids[2], 3);
    ask_gone(0, "name", 1, 4);
    world_settle(&world);
    ck_assert_str_eq(answers[0], "yes <a.6.0>");
    ck_assert_str_eq(answers[1], "yes");
    ck_assert_str_eq(answers[2], "yes <a.7.0>");
    ck_assert_str_eq(answers[3], "yes <a.8.0>");
    ck_assert_str_eq(answers[4], "no <a.8.0>");
    ck_assert_str_eq(holder(0, "name"), "<a.8.0>");
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

/* Asking fails cleanly at each allocation. */
START_TEST(asking_survives_no_memory)
{
    struct cn_term name = atom("name");
    struct one *one = &ones[0];
    int r = -1;
    size_t nth = 0;

    while (r != 0) {
        mem_test_begin();
        mem_test_fail(++nth);
        r = one->names.register_name(one->member, name, &one->pids[0], NULL, NULL);
        mem_test_fail(0);
        if (r != 0)
            ck_assert_int_eq(mem_test_end(), 0);
    }
    (void)mem_test_end();
    world_settle(&world);
    ck_assert_str_eq(holder(0, "name"), "<a.6.0>");
    ck_assert_uint_gt(nth, 3);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, alone_a_name_is_taken_at_once);
    tcase_add_test(tcase, requests_of_a_name_keep_their_order);
    tcase_add_test(tcase, taken_lock_is_waited_for);
    tcase_add_test(tcase, first_join_is_waited_for);
    tcase_add_test(tcase, name_of_the_first_peer_is_taken);
    tcase_add_test(tcase, dead_process_gets_no_name);
    tcase_add_test(tcase, asking_survives_no_memory);
}

int main(void)
{
    return run_tests("member_registrar", add, members_setup, members_teardown);
}
