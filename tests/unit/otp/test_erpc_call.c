/*
 * Functions applied on another node and on this one: what the caller is told of each end.
 */
#include <errno.h>

#include "otp/internal.h"
#include "unit/otp/asker.h"

static struct server local; /* a gen_server of node a, which has the functions */
static struct gen_server *local_server;

static void setup(void)
{
    asker_setup();
    local_server = server_start(world_procs(&world, 0), &local, NULL);
}

static void teardown(void)
{
    asker_teardown();
    server_deinit(&local);
}

static struct call *begin(const char *function, struct cn_term arguments, uint32_t timeout_ms)
{
    struct call_mfa mfa = {"a@world", "test", function, arguments};
    struct call *call = NULL;

    ck_assert_int_eq(
        call_erpc(functions, client_server, &mfa, timeout_ms, server_done, &client, &call), 0);
    return call;
}

/* From node b to node a. */
static const char *there(const char *function, const char *arguments)
{
    begin(function, parse(arguments), 1000);
    world_settle(&world);
    return server_last(&client);
}

/* From node a to itself. */
static const char *here(const char *function, const char *arguments)
{
    struct call_mfa mfa = {"a@world", "test", function, parse(arguments)};

    ck_assert_int_eq(call_erpc(functions, local_server, &mfa, 1000, server_done, &local, NULL), 0);
    world_settle(&world);
    return server_last(&local);
}

static void check(const char *(*apply)(const char *function, const char *arguments))
{
    ck_assert_str_eq(apply("echo", "[{a,1}]"), "reply {a,1}");
    ck_assert_str_eq(apply("fail", "[throw,ball]"), "raised {throw,ball}");
    ck_assert_str_eq(apply("fail", "[exit,why]"), "raised {exit,{exception,why}}");
    ck_assert_str_eq(apply("fail", "[error,why]"),
                     "raised {error,{exception,why,[{test,fail,2,[]}]}}");
    ck_assert_str_eq(apply("nothing", "[x]"),
                     "raised {error,{exception,undef,[{test,nothing,[x],[]}]}}");
}

/* Values and exceptions of each class, as erpc:call has them, from another node and from here. */
START_TEST(outcomes_are_those_of_erpc)
{
    check(there);
    check(here);
}
END_TEST

/* The process that worked for us was killed: its reason is a signal, whatever it looks like. */
START_TEST(killed_work_is_a_signal)
{
    struct cn_pid worker = {.creation = 100, .id = 4, .node = "a@world"};

    begin("keep", parse("[]"), 1000);
    world_settle(&world);
    process_exit(procs_find(world_procs(&world, 0), &worker), parse("{erpc,dance,x}"));
    world_settle(&world);
    ck_assert_str_eq(server_last(&client), "raised {exit,{signal,{erpc,dance,x}}}");
}
END_TEST

/* After its time the call is over; what comes later is nobody's. */
START_TEST(time_is_over)
{
    begin("keep", parse("[]"), 50);
    world_settle(&world);
    world_pass(&world, 60);
    ck_assert_str_eq(server_last(&client), "raised {error,{erpc,timeout}}");
    apply_return(kept, atom("late"));
    kept = NULL;
    world_settle(&world);
    ck_assert_uint_eq(client.count, 1);
    begin("keep", parse("[]"), 50); /* not even spawned when its time is over */
    world_pass(&world, 60);
    ck_assert_uint_eq(client.count, 2);
}
END_TEST

/* A lost node, one that cannot be reached, and one that is too old. */
START_TEST(nodes_that_cannot_are_told)
{
    begin("keep", parse("[]"), 0);
    world_settle(&world);
    begin("keep", parse("[]"), 0);
    world_cut(&world, 0, 1);
    world_settle(&world);
    ck_assert_str_eq(client.log[0], "raised {error,{erpc,noconnection}}");
    ck_assert_str_eq(client.log[1], "raised {error,{erpc,noconnection}}");
    world_connect(&world, 0, 1);
    world.nodes[1].send_result = -ENOTSUP;
    ck_assert_str_eq(there("echo", "[x]"), "raised {error,{erpc,notsup}}");
    world.nodes[1].send_result = 0;
    procs_set_spawn_handler(world_procs(&world, 0), NULL, NULL);
    ck_assert_str_eq(there("echo", "[x]"), "raised {error,{erpc,notsup}}");
}
END_TEST

/* A call that is taken back says nothing more, before and after the reply. */
START_TEST(cancelled_calls_are_silent)
{
    call_cancel(begin("echo", parse("[x]"), 1000));
    world_settle(&world);
    struct call *call = begin("keep", parse("[]"), 1000);

    world_settle(&world);
    call_cancel(call);
    world_settle(&world);
    ck_assert_uint_eq(client.count, 0);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, outcomes_are_those_of_erpc);
    tcase_add_test(tcase, killed_work_is_a_signal);
    tcase_add_test(tcase, time_is_over);
    tcase_add_test(tcase, nodes_that_cannot_are_told);
    tcase_add_test(tcase, cancelled_calls_are_silent);
}

int main(void)
{
    return run_tests("erpc_call", add, setup, teardown);
}
