/*
 * Who asks node a to wait for others is answered in time, and a leaves all when it is asked to.
 * Node b is a scripted peer, who asks.
 */
#include <string.h>

#include "unit/registry/members.h"

static void setup(void)
{
    members_setup();
    script(1);
    join(0, 1);
    ones[1].heard_count = 0;
}

static void ask_sync(const char *request)
{
    ask_server(1, 0, parse(request));
}

/* Nobody to wait for: at once. */
START_TEST(nobody_is_waited_for)
{
    static const char *const requests[] = {"{sync,[]}", "{sync,[a@world]}"};

    ask_sync(requests[_i]);
    ck_assert_str_eq(heard(1), "reply ok");
}
END_TEST

/* The answer comes when all are in sync, and not before. */
START_TEST(all_are_waited_for)
{
    join(0, 2);
    ask_sync("{sync,[b@world,c@world]}");
    ones[1].heard_count = 0;
    cast(1, 0, parse("{in_sync,b@world,true}"));
    ck_assert_uint_eq(ones[1].heard_count, 0);
    pass(3000);
    ck_assert_str_eq(heard(1), "reply ok");
    ck_assert(list_empty(&ones[0].member->syncings));
}
END_TEST

/* Who goes, cannot be reached, or has no such server holds nobody up. */
START_TEST(who_is_gone_is_not_waited_for)
{
    ask_sync("{sync,[x@world]}");
    pass(100);
    ck_assert_str_eq(heard(1), "reply ok");

    join(0, 2);
    ones[1].heard_count = 0;
    ask_sync("{sync,[c@world]}");
    ck_assert_uint_eq(ones[1].heard_count, 0);
    if (_i == 0)
        part(0, 2);
    else
        ck_assert_int_eq(procs_exit_signal(world_procs(&world, 2), NULL,
                                           gen_server_pid(ones[2].member->server), atom("kill")),
                         0);
    world_settle(&world);
    ck_assert_str_eq(heard(1), "reply ok");
}
END_TEST

/* What is no list of nodes is an error. */
START_TEST(nonsense_is_refused)
{
    static const char *const requests[] = {"{sync,x}", "{sync,[1]}", "{sync,[c@world,1]}"};

    ask_sync(requests[_i]);
    ck_assert_str_eq(heard(1), "reply {error,badarg}");
    ck_assert(list_empty(&ones[0].member->syncings));
}
END_TEST

/* Without memory nobody is answered, or in time; and nothing is left. */
START_TEST(waiting_survives_no_memory)
{
    bool failed = true;

    join(0, 2);
    for (size_t nth = 1; failed; nth++) {
        struct dest dest = to_name("global_name_server", "a@world");

        ck_assert_int_eq(call_start(ones[1].script, &dest, parse("{sync,[x@world,c@world]}"), 0,
                                    NULL, NULL, NULL),
                         0);
        (void)procs_run(world_procs(&world, 1), world.now_ms);
        while (world_deliver_one(&world, 1, 0))
            ;
        mem_test_begin();
        mem_test_fail(nth);
        (void)procs_run(world_procs(&world, 0), world.now_ms);
        mem_test_fail(0);
        failed = mem_test_failed();
        (void)mem_test_end();
        world_settle(&world);
    }
    pass(3000);
    ck_assert(list_empty(&ones[0].member->syncings));
}
END_TEST

/* Asked to leave, a says whom it leaves, tells its owner, and parts from them a moment later. */
START_TEST(leaving_parts_from_all)
{
    ask_server(1, 0, parse("disconnect"));
    ck_assert_str_eq(heard(1), "reply [b@world]");
    ck_assert_str_eq(ones[0].parted, "");
    pass(50);
    ck_assert_str_eq(ones[0].parted, "b@world");
    ck_assert_uint_eq(ones[0].left, 1);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_loop_test(tcase, nobody_is_waited_for, 0, 2);
    tcase_add_test(tcase, all_are_waited_for);
    tcase_add_loop_test(tcase, who_is_gone_is_not_waited_for, 0, 2);
    tcase_add_loop_test(tcase, nonsense_is_refused, 0, 3);
    tcase_add_test(tcase, waiting_survives_no_memory);
    tcase_add_test(tcase, leaving_parts_from_all);
}

int main(void)
{
    return run_tests("member_sync", add, setup, members_teardown);
}
