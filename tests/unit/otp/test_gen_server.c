/*
 * A gen_server as its callers see it: sorting, answers, system messages.
 */
#include <check.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "otp/sys.h"
#include "unit/otp/server.h"

static struct world world;
static struct server seen;
static struct probe caller;
static struct gen_server *server;
static struct process *asker;
static struct cn_pid server_pid, asker_pid;

static void setup(void)
{
    world_init(&world);
    server = server_start(world_procs(&world, 0), &seen, "server");
    server_pid = *gen_server_pid(server);
    asker = probe_start(world_procs(&world, 1), &caller);
    asker_pid = *process_pid(asker);
}

static void teardown(void)
{
    world_deinit(&world);
    server_deinit(&seen);
    probe_deinit(&caller);
}

static void tell(struct cn_term message)
{
    ck_assert_int_eq(procs_send_pid(world_procs(&world, 1), asker, &server_pid, message), 0);
    world_settle(&world);
}

/* Calls, casts and other messages reach their callbacks, a call is answered under its tag. */
START_TEST(messages_are_sorted)
{
    tell(parse_with("{$gen_call,{%p,tag},{get,1}}", &asker_pid));
    tell(parse("{$gen_cast,hello}"));
    tell(parse("anything"));
    ck_assert_str_eq(seen.log[0], "call {get,1}");
    ck_assert_str_eq(seen.log[1], "cast hello");
    ck_assert_str_eq(seen.log[2], "info anything");
    ck_assert_str_eq(caller.log[0], "{tag,{echo,{get,1}}}");
}
END_TEST

/* What only looks like an envelope is a message like any other. */
START_TEST(broken_envelopes_are_infos)
{
    tell(parse("{$gen_call,nobody,x}"));
    tell(parse_with("{$gen_call,{%p,tag}}", &asker_pid));
    tell(parse("{$gen_cast}"));
    ck_assert_str_eq(seen.log[0], "info {$gen_call,nobody,x}");
    ck_assert_uint_eq(seen.count, 3);
    ck_assert_str_eq(server_last(&seen), "info {$gen_cast}");
}
END_TEST

/* [alias | Ref] and [[alias | Ref] | X] are answered to the alias, with the tag as it came. */
START_TEST(alias_tags_go_to_the_alias)
{
    struct cn_ref ref;
    struct dest self = to_pid(&server_pid);

    ck_assert_int_eq(process_monitor_alias(asker, &self, &ref), 0);
    tell(parse_with("{$gen_call,{%p,[alias|%r]},x}", &asker_pid, &ref));
    tell(parse_with("{$gen_call,{%p,[[alias|%r]|more]},x}", &asker_pid, &ref));
    ck_assert_uint_eq(world.nodes[0].sent[CONTROL_ALIAS_SEND], 2);
    ck_assert_str_eq(caller.log[0], "{[alias|#Ref<b.1>],{echo,x}}");
    ck_assert_str_eq(caller.log[1], "{[[alias|#Ref<b.1>]|more],{echo,x}}");
    process_demonitor(asker, &ref, true);
    tell(parse_with("{$gen_call,{%p,[alias|%r]},x}", &asker_pid, &ref));
    ck_assert_uint_eq(caller.count, 2); /* a late answer vanishes */
}
END_TEST

/* An answer can be given later, from another call. */
START_TEST(answers_can_be_deferred)
{
    tell(parse_with("{$gen_call,{%p,first},wait}", &asker_pid));
    ck_assert_uint_eq(caller.count, 0);
    tell(parse_with("{$gen_call,{%p,second},{answer,now}}", &asker_pid));
    ck_assert_str_eq(caller.log[0], "{first,now}");
    ck_assert_str_eq(caller.log[1], "{second,{echo,{answer,now}}}");
}
END_TEST

