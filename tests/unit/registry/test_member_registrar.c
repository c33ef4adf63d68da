/*
 * The registrar of node a: waiting for a lock or a first join, and what is answered when.
 */
#include <stdio.h>

#include "unit/registry/members.h"

#define NAMES   2000
#define LOCK_MS 50

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

/* Node b, which needs a microsecond more for each name that it has already. */
struct slow {
    uint64_t us; /* since the last whole millisecond */
    uint64_t held_since_ms;
    uint64_t longest_ms; /* that the lock stood there */
};

static void run_slow(struct slow *slow)
{
    size_t names = member_names(ones[1].member);

    (void)procs_run(world_procs(&world, 1), world.now_ms);
    for (; names < member_names(ones[1].member); names++)
        slow->us += 30 + names;
    world.now_ms += slow->us / 1000;
    slow->us %= 1000;
    if (member_locks(ones[1].member) == 0)
        slow->held_since_ms = world.now_ms;
    if (slow->longest_ms < world.now_ms - slow->held_since_ms)
        slow->longest_ms = world.now_ms - slow->held_since_ms;
}

/* However slow a server becomes, a lock is not held longer than a slice; and all is done in time.
 */
START_TEST(slices_follow_the_slowest_server)
{
    static char name[16];
    struct slow slow = {0};
    uint64_t began_ms;

    join(0, 1);
    pass(1000);
    for (size_t i = 0; i < NAMES; i++) {
        (void)snprintf(name, sizeof(name), "n%zu", i);
        ask(0, name, 0, i);
    }
    began_ms = slow.held_since_ms = world.now_ms;
    while (answers[NAMES - 1][0] == '\0') {
        bool moved = world_deliver_one(&world, 1, 0);

        (void)procs_run(world_procs(&world, 0), world.now_ms);
        moved = world_deliver_one(&world, 0, 1) || moved;
        run_slow(&slow);
        world.now_ms += moved ? 0 : 1;
    }
    ck_assert_uint_le(slow.longest_ms, LOCK_MS);
    ck_assert_uint_le(world.now_ms - began_ms, 2 * (NAMES * (30 + NAMES / 2) / 1000));
    ck_assert_uint_eq(member_names(ones[1].member), NAMES);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, alone_a_name_is_taken_at_once);
    tcase_add_test(tcase, taken_lock_is_waited_for);
    tcase_add_test(tcase, first_join_is_waited_for);
    tcase_add_test(tcase, name_of_the_first_peer_is_taken);
    tcase_add_test(tcase, dead_process_gets_no_name);
    tcase_add_test(tcase, slices_follow_the_slowest_server);
}

int main(void)
{
    return run_tests("member_registrar", add, members_setup, members_teardown);
}
