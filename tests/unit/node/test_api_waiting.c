/*
 * What a server waits for ends exactly once, in whatever way: calls, timers, :global.
 */
#include "unit/node/public.h"

#include <errno.h>

#include "base/alloc.h"

static struct seen one, two, far;

static void setup(void)
{
    public_setup();
    seen_start(&one, &node, "one");
    seen_start(&two, &node, "two");
    seen_start(&far, &other, "far");
}

static void call_one(struct cn_term to, const char *request, uint32_t timeout_ms)
{
    ck_assert_int_eq(cn_call(one.server, to, atom(request), timeout_ms, seen_done, &one), 0);
    world_settle(&world);
}

/* A call ends as GenServer.call does: reply, noproc, the other's reason, timeout. */
START_TEST(calls_end_as_in_elixir)
{
    call_one(parse("{far,b@world}"), "q", 1000);
    ck_assert_str_eq(seen_last(&one), "done {echo,q}");
    call_one(parse("{nobody,b@world}"), "q", 1000);
    ck_assert_str_eq(seen_last(&one), "exit noproc");
    call_one(pid_of(&far), "wait", 50);
    world_pass(&world, 51);
    ck_assert_str_eq(seen_last(&one), "exit timeout");
    call_one(pid_of(&two), "wait", 0);
    world_pass(&world, 2);
    ck_assert_str_eq(seen_last(&one), "exit timeout");
    ck_assert_uint_eq(one.count, 4);
}
END_TEST

/* A node that is lost during a call is named in the reason, for pids and for names. */
START_TEST(a_lost_node_is_nodedown)
{
    call_one(pid_of(&far), "wait", CN_INFINITY);
    far.kept = cn_from_free(far.kept);
    call_one(parse("{far,b@world}"), "wait", CN_INFINITY);
    world_cut(&world, 0, 1);
    world_settle(&world);
    ck_assert_str_eq(one.log[0], "exit {nodedown,b@world}");
    ck_assert_str_eq(one.log[1], "exit {nodedown,b@world}");
}
END_TEST

/* A server that calls itself, by pid or by name, would wait for ever elsewhere: it is told. */
START_TEST(nobody_calls_himself)
{
    struct cn_term itself[] = {pid_of(&one), atom("one"), parse("{one,a@world}")};

    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(cn_call(one.server, itself[i], atom("q"), 9, seen_done, &one), -EDEADLK);
    ck_assert_int_eq(cn_call(one.server, parse("1"), atom("q"), 9, seen_done, &one), -EINVAL);
    call_one(parse("{one,b@world}"), "q", 9);
    ck_assert_str_eq(seen_last(&one), "exit noproc");
}
END_TEST

/* A function is applied on its own node, and elsewhere; what it raises is an exit here. */
START_TEST(functions_are_applied)
{
    struct cn_rpc_call call = {"a@world", "erlang", "node", parse("[]")};

    ck_assert_int_eq(cn_rpc(one.server, &call, 1000, seen_done, &one), 0);
    world_settle(&world);
    ck_assert_str_eq(seen_last(&one), "done a@world");
    call.module = "nothing";
    ck_assert_int_eq(cn_rpc(one.server, &call, 1000, seen_done, &one), 0);
    world_settle(&world);
    ck_assert_str_eq(seen_last(&one), "exit {error,{exception,undef,[{nothing,node,[],[]}]}}");
    call.node = "c@world";
    ck_assert_int_eq(cn_rpc(one.server, &call, 50, seen_done, &one), 0);
    world_pass(&world, 60);
    ck_assert_str_eq(seen_last(&one), "exit {error,{erpc,timeout}}");
    ck_assert_int_eq(cn_rpc(one.server, &call, CN_INFINITY, seen_done, &one), 0);
    cn_server_stop_atom(one.server, "normal");
    world_settle(&world);
    ck_assert_str_eq(one.log[3], "ended");
}
END_TEST

/* Timers come in the order of their time, and not before it. */
START_TEST(timers_come_in_time)
{
    ck_assert_int_eq(cn_after(one.server, 20, seen_done, &one, NULL), 0);
    ck_assert_int_eq(cn_after(two.server, 10, seen_done, &two, NULL), 0);
    world_settle(&world);
    world_pass(&world, 9);
    ck_assert_uint_eq(two.count, 0);
    world_pass(&world, 1);
    ck_assert_str_eq(seen_last(&two), "done timeout");
    ck_assert_uint_eq(one.count, 0);
    world_pass(&world, 10);
    ck_assert_str_eq(seen_last(&one), "done timeout");
}
END_TEST

