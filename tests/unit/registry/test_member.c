/*
 * Members among themselves: three C nodes join, share names, lose each other and find together
 * again, and never leave a lock behind.
 */
#include <stdio.h>

#include "base/error.h"
#include "unit/registry/members.h"

static void expect_no_locks(void)
{
    for (int i = 0; i < WORLD_NODES; i++)
        ck_assert_uint_eq(member_locks(ones[i].member), 0);
}

static void expect_everywhere(const char *name, const char *pid)
{
    for (int i = 0; i < WORLD_NODES; i++)
        ck_assert_str_eq(holder(i, name), pid);
}

static void join_all(void)
{
    join(0, 1);
    join(1, 2);
    join(0, 2);
    pass(3000);
}

/* Two nodes that meet know each other, and all names of both, whoever begins. */
START_TEST(two_members_join)
{
    ask(0, "ours", 0, 0);
    ask(1, "theirs", 0, 1);
    world_settle(&world);
    ck_assert_str_eq(answers[0], "yes <a.6.0>");
    join(0, 1);
    ck_assert(!member_knows(ones[0].member, "b@world"));
    pass(300);
    ck_assert(member_knows(ones[0].member, "b@world"));
    ck_assert(member_knows(ones[1].member, "a@world"));
    ck_assert_str_eq(holder(1, "ours"), holder(0, "ours"));
    ck_assert_str_eq(holder(0, "theirs"), holder(1, "theirs"));
    ck_assert_str_ne(holder(0, "theirs"), "");
    expect_no_locks();
}
END_TEST

/* A third that joins one of them is known to all. */
START_TEST(third_member_is_known_to_all)
{
    ask(2, "third", 0, 0);
    join(0, 1);
    pass(300);
    join(1, 2);
    join(0, 2);
    pass(3000);
    for (int i = 0; i < WORLD_NODES; i++)
        ck_assert_uint_eq(known_count(ones[i].member), 2);
    expect_everywhere("third", "<c.6.0>");
    expect_no_locks();
}
END_TEST

/* All three at once, in many orders of random delays: they find together. */
START_TEST(three_members_storm)
{
    for (int i = 0; i < WORLD_NODES; i++)
        ones[i].member->random = (uint64_t)(_i * 3 + i);
    ask(0, "a", 0, 0);
    ask(1, "b", 0, 1);
    ask(2, "c", 0, 2);
    world_settle(&world);
    join_all();
    for (int i = 0; i < WORLD_NODES; i++)
        ck_assert_uint_eq(known_count(ones[i].member), 2);
    expect_everywhere("a", "<a.6.0>");
    expect_everywhere("b", "<b.6.0>");
    expect_everywhere("c", "<c.6.0>");
    expect_no_locks();
}
END_TEST

/* A name is registered at all members, and once. */
START_TEST(name_is_registered_everywhere)
{
    join_all();
    ask(0, "name", 0, 0);
    ask(1, "name", 0, 1);
    ask(2, "name", 0, 2);
    ck_assert_str_eq(answers[0], ""); /* never from inside the call */
    pass(3000);
    ck_assert_str_ne(holder(0, "name"), "");
    expect_everywhere("name", holder(0, "name"));
    ck_assert_int_eq((answers[0][0] == 'y') + (answers[1][0] == 'y') + (answers[2][0] == 'y'), 1);
    ck_assert_int_eq((answers[0][0] == 'n') + (answers[1][0] == 'n') + (answers[2][0] == 'n'), 2);
    expect_no_locks();
}
END_TEST

/* A name goes with its process, from all tables. */
START_TEST(name_goes_with_its_process)
{
    join_all();
    ask(0, "name", 0, 0);
    pass(100);
    expect_everywhere("name", "<a.6.0>");
    ck_assert_int_eq(
        procs_exit_signal(world_procs(&world, 0), NULL, &ones[0].pids[0], atom("kill")), 0);
    world_settle(&world);
    expect_everywhere("name", "");
}
END_TEST

/* A name can be given up, by who has it. */
START_TEST(name_is_given_up)
{
    join_all();
    ask(0, "name", 0, 0);
    ask_gone(0, "name", 0, 1);
    ask_gone(1, "name", 0, 2);
    ask(1, "other", 0, 3);
    pass(2000);
    ask_gone(0, "other", 0, 4);
    pass(2000);
    ck_assert_str_eq(answers[1], "yes");
    ck_assert_str_eq(answers[4], "no <b.6.0>");
    expect_everywhere("name", "");
    expect_everywhere("other", "<b.6.0>");
    expect_no_locks();
}
END_TEST

