/*
 * This node, its neighbours and its end, asked by rpc. Answers are compared as text with what a
 * BEAM answers.
 */
#include <string.h>

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
    static const struct functions_hooks hooks = {.each_node = each_node, .stop = stop};

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
                     "reply {badrpc,{EXIT,{badarg,[{erlang,nodes,[all],"
                     "[{error_info,#{module=>erl_erts_errors}}]}]}}}");
}
END_TEST

/* Several kinds together, and none. */
START_TEST(kinds_add_up)
{
    ck_assert_str_eq(rpc("erlang", "nodes", parse("[[this,hidden]]")), "reply [a@world,h@world]");
    ck_assert_str_eq(rpc("erlang", "nodes", parse("[[]]")), "reply []");
    ck_assert_ptr_nonnull(strstr(rpc("erlang", "nodes", parse("[[this,all]]")), "badarg"));
    ck_assert_ptr_nonnull(strstr(rpc("erlang", "nodes", parse("[[this|hidden]]")), "badarg"));
}
END_TEST

/* Each node with what is asked of it: nodes/2 of OTP 25.1. */
START_TEST(nodes_have_infos)
{
    ck_assert_str_eq(rpc("erlang", "nodes", parse("[known,#{node_type=>true}]")),
                     "reply [{a@world,#{node_type=>this}},{b@world,#{node_type=>visible}},"
                     "{h@world,#{node_type=>hidden}}]");
    ck_assert_str_eq(rpc("erlang", "nodes", parse("[this,#{connection_id=>true}]")),
                     "reply [{a@world,#{connection_id=>undefined}}]");
    ck_assert_str_eq(rpc("erlang", "nodes", parse("[this,#{node_type=>false}]")),
                     "reply [{a@world,#{}}]");
    ck_assert_ptr_nonnull(strstr(rpc("erlang", "nodes", parse("[this,#{x=>true}]")), "badarg"));
    ck_assert_ptr_nonnull(strstr(rpc("erlang", "nodes", parse("[this,[]]")), "badarg"));
}
END_TEST

/* A pid and a reference know their node; nothing else has one. */
START_TEST(terms_have_nodes)
{
    struct cn_pid pid = *process_pid(asker_process);

    ck_assert_str_eq(rpc("erlang", "node", parse_with("[%p]", &pid)), "reply b@world");
    ck_assert_ptr_nonnull(strstr(rpc("erlang", "node", parse("[x]")), "badarg"));
    ck_assert_str_eq(rpc("Elixir.Node", "alive?", parse("[]")), "reply true");
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
                     "reply {badrpc,{EXIT,{undef,[{init,stop,[],[]}]}}}");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, nodes_are_told);
    tcase_add_test(tcase, kinds_add_up);
    tcase_add_test(tcase, nodes_have_infos);
    tcase_add_test(tcase, terms_have_nodes);
    tcase_add_test(tcase, leaving_is_passed_on);
    tcase_add_test(tcase, hooks_may_be_absent);
}

int main(void)
{
    return run_tests("builtins_node", add, setup, asker_teardown);
}
