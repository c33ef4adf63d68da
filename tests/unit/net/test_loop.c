/*
 * The loop: turns, timers, signals, the end of standard input. Delays are a few milliseconds and
 * only ever bound from below, so a slow machine cannot fail them.
 */
#include "support.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct loop *loop;
static char order[64];
static size_t order_size;
static size_t turns;
static uint64_t wanted;
static size_t turns_max;

static void setup(void)
{
    ck_assert_int_eq(loop_new(&loop), 0);
    memset(order, 0, sizeof(order));
    order_size = 0;
    turns = 0;
    wanted = UINT64_MAX;
    turns_max = SIZE_MAX;
}

static void teardown(void)
{
    loop = loop_free(loop);
}

static void write_down(void *context)
{
    if (order_size < sizeof(order) - 1)
        order[order_size++] = *(const char *)context;
}

static void stop(void *context)
{
    loop_stop(loop);
}

static uint64_t on_turn(void *context, uint64_t now_ms)
{
    ck_assert_uint_eq(now_ms, loop_now_ms(loop));
    if (++turns >= turns_max)
        loop_stop(loop);
    return wanted == UINT64_MAX || wanted == 0 ? wanted : now_ms + wanted;
}

/* Timers expire in the order of their times, equal ones in the order in which they were started. */
START_TEST(timers_expire_in_order)
{
    struct loop_timer timers[5];
    static const char names[] = "abcd";
    static const uint64_t delays[] = {20, 5, 20, 1};

    for (size_t i = 0; i < 4; i++) {
        loop_timer_init(&timers[i], loop, write_down, (void *)(uintptr_t)&names[i]);
        loop_timer_start(&timers[i], delays[i]);
    }
    loop_timer_init(&timers[4], loop, stop, NULL);
    loop_timer_start(&timers[4], 30);
    loop_run(loop);
    ck_assert_str_eq(order, "dbac");
    ck_assert(!loop_timer_running(&timers[0]));
}
END_TEST

/* A stopped timer does not expire, a restarted one expires once. */
START_TEST(timers_stop_and_restart)
{
    struct loop_timer a;
    struct loop_timer b;
    struct loop_timer end;

    loop_timer_init(&a, loop, write_down, (void *)(uintptr_t) "a");
    loop_timer_init(&b, loop, write_down, (void *)(uintptr_t) "b");
    loop_timer_init(&end, loop, stop, NULL);
    loop_timer_stop(&a);
    loop_timer_start(&a, 1);
    loop_timer_start(&b, 1);
    loop_timer_stop(&a);
    ck_assert(!loop_timer_running(&a));
    loop_timer_start(&b, 5);
    loop_timer_start(&end, 20);
    loop_run(loop);
    ck_assert_str_eq(order, "b");
}
END_TEST

static struct loop_timer again;

static void start_again(void *context)
{
    write_down(context);
    loop_timer_start(&again, 0);
}

/* A timer that starts itself anew without delay does not lock others out. */
START_TEST(timer_without_delay_leaves_room)
{
    struct loop_timer end;

    loop_timer_init(&again, loop, start_again, (void *)(uintptr_t) "x");
    loop_timer_init(&end, loop, stop, NULL);
    loop_timer_start(&again, 0);
    loop_timer_start(&end, 5);
    loop_run(loop);
    ck_assert_uint_gt(order_size, 0);
}
END_TEST

/* The turn is called before each sleep; work left means no sleep, which nothing would end here. */
START_TEST(turns_without_sleep)
{
    wanted = 0;
    turns_max = 1000;
    loop_set_turn(loop, on_turn, NULL);
    loop_run(loop);
    ck_assert_uint_eq(turns, 1000);
}
END_TEST

/* A wanted moment wakes the loop at that moment. */
START_TEST(turns_at_a_wanted_moment)
{
    uint64_t start = loop_now_ms(loop);

    wanted = 10;
    turns_max = 4;
    loop_set_turn(loop, on_turn, NULL);
    loop_run(loop);
    ck_assert_uint_ge(loop_now_ms(loop) - start, 30);
}
END_TEST

/* A turn that wants nothing sleeps until there is input. */
START_TEST(turns_only_when_something_happens)
{
    struct loop_timer end;

    loop_set_turn(loop, on_turn, NULL);
    loop_timer_init(&end, loop, stop, NULL);
    loop_timer_start(&end, 100);
    loop_run(loop);
    ck_assert_uint_le(turns, 5);
}
END_TEST

static void on_signal(void *context, int signum)
{
    *(int *)context = signum;
    loop_stop(loop);
}

/* SIGTERM, SIGINT and SIGHUP arrive in the loop; SIGPIPE does no harm. */
START_TEST(signals_arrive)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    int seen = 0;

    ck_assert_int_eq(loop_watch_signals(loop, on_signal, &seen), 0);
    for (size_t i = 0; i < 3; i++) {
        raise(numbers[i]);
        loop_run(loop);
        ck_assert_int_eq(seen, numbers[i]);
    }
    raise(SIGPIPE);
}
END_TEST

/* The end of standard input is told once; input before it means nothing. */
START_TEST(end_of_standard_input)
{
    int pipes[2];

    ck_assert_int_eq(pipe(pipes), 0);
    ck_assert_int_eq(dup2(pipes[0], STDIN_FILENO), STDIN_FILENO);
    close(pipes[0]);
    ck_assert_int_eq(write(pipes[1], "hello", 5), 5);
    close(pipes[1]);
    ck_assert_int_eq(loop_watch_stdin(loop, stop, NULL), 0);
    loop_run(loop);
}
END_TEST

/* Input that is a file has no end worth waiting for. */
START_TEST(standard_input_that_is_no_stream)
{
    ck_assert_ptr_nonnull(freopen("/dev/null", "r", stdin));
    ck_assert_int_lt(loop_watch_stdin(loop, stop, NULL), 0);
}
END_TEST

/* The clock for measuring passes while a turn lasts. */
START_TEST(clock_passes)
{
    uint64_t start = loop_clock_us();

    while (loop_clock_us() == start)
        ;
    ck_assert_uint_gt(loop_clock_us(), start);
}
END_TEST

/* A pause takes its time, and no time when it is none. */
START_TEST(pauses)
{
    uint64_t start = loop_clock_us();

    loop_pause(loop, 0);
    loop_pause(loop, 300);
    ck_assert_uint_ge(loop_clock_us() - start, 300);
}
END_TEST

/* The wall clock is after the day this was written. */
START_TEST(wall_clock)
{
    ck_assert_int_gt(loop_wall_ms(), INT64_C(1700000000000));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("loop");
    TCase *tcase = tcase_create("loop");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, timers_expire_in_order);
    tcase_add_test(tcase, timers_stop_and_restart);
    tcase_add_test(tcase, timer_without_delay_leaves_room);
    tcase_add_test(tcase, turns_without_sleep);
    tcase_add_test(tcase, turns_at_a_wanted_moment);
    tcase_add_test(tcase, turns_only_when_something_happens);
    tcase_add_test(tcase, signals_arrive);
    tcase_add_test(tcase, end_of_standard_input);
    tcase_add_test(tcase, standard_input_that_is_no_stream);
    tcase_add_test(tcase, clock_passes);
    tcase_add_test(tcase, pauses);
    tcase_add_test(tcase, wall_clock);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
