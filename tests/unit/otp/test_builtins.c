/*
 * The functions that every node has, asked by rpc. Their answers are compared as text with what
 * a BEAM answers.
 */
#include "unit/otp/asker.h"

static int stopped_with;

static void each_node(void *context,
                      void (*visit)(void *visit_context, const char *node, bool hidden),
                      void *visit_context)
{
    visit(visit_context, "b@world", false);
    visit(visit_context, "h@world", true);
}

static void stop(void *context, int status)
{
    stopped_with = status;
}

static void setup(void)
{
    static const struct functions_hooks hooks = {NULL, each_node, stop};

    asker_setup();
    functions_set_hooks(functions, &hooks);
    stopped_with = -1;
}

/* The node's own name, and the nodes it is connected with, by kind. */
START_TEST(nodes_are_told)
{
    ck_assert_str_eq(rpc("erlang", "node", parse("[]")), "reply a@world");
    ck_assert_str_eq(rpc("Elixir.Node", "self", parse("[]")), "reply a@world");
    ck_assert_str_eq(rpc("erlang", "nodes", parse("[]")), "reply [b@world]");
    ck_assert_str_eq(rpc("Elixir.Node", "list", parse("[]")), "reply [b@world]");
    ck_assert_str_eq(rpc("erlang", "nodes", parse("[visible]")), "reply [b@world]");
    ck_assert_str_eq(rpc("erlang", "nodes", parse("[hidden]")), "reply [h@world]");
    ck_assert_str_eq(rpc("erlang", "nodes", parse("[connected]")), "reply [b@world,h@world]");
    ck_assert_str_eq(rpc("erlang", "nodes", parse("[this]")), "reply [a@world]");
    ck_assert_str_eq(rpc("erlang", "nodes", parse("[known]")), "reply [a@world,b@world,h@world]");
    ck_assert_str_eq(rpc("erlang", "nodes", parse("[all]")),
                     "reply {badrpc,{EXIT,{badarg,[{erlang,nodes,1,[]}]}}}");
}
END_TEST

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
                     "reply {badrpc,{EXIT,{badarg,[{erlang,is_process_alive,1,[]}]}}}");
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
                     "reply {badrpc,{EXIT,{badarg,[{erlang,whereis,1,[]}]}}}");
}
END_TEST

/* What kind of node this is. */
START_TEST(system_is_told)
{
    ck_assert_str_eq(rpc("erlang", "system_info", parse("[otp_release]")), "reply [50,53]");
    ck_assert_str_eq(rpc("erlang", "system_info", parse("[creation]")), "reply 100");
    ck_assert_str_eq(rpc("erlang", "system_info", parse("[process_count]")), "reply 3");
    ck_assert_str_eq(rpc("erlang", "system_info", parse("[machine]")), "reply [67,78,79,68,69]");
    ck_assert_str_eq(rpc("erlang", "system_info", parse("[dreams]")),
                     "reply {badrpc,{EXIT,{badarg,[{erlang,system_info,1,[]}]}}}");
}
END_TEST

/* Leaving is asked for in several ways; each is answered ok and carries its status. */
START_TEST(leaving_is_passed_on)
{
    ck_assert_str_eq(rpc("init", "stop", parse("[]")), "reply ok");
    ck_assert_int_eq(stopped_with, 0);
    ck_assert_str_eq(rpc("erlang", "halt", parse("[3]")), "reply ok");
    ck_assert_int_eq(stopped_with, 3);
    ck_assert_str_eq(rpc("Elixir.System", "halt", parse("[abort]")), "reply ok");
    ck_assert_int_eq(stopped_with, 1);
    ck_assert_str_eq(rpc("Elixir.System", "stop", parse("[0]")), "reply ok");
    ck_assert_int_eq(stopped_with, 0);
}
END_TEST

/* Without hooks there are no nodes, and leaving is not offered. */
START_TEST(hooks_may_be_absent)
{
    functions_set_hooks(functions, &(struct functions_hooks){0});
    ck_assert_str_eq(rpc("erlang", "nodes", parse("[]")), "reply []");
    ck_assert_str_eq(rpc("init", "stop", parse("[]")),
                     "reply {badrpc,{EXIT,{undef,[{init,stop,0,[]}]}}}");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, nodes_are_told);
    tcase_add_test(tcase, alive_compares_creations);
    tcase_add_test(tcase, names_are_told);
    tcase_add_test(tcase, system_is_told);
    tcase_add_test(tcase, leaving_is_passed_on);
    tcase_add_test(tcase, hooks_may_be_absent);
}

int main(void)
{
    return run_tests("builtins", add, setup, asker_teardown);
}
