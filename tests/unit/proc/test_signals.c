/*
 * Exit signals: each row of the table in signals.c, near and far.
 */
#include "unit/proc/world.h"

static struct world world;
static struct probe p, q;
static struct process *here, *there;
static struct cn_pid here_pid;

static void setup(void)
{
    world_init(&world);
    p = (struct probe){0};
    q = (struct probe){0};
}

static void teardown(void)
{
    world_deinit(&world);
    probe_deinit(&p);
    probe_deinit(&q);
}

static void start_at(int second)
{
    here = probe_start(world_procs(&world, 0), &p);
    there = probe_start(world_procs(&world, second), &q);
    here_pid = *process_pid(here);
}

static void signal_from_there(int second, const char *reason)
{
    ck_assert_int_eq(procs_exit_signal(world_procs(&world, second), there, &here_pid, atom(reason)),
                     0);
    world_settle(&world);
}

/* exit/2 ends a process with the reason; normal is ignored. */
START_TEST(exit_ends_but_normal_does_not)
{
    start_at(_i);
    signal_from_there(_i, "normal");
    ck_assert_str_eq(p.ended, "");
    signal_from_there(_i, "enough");
    ck_assert_str_eq(p.ended, "enough");
}
END_TEST

/* Trapped, each but kill is a message. */
START_TEST(trapped_signals_are_messages)
{
    start_at(_i);
    process_trap_exit(here, true);
    signal_from_there(_i, "normal");
    signal_from_there(_i, "enough");
    ck_assert_str_eq(p.log[0], _i == 0 ? "{EXIT,<a.2.0>,normal}" : "{EXIT,<b.1.0>,normal}");
    ck_assert_str_eq(p.log[1], _i == 0 ? "{EXIT,<a.2.0>,enough}" : "{EXIT,<b.1.0>,enough}");
    ck_assert_str_eq(p.ended, "");
}
END_TEST

/* kill cannot be trapped, and arrives as killed at links. */
START_TEST(kill_is_untrappable_and_spreads_as_killed)
{
    start_at(_i);
    process_trap_exit(here, true);
    process_trap_exit(there, true);
    ck_assert_int_eq(process_link(here, process_pid(there)), 0);
    world_settle(&world);
    signal_from_there(_i, "kill");
    ck_assert_str_eq(p.ended, "killed");
    ck_assert_str_eq(q.log[0], "{EXIT,<a.1.0>,killed}");
}
END_TEST

/* A process that exits by itself with the reason kill has that reason; a link can trap it. */
START_TEST(kill_by_link_is_a_reason_like_any)
{
    start_at(_i);
    process_trap_exit(here, true);
    ck_assert_int_eq(process_link(here, process_pid(there)), 0);
    world_settle(&world);
    process_exit_atom(there, "kill");
    world_settle(&world);
    ck_assert_str_eq(p.ended, "");
    ck_assert_str_eq(p.log[0], _i == 0 ? "{EXIT,<a.2.0>,kill}" : "{EXIT,<b.1.0>,kill}");
}
END_TEST

/* exit(self(), normal) ends the process that asks for it. */
START_TEST(own_normal_signal_ends)
{
    start_at(0);
    ck_assert_int_eq(procs_exit_signal(world_procs(&world, 0), here, &here_pid, atom("normal")), 0);
    world_settle(&world);
    ck_assert_str_eq(p.ended, "normal");
}
END_TEST

/* A signal to nobody is nothing. */
START_TEST(signal_to_nobody_vanishes)
{
    start_at(1);
    here_pid.serial++;
    signal_from_there(1, "kill");
    signal_from_there(0, "kill");
    ck_assert_str_eq(p.ended, "");
    ck_assert_int_eq(world.refused, 0);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_loop_test(tcase, exit_ends_but_normal_does_not, 0, 2);
    tcase_add_loop_test(tcase, trapped_signals_are_messages, 0, 2);
    tcase_add_loop_test(tcase, kill_is_untrappable_and_spreads_as_killed, 0, 2);
    tcase_add_loop_test(tcase, kill_by_link_is_a_reason_like_any, 0, 2);
    tcase_add_test(tcase, own_normal_signal_ends);
    tcase_add_test(tcase, signal_to_nobody_vanishes);
}

int main(void)
{
    return run_tests("signals", add, setup, teardown);
}
