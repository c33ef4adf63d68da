/*
 * The host process: its name, its timers, its death.
 *
 * What it answers is in test_requests.c, what it says to others in test_members.c.
 */
#include <string.h>

#include "base/error.h"
#include "session/host.h"
#include "unit/session/fake_host.h"
#include "unit/session/main.h"

static int fired;

static void fire(struct host_timer *timer)
{
    fired++;
}

/* Timers fire once, can be set anew and stopped. */
START_TEST(timers)
{
    struct hosts *hosts = cluster_host(&cluster, 0);
    struct host_timer a = {.id = 0}, b = {.id = 0};

    fired = 0;
    ck_assert_int_eq(host_timer_start(hosts, &a, 100, fire), 0);
    ck_assert_int_eq(host_timer_start(hosts, &b, 100, fire), 0);
    ck_assert_int_eq(host_timer_start(hosts, &a, 200, fire), 0);
    cluster_pass(&cluster, 100);
    ck_assert_int_eq(fired, 1);
    ck_assert_uint_eq(b.id, 0);
    host_timer_stop(hosts, &a);
    host_timer_stop(hosts, &a);
    cluster_pass(&cluster, 200);
    ck_assert_int_eq(fired, 1);
}
END_TEST

/* One host per node. */
START_TEST(name_is_taken)
{
    struct hosts_config config = cluster_config(&cluster, 0);
    struct hosts *second = NULL;

    cluster_host(&cluster, 0);
    ck_assert_int_eq(hosts_new(world_procs(&cluster.world, 0), cluster.nodes[0].functions, NULL,
                               &toy_game, &config, &second),
                     CN_E_TAKEN);
    ck_assert_ptr_null(second);
    cluster_settle(&cluster);
    ck_assert_str_eq(cluster_call_host(&cluster, 1, 0, parse("sessions")), "reply []");
}
END_TEST

static const char *last_word;

static void note(struct gen_server *self, void *context, enum call_outcome outcome,
                 struct cn_term term)
{
    last_word = show(term);
}

/* Killed, the host process starts again: what it waits for comes, and the others know its pid. */
START_TEST(death_of_the_host_process)
{
    static struct fake_host fake;
    int hellos;
    struct hosts *hosts = cluster_host(&cluster, 0);
    struct host_timer timer = {.id = 0};
    struct session *toy = cluster_start(&cluster, 0, "t", NULL);
    struct cn_pid pid = *session_pid(toy);
    struct cn_pid old = *host_pid(hosts);
    struct dest dest = to_pid(&pid);

    fake_host_start(&fake, &cluster, 1);
    fake_host_hello(&fake, 0);
    cluster_pass(&cluster, 200); /* what is told of the session's start is told */
    hellos = fake.hellos;
    fired = 0;
    last_word = "";
    ck_assert_int_eq(host_timer_start(hosts, &timer, 100, fire), 0);
    ck_assert_int_eq(host_call(hosts, &dest, atom("get"), 100, note, NULL, NULL), 0);
    procs_exit_signal(world_procs(&cluster.world, 1), NULL, &old, atom("kill"));
    cluster_settle(&cluster);
    ck_assert(cluster_logged(&cluster, 0, "started again"));
    ck_assert(!cn_pid_equal(host_pid(hosts), &old));
    ck_assert_int_gt(fake.hellos, hellos);
    ck_assert_ptr_nonnull(strstr(fake.told, show(pid_term(host_pid(hosts)))));
    ck_assert_str_eq(last_word, "[]");
    cluster_pass(&cluster, 100);
    ck_assert_int_eq(fired, 1);
    ck_assert_ptr_nonnull(strstr(cluster_call_host(&cluster, 2, 0, parse("sessions")), "<<t>>"));
    ck_assert_ptr_nonnull(strstr(cluster_call_host(&cluster, 2, 0, parse("hosts")), "b@world"));
}
END_TEST

/* Killed, the waiter takes the node with it, for what waits would wait for ever. */
START_TEST(death_of_the_waiter)
{
    struct hosts *hosts = cluster_host(&cluster, 0);
    struct host_timer timer = {.id = 0};
    struct session *toy = cluster_start(&cluster, 0, "t", NULL);
    struct cn_pid pid = *session_pid(toy);
    struct dest dest = to_pid(&pid);

    ck_assert_int_eq(host_timer_start(hosts, &timer, 100, fire), 0);
    procs_exit_signal(world_procs(&cluster.world, 1), NULL, gen_server_pid(hosts->server),
                      atom("kill"));
    cluster_settle(&cluster);
    ck_assert(cluster_logged(&cluster, 0, "hosting is over"));
    ck_assert_uint_eq(timer.id, 0);
    ck_assert_int_eq(host_timer_start(hosts, &timer, 100, fire), CN_E_CLOSED);
    ck_assert_int_eq(host_call(hosts, &dest, atom("get"), 100, note, NULL, NULL), CN_E_CLOSED);
    hosts_node_up(hosts, cluster_name(&cluster, 1));
    hosts_drain(hosts);
    cluster_settle(&cluster);
    ck_assert_int_eq(cluster.nodes[0].drained, 1);
    ck_assert_int_eq(cluster.nodes[0].exit_code, 70);
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("host", &tests);

    tcase_add_test(tests, timers);
    tcase_add_test(tests, name_is_taken);
    tcase_add_test(tests, death_of_the_host_process);
    tcase_add_test(tests, death_of_the_waiter);
    return run_suite(suite);
}