/* Without a callback a call is answered {error, unknown_request}. */
START_TEST(no_callback_is_unknown_request)
{
    static struct gen_server_callbacks bare;
    struct gen_server *self = NULL;

    bare = (struct gen_server_callbacks){.module = "bare", .terminate = server_callbacks.terminate};
    seen.waiting = NULL;
    ck_assert_int_eq(gen_server_start(world_procs(&world, 0), &bare, &seen, &self), 0);
    ck_assert_ptr_null(
        gen_server_find(world_procs(&world, 0), gen_server_pid(self), &server_callbacks));
    ck_assert_ptr_eq(gen_server_find(world_procs(&world, 0), gen_server_pid(self), &bare), self);
    server_pid = *gen_server_pid(self);
    tell(parse_with("{$gen_call,{%p,tag},x}", &asker_pid));
    tell(parse("{$gen_cast,x}"));
    ck_assert_str_eq(caller.log[0], "{tag,{error,unknown_request}}");
    gen_server_stop_atom(self, "normal");
    world_settle(&world);
}
END_TEST

/* Intercept sees everything but system messages, before it is sorted. */
START_TEST(intercept_comes_first)
{
    seen.freeze = true;
    tell(parse_with("{$gen_call,{%p,tag},x}", &asker_pid));
    tell(parse_with("{system,{%p,tag},get_state}", &asker_pid));
    ck_assert_uint_eq(seen.count, 1);
    ck_assert_str_eq(caller.log[0], "{tag,{the,state}}");
    gen_server_handle(server, parse_with("{$gen_call,{%p,tag},x}", &asker_pid));
    world_settle(&world);
    ck_assert_str_eq(caller.log[1], "{tag,{echo,x}}");
}
END_TEST

/* GenServer.stop: the answer ok, then the end with exactly that reason. */
START_TEST(terminate_ends_with_the_reason)
{
    struct cn_ref ref;
    struct dest target = to_pid(&server_pid);

    ck_assert_int_eq(process_monitor(asker, &target, &ref), 0);
    tell(parse_with("{system,{%p,tag},{terminate,{shutdown,me}}}", &asker_pid));
    ck_assert_str_eq(caller.log[0], "{tag,ok}");
    ck_assert_str_eq(caller.log[1], "{DOWN,#Ref<b.1>,process,<a.1.0>,{shutdown,me}}");
    ck_assert_str_eq(seen.ended, "{shutdown,me}");
}
END_TEST

/* A suspended server queues what comes, in order, timers too, and goes on when resumed. */
START_TEST(suspended_server_keeps_its_messages)
{
    uint64_t timer = 0;

    tell(parse_with("{system,{%p,tag},suspend}", &asker_pid));
    tell(parse("{$gen_cast,one}"));
    ck_assert_int_eq(process_start_timer(gen_server_process(server), 5, &timer), 0);
    world_pass(&world, 10);
    tell(parse("two"));
    ck_assert_uint_eq(seen.count, 0);
    tell(parse_with("{system,{%p,tag},resume}", &asker_pid));
    ck_assert_str_eq(seen.log[0], "cast one");
    ck_assert_str_eq(seen.log[1], "timer due");
    ck_assert_str_eq(seen.log[2], "info two");
    ck_assert_str_eq(caller.log[1], "{tag,ok}");
}
END_TEST

/* A suspended server can be ended; what it kept is released. */
START_TEST(suspended_server_can_end)
{
    tell(parse_with("{system,{%p,tag},suspend}", &asker_pid));
    tell(parse("{$gen_cast,one}"));
    tell(parse_with("{system,{%p,tag},{terminate,normal}}", &asker_pid));
    ck_assert_str_eq(seen.ended, "normal");
    ck_assert_uint_eq(seen.count, 0);
}
END_TEST

static bool wraps(void *context, const char *node)
{
    return node[0] == 'b';
}

