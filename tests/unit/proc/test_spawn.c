/*
 * The protocol of spawn requests; what may run is otp/functions' matter.
 */
#include "base/error.h"
#include "unit/proc/world.h"

static struct world world;
static struct probe p, q;
static struct process *asker;
static struct control request;
static struct process *spawned;

static void setup(void)
{
    world_init(&world);
    asker = probe_start(world_procs(&world, 1), &p);
    q = (struct probe){0};
    spawned = NULL;
    request = (struct control){.op = CONTROL_SPAWN_REQUEST,
                               .has_from = true,
                               .from = *process_pid(asker),
                               .group_leader = *process_pid(asker),
                               .module = view("m"),
                               .function = view("f"),
                               .arity = 0};
}

static void teardown(void)
{
    world_deinit(&world);
    probe_deinit(&p);
    probe_deinit(&q);
}

static int on_spawn(void *context, const char *node, const struct control *control,
                    struct cn_term arguments)
{
    ck_assert_str_eq(node, "b@world");
    spawned = probe_start(context, &q);
    return process_spawned(spawned, node, control);
}

/* Inject the request as from the asker. */
static int ask(void)
{
    struct cn_term nil = {(const uint8_t *)"\x6a", 1};

    procs_make_ref(world_procs(&world, 1), &request.ref);
    return world_inject(&world, 1, 0, &request, nil);
}

/* Without a handler the answer is notsup. */
START_TEST(no_handler_is_notsup)
{
    request.options = (struct cn_term){(const uint8_t *)"\x6a", 1};
    ck_assert_int_eq(ask(), 0);
    ck_assert_uint_eq(world.nodes[0].sent[CONTROL_SPAWN_REPLY], 1);
}
END_TEST

/* With monitor, the end of the process is told under the request's reference. */
START_TEST(monitor_option_watches)
{
    procs_set_spawn_handler(world_procs(&world, 0), on_spawn, world_procs(&world, 0));
    request.options = (struct cn_term){(const uint8_t *)"\x6c\0\0\0\x01\x77\x07monitor\x6a", 15};
    ck_assert_int_eq(ask(), 0);
    ck_assert_ptr_nonnull(spawned);
    ck_assert_uint_eq(process_watchers(spawned, NULL), 1);
    ck_assert_uint_eq(world.nodes[0].sent[CONTROL_SPAWN_REPLY], 1);
    process_exit_atom(spawned, "done");
    world_settle(&world);
    ck_assert_str_eq(q.ended, "done");
    ck_assert_uint_eq(world.nodes[0].sent[CONTROL_MONITOR_EXIT], 1);
}
END_TEST

static void count(void *context, const struct cn_pid *pid)
{
    (*(size_t *)context)++;
}

/* With link, the new process is linked to the asker. */
START_TEST(link_option_links)
{
    size_t links = 0;

    procs_set_spawn_handler(world_procs(&world, 0), on_spawn, world_procs(&world, 0));
    request.options = (struct cn_term){(const uint8_t *)"\x6c\0\0\0\x01\x77\x04link\x6a", 12};
    ck_assert_int_eq(ask(), 0);
    process_each_link(spawned, count, &links);
    ck_assert_uint_eq(links, 1);
    procs_peer_down(world_procs(&world, 0), "b@world");
    world_settle(&world);
    ck_assert_str_eq(q.ended, "noconnection");
}
END_TEST

/* Options that are no list are refused by process_spawned, with nothing sent. */
START_TEST(broken_options_are_invalid)
{
    procs_set_spawn_handler(world_procs(&world, 0), on_spawn, world_procs(&world, 0));
    request.options = (struct cn_term){(const uint8_t *)"\x77\x01x", 3};
    ck_assert_int_eq(ask(), CN_E_INVALID);
    ck_assert_uint_eq(world.nodes[0].sent[CONTROL_SPAWN_REPLY], 0);
}
END_TEST

