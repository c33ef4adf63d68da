/*
 * Outgoing calls: answers, ends of servers, timeouts, and what comes too late.
 */
#include <time.h>

#include "base/error.h"
#include "proc/internal.h"
#include "unit/no_memory.h"
#include "unit/otp/server.h"

static struct world world;
static struct server client, remote;
static struct gen_server *self, *far;
static struct dest target;

static void setup(void)
{
    world_init(&world);
    self = server_start(world_procs(&world, 0), &client, NULL);
    far = server_start(world_procs(&world, 1), &remote, "server");
    target = to_pid(gen_server_pid(far));
}

static void teardown(void)
{
    world_deinit(&world);
    server_deinit(&client);
    server_deinit(&remote);
}

static struct call *call(struct dest dest, const char *request, uint32_t timeout_ms)
{
    struct call *started = NULL;

    ck_assert_int_eq(
        call_start(self, &dest, parse(request), timeout_ms, server_done, &client, &started), 0);
    return started;
}

/* The answer comes as a callback; afterwards nothing is left of the call. */
START_TEST(answer_comes_once)
{
    (void)call(target, "{get,1}", 1000);
    (void)call(to_name("server", "b@world"), "two", 0);
    world_settle(&world);
    ck_assert_str_eq(client.log[0], "reply {echo,{get,1}}");
    ck_assert_str_eq(client.log[1], "reply {echo,two}");
    ck_assert_uint_eq(process_watchers(gen_server_process(far), NULL), 0);
    world_pass(&world, 5000);
    ck_assert_uint_eq(client.count, 2);
}
END_TEST

/* A server of the same node is called in the same way. */
START_TEST(local_server_answers)
{
    static struct server near_state;
    struct gen_server *near = server_start(world_procs(&world, 0), &near_state, NULL);

    (void)call(to_pid(gen_server_pid(near)), "hello", 1000);
    world_settle(&world);
    ck_assert_str_eq(server_last(&client), "reply {echo,hello}");
    server_deinit(&near_state);
}
END_TEST

/* A missing server, one that ends, and a lost node are told with their reasons. */
START_TEST(ends_are_told)
{
    (void)call(to_name("nobody", "b@world"), "x", 1000);
    world_settle(&world);
    ck_assert_str_eq(client.log[0], "down noproc");
    (void)call(target, "wait", 1000);
    world_settle(&world);
    gen_server_stop(far, parse("{shutdown,me}"));
    world_settle(&world);
    ck_assert_str_eq(client.log[1], "down {shutdown,me}");
    (void)call(to_name("rex", "c@world"), "x", 1000);
    procs_peer_down(world_procs(&world, 0), "c@world");
    world_settle(&world);
    ck_assert_str_eq(client.log[2], "down noconnection");
}
END_TEST

/* After its timeout a call is over: the late answer vanishes. */
START_TEST(timeout_ends_the_call)
{
    (void)call(target, "wait", 1000);
    world_settle(&world);
    world_pass(&world, 999);
    ck_assert_uint_eq(client.count, 0);
    world_pass(&world, 1);
    ck_assert_str_eq(client.log[0], "timeout timeout");
    (void)gen_reply(world_procs(&world, 1), remote.waiting, atom("late"));
    world_settle(&world);
    ck_assert_uint_eq(client.count, 1);
}
END_TEST

static void count_timeout(struct gen_server *server, void *context, enum call_outcome outcome,
                          struct cn_term term)
{
    ck_assert_int_eq(outcome, CALL_TIMEOUT);
    (*(size_t *)context)++;
}

/* Start @count calls to a node that does not answer. */
static void call_silent(size_t count, uint32_t timeout_ms, size_t *ended)
{
    struct dest silent = to_name("server", "c@world");

    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(
            call_start(self, &silent, atom("hello"), timeout_ms, count_timeout, ended, NULL), 0);
}

/* The processor time, in ms, that 1,000 timeouts take. */
static double timeouts_ms(void)
{
    size_t ended = 0;
    clock_t start;

    call_silent(1000, 1000, &ended);
    world_settle(&world);
    start = clock();
    world_pass(&world, 1000);
    ck_assert_uint_eq(ended, 1000);
    return (double)(clock() - start) * 1000 / CLOCKS_PER_SEC;
}

/* A timeout costs the same however many other calls are open. */
START_TEST(timeouts_are_found_at_once)
{
    size_t ended = 0;
    double alone = timeouts_ms();

    call_silent(20000, 0, &ended);
    ck_assert_double_lt(timeouts_ms(), 5 * alone + 10);
    ck_assert_uint_eq(ended, 0);
}
END_TEST

#define MANY 20000u

static void count_end(struct gen_server *server, void *context, enum call_outcome outcome,
                      struct cn_term term)
{
    (*(size_t *)context)++;
}

