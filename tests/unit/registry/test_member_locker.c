/*
 * The locker of node a, with a scripted peer b: who begins, who yields, and that no lock stays.
 */
#include "unit/registry/members.h"

static struct cn_pid locker;

static void setup(void)
{
    members_setup();
    script(1);
    locker = ones[1].pids[3];
    join(0, 1);
    cast(1, 0, parse_with("{init_connect,{8,77},b@world,{locker,x,#{},%p}}", &locker));
    ones[1].heard_count = 0;
}

/* After a while we begin: the lock at the greater node first, then here, then the question. */
START_TEST(we_begin_after_a_while)
{
    pass(150);
    ck_assert_uint_eq(ones[1].heard_count, 0);
    pass(100);
    ck_assert_uint_eq(ones[1].heard_count, 2);
    ck_assert_str_eq(ones[1].heard[0], "call {set_lock,{global,[<a.4.0>,<b.9.0>]}}");
    ck_assert_str_eq(ones[1].heard[1], "{lock_set,<a.4.0>,true,[],77}");
    ck_assert_uint_eq(member_locks(ones[0].member), 1);
    cast(1, 0, parse_with("{lock_set,%p,true,[],1}", &locker));
    ck_assert_str_eq(heard(1), "{exchange,a@world,[],[],77}");
}
END_TEST

/* He could not lock his partition: ours is given back, his node included, and tried again. */
START_TEST(his_refusal_frees_the_lock)
{
    pass(250);
    cast(1, 0, parse_with("{lock_set,%p,false,[],1}", &locker));
    ck_assert_str_eq(heard(1), "call {del_lock,{global,[<a.4.0>,<b.9.0>]}}");
    ck_assert_uint_eq(member_locks(ones[0].member), 0);
    pass(250);
    ck_assert_str_eq(heard(1), "{lock_set,<a.4.0>,true,[],77}");
}
END_TEST

/* Both begin at once: his question is the answer to ours. */
START_TEST(both_may_begin)
{
    pass(190);
    world.now_ms += 10;
    (void)procs_run(world_procs(&world, 0), world.now_ms);
    cast(1, 0, parse_with("{lock_set,%p,true,[],1}", &locker));
    ck_assert_str_eq(heard(1), "{exchange,a@world,[],[],77}");
    ck_assert_str_eq(ones[1].heard[ones[1].heard_count - 2], "{lock_set,<a.4.0>,true,[],77}");
}
END_TEST

/* Our partition is locked by somebody else: he is told no, and the lock is not touched. */
START_TEST(taken_lock_is_told)
{
    ck_assert_int_eq(locks_set(ones[0].member, parse("{global,x}"), &ones[0].pids[0]), 0);
    cast(1, 0, parse_with("{lock_set,%p,true,[],1}", &locker));
    ck_assert_str_eq(heard(1), "{lock_set,<a.4.0>,false,[],77}");
    pass(1000);
    ck_assert_uint_eq(ones[1].heard_count, 1);
    locks_delete(ones[0].member, parse("{global,x}"), &ones[0].pids[0]);
    pass(1000);
    ck_assert_str_eq(heard(1), "{lock_set,<a.4.0>,true,[],77}");
}
END_TEST

/* A join that succeeded long ago makes nobody hurry: who comes up then is not joined at once. */
START_TEST(newcomer_is_not_hurried)
{
    pass(250);
    cast(1, 0, parse_with("{lock_set,%p,true,[],1}", &locker));
    cast(1, 0, parse("{exchange,b@world,[],[],1}"));
    cast(1, 0, parse("{resolved,b@world,[],[],unused,[],1}"));
    ck_assert(member_knows(ones[0].member, "b@world"));
    pass(1000);
    join(0, 2);
    pass(150);
    ck_assert(!member_knows(ones[0].member, "c@world"));
    pass(3000);
    ck_assert(member_knows(ones[0].member, "c@world"));
}
END_TEST

/* One who has just come up is let alone, even when a join has succeeded and others need not wait.
 */
START_TEST(join_beside_a_newcomer)
{
    part(0, 1);
    join(0, 2);
    pass(190);
    join(0, 1);
    cast(1, 0, parse_with("{init_connect,{8,78},b@world,{locker,x,#{},%p}}", &locker));
    ones[1].heard_count = 0;
    pass(150);
    ck_assert(member_knows(ones[0].member, "c@world"));
    ck_assert_uint_eq(ones[1].heard_count, 0);
    pass(2000);
    ck_assert_str_eq(heard(1), "{lock_set,<a.4.0>,true,[c@world],78}");
}
END_TEST

/* The peer goes, at whatever moment: no lock is left. */
START_TEST(lost_peer_leaves_no_lock)
{
    pass(250);
    if (_i > 0)
        cast(1, 0, parse_with("{lock_set,%p,true,[],1}", &locker));
    part(0, 1);
    pass(10);
    ck_assert_uint_eq(member_locks(ones[0].member), 0);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, we_begin_after_a_while);
    tcase_add_test(tcase, his_refusal_frees_the_lock);
    tcase_add_test(tcase, both_may_begin);
    tcase_add_test(tcase, taken_lock_is_told);
    tcase_add_test(tcase, newcomer_is_not_hurried);
    tcase_add_test(tcase, join_beside_a_newcomer);
    tcase_add_loop_test(tcase, lost_peer_leaves_no_lock, 0, 2);
}

int main(void)
{
    return run_tests("member_locker", add, setup, members_teardown);
}
