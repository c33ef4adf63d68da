/*
 * A gen_server as its callers see it: sorting, interception, stopping. The caller is a process
 * of another node, so every answer has crossed the wire.
 */
#include "unit/no_memory.h"
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

static int start_server(void *context)
{
    struct gen_server *self;

    return gen_server_start(world_procs(&world, 0), &server_callbacks, context, &self);
}

/* Starting fails cleanly at each allocation. */
START_TEST(start_survives_no_memory)
{
    static struct server other;

    ck_assert_uint_ge(no_memory_sweep(start_server, &other), 3);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, messages_are_sorted);
    tcase_add_test(tcase, broken_envelopes_are_infos);
    tcase_add_test(tcase, no_callback_is_unknown_request);
    tcase_add_test(tcase, intercept_comes_first);
    tcase_add_test(tcase, stop_drops_what_waits);
    tcase_add_test(tcase, start_survives_no_memory);
}

int main(void)
{
    return run_tests("gen_server", add, setup, teardown);
}
