/*
 * Spawn requests: erpc calls and casts, and everything else that somebody wants spawned here.
 */
#include <string.h>

#include "otp/internal.h"
#include "unit/otp/asker.h"

/* A call is answered by the pid of its process, watched, and then its exit reason. */
START_TEST(call_is_answered_by_exit)
{
    ck_assert_str_eq(erpc("test", "echo", parse("[{a,1}]")), "{1,return,{a,1}}");
    ck_assert_str_eq(world.nodes[0].spawn_reply, "2 <a.3.0>");
    ck_assert_str_eq(erpc("erlang", "node", parse("[]")), "{1,return,a@world}");
}
END_TEST

/* What is not in the table is undef at once: module, function or arity. */
START_TEST(unknown_function_is_undef)
{
    ck_assert_str_eq(erpc("foo", "bar", parse("[1,b]")), "{1,error,undef,[{foo,bar,[1,b],[]}]}");
    ck_assert_str_eq(erpc("test", "echo", parse("[]")), "{1,error,undef,[{test,echo,[],[]}]}");
    ck_assert_str_eq(erpc("erlang", "open_port", parse("[x,[]]")),
                     "{1,error,undef,[{erlang,open_port,[x,[]],[]}]}");
}
END_TEST

/* The three classes of exceptions have erpc's shapes. */
START_TEST(exceptions_have_their_shapes)
{
    ck_assert_str_eq(erpc("test", "fail", parse("[error,bad]")),
                     "{1,error,bad,[{test,fail,2,[]}]}");
    ck_assert_str_eq(erpc("test", "fail", parse("[exit,enough]")), "{1,exit,enough}");
    ck_assert_str_eq(erpc("test", "fail", parse("[throw,ball]")), "{1,throw,ball}");
}
END_TEST

/* A cast runs the function and ends normally; nobody is told more. */
START_TEST(cast_ends_normally)
{
    ck_assert_str_eq(spawn("erpc", "execute_cast", 3, parse("[test,echo,[1]]")), "normal");
}
END_TEST

/* A function of the table can be spawned; any other ends with undef, as a missing module would. */
START_TEST(spawning_runs_the_table_only)
{
    ck_assert_str_eq(spawn("test", "echo", 1, parse("[x]")), "normal");
    ck_assert_str_eq(spawn("test", "fail", 2, parse("[exit,enough]")), "enough");
    ck_assert_str_eq(spawn("test", "fail", 2, parse("[throw,ball]")),
                     "{{nocatch,ball},[{erts_internal,dist_spawn_init,1,[]}]}");
    ck_assert_str_eq(spawn("foo", "bar", 1, parse("[x]")), "{undef,[{foo,bar,[x],[]}]}");
    ck_assert_str_eq(world.nodes[0].spawn_reply, "2 <a.6.0>");
}
END_TEST

/* What is no call at all is answered too. */
START_TEST(nonsense_is_answered)
{
    ck_assert_str_eq(spawn("erpc", "execute_call", 4, parse("[1,2]")),
                     "{undef,[{erpc,execute_call,[1,2],[]}]}");
    ck_assert_str_eq(erpc("test", "echo", parse("nolist")),
                     "{1,error,badarg,[{erlang,apply,[test,echo,nolist],"
                     "[{error_info,#{module=>erl_erts_errors}}]}]}");
    ck_assert_str_eq(erpc("test", "echo", parse("[a|b]")),
                     "{1,error,badarg,[{erlang,apply,[test,echo,[a|b]],"
                     "[{error_info,#{module=>erl_erts_errors}}]}]}");
}
END_TEST

/* The caller's node goes while the function works: it goes on, and then nothing is left of it. */
START_TEST(lost_caller_is_no_matter)
{
    size_t before = procs_count(world_procs(&world, 0));

    (void)erpc("test", "keep", parse("[]"));
    world_cut(&world, 0, 1);
    world_settle(&world);
    ck_assert_uint_eq(procs_count(world_procs(&world, 0)), before + 1);
    apply_return(kept, parse("{for,nobody}"));
    kept = NULL;
    world_settle(&world);
    ck_assert_uint_eq(procs_count(world_procs(&world, 0)), before);
    ck_assert(list_empty(&functions->applies));
}
END_TEST

/* A call whose process is killed is answered by that exit; the later answer goes nowhere. */
START_TEST(killed_call_is_answered)
{
    struct cn_pid pid;

    (void)erpc("test", "keep", parse("[]"));
    ck_assert_ptr_nonnull(kept);
    pid = *gen_server_pid(apply_server(kept));
    ck_assert_int_eq(procs_exit_signal(world_procs(&world, 1), asker_process, &pid, atom("kill")),
                     0);
    world_settle(&world);
    ck_assert_str_eq(world.nodes[0].monitor_exit, "killed");
    ck_assert_ptr_null(apply_server(kept));
    apply_return_atom(kept, "late");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, call_is_answered_by_exit);
    tcase_add_test(tcase, unknown_function_is_undef);
    tcase_add_test(tcase, exceptions_have_their_shapes);
    tcase_add_test(tcase, cast_ends_normally);
    tcase_add_test(tcase, spawning_runs_the_table_only);
    tcase_add_test(tcase, nonsense_is_answered);
    tcase_add_test(tcase, lost_caller_is_no_matter);
    tcase_add_test(tcase, killed_call_is_answered);
}

int main(void)
{
    return run_tests("erpc", add, asker_setup, asker_teardown);
}
