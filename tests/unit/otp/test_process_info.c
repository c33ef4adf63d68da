/*
 * erlang:process_info of processes here: the items that tools ask for, and that what is dead or
 * wrong is told as a BEAM tells it.
 */
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

/* All items of a process, with its module where tools look for it. */
START_TEST(all_items_are_told)
{
    ck_assert_int_eq(process_link(gen_server_process(self), process_pid(asker_process)), 0);
    ck_assert_str_eq(rpc("erlang", "process_info", parse_with("[%p]", &pid)),
                     "reply [{registered_name,server},{current_function,{test_server,loop,1}},"
                     "{initial_call,{test_server,init,1}},{status,waiting},{message_queue_len,0},"
                     "{links,[<b.1.0>]},{dictionary,[{$initial_call,{test_server,init,1}}]},"
                     "{trap_exit,false},{error_handler,error_handler},{priority,normal},"
                     "{group_leader,<a.3.0>},{total_heap_size,0},{heap_size,0},{stack_size,0},"
                     "{reductions,0},{garbage_collection,[]},{suspending,[]}]");
}
END_TEST

/* One item, or a list of them. */
START_TEST(single_items_are_told)
{
    ck_assert_str_eq(rpc("erlang", "process_info", parse_with("[%p,trap_exit]", &pid)),
                     "reply {trap_exit,false}");
    ck_assert_str_eq(rpc("Elixir.Process", "info",
                         parse_with("[%p,[status,message_queue_len]]", &pid)),
                     "reply [{status,waiting},{message_queue_len,0}]");
    ck_assert_str_eq(rpc("erlang", "process_info", parse_with("[%p,[]]", &pid)), "reply []");
    process_unregister(gen_server_process(self), "server");
    ck_assert_str_eq(rpc("erlang", "process_info", parse_with("[%p,registered_name]", &pid)),
                     "reply []");
}
END_TEST

/* What a process of OTP 29 that crashes asks of those it is linked to; badarg would hide its end.
 */
START_TEST(crash_reports_are_answered)
{
    ck_assert_str_eq(
        rpc("erlang", "process_info",
            parse_with("[%p,[heap_size,stack_size,reductions,current_stacktrace]]", &pid)),
        "reply [{heap_size,0},{stack_size,0},{reductions,0},"
        "{current_stacktrace,[{test_server,loop,1,[]}]}]");
    ck_assert_str_eq(
        rpc("erlang", "process_info",
            parse_with("[%p,[{dictionary,$ancestors},{dictionary,$initial_call}]]", &pid)),
        "reply [{{dictionary,$ancestors},undefined},"
        "{{dictionary,$initial_call},{test_server,init,1}}]");
    ck_assert_str_eq(rpc("erlang", "process_info", parse_with("[%p,{dictionary,other}]", &pid)),
                     "reply {{dictionary,other},undefined}");
}
END_TEST

/* What waits in the mailbox, and who watches whom. */
START_TEST(surroundings_are_told)
{
    struct dest dest = to_pid(&pid);
    struct cn_ref ref;

    ck_assert_int_eq(process_monitor(asker_process, &dest, &ref), 0);
    dest = to_name("nobody", "c@world");
    world_connect(&world, 0, 2);
    ck_assert_int_eq(process_monitor(gen_server_process(self), &dest, &ref), 0);
    ck_assert_str_eq(rpc("erlang", "process_info", parse_with("[%p,monitored_by]", &pid)),
                     "reply {monitored_by,[<b.1.0>]}");
    ck_assert_str_eq(rpc("erlang", "process_info", parse_with("[%p,[messages,memory]]", &pid)),
                     "reply [{messages,[]},{memory,0}]");
    ck_assert_str_eq(rpc("erlang", "process_info", parse_with("[%p,monitors]", &pid)),
                     "reply {monitors,[]}");
}
END_TEST

/* A dead process is undefined or nil; nonsense is badarg. */
START_TEST(dead_and_wrong_are_told)
{
    ck_assert_str_eq(rpc("erlang", "process_info", parse_with("[%p,dreams]", &pid)),
                     "reply {badrpc,{EXIT,{badarg,[{erlang,process_info,[<a.3.0>,dreams],"
                     "[{error_info,#{module=>erl_erts_errors}}]}]}}}");
    pid.serial++;
    ck_assert_str_eq(rpc("erlang", "process_info", parse_with("[%p]", &pid)), "reply undefined");
    ck_assert_str_eq(rpc("Elixir.Process", "info", parse_with("[%p]", &pid)), "reply nil");
    ck_assert_str_eq(rpc("erlang", "process_info", parse("[x]")),
                     "reply {badrpc,{EXIT,{badarg,[{erlang,process_info,[x],"
                     "[{error_info,#{module=>erl_erts_errors}}]}]}}}");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, all_items_are_told);
    tcase_add_test(tcase, single_items_are_told);
    tcase_add_test(tcase, crash_reports_are_answered);
    tcase_add_test(tcase, surroundings_are_told);
    tcase_add_test(tcase, dead_and_wrong_are_told);
}

int main(void)
{
    return run_tests("process_info", add, setup, teardown);
}
