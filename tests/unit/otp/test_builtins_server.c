/*
 * Questions to servers, asked by rpc: what is sent, what comes back, and how each fails.
 */
#include <string.h>

#include "otp/internal.h"
#include "unit/otp/asker.h"

static struct server server;
static struct gen_server *self;
static struct cn_pid pid;

static void setup(void)
{
    asker_setup();
    self = server_start(world_procs(&world, 0), &server, "server");
    pid = *gen_server_pid(self);
}

static void teardown(void)
{
    asker_teardown();
    server_deinit(&server);
}

/* A call is a call, by name, by pid and to another node. */
START_TEST(calls_are_made)
{
    ck_assert_str_eq(rpc("gen_server", "call", parse("[server,hello]")), "reply {echo,hello}");
    ck_assert_str_eq(rpc("Elixir.GenServer", "call", parse_with("[%p,hello,infinity]", &pid)),
                     "reply {echo,hello}");
    pid = *gen_server_pid(client_server);
    ck_assert_str_eq(rpc("Elixir.GenServer", "call", parse_with("[%p,hello]", &pid)),
                     "reply {echo,hello}");
    ck_assert_str_eq(rpc("gen_server", "cast", parse("[server,hello]")), "reply ok");
    ck_assert_str_eq(server_last(&server), "cast hello");
    ck_assert_str_eq(rpc("Elixir.GenServer", "cast", parse("[nobody,hello]")), "reply ok");
}
END_TEST

/* An answer that was encoded once goes on to erpc as that body, and is the same term for rex. */
START_TEST(answers_are_passed_on_as_they_were_sent)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_term(&writer, parse("{a,b,a}"));
    ck_assert_int_eq(etf_body_new(&writer, &server.body), 0);
    for (int i = 0; i < 2; i++) {
        world.nodes[0].shared[CONTROL_MONITOR_EXIT] = NULL;
        ck_assert_str_eq(erpc("gen_server", "call", parse("[server,shared]")),
                         "{1,return,{a,b,a}}");
        ck_assert_ptr_eq(world.nodes[0].shared[CONTROL_MONITOR_EXIT], server.body);
    }
    ck_assert_str_eq(rpc("gen_server", "call", parse("[server,shared]")), "reply {a,b,a}");
    ck_assert_str_eq(erpc("gen_server", "call", parse("[server,x]")), "{1,return,{echo,x}}");
    etf_body_put(server.body);
}
END_TEST

/* sys's questions go the same way. */
START_TEST(sys_is_asked)
{
    ck_assert_str_eq(rpc("sys", "suspend", parse("[server]")), "reply ok");
    ck_assert_ptr_nonnull(strstr(rpc("sys", "get_status", parse("[server]")), "suspended"));
    ck_assert_str_eq(rpc("sys", "resume", parse("[server,1000]")), "reply ok");
    ck_assert_str_eq(rpc("sys", "get_state", parse("[server]")), "reply {the,state}");
}
END_TEST

/* Who is not there is named with the function that asked. */
START_TEST(nobody_is_an_exit)
{
    ck_assert_str_eq(rpc("gen_server", "call", parse("[nobody,x]")),
                     "reply {badrpc,{EXIT,{noproc,{gen_server,call,[nobody,x]}}}}");
    ck_assert_str_eq(rpc("Elixir.GenServer", "call", parse("[nobody,x]")),
                     "reply {badrpc,{EXIT,{noproc,{Elixir.GenServer,call,[nobody,x,5000]}}}}");
    ck_assert_str_eq(rpc("sys", "get_state", parse("[nobody]")),
                     "reply {badrpc,{EXIT,{noproc,{sys,get_state,[nobody]}}}}");
    ck_assert_str_eq(
        rpc("supervisor", "which_children", parse("[nobody]")),
        "reply {badrpc,{EXIT,{noproc,{gen_server,call,[nobody,which_children,infinity]}}}}");
    (void)rpc("gen_server", "call", parse("[{s,c@world},x]"));
    procs_peer_down(world_procs(&world, 0), "c@world");
    world_settle(&world);
    ck_assert_str_eq(server_last(&client), "reply {badrpc,{EXIT,{{nodedown,c@world},"
                                           "{gen_server,call,[{s,c@world},x]}}}}");
}
END_TEST

/* What is no server, or no time, is badarg. */
START_TEST(nonsense_is_badarg)
{
    ck_assert_ptr_nonnull(strstr(rpc("gen_server", "call", parse("[1,x]")), "badarg"));
    ck_assert_ptr_nonnull(strstr(rpc("gen_server", "call", parse("[server,x,soon]")), "badarg"));
    ck_assert_ptr_nonnull(strstr(rpc("gen_server", "cast", parse("[1,x]")), "badarg"));
}
END_TEST

/* A server that does not answer in time is told as such, and nothing is left of the question. */
START_TEST(time_is_over)
{
    size_t before = procs_count(world_procs(&world, 0));

    ck_assert_int_eq(call_rpc(client_server, "a@world", "gen_server", "call",
                              parse("[server,wait,50]"), 1000, server_done, &client, NULL),
                     0);
    world_settle(&world);
    world_pass(&world, 60);
    ck_assert_str_eq(server_last(&client),
                     "reply {badrpc,{EXIT,{timeout,{gen_server,call,[server,wait,50]}}}}");
    ck_assert_uint_eq(procs_count(world_procs(&world, 0)), before);
}
END_TEST

/* Killed while it waits, the function is forgotten, and its caller told. */
START_TEST(killed_questions_are_forgotten)
{
    struct procs *procs = world_procs(&world, 0);
    struct cn_pid worker = {.creation = procs_creation(procs), .id = 4};

    ck_assert_int_eq(call_rpc(client_server, "a@world", "gen_server", "call",
                              parse("[server,wait]"), 1000, server_done, &client, NULL),
                     0);
    world_settle(&world);
    memcpy(worker.node, "a@world", sizeof("a@world"));
    process_exit_atom(procs_find(procs, &worker), "killed");
    world_settle(&world);
    ck_assert_str_eq(server_last(&client), "reply {badrpc,{EXIT,killed}}");
    ck_assert(list_empty(&functions->applies));
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, calls_are_made);
    tcase_add_test(tcase, answers_are_passed_on_as_they_were_sent);
    tcase_add_test(tcase, sys_is_asked);
    tcase_add_test(tcase, nobody_is_an_exit);
    tcase_add_test(tcase, nonsense_is_badarg);
    tcase_add_test(tcase, time_is_over);
    tcase_add_test(tcase, killed_questions_are_forgotten);
}

int main(void)
{
    return run_tests("builtins_server", add, setup, teardown);
}
