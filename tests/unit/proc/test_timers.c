/*
 * Timers of processes: their moments and order, taking them back at any time, and a clock that
 * starts with the first turn.
 */
#include "unit/no_memory.h"
#include "unit/proc/world.h"

static struct procs *procs;
static struct probe p;
static struct process *process;

static void setup(void)
{
    ck_assert_int_eq(procs_new("x@world", 7, NULL, NULL, &procs), 0);
    process = probe_start(procs, &p);
}

static void teardown(void)
{
    procs = procs_free(procs);
    probe_deinit(&p);
}

static uint64_t start(uint64_t delay_ms)
{
    uint64_t timer = 0;

    ck_assert_int_eq(process_start_timer(process, delay_ms, &timer), 0);
    ck_assert_uint_ne(timer, 0);
    return timer;
}

/* Timers fire at their moment, in the order of their moments, once. */
START_TEST(timers_fire_in_order)
{
    uint64_t late = 0;
    uint64_t early = 0;

    (void)procs_run(procs, 1000);
    late = start(20);
    early = start(10);
    ck_assert_uint_eq(procs_run(procs, 1009), 1010);
    ck_assert_uint_eq(p.timer_count, 0);
    ck_assert_uint_eq(procs_run(procs, 1010), 1020);
    ck_assert_uint_eq(p.timers[0], early);
    ck_assert_uint_eq(procs_run(procs, 9000), UINT64_MAX);
    ck_assert_uint_eq(p.timers[1], late);
    ck_assert_uint_eq(p.timer_count, 2);
}
END_TEST

/* A timer set before the clock is known counts from the first turn on. */
START_TEST(clock_starts_with_the_first_turn)
{
    (void)start(50);
    ck_assert_uint_eq(procs_run(procs, 1000000), 1000050);
    ck_assert_uint_eq(p.timer_count, 0);
    (void)procs_run(procs, 1000050);
    ck_assert_uint_eq(p.timer_count, 1);
}
END_TEST

/* A timer that was taken back does not fire, nor one of a process that has ended. */
START_TEST(cancelled_timers_do_not_fire)
{
    uint64_t timer = start(10);

    (void)start(10);
    process_cancel_timer(process, timer);
    process_cancel_timer(process, timer);
    process_cancel_timer(process, 12345);
    (void)procs_run(procs, 0);
    (void)procs_run(procs, 10);
    ck_assert_uint_eq(p.timer_count, 1);
    (void)start(10);
    process_exit_atom(process, "normal");
    (void)procs_run(procs, 30);
    ck_assert_uint_eq(p.timer_count, 1);
    ck_assert_uint_eq(procs_run(procs, 31), UINT64_MAX);
}
END_TEST

static uint64_t second;

static void cancel_second(struct process *self, struct probe *probe, struct cn_term message)
{
    process_cancel_timer(self, second);
}

/* Taken back while it is due but has not had its turn, it does not fire either. */
START_TEST(due_timer_can_be_cancelled)
{
    static struct probe first_state;
    struct process *first = NULL;
    uint64_t timer = 0;

    (void)procs_run(procs, 0);
    first = probe_start(procs, &first_state);
    first_state.on_message = cancel_second;
    ck_assert_int_eq(process_start_timer(first, 5, &second), 0);
    ck_assert_int_eq(process_start_timer(process, 5, &timer), 0);
    process_cancel_timer(process, second); /* not its own */
    ck_assert_uint_eq(procs_run(procs, 4), 5);
    process_cancel_timer(first, second);
    (void)procs_run(procs, 5);
    ck_assert_uint_eq(first_state.timer_count, 0);
    ck_assert_uint_eq(p.timer_count, 1);
}
END_TEST

/* A very long delay does not wrap around. */
START_TEST(endless_delay_waits)
{
    (void)procs_run(procs, 5000);
    (void)start(UINT64_MAX);
    ck_assert_uint_gt(procs_run(procs, 6000), 1000000);
    ck_assert_uint_eq(p.timer_count, 0);
}
END_TEST

static int start_timer(void *context)
{
    uint64_t timer;

    return process_start_timer(context, 10, &timer);
}

/* Starting fails cleanly at each allocation. */
START_TEST(start_survives_no_memory)
{
    ck_assert_uint_ge(no_memory_sweep(start_timer, process), 3);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, timers_fire_in_order);
    tcase_add_test(tcase, clock_starts_with_the_first_turn);
    tcase_add_test(tcase, cancelled_timers_do_not_fire);
    tcase_add_test(tcase, due_timer_can_be_cancelled);
    tcase_add_test(tcase, endless_delay_waits);
    tcase_add_test(tcase, start_survives_no_memory);
}

int main(void)
{
    return run_tests("timers", add, setup, teardown);
}