/* A timer that is taken back ends at once, by its own server only, and once. */
START_TEST(a_timer_is_taken_back_once)
{
    uint64_t timer;

    ck_assert_int_eq(cn_after(one.server, 10, seen_done, &one, &timer), 0);
    ck_assert(!cn_after_cancel(two.server, timer));
    ck_assert(cn_after_cancel(one.server, timer));
    ck_assert(!cn_after_cancel(one.server, timer));
    world_pass(&world, 20);
    ck_assert_uint_eq(one.count, 1);
    ck_assert_str_eq(seen_last(&one), "ended");
}
END_TEST

/* A name in :global is taken by one, found, and given back. */
START_TEST(global_names)
{
    struct cn_term name = parse("{any,[name]}");

    ck_assert_int_eq(cn_global_register(one.server, name, seen_done, &one), 0);
    ck_assert_uint_eq(one.count, 0);
    world_settle(&world);
    ck_assert_str_eq(seen_last(&one), "done yes");
    ck_assert_int_eq(cn_global_register(two.server, name, seen_done, &two), 0);
    world_settle(&world);
    ck_assert_str_eq(seen_last(&two), "done no");
    ck_assert_int_eq(cn_global_register(one.server, name, seen_done, &one), 0);
    world_settle(&world);
    ck_assert_str_eq(seen_last(&one), "done no");
    ck_assert_int_eq(cn_global_unregister(two.server, name, seen_done, &two), 0);
    world_settle(&world);
    ck_assert_str_eq(seen_last(&two), "done ok");
    ck_assert_int_eq(cn_global_whereis(two.server, name, seen_done, &two), 0);
    world_settle(&world);
    ck_assert_str_eq(seen_last(&two) + 5, show(pid_of(&one)));
    ck_assert_int_eq(cn_global_unregister(one.server, name, seen_done, &one), 0);
    ck_assert_int_eq(cn_global_whereis(two.server, name, seen_done, &two), 0);
    world_settle(&world);
    ck_assert_str_eq(seen_last(&one), "done ok");
    ck_assert_str_eq(seen_last(&two), "done undefined");
}
END_TEST

/* A name that is given up and asked for again at once is had again. */
START_TEST(a_name_is_given_up_and_taken_again)
{
    ck_assert_int_eq(cn_global_register(one.server, atom("n"), seen_done, &one), 0);
    world_settle(&world);
    ck_assert_int_eq(cn_global_unregister(one.server, atom("n"), seen_done, &one), 0);
    ck_assert_int_eq(cn_global_register(one.server, atom("n"), seen_done, &one), 0);
    world_settle(&world);
    ck_assert_str_eq(one.log[1], "done ok");
    ck_assert_str_eq(one.log[2], "done yes");
}
END_TEST

/* Who is told that a conflict has cost it a name is not given it again by the next audit. */
START_TEST(a_lost_name_is_not_given_back)
{
    static const char *const words[] = {"{global_name_conflict,n}", "{global_name_conflict,n,p}",
                                        "{global_name_conflict,other,p}", "{some,n,p}"};
    bool lost = _i < 2;

    ck_assert_int_eq(cn_global_register(one.server, atom("n"), seen_done, &one), 0);
    world_settle(&world);
    ck_assert_int_eq(cn_send(two.server, pid_of(&one), parse(words[_i])), 0);
    beam_set(&beam, "n", NULL);
    world_pass(&world, 60000);
    ck_assert_str_eq(beam_whereis(&beam, "n"), lost ? "" : show(pid_of(&one)));
}
END_TEST

/* With a server end its calls, timers and questions, each once; :global may answer when it likes.
 */
