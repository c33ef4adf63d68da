/*
 * The processes of this node, asked by rpc. Answers are compared as text with what a BEAM answers.
 */
#include <string.h>

#include "proc/internal.h"
#include "unit/otp/asker.h"

/* Alive is a pid of this life of this node; an older one is dead, another node's a bad argument. */
START_TEST(alive_compares_creations)
{
    static struct probe p;
    struct process *process = probe_start(world_procs(&world, 0), &p);
    struct cn_pid pid = *process_pid(process);

    ck_assert_str_eq(rpc("erlang", "is_process_alive", parse_with("[%p]", &pid)), "reply true");
    pid.creation--;
    ck_assert_str_eq(rpc("Elixir.Process", "alive?", parse_with("[%p]", &pid)), "reply false");
    pid = *process_pid(asker_process);
    ck_assert_str_eq(rpc("Elixir.Process", "alive?", parse_with("[%p]", &pid)),
                     "reply {badrpc,{EXIT,{badarg,[{Elixir.Process,alive?,1,[]}]}}}");
    ck_assert_str_eq(rpc("erlang", "is_process_alive", parse("[x]")),
                     "reply {badrpc,{EXIT,{badarg,[{erlang,is_process_alive,[x],"
                     "[{error_info,#{module=>erl_erts_errors}}]}]}}}");
}
END_TEST

/* Names are found and listed. */
START_TEST(names_are_told)
{
    ck_assert_str_eq(rpc("erlang", "whereis", parse("[rex]")), "reply <a.2.0>");
    ck_assert_str_eq(rpc("erlang", "whereis", parse("[nobody]")), "reply undefined");
    ck_assert_str_eq(rpc("Elixir.Process", "whereis", parse("[nobody]")), "reply nil");
    ck_assert_str_eq(rpc("erlang", "registered", parse("[]")), "reply [net_kernel,rex]");
    ck_assert_str_eq(rpc("erlang", "whereis", parse("[1]")),
                     "reply {badrpc,{EXIT,{badarg,[{erlang,whereis,[1],"
                     "[{error_info,#{module=>erl_erts_errors}}]}]}}}");
}
END_TEST

/* All are listed, the one that answers too, which is self. */
START_TEST(processes_are_listed)
{
    ck_assert_str_eq(rpc("erlang", "processes", parse("[]")), "reply [<a.1.0>,<a.2.0>,<a.3.0>]");
    ck_assert_str_eq(rpc("erlang", "self", parse("[]")), "reply <a.4.0>");
}
END_TEST

/* More than may be in one answer are refused by name. */
START_TEST(too_many_are_not_listed)
{
    world_procs(&world, 0)->limits.listed_max = 3;
    ck_assert_str_eq(rpc("erlang", "processes", parse("[]")), "reply [<a.1.0>,<a.2.0>,<a.3.0>]");
    world_procs(&world, 0)->limits.listed_max = 2;
    ck_assert_ptr_nonnull(
        strstr(rpc("erlang", "processes", parse("[]")), "reply {badrpc,{EXIT,{system_limit,"));
}
END_TEST

/* A message goes where it should, and is the value; only a name that is not there is wrong. */
START_TEST(messages_are_sent)
{
    struct cn_pid pid = *process_pid(asker_process);
    struct cn_pid gone = pid;

    ck_assert_str_eq(rpc("erlang", "send", parse_with("[%p,{hello,1}]", &pid)), "reply {hello,1}");
    ck_assert_str_eq(asker.log[asker.count - 1], "{hello,1}");
    gone.serial++;
    ck_assert_str_eq(rpc("erlang", "send", parse_with("[%p,x]", &gone)), "reply x");
    ck_assert_ptr_nonnull(strstr(rpc("erlang", "send", parse("[nobody,x]")), "badarg"));
    ck_assert_str_eq(rpc("erlang", "send", parse("[{nobody,a@world},x]")), "reply x");
    ck_assert_ptr_nonnull(strstr(rpc("erlang", "send", parse("[1,x]")), "badarg"));
}
END_TEST

/* An exit signal comes from the process that was asked to send it. */
START_TEST(exit_signals_are_sent)
{
    struct cn_pid pid = *process_pid(asker_process);

    process_trap_exit(asker_process, true);
    ck_assert_str_eq(rpc("erlang", "exit", parse_with("[%p,why]", &pid)), "reply true");
    ck_assert_str_eq(asker.log[asker.count - 1], "{EXIT,<a.3.0>,why}");
    ck_assert_ptr_nonnull(strstr(rpc("erlang", "exit", parse("[x,why]")), "badarg"));
}
END_TEST

/* Each class arrives as what it is. */
START_TEST(classes_are_raised)
{
    ck_assert_str_eq(rpc("erlang", "throw", parse("[1]")), "reply 1");
    ck_assert_str_eq(rpc("erlang", "exit", parse("[1]")), "reply {badrpc,{EXIT,1}}");
    ck_assert_str_eq(rpc("erlang", "error", parse("[1]")),
                     "reply {badrpc,{EXIT,{1,[{erlang,error,[1],[]}]}}}");
    ck_assert_str_eq(erpc("erlang", "throw", parse("[1]")), "{1,throw,1}");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, alive_compares_creations);
    tcase_add_test(tcase, names_are_told);
    tcase_add_test(tcase, processes_are_listed);
    tcase_add_test(tcase, too_many_are_not_listed);
    tcase_add_test(tcase, messages_are_sent);
    tcase_add_test(tcase, exit_signals_are_sent);
    tcase_add_test(tcase, classes_are_raised);
}

int main(void)
{
    return run_tests("builtins_process", add, asker_setup, asker_teardown);
}
