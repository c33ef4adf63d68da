/*
 * rex: calls, casts, and what old nodes and freshly connected ones send to it.
 */
#include "unit/otp/asker.h"

/* Send a message to rex from the asker. */
static void tell(struct cn_term message)
{
    struct dest rex = to_name("rex", "a@world");

    ck_assert_int_eq(procs_send(world_procs(&world, 1), asker_process, &rex, message), 0);
    world_settle(&world);
}

/* call and block_call give the value, or {badrpc, ...} as the rpc module does. */
START_TEST(calls_have_the_shapes_of_rpc)
{
    struct dest rex = to_name("rex", "a@world");

    ck_assert_str_eq(rpc("test", "echo", parse("[1]")), "reply 1");
    ck_assert_str_eq(rpc("foo", "bar", parse("[1]")),
                     "reply {badrpc,{EXIT,{undef,[{foo,bar,[1],[]}]}}}");
    ck_assert_str_eq(rpc("test", "fail", parse("[error,bad]")),
                     "reply {badrpc,{EXIT,{bad,[{test,fail,2,[]}]}}}");
    ck_assert_str_eq(rpc("test", "fail", parse("[exit,enough]")), "reply {badrpc,{EXIT,enough}}");
    ck_assert_str_eq(rpc("test", "fail", parse("[throw,ball]")), "reply ball");
    ck_assert_int_eq(call_start(client_server, &rex, parse("{block_call,test,echo,[2],user}"), 1000,
                                server_done, &client, NULL),
                     0);
    world_settle(&world);
    ck_assert_str_eq(server_last(&client), "reply 2");
}
END_TEST

/* An unknown call is answered, an unknown cast or message dropped. */
START_TEST(unknown_requests_do_not_hang)
{
    struct dest rex = to_name("rex", "a@world");

    ck_assert_int_eq(
        call_start(client_server, &rex, parse("dance"), 1000, server_done, &client, NULL), 0);
    world_settle(&world);
    ck_assert_str_eq(server_last(&client), "reply {badrpc,unknown_request}");
    tell(parse("{$gen_cast,dance}"));
    tell(parse("dance"));
    tell(parse_with("{%p,dance}", process_pid(asker_process)));
    ck_assert_uint_eq(asker.count, 0);
}
END_TEST

/* A node that has just connected asks for features. */
START_TEST(features_are_told)
{
    tell(parse_with("{%p,features_request}", process_pid(asker_process)));
    ck_assert_str_eq(asker.log[0], "{features_reply,a@world,[erpc]}");
}
END_TEST

/* Old nodes and C nodes call with a plain message. */
START_TEST(old_calls_are_answered)
{
    tell(parse_with("{%p,{call,test,echo,[3],user}}", process_pid(asker_process)));
    ck_assert_str_eq(asker.log[0], "{rex,3}");
    tell(parse_with("{%p,{call,foo,bar,[],user}}", process_pid(asker_process)));
    ck_assert_str_eq(asker.log[1], "{rex,{badrpc,{EXIT,{undef,[{foo,bar,[],[]}]}}}}");
}
END_TEST

/* sbcast and send deliver and report. */
START_TEST(broadcasts_are_delivered_and_reported)
{
    static struct server server;

    (void)server_start(world_procs(&world, 0), &server, "server");
    tell(parse_with("{%p,{sbcast,server,hello}}", process_pid(asker_process)));
    tell(parse_with("{%p,{sbcast,nobody,hello}}", process_pid(asker_process)));
    tell(parse_with("{%p,{send,server,hello}}", process_pid(asker_process)));
    tell(parse_with("{%p,{send,nobody,hello}}", process_pid(asker_process)));
    ck_assert_str_eq(server.log[0], "info hello");
    ck_assert_str_eq(server.log[1], "info {<b.1.0>,hello}");
    ck_assert_str_eq(asker.log[0], "{rex,a@world,a@world}");
    ck_assert_str_eq(asker.log[1], "{rex,a@world,{nonexisting_name,nobody}}");
    ck_assert_str_eq(asker.log[2], "{rex,a@world,{nonexisting_name,nobody}}");
    server_deinit(&server);
}
END_TEST

/* A cast runs; a call whose process is killed is answered badrpc, and its later answer lost. */
START_TEST(killed_calls_are_answered)
{
    struct cn_pid pid;

    tell(parse("{$gen_cast,{cast,test,keep,[],user}}"));
    ck_assert_ptr_nonnull(kept);
    apply_return_atom(kept, "ok");
    (void)rpc("test", "keep", parse("[]"));
    pid = *gen_server_pid(apply_server(kept));
    ck_assert_int_eq(procs_exit_signal(world_procs(&world, 0), NULL, &pid, atom("kill")), 0);
    world_settle(&world);
    ck_assert_str_eq(server_last(&client), "reply {badrpc,{EXIT,killed}}");
    apply_return_atom(kept, "late");
    world_settle(&world);
    ck_assert_uint_eq(client.count, 1);
}
END_TEST

/* A killed one is there again, and answers. */
START_TEST(killed_it_starts_again)
{
    struct process *first = procs_whereis(world_procs(&world, 0), view("rex"));
    struct cn_pid old = *process_pid(first);

    process_exit_atom(first, "killed");
    world_settle(&world);
    ck_assert_ptr_null(procs_find(world_procs(&world, 0), &old));
    ck_assert_str_eq(rpc("erlang", "node", parse("[]")), "reply a@world");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, killed_it_starts_again);
    tcase_add_test(tcase, calls_have_the_shapes_of_rpc);
    tcase_add_test(tcase, unknown_requests_do_not_hang);
    tcase_add_test(tcase, features_are_told);
    tcase_add_test(tcase, old_calls_are_answered);
    tcase_add_test(tcase, broadcasts_are_delivered_and_reported);
    tcase_add_test(tcase, killed_calls_are_answered);
}

int main(void)
{
    return run_tests("rex", add, asker_setup, asker_teardown);
}