/* A move gives the name to a process elsewhere, and nobody ever sees it missing. */
START_TEST(moved_name_is_never_missing)
{
    join_all();
    ask(0, "name", 0, 0);
    pass(100);
    ask_move(0, "name", &ones[2].pids[1], 1);
    for (int i = 0; i < 100; i++) {
        for (int k = 0; k < WORLD_NODES; k++) {
            ck_assert_str_ne(holder(k, "name"), "");
            (void)procs_run(world_procs(&world, k), world.now_ms);
            for (int to = 0; to < WORLD_NODES; to++)
                (void)world_deliver_one(&world, k, to);
        }
    }
    pass(100);
    expect_everywhere("name", "<c.7.0>");
    ck_assert_str_eq(answers[1], "yes <c.7.0>");
    expect_no_locks();
}
END_TEST

/* A node that is gone takes its names along; back again, it brings them. */
START_TEST(lost_names_come_back)
{
    join_all();
    ask(0, "name", 0, 0);
    pass(100);
    part(0, 1);
    part(0, 2);
    ck_assert_str_eq(holder(0, "name"), "<a.6.0>");
    ck_assert_str_eq(holder(1, "name"), "");
    ck_assert_uint_eq(known_count(ones[1].member), 1);
    join(0, 1);
    join(0, 2);
    pass(5000);
    expect_everywhere("name", "<a.6.0>");
    for (int i = 0; i < WORLD_NODES; i++)
        ck_assert_uint_eq(known_count(ones[i].member), 2);
    expect_no_locks();
}
END_TEST

/* A name that two took apart stays with the node of the smaller name; the other dies. */
START_TEST(conflict_has_one_winner)
{
    ask(0, "name", 0, 0);
    ask(2, "name", 0, 1);
    world_settle(&world);
    join_all();
    expect_everywhere("name", "<a.6.0>");
    ck_assert_str_eq(ones[2].probes[0].ended, "killed");
    ck_assert_str_eq(ones[0].probes[0].ended, "");
    expect_no_locks();
}
END_TEST

/* Two members in the middle of a join are cut: nobody keeps a lock, and the next join succeeds. */
START_TEST(join_cut_at_any_moment_leaves_no_lock)
{
    ask(0, "name", 0, 0);
    world_settle(&world);
    join(0, 1);
    world.now_ms += 200;
    for (int i = 0; i < _i; i++) {
        for (int k = 0; k < 2; k++)
            (void)procs_run(world_procs(&world, k), world.now_ms);
        (void)world_deliver_one(&world, i % 2, 1 - i % 2);
    }
    part(0, 1);
    pass(100);
    expect_no_locks();
    join(0, 1);
    pass(3000);
    ck_assert_str_eq(holder(1, "name"), "<a.6.0>");
    expect_no_locks();
}
END_TEST

/* Thousands of names under few locks, none held longer than a slice. */
START_TEST(many_names_at_once)
{
    static char name[16];

    join_all();
    for (size_t i = 0; i < 2000; i++) {
        (void)snprintf(name, sizeof(name), "n%zu", i);
        ask(0, name, 0, i);
    }
    pass(3000);
    for (size_t i = 0; i < 2000; i++)
        ck_assert_str_eq(answers[i], "yes <a.6.0>");
    ck_assert_uint_eq(member_names(ones[1].member), 2000);
    ck_assert_uint_eq(member_names(ones[2].member), 2000);
    expect_no_locks();
}
END_TEST

/* Somebody kills one of the three processes: the others follow, and asking fails. */
START_TEST(killed_member_is_closed)
{
    struct one *one = &ones[0];

    ck_assert_int_eq(procs_exit_signal(world_procs(&world, 0), NULL,
                                       gen_server_pid(one->member->locker_server), atom("kill")),
                     0);
    world_settle(&world);
    ck_assert_ptr_null(procs_whereis(world_procs(&world, 0), view("global_name_server")));
    ck_assert_uint_eq(one->closed, 1);
    ck_assert_int_eq(one->names.register_name(one->member, atom("name"), &one->pids[0],
                                              GLOBAL_EXIT_ONE, NULL, NULL),
                     CN_E_CLOSED);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, two_members_join);
    tcase_add_test(tcase, third_member_is_known_to_all);
    tcase_add_loop_test(tcase, three_members_storm, 0, 50);
    tcase_add_test(tcase, name_is_registered_everywhere);
    tcase_add_test(tcase, name_goes_with_its_process);
    tcase_add_test(tcase, name_is_given_up);
    tcase_add_test(tcase, moved_name_is_never_missing);
    tcase_add_test(tcase, lost_names_come_back);
    tcase_add_test(tcase, conflict_has_one_winner);
    tcase_add_loop_test(tcase, join_cut_at_any_moment_leaves_no_lock, 0, 60);
    tcase_add_test(tcase, many_names_at_once);
    tcase_add_test(tcase, killed_member_is_closed);
}

int main(void)
{
    return run_tests("member", add, members_setup, members_teardown);
}
