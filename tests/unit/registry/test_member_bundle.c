/*
 * Bundles: what a scripted server hears of changes, one and many, under one lock.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "unit/registry/members.h"

/* b is scripted, and known to a. */
static void setup(void)
{
    members_setup();
    script(1);
    join(0, 1);
    (void)known_add(ones[0].member, "b@world", GLOBAL_VERSION);
    meeting_reset(known_find(ones[0].member, "b@world"));
    ones[1].heard_count = 0;
}

static void expect_heard(size_t index, const char *text)
{
    ck_assert_str_eq(ones[1].heard[index], text);
}

/* A single change is the call that stock OTP makes, between taking the lock and giving it back. */
START_TEST(one_change_is_one_call)
{
    ask(0, "x", 0, 0);
    world_settle(&world);
    ck_assert_uint_eq(ones[1].heard_count, 3);
    expect_heard(0, "call {set_lock,{global,<a.5.0>}}");
    expect_heard(1, "call {register,x,<a.6.0>,?}");
    expect_heard(2, "call {del_lock,{global,<a.5.0>}}");
    ck_assert_str_eq(answers[0], "yes <a.6.0>");
}
END_TEST

/* Many changes are one message under the same lock, and a call behind it. */
START_TEST(many_changes_are_one_message)
{
    ask(0, "x", 0, 0);
    ask(0, "y", 1, 1);
    world_settle(&world);
    ones[1].heard_count = 0;
    ask_gone(0, "x", 0, 2);
    ask_move(0, "y", &ones[0].pids[0], 3);
    ask(0, "z", 1, 4);
    world_settle(&world);
    ck_assert_uint_eq(ones[1].heard_count, 4);
    expect_heard(0, "call {set_lock,{global,<a.5.0>}}");
    expect_heard(1, "{new_nodes,a@world,[{delete,x},{insert,{y,<a.6.0>,?}}],[],[],"
                    "[{vsn,8},{lock,{global,<a.5.0>}}]}");
    expect_heard(2, "call {register,z,<a.7.0>,?}");
    expect_heard(3, "call {del_lock,{global,<a.5.0>}}");
    ck_assert_str_eq(holder(0, "x"), "");
    ck_assert_str_eq(holder(0, "y"), "<a.6.0>");
    ck_assert_str_eq(holder(0, "z"), "<a.7.0>");
}
END_TEST

/* Node a runs, and b sees what it says; b's answers stay on the way. */
static void tell_b(void)
{
    (void)procs_run(world_procs(&world, 0), world.now_ms);
    while (world_deliver_one(&world, 0, 1))
        ;
    (void)procs_run(world_procs(&world, 1), world.now_ms);
}

static size_t count_heard(const char *text)
{
    size_t count = 0;

    for (size_t i = 0; i < ones[1].heard_count; i++)
        count += strncmp(ones[1].heard[i], text, strlen(text)) == 0 ? 1 : 0;
    return count;
}

/* Servers that are slow: the lock is given back after a slice, and taken again for the rest. */
START_TEST(slow_servers_end_a_slice)
{
    static char name[16];
    size_t answered = 0;

    for (size_t i = 0; i < 200; i++) {
        (void)snprintf(name, sizeof(name), "n%zu", i);
        ask(0, name, 0, i);
    }
    while (answers[0][0] == '\0') { /* each step of the two takes 30 ms */
        (void)procs_run(world_procs(&world, 0), world.now_ms);
        (void)world_deliver_one(&world, 0, 1);
        (void)procs_run(world_procs(&world, 1), world.now_ms);
        (void)world_deliver_one(&world, 1, 0);
        world.now_ms += 30;
    }
    tell_b();
    ck_assert_uint_eq(count_heard("call {del_lock"), 1);
    while (answers[answered][0] != '\0')
        answered++;
    ck_assert_uint_lt(answered, 100);
    pass(1000);
    ck_assert_str_eq(answers[199], "yes <a.6.0>");
}
END_TEST

static void answer_a(int times)
{
    for (int i = 0; i < times; i++)
        (void)world_deliver_one(&world, 1, 0);
}

/* Ask for 200 names; b has taken the lock and answered the first bundle, and heard what follows. */
static void begin_many(void)
{
    static char name[16];

    for (size_t i = 0; i < 200; i++) {
        (void)snprintf(name, sizeof(name), "n%zu", i);
        ask(0, name, 0, i);
    }
    while (ones[1].heard_count < 3) {
        tell_b();
        if (ones[1].heard_count < 3)
            answer_a(1);
    }
    tell_b();
    ck_assert_uint_eq(ones[1].heard_count, 3); /* the lock; names in a message and a call */
}