/* Start MANY calls to a node, and lose it: as many DOWNs wait. */
static void lose_many(uint32_t timeout_ms, size_t *ended)
{
    struct dest silent = to_name("server", "c@world");

    for (size_t i = 0; i < MANY; i++)
        ck_assert_int_eq(
            call_start(self, &silent, atom("hello"), timeout_ms, count_end, ended, NULL), 0);
    procs_peer_down(world_procs(&world, 0), "c@world");
}

/* A node that is lost with many calls under way costs what they cost one by one. */
START_TEST(many_ends_are_not_searched_for)
{
    size_t ended = 0;

    lose_many(0, &ended);
    world_settle(&world);
    ck_assert_uint_eq(ended, MANY);
    ck_assert_uint_eq(world_procs(&world, 0)->flush_looks, 0);
}
END_TEST

/* So do calls whose time is over before their ends are looked at. */
START_TEST(many_late_ends_are_found_at_once)
{
    size_t ended = 0;

    world_settle(&world);
    lose_many(1000, &ended);
    world_pass(&world, 1000);
    ck_assert_uint_eq(ended, MANY);
    ck_assert_uint_eq(client.count, 0);
    ck_assert_uint_le(world_procs(&world, 0)->flush_looks, MANY);
}
END_TEST

/* So does a server that ends while the ends of its calls wait for it. */
START_TEST(many_calls_end_with_their_server)
{
    size_t ended = 0;

    lose_many(0, &ended);
    gen_server_stop_atom(self, "normal");
    world_settle(&world);
    ck_assert_uint_eq(ended, 0);
    ck_assert_uint_eq(world_procs(&world, 0)->flush_looks, 0);
}
END_TEST

/* A cancelled call is not answered. */
START_TEST(cancelled_call_is_silent)
{
    call_cancel(call(target, "x", 1000));
    world_pass(&world, 2000);
    ck_assert_uint_eq(client.count, 0);
}
END_TEST

/* A late answer to the pid, from a server without aliases, is recognised and dropped. */
START_TEST(late_answer_to_the_pid_is_dropped)
{
    call_cancel(call(target, "wait", 1000));
    world_settle(&world);
    world.nodes[1].no_alias = true;
    (void)gen_reply(world_procs(&world, 1), remote.waiting, atom("late"));
    world_settle(&world);
    ck_assert_uint_eq(client.count, 0);
}
END_TEST

/* A server that ends takes its calls with it, without callbacks. */
START_TEST(calls_end_with_their_server)
{
    (void)call(target, "wait", 1000);
    world_settle(&world);
    gen_server_stop_atom(self, "normal");
    world_settle(&world);
    ck_assert_uint_eq(process_watchers(gen_server_process(far), NULL), 0);
    ck_assert_uint_eq(client.count, 0);
}
END_TEST

/* rpc goes to the node's rex. */
START_TEST(rpc_asks_rex)
{
    static struct server rex;

    (void)server_start(world_procs(&world, 1), &rex, "rex");
    ck_assert_int_eq(
        call_rpc(self, "b@world", "m", "f", parse("[1,a]"), 1000, server_done, &client, NULL), 0);
    world_settle(&world);
    ck_assert_str_eq(rex.log[0], "call {call,m,f,[1,a],user}");
    ck_assert_str_eq(client.log[0], "reply {echo,{call,m,f,[1,a],user}}");
    server_deinit(&rex);
}
END_TEST

static struct cn_term x;

static int call_x(void *context)
{
    return call_start(self, context, x, 1000, server_done, &client, NULL);
}

/* Calling fails cleanly at each allocation: no monitor, no timer, no callback stay behind. */
START_TEST(call_survives_no_memory)
{
    static struct server near_state;
    struct gen_server *near = server_start(world_procs(&world, 0), &near_state, NULL);
    struct dest dest = to_pid(gen_server_pid(near));

    x = atom("x");
    ck_assert_uint_gt(no_memory_sweep(call_x, &dest), 5);
    ck_assert_uint_eq(process_watchers(gen_server_process(near), NULL), 1);
    world_settle(&world);
    ck_assert_str_eq(client.log[0], "reply {echo,x}");
    ck_assert_uint_eq(client.count, 1);
    server_deinit(&near_state);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, answer_comes_once);
    tcase_add_test(tcase, local_server_answers);
    tcase_add_test(tcase, ends_are_told);
    tcase_add_test(tcase, timeout_ends_the_call);
    tcase_add_test(tcase, timeouts_are_found_at_once);
    tcase_add_test(tcase, many_ends_are_not_searched_for);
    tcase_add_test(tcase, many_late_ends_are_found_at_once);
    tcase_add_test(tcase, many_calls_end_with_their_server);
    tcase_add_test(tcase, cancelled_call_is_silent);
    tcase_add_test(tcase, late_answer_to_the_pid_is_dropped);
    tcase_add_test(tcase, calls_end_with_their_server);
    tcase_add_test(tcase, rpc_asks_rex);
    tcase_add_test(tcase, call_survives_no_memory);
}

int main(void)
{
    return run_tests("call", add, setup, teardown);
}