/* So are those that nobody knows; those that mean nothing here are passed over. */
START_TEST(unknown_options_are_invalid)
{
    static const uint8_t unknown[] = "\x6c\0\0\0\x01\x77\x05other\x6a";
    static const uint8_t priority[] = "\x6c\0\0\0\x01\x68\x02\x77\x08priority\x77\x03low\x6a";

    procs_set_spawn_handler(world_procs(&world, 0), on_spawn, world_procs(&world, 0));
    request.options = (struct cn_term){unknown, sizeof(unknown) - 1};
    ck_assert_int_eq(ask(), CN_E_INVALID);
    request.options = (struct cn_term){priority, sizeof(priority) - 1};
    ck_assert_int_eq(ask(), 0);
    ck_assert_uint_eq(world.nodes[0].sent[CONTROL_SPAWN_REPLY], 1);
}
END_TEST

/* Ours: node b asks node a for a process. */
static void ask_out(struct cn_ref *ret_ref)
{
    static const uint8_t nil[] = "\x6a";
    struct spawn_call call = {.node = "a@world",
                              .group_leader = *process_pid(asker),
                              .module = "m",
                              .function = "f",
                              .arguments = {nil, 1}};

    ck_assert_int_eq(process_spawn_request(asker, &call, ret_ref), 0);
}

/* The process that a peer spawns for us is monitored from the first moment. */
START_TEST(own_request_is_a_monitor)
{
    struct cn_ref ref;

    procs_set_spawn_handler(world_procs(&world, 0), on_spawn, world_procs(&world, 0));
    ask_out(&ref);
    world_settle(&world);
    ck_assert_uint_eq(p.count, 0);
    process_exit_atom(spawned, "done");
    world_settle(&world);
    ck_assert_str_eq(p.log[0], "{DOWN,#Ref<b.1>,process,<a.1.0>,done}");
}
END_TEST

/* What cannot be spawned is told with the reason of the peer, or of the way there. */
START_TEST(own_request_is_refused)
{
    struct cn_ref ref;

    ask_out(&ref);
    world_settle(&world);
    ck_assert_str_eq(p.log[0], "{spawn_reply,#Ref<b.1>,error,notsup}");
    world.nodes[1].send_result = CN_E_UNKNOWN;
    ask_out(&ref);
    world_settle(&world);
    ck_assert_str_eq(p.log[1], "{spawn_reply,#Ref<b.2>,error,noconnection}");
    world.nodes[1].send_result = 0;
    ask_out(&ref);
    procs_peer_cannot_spawn(world_procs(&world, 1), "a@world");
    world_settle(&world);
    ck_assert_str_eq(p.log[2], "{spawn_reply,#Ref<b.3>,error,notsup}");
    ck_assert_uint_eq(p.count, 3);
}
END_TEST

/* Taken back before the reply, nothing is heard of it any more. */
START_TEST(own_request_is_taken_back)
{
    struct cn_ref ref;

    procs_set_spawn_handler(world_procs(&world, 0), on_spawn, world_procs(&world, 0));
    ask_out(&ref);
    process_demonitor(asker, &ref, true);
    ck_assert_uint_eq(world.nodes[1].sent[CONTROL_DEMONITOR], 0);
    world_settle(&world);
    process_exit_atom(spawned, "done");
    world_settle(&world);
    ck_assert_uint_eq(p.count, 0);
    ask_out(&ref);
    world_settle(&world);
    process_demonitor(asker, &ref, true);
    ck_assert_uint_eq(world.nodes[1].sent[CONTROL_DEMONITOR], 1);
    world_settle(&world);
    process_exit_atom(spawned, "done");
    world_settle(&world);
    ck_assert_uint_eq(p.count, 0);
}
END_TEST

/* The peer is lost before it has answered. */
START_TEST(own_request_loses_its_peer)
{
    struct cn_ref ref;

    ask_out(&ref);
    world_cut(&world, 0, 1);
    world_settle(&world);
    ck_assert_str_eq(p.log[0], "{DOWN,#Ref<b.1>,process,<a.0.0>,noconnection}");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, own_request_is_a_monitor);
    tcase_add_test(tcase, own_request_is_refused);
    tcase_add_test(tcase, own_request_is_taken_back);
    tcase_add_test(tcase, own_request_loses_its_peer);
    tcase_add_test(tcase, no_handler_is_notsup);
    tcase_add_test(tcase, monitor_option_watches);
    tcase_add_test(tcase, link_option_links);
    tcase_add_test(tcase, broken_options_are_invalid);
    tcase_add_test(tcase, unknown_options_are_invalid);
}

int main(void)
{
    return run_tests("spawn", add, setup, teardown);
}