/* The first bundle is answered before there is a second; then there are three at a time. */
START_TEST(three_bundles_are_under_way)
{
    begin_many();
    answer_a(1);
    for (int i = 0; i < 3; i++)
        tell_b();
    ck_assert_uint_eq(ones[1].heard_count, 9);
    world_settle(&world);
    ck_assert_str_eq(answers[199], "yes <a.6.0>");
}
END_TEST

/* When bundles under way take the rest of a slice, b hears of the lock's release behind them, and
 * of the next claim when all but one are answered; later when somebody wants the lock. */
START_TEST(lock_is_given_back_behind_the_names)
{
    begin_many();
    world.now_ms += 17;
    answer_a(1);
    if (_i == 1)
        registrar_wanted(ones[0].member);
    for (int i = 0; i < 3; i++)
        tell_b();
    ck_assert_uint_eq(count_heard("call {register"), 1 + 3);
    ck_assert_uint_eq(count_heard("call {del_lock"), 1);
    ck_assert_uint_eq(count_heard("call {set_lock"), 1);
    ck_assert_uint_eq(member_locks(ones[0].member), 0);
    answer_a(1);
    tell_b();
    ck_assert_uint_eq(count_heard("call {set_lock"), 1);
    answer_a(1);
    tell_b();
    ck_assert_uint_eq(count_heard("call {set_lock"), _i == 0 ? 2 : 1);
    answer_a(1);
    tell_b();
    world.now_ms += 19;
    tell_b();
    ck_assert_uint_eq(count_heard("call {set_lock"), _i == 0 ? 2 : 1);
    pass(2000);
    ck_assert_uint_ge(count_heard("call {set_lock"), 2);
    ck_assert_str_eq(answers[199], "yes <a.6.0>");
}
END_TEST

/* A server that is cut while it is told counts as told. */
START_TEST(lost_server_is_not_waited_for)
{
    ask(0, "x", 0, 0);
    ask(0, "y", 0, 1);
    for (int i = 0; i < 6; i++) {
        (void)procs_run(world_procs(&world, 0), world.now_ms);
        (void)world_deliver_one(&world, 0, 1);
        (void)procs_run(world_procs(&world, 1), world.now_ms);
        (void)world_deliver_one(&world, 1, 0);
    }
    ck_assert_str_eq(answers[1], "");
    part(0, 1);
    ck_assert_str_eq(answers[0], "yes <a.6.0>");
    ck_assert_str_eq(answers[1], "yes <a.6.0>");
}
END_TEST

/* How fast servers are is not known any more when somebody has joined. */
START_TEST(newcomer_may_be_slow)
{
    struct slice fresh;
    static char name[16];
    struct slice *slice = &ones[0].member->registrar.slice;

    slice_init(&fresh);
    for (size_t i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof(name), "n%zu", i);
        ask(0, name, 0, i);
    }
    world_settle(&world);
    ck_assert_uint_lt(slice->name_us, fresh.name_us);
    ck_assert(known_add(ones[0].member, "c@world", GLOBAL_VERSION));
    ck_assert_uint_eq(slice->name_us, fresh.name_us);
}
END_TEST

/* Without memory who asked is told that it may not have happened, or it has; no lock is left. */
START_TEST(telling_survives_no_memory)
{
    bool failed = true;

    for (size_t nth = 1; failed; nth++) {
        memset(answers, 0, 2 * sizeof(answers[0]));
        ones[1].heard_count = 0;
        ask_move(0, "x", &ones[0].pids[0], 0);
        ask_move(0, "y", &ones[0].pids[0], 1);
        mem_test_begin();
        mem_test_fail(nth);
        (void)procs_run(world_procs(&world, 0), world.now_ms);
        mem_test_fail(0);
        failed = mem_test_failed();
        (void)mem_test_end();
        pass(3000);
        ck_assert_str_ne(answers[0], "");
        ck_assert_str_ne(answers[1], "");
        ck_assert_uint_eq(member_locks(ones[0].member), 0);
        ck_assert_uint_lt(nth, 1000);
    }
    ck_assert_str_eq(answers[1], "yes <a.6.0>");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, one_change_is_one_call);
    tcase_add_test(tcase, many_changes_are_one_message);
    tcase_add_test(tcase, slow_servers_end_a_slice);
    tcase_add_test(tcase, three_bundles_are_under_way);
    tcase_add_loop_test(tcase, lock_is_given_back_behind_the_names, 0, 2);
    tcase_add_test(tcase, lost_server_is_not_waited_for);
    tcase_add_test(tcase, newcomer_may_be_slow);
    tcase_add_test(tcase, telling_survives_no_memory);
}

int main(void)
{
    return run_tests("member_bundle", add, setup, members_teardown);
}