START_TEST(everything_ends_with_the_server)
{
    beam.hold = true;
    call_one(pid_of(&far), "wait", 1000);
    ck_assert_int_eq(cn_after(one.server, 1000, seen_done, &one, NULL), 0);
    ck_assert_int_eq(cn_global_register(one.server, atom("n"), seen_done, &one), 0);
    world_settle(&world);
    cn_server_stop_atom(one.server, "normal");
    world_settle(&world);
    ck_assert_uint_eq(one.count, 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_str_eq(one.log[i], "ended");
    ck_assert_str_eq(one.ended, "normal");
    ck_assert_uint_eq(list_count(&node.orphans), 1);
    beam_release(&beam);
    world_pass(&world, 2000);
    ck_assert_uint_eq(one.count, 3);
    ck_assert_uint_eq(list_count(&node.orphans), 0);
}
END_TEST

/* A context that asks again, in every way, whenever something of it has ended. */
static unsigned asked_again;

static void ask_again(struct cn_server *self, void *context, enum cn_outcome outcome,
                      struct cn_term term)
{
    struct cn_rpc_call rpc = {"b@world", "erlang", "node", parse("[]")};

    ck_assert_int_eq(outcome, CN_ENDED);
    ck_assert_uint_lt(asked_again++, 4);
    ck_assert_int_eq(cn_after(self, 10, ask_again, NULL, NULL), -ESHUTDOWN);
    ck_assert_int_eq(cn_call(self, pid_of(&far), atom("q"), 9, ask_again, NULL), -ESHUTDOWN);
    ck_assert_int_eq(cn_rpc(self, &rpc, 9, ask_again, NULL), -ESHUTDOWN);
    ck_assert_int_eq(cn_global_whereis(self, atom("n"), ask_again, NULL), -ESHUTDOWN);
    ck_assert_int_eq(cn_call(self, parse("{global,n}"), atom("q"), 9, ask_again, NULL), -ESHUTDOWN);
    ck_assert_int_eq(cn_global_trans(self, atom("n"), 0, NULL, ask_again, NULL), -ESHUTDOWN);
}

/* A server that ends takes nothing more on, or it would never be at its end. */
START_TEST(an_ending_server_asks_for_nothing)
{
    asked_again = 0;
    ck_assert_int_eq(cn_after(one.server, 1000, ask_again, NULL, NULL), 0);
    ck_assert_int_eq(cn_call(one.server, pid_of(&far), atom("wait"), 9000, ask_again, NULL), 0);
    world_settle(&world);
    cn_server_stop_atom(one.server, "normal");
    world_settle(&world);
    ck_assert_uint_eq(asked_again, 2);
    ck_assert_str_eq(one.ended, "normal");
}
END_TEST

/* What nobody ever answered is released with the node. */
START_TEST(orphans_go_with_the_node)
{
    beam.hold = true;
    ck_assert_int_eq(cn_global_register(one.server, atom("n"), seen_done, &one), 0);
    world_settle(&world);
    cn_server_stop_atom(one.server, "normal");
    world_settle(&world);
    ck_assert_uint_eq(list_count(&node.orphans), 1);
}
END_TEST

static int ask_all(struct cn_term to, struct cn_term term)
{
    int error = cn_call(one.server, to, term, 10, seen_done, &one);

    if (error == 0)
        error = cn_after(one.server, 10, seen_done, &one, NULL);
    if (error == 0)
        error = cn_global_whereis(one.server, term, seen_done, &one);
    return error;
}

/* Whichever allocation fails, what was refused is not called back and what was accepted is. */
START_TEST(asking_survives_failing_memory)
{
    bool failed = true;

    for (size_t n = 1; failed; n++) {
        struct cn_term to = pid_of(&two), term = atom("q");
        mem_test_begin();
        mem_test_fail(n);
        int error = ask_all(to, term);
        failed = mem_test_failed();
        mem_test_fail(0);
        mem_test_end();
        ck_assert_int_eq(error, failed ? -ENOMEM : 0);
        world_pass(&world, 20);
        ck_assert(list_empty(&one.server->waitings));
        ck_assert_uint_le(one.count, failed ? 2 : 3);
        if (failed)
            one.count = 0;
    }
    ck_assert_uint_eq(one.count, 3);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, calls_end_as_in_elixir);
    tcase_add_test(tcase, a_lost_node_is_nodedown);
    tcase_add_test(tcase, nobody_calls_himself);
    tcase_add_test(tcase, functions_are_applied);
    tcase_add_test(tcase, timers_come_in_time);
    tcase_add_test(tcase, a_timer_is_taken_back_once);
    tcase_add_test(tcase, global_names);
    tcase_add_test(tcase, a_name_is_given_up_and_taken_again);
    tcase_add_loop_test(tcase, a_lost_name_is_not_given_back, 0, 4);
    tcase_add_test(tcase, everything_ends_with_the_server);
    tcase_add_test(tcase, an_ending_server_asks_for_nothing);
    tcase_add_test(tcase, orphans_go_with_the_node);
    tcase_add_test(tcase, asking_survives_failing_memory);
}

int main(void)
{
    return run_tests("api_waiting", add, setup, public_teardown);
}
