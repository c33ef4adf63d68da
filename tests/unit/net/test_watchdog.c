/*
 * The watchdog: sockets that are shut down when the loop stands still, and not when it turns.
 */
#include "net/watchdog.h"

#include <check.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_MS 50
/* Long enough for a busy machine to let a loop turn that can. */
#define PATIENT_MS 3000

static struct loop *loop;
static struct watchdog *watchdog;
static int pair[2];
static struct watched_socket watched;
static struct loop_timer timer;
static int barks;

static void on_bark(void *context)
{
    ck_assert_ptr_eq(context, &barks);
    barks++;
}

static void setup(void)
{
    ck_assert_int_eq(loop_new(&loop), 0);
    ck_assert_int_eq(watchdog_new(loop, LIMIT_MS, on_bark, &barks, &watchdog), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    watched = (struct watched_socket){0};
    watchdog_add(watchdog, &watched, pair[0]);
    barks = 0;
}

static void teardown(void)
{
    watchdog_remove(watchdog, &watched);
    watchdog = watchdog_free(watchdog);
    loop = loop_free(loop);
    close(pair[0]);
    close(pair[1]);
}

/* Wait until the other end is closed: fails by the test's time limit. */
static void await_end(void)
{
    char byte;

    ck_assert_int_eq(read(pair[1], &byte, 1), 0);
}

static bool is_open(void)
{
    char byte;

    return recv(pair[1], &byte, 1, MSG_DONTWAIT) < 0;
}

static void on_stop(void *context)
{
    loop_stop(context);
}

static void run_for(uint64_t ms)
{
    loop_timer_init(&timer, loop, on_stop, loop);
    loop_timer_start(&timer, ms);
    loop_run(loop);
}

/* A loop that does not turn loses its sockets, and is told so when it does. */
START_TEST(standing_loop_loses_its_sockets)
{
    await_end();
    ck_assert_int_eq(barks, 0);
    run_for(LIMIT_MS);
    ck_assert_int_eq(barks, 1);
}
END_TEST

/* A loop that turns, with nothing to do, keeps them. */
START_TEST(turning_loop_keeps_its_sockets)
{
    watchdog_remove(watchdog, &watched);
    watchdog = watchdog_free(watchdog);
    ck_assert_int_eq(watchdog_new(loop, PATIENT_MS, on_bark, &barks, &watchdog), 0);
    watchdog_add(watchdog, &watched, pair[0]);
    run_for(PATIENT_MS * 2);
    ck_assert(is_open());
    ck_assert_int_eq(barks, 0);
}
END_TEST

/* A socket that is no longer watched over stays as it is. */
START_TEST(removed_socket_is_left_alone)
{
    struct watched_socket never = {0};
    int other[2];
    struct watched_socket second = {0};
    char byte;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, other), 0);
    watchdog_add(watchdog, &second, other[0]);
    watchdog_remove(watchdog, &watched);
    watchdog_remove(watchdog, &watched);
    watchdog_remove(watchdog, &never);
    ck_assert_int_eq(read(other[1], &byte, 1), 0);
    ck_assert(is_open());
    watchdog_remove(watchdog, &second);
    close(other[0]);
    close(other[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("watchdog");
    TCase *tests = tcase_create("watchdog");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, standing_loop_loses_its_sockets);
    tcase_add_test(tests, turning_loop_keeps_its_sockets);
    tcase_add_test(tests, removed_socket_is_left_alone);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
