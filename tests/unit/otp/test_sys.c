/*
 * System messages to a gen_server, as the module sys sends them: what is answered, what is kept
 * while suspended, and what is refused.
 */
#include "otp/sys.h"

#include <string.h>

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

static size_t shown;

static void show_message(void *context, struct cn_term message)
{
    shown++;
}

static void count_message(struct gen_server *self, void *state, struct cn_term message)
{
    (*(unsigned *)state)++;
}

static void ends(struct gen_server *self, void *state, struct cn_term reason)
{
}

static const struct gen_server_callbacks counter = {
    .module = "counter", .handle_info = count_message, .terminate = ends};

/* What waits is in its mailbox for all to see, and is handled in turns when it is resumed. */
START_TEST(resumed_server_holds_nobody_up)
{
    struct procs *procs = world_procs(&world, 0);
    unsigned count = 0;

    ck_assert_int_eq(gen_server_start(procs, &counter, &count, &server), 0);
    server_pid = *gen_server_pid(server);
    tell(parse_with("{system,{%p,tag},suspend}", &asker_pid));
    for (int i = 0; i < 5000; i++)
        ck_assert_int_eq(procs_send_pid(procs, NULL, &server_pid, parse("x")), 0);
    world_settle(&world);
    ck_assert_uint_eq(process_mailbox_length(gen_server_process(server)), 5000);
    process_each_message(gen_server_process(server), show_message, NULL);
    ck_assert_uint_eq(shown, 5000);
    ck_assert_int_eq(procs_send_pid(procs, NULL, &server_pid,
                                    parse_with("{system,{%p,tag},resume}", &asker_pid)),
                     0);
    ck_assert_uint_eq(procs_run(procs, world.now_ms), 0);
    ck_assert_uint_gt(count, 100);
    ck_assert_uint_lt(count, 1000);
    world_settle(&world);
    ck_assert_uint_eq(count, 5000);
    ck_assert_uint_eq(process_mailbox_length(gen_server_process(server)), 0);
}
END_TEST

/* A monitor that is given up takes its DOWN along from among them. */
START_TEST(kept_down_is_flushed)
{
    struct process *process = gen_server_process(server);
    struct dest target = to_pid(&asker_pid);
    struct cn_ref ref;

    ck_assert_int_eq(process_monitor(process, &target, &ref), 0);
    tell(parse_with("{system,{%p,tag},suspend}", &asker_pid));
    tell(parse("one"));
    process_exit_atom(asker, "normal");
    world_settle(&world);
    ck_assert_uint_eq(process_mailbox_length(process), 2);
    process_demonitor(process, &ref, true);
    ck_assert_uint_eq(process_mailbox_length(process), 1);
    ck_assert_int_eq(procs_send_pid(world_procs(&world, 0), NULL, &server_pid, parse("two")), 0);
    ck_assert_int_eq(procs_send_pid(world_procs(&world, 0), NULL, &server_pid,
                                    parse_with("{system,{%p,tag},resume}", &asker_pid)),
                     0);
    world_settle(&world);
    ck_assert_uint_eq(seen.count, 2);
    ck_assert_str_eq(seen.log[0], "info one");
    ck_assert_str_eq(seen.log[1], "info two");
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
                     "{tag,{status,<a.1.0>,{module,gen_server},[[{$initial_call,{test_server"
                     ",init,1}}],running,<a.1.0>,[],[{header,[83,116,97,116,117,115,32,102,1"
                     "11,114,32,103,101,110,101,114,105,99,32,115,101,114,118,101,114,32,115"
                     ",101,114,118,101,114]},{data,[{[83,116,97,116,117,115],running},{[80,9"
                     "7,114,101,110,116],<a.1.0>},{[76,111,103,103,101,100,32,101,118,101,11"
                     "0,116,115],[]}]},{data,[{[83,116,97,116,101],{the,state}}]}]]}}");
}
END_TEST

/* What needs the asker's code, or is unknown, is refused, not left unanswered. */
START_TEST(other_system_messages_are_refused)
{
    static const char *const known[] = {"{replace_state,f}", "{debug,{trace,true}}",
                                        "{debug,{log,get}}"};

    for (size_t i = 0; i < 3; i++) {
        struct cn_term command = parse(known[i]);

        tell(parse_with("{system,{%p,tag},%t}", &asker_pid, &command));
        ck_assert_str_eq(caller.log[i], "{tag,{error,unsupported}}");
    }
    tell(parse_with("{system,{%p,tag},dance}", &asker_pid));
    ck_assert_str_eq(caller.log[3], "{tag,{error,{unknown_system_msg,dance}}}");
    tell(parse_with("{system,{%p,tag},{debug,no_debug}}", &asker_pid));
    ck_assert_str_eq(caller.log[4], "{tag,ok}");
}
END_TEST

/* New code is unknown to a running server, and refused by a suspended one. */
START_TEST(code_is_not_changed)
{
    tell(parse_with("{system,{%p,tag},{change_code,m,v,e}}", &asker_pid));
    ck_assert_str_eq(caller.log[0], "{tag,{error,{unknown_system_msg,{change_code,m,v,e}}}}");
    tell(parse_with("{system,{%p,tag},suspend}", &asker_pid));
    tell(parse_with("{system,{%p,tag},{change_code,m,v,e}}", &asker_pid));
    ck_assert_str_eq(caller.log[2], "{tag,{error,unsupported}}");
}
END_TEST

/* A suspended server shows its state and its mode, a second suspend or resume changes nothing. */
START_TEST(suspended_server_is_seen)
{
    tell(parse_with("{system,{%p,tag},suspend}", &asker_pid));
    tell(parse_with("{system,{%p,tag},suspend}", &asker_pid));
    tell(parse_with("{system,{%p,tag},get_state}", &asker_pid));
    ck_assert_str_eq(caller.log[2], "{tag,{the,state}}");
    tell(parse_with("{system,{%p,tag},get_status}", &asker_pid));
    ck_assert_ptr_nonnull(strstr(caller.log[3], "suspended,<a.1.0>"));
    tell(parse_with("{system,{%p,tag},resume}", &asker_pid));
    tell(parse_with("{system,{%p,tag},resume}", &asker_pid));
    ck_assert_str_eq(caller.log[5], "{tag,ok}");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, terminate_ends_with_the_reason);
    tcase_add_test(tcase, suspended_server_keeps_its_messages);
    tcase_add_test(tcase, resumed_server_holds_nobody_up);
    tcase_add_test(tcase, kept_down_is_flushed);
    tcase_add_test(tcase, suspended_server_can_end);
    tcase_add_test(tcase, state_is_wrapped_for_newer_releases);
    tcase_add_test(tcase, status_has_five_parts);
    tcase_add_test(tcase, other_system_messages_are_refused);
    tcase_add_test(tcase, code_is_not_changed);
    tcase_add_test(tcase, suspended_server_is_seen);
}

int main(void)
{
    return run_tests("sys", add, setup, teardown);
}