/* get_state has the shape that the asker's release expects. */
START_TEST(state_is_wrapped_for_newer_releases)
{
    static const struct sys_hook hook = {NULL, wraps};

    sys_set_hook(world_procs(&world, 0), &hook);
    tell(parse_with("{system,{%p,tag},get_state}", &asker_pid));
    ck_assert_str_eq(caller.log[0], "{tag,{ok,{the,state}}}");
}
END_TEST

/* get_status has OTP's shape. */
START_TEST(status_has_five_parts)
{
    tell(parse_with("{system,{%p,tag},get_status}", &asker_pid));
    ck_assert_str_eq(caller.log[0],
                     "{tag,{status,<a.1.0>,{module,test_server},[[],running,<a.1.0>,[],"
                     "[{header,[83,116,97,116,117,115,32,102,111,114,32,103,101,110,101,114,105,99,"
                     "32,115,101,114,118,101,114]},{data,[{[83,116,97,116,117,115],running}]},"
                     "{data,[{[83,116,97,116,101],{the,state}}]}]]}}");
}
END_TEST

/* What needs the asker's code, or is unknown, is refused, not left unanswered. */
START_TEST(other_system_messages_are_refused)
{
    static const char *const known[] = {"{replace_state,f}", "{debug,{trace,true}}",
                                        "{change_code,m,v,e}"};

    for (size_t i = 0; i < 3; i++) {
        struct cn_term command = parse(known[i]);

        tell(parse_with("{system,{%p,tag},%t}", &asker_pid, &command));
        ck_assert_str_eq(caller.log[i], "{tag,{error,unsupported}}");
    }
    tell(parse_with("{system,{%p,tag},dance}", &asker_pid));
    ck_assert_str_eq(caller.log[3], "{tag,{error,{unknown_system_msg,dance}}}");
}
END_TEST

/* After stop nothing more is handled, and waiting callers get DOWN through their monitors. */
START_TEST(stop_drops_what_waits)
{
    struct procs *procs = world_procs(&world, 1);

    (void)procs_send_pid(procs, asker, &server_pid,
                         parse_with("{$gen_call,{%p,tag},stop}", &asker_pid));
    (void)procs_send_pid(procs, asker, &server_pid, parse("{$gen_cast,late}"));
    world_settle(&world);
    ck_assert_str_eq(caller.log[0], "{tag,{echo,stop}}");
    ck_assert_str_eq(seen.ended, "normal");
    ck_assert_uint_eq(seen.count, 1);
}
END_TEST

/* Starting fails cleanly at each allocation. */
START_TEST(start_survives_no_memory)
{
    struct gen_server *self = NULL;
    static struct server other;
    size_t nth = 0;
    int r = -1;

    while (r != 0) {
        mem_test_begin();
        mem_test_fail(++nth);
        r = gen_server_start(world_procs(&world, 0), &server_callbacks, &other, &self);
        mem_test_fail(0);
        if (r != 0)
            ck_assert_int_eq(mem_test_end(), 0);
    }
    (void)mem_test_end();
    ck_assert_uint_ge(nth, 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gen_server");
    TCase *tcase = tcase_create("gen_server");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, messages_are_sorted);
    tcase_add_test(tcase, broken_envelopes_are_infos);
    tcase_add_test(tcase, alias_tags_go_to_the_alias);
    tcase_add_test(tcase, answers_can_be_deferred);
    tcase_add_test(tcase, no_callback_is_unknown_request);
    tcase_add_test(tcase, intercept_comes_first);
    tcase_add_test(tcase, terminate_ends_with_the_reason);
    tcase_add_test(tcase, suspended_server_keeps_its_messages);
    tcase_add_test(tcase, suspended_server_can_end);
    tcase_add_test(tcase, state_is_wrapped_for_newer_releases);
    tcase_add_test(tcase, status_has_five_parts);
    tcase_add_test(tcase, other_system_messages_are_refused);
    tcase_add_test(tcase, stop_drops_what_waits);
    tcase_add_test(tcase, start_survives_no_memory);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
