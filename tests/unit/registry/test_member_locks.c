/*
 * Locks: who holds them, and when they are free again. Node a, with holders here and on b.
 */
#include "base/error.h"
#include "unit/no_memory.h"
#include "unit/registry/members.h"

static struct member *member;
static struct cn_pid here, there;

static void setup(void)
{
    members_setup();
    script(1);
    join(0, 1);
    member = ones[0].member;
    here = ones[0].pids[0];
    there = ones[1].pids[0];
}

/* Two processes may lock for the same requester, as two lockers do; the lock is free after both. */
START_TEST(requester_locks_through_several)
{
    ck_assert_int_eq(locks_set(member, parse("{global,[1,2]}"), &here), 0);
    ck_assert_int_eq(locks_set(member, parse("{global,[1,2]}"), &there), 0);
    ck_assert_int_eq(locks_set(member, parse("{global,[1,2]}"), &there), 0);
    ck_assert_int_eq(locks_set(member, parse("{global,[1,3]}"), &there), CN_E_TAKEN);
    ck_assert(!locks_free_for(member, parse("{global,[1,3]}")));
    ck_assert(locks_free_for(member, parse("{global,[1,2]}")));
    locks_delete(member, parse("{global,[1,2]}"), &here);
    ck_assert(locks_global_set(member));
    locks_delete(member, parse("{global,[1,2]}"), &here);
    ck_assert(locks_global_set(member));
    locks_delete(member, parse("{global,[1,2]}"), &there);
    ck_assert(!locks_global_set(member));
}
END_TEST

/* A holder that ends frees its lock, wherever it lived. */
START_TEST(lock_ends_with_its_holder)
{
    int node = _i;

    ck_assert_int_eq(locks_set(member, parse("{res,1}"), node == 0 ? &here : &there), 0);
    ck_assert_int_eq(procs_exit_signal(world_procs(&world, node), NULL, node == 0 ? &here : &there,
                                       atom("kill")),
                     0);
    world_settle(&world);
    ck_assert_uint_eq(member_locks(member), 0);
}
END_TEST

/* A lost node frees the locks of all its processes, even what it asked for just before. */
START_TEST(lock_ends_with_its_node)
{
    struct dest server = to_name("global_name_server", "a@world");
    static struct server asker;

    ck_assert_int_eq(locks_set(member, parse("{res,1}"), &there), 0);
    ck_assert_int_eq(call_start(ones[1].script, &server, parse("{set_lock,{res2,1}}"), 0,
                                server_done, &asker, NULL),
                     0);
    while (world_waiting(&world, 1, 0) > 0)
        (void)world_deliver_one(&world, 1, 0);
    part(0, 1);
    ck_assert_uint_eq(member_locks(member), 0);
    server_deinit(&asker);
}
END_TEST

/* After the holder of `global` ended, nobody changes names until it was locked and released. */
START_TEST(dead_lock_stops_changes)
{
    ck_assert(locks_allow_pid(member, &here));
    ck_assert_int_eq(locks_set(member, parse("{global,x}"), &there), 0);
    ck_assert(locks_allow_pid(member, &there));
    ck_assert(!locks_allow_pid(member, &here));
    ck_assert(locks_allow_id(member, parse("{global,x}")));
    ck_assert(!locks_allow_id(member, parse("{global,y}")));
    part(0, 1);
    ck_assert(!locks_allow_pid(member, &here));
    ck_assert(!locks_allow_id(member, parse("{global,x}")));
    ck_assert_int_eq(locks_set(member, parse("{global,x}"), &here), 0);
    locks_delete(member, parse("{global,x}"), &here);
    ck_assert(locks_allow_pid(member, &here));
}
END_TEST

static int set_one(void *context)
{
    struct cn_term *id = context;
    int error = locks_set(member, *id, &there);

    ck_assert_uint_eq(member_locks(member), error == 0 ? 1 : 0);
    return error;
}

/* Without memory nothing is locked, and nothing leaks. */
START_TEST(locking_survives_no_memory)
{
    struct cn_term id = parse("{res,1}");

    ck_assert_uint_gt(no_memory_sweep(set_one, &id), 3);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, requester_locks_through_several);
    tcase_add_loop_test(tcase, lock_ends_with_its_holder, 0, 2);
    tcase_add_test(tcase, lock_ends_with_its_node);
    tcase_add_test(tcase, dead_lock_stops_changes);
    tcase_add_test(tcase, locking_survives_no_memory);
}

int main(void)
{
    return run_tests("member_locks", add, setup, members_teardown);
}
