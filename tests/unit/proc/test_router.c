/*
 * Where messages go, in which order, and who may speak for whom.
 */
#include "base/error.h"
#include "unit/proc/world.h"

static struct world world;
static struct probe p, q;
static struct process *here, *there;
static struct cn_pid here_pid, there_pid;

static void setup(void)
{
    world_init(&world);
    here = probe_start(world_procs(&world, 0), &p);
    there = probe_start(world_procs(&world, 1), &q);
    here_pid = *process_pid(here);
    there_pid = *process_pid(there);
}

static void teardown(void)
{
    world_deinit(&world);
    probe_deinit(&p);
    probe_deinit(&q);
}

/* A message goes by pid or name, from a process or from the node, near and far. */
START_TEST(messages_reach_pids_and_names)
{
    struct procs *procs = world_procs(&world, 0);
    struct dest far_pid = to_pid(&there_pid);
    struct dest far_name = to_name("far", "b@world");
    struct dest near_name = to_name("near", "a@world");
    struct dest own_name = to_name("near", NULL);

    ck_assert_int_eq(process_register(there, "far"), 0);
    ck_assert_int_eq(process_register(here, "near"), 0);
    ck_assert_int_eq(procs_send(procs, here, &far_pid, atom("one")), 0);
    ck_assert_int_eq(procs_send(procs, NULL, &far_pid, atom("two")), 0);
    ck_assert_int_eq(procs_send(procs, here, &far_name, atom("three")), 0);
    ck_assert_int_eq(procs_send(procs, NULL, &far_name, atom("four")), 0);
    ck_assert_int_eq(procs_send(procs, NULL, &near_name, atom("five")), 0);
    ck_assert_int_eq(procs_send(procs, NULL, &own_name, atom("six")), 0);
    world_settle(&world);
    ck_assert_uint_eq(q.count, 4);
    ck_assert_str_eq(q.log[3], "four");
    ck_assert_uint_eq(p.count, 2);
    ck_assert_int_eq(world.refused, 0);
}
END_TEST

/* Messages to nobody vanish: dead pids, old creations, unknown names, dead aliases. */
START_TEST(messages_to_nobody_vanish)
{
    struct procs *procs = world_procs(&world, 0);
    struct dest dest = to_pid(&here_pid);
    struct dest alias = {.kind = DEST_ALIAS};

    dest.pid.serial++;
    ck_assert_int_eq(procs_send(procs, NULL, &dest, atom("x")), 0);
    dest = to_pid(&here_pid);
    dest.pid.creation++;
    ck_assert_int_eq(procs_send(procs, NULL, &dest, atom("x")), 0);
    dest = to_name("nobody", NULL);
    ck_assert_int_eq(procs_send(procs, NULL, &dest, atom("x")), 0);
    dest = to_name("nobody", "b@world");
    ck_assert_int_eq(procs_send(procs, NULL, &dest, atom("x")), 0);
    procs_make_ref(procs, &alias.alias);
    ck_assert_int_eq(procs_send(procs, NULL, &alias, atom("x")), 0);
    world_settle(&world);
    ck_assert_uint_eq(p.count + q.count, 0);
    ck_assert_int_eq(world.refused, 0);
}
END_TEST

static struct control heard;

static int listen(void *context, const char *node, const struct control *control,
                  struct cn_term message)
{
    heard = *control;
    return 0;
}

static void speak(struct process *self, struct probe *probe, struct cn_term message)
{
    ck_assert_int_eq(procs_send_pid(process_procs(self), NULL, &there_pid, message), 0);
}

/* What nobody in particular sends comes from the process that runs, or from the node. */
START_TEST(who_runs_is_the_sender)
{
    struct transport transport = {.send = listen};
    struct procs *procs = NULL;
    struct probe probe;
    struct process *process;

    ck_assert_int_eq(procs_new("x@world", 1, &transport, NULL, &procs), 0);
    process = probe_start(procs, &probe);
    probe.on_message = speak;
    ck_assert_int_eq(procs_send_pid(procs, NULL, process_pid(process), atom("hello")), 0);
    procs_run(procs, 1);
    ck_assert(heard.has_from);
    ck_assert(cn_pid_equal(&heard.from, process_pid(process)));
    ck_assert_int_eq(procs_send_pid(procs, NULL, &there_pid, atom("x")), 0);
    ck_assert(!heard.has_from);
    ck_assert_uint_eq(heard.from.id, 0);
    procs_free(procs);
    probe_deinit(&probe);
}
END_TEST

/* An error of the transport is the sender's to know. */
START_TEST(transport_errors_are_told)
{
    struct procs *alone = NULL;

    world.nodes[0].send_result = CN_E_LIMIT;
    ck_assert_int_eq(procs_send_pid(world_procs(&world, 0), here, &there_pid, atom("x")),
                     CN_E_LIMIT);
    ck_assert_int_eq(procs_new("x@world", 1, NULL, NULL, &alone), 0);
    ck_assert_int_eq(procs_send_pid(alone, NULL, &there_pid, atom("x")), CN_E_UNKNOWN);
    procs_free(alone);
}
END_TEST

/* Messages, exit signals and DOWN between two processes keep their order, near and far. */
START_TEST(signals_keep_their_order)
{
    static struct probe state;
    struct process *source = probe_start(world_procs(&world, _i), &state);
    struct procs *procs = world_procs(&world, _i);
    struct dest dest = to_pid(process_pid(source));
    struct cn_ref ref;

    process_trap_exit(here, true);
    ck_assert_int_eq(process_monitor(here, &dest, &ref), 0);
    ck_assert_int_eq(process_link(here, &dest.pid), 0);
    world_settle(&world);
    ck_assert_int_eq(procs_send_pid(procs, source, &here_pid, atom("one")), 0);
    ck_assert_int_eq(procs_exit_signal(procs, source, &here_pid, atom("two")), 0);
    ck_assert_int_eq(procs_send_pid(procs, source, &here_pid, atom("three")), 0);
    process_exit_atom(source, "four");
    world_settle(&world);
    ck_assert_uint_eq(p.count, 5);
    ck_assert_str_eq(p.log[0], "one");
    ck_assert_str_eq(p.log[1], _i == 0 ? "{EXIT,<a.2.0>,two}" : "{EXIT,<b.2.0>,two}");
    ck_assert_str_eq(p.log[2], "three");
    ck_assert_str_eq(p.log[3], _i == 0 ? "{EXIT,<a.2.0>,four}" : "{EXIT,<b.2.0>,four}");
}
END_TEST

/* A peer that speaks for a process that is not its own breaks the rules, whatever it says. */
START_TEST(peers_speak_for_their_own_only)
{
    static const enum control_op ops[] = {
        CONTROL_SEND,    CONTROL_REG_SEND,   CONTROL_ALIAS_SEND,   CONTROL_LINK,
        CONTROL_UNLINK,  CONTROL_UNLINK_ACK, CONTROL_EXIT,         CONTROL_EXIT2,
        CONTROL_MONITOR, CONTROL_DEMONITOR,  CONTROL_MONITOR_EXIT, CONTROL_SPAWN_REQUEST};

    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        struct control control = {.op = ops[i], .has_from = true, .to = here_pid};

        control.from = here_pid; /* ours */
        ck_assert_int_eq(world_inject(&world, 1, 0, &control, atom("x")), CN_E_INVALID);
        control.from = there_pid;
        control.from.creation++; /* of another life */
        ck_assert_int_eq(world_inject(&world, 1, 0, &control, atom("x")), CN_E_INVALID);
    }
    world_settle(&world);
    ck_assert_uint_eq(p.count, 0);
    ck_assert_str_eq(p.ended, "");
}
END_TEST

/* A send without a sender, and what does not concern us, is fine. */
START_TEST(senderless_signals_are_fine)
{
    struct control control = {.op = CONTROL_SEND, .to = here_pid};

    ck_assert_int_eq(world_inject(&world, 1, 0, &control, atom("x")), 0);
    control.op = CONTROL_GROUP_LEADER;
    ck_assert_int_eq(world_inject(&world, 1, 0, &control, (struct cn_term){0}), 0);
    control.op = CONTROL_SPAWN_REPLY;
    ck_assert_int_eq(world_inject(&world, 1, 0, &control, (struct cn_term){0}), 0);
    control.op = (enum control_op)99;
    control.has_from = true;
    control.from = there_pid;
    ck_assert_int_eq(world_inject(&world, 1, 0, &control, (struct cn_term){0}), CN_E_INVALID);
    world_settle(&world);
    ck_assert_uint_eq(p.count, 1);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, messages_reach_pids_and_names);
    tcase_add_test(tcase, messages_to_nobody_vanish);
    tcase_add_test(tcase, who_runs_is_the_sender);
    tcase_add_test(tcase, transport_errors_are_told);
    tcase_add_loop_test(tcase, signals_keep_their_order, 0, 2);
    tcase_add_test(tcase, peers_speak_for_their_own_only);
    tcase_add_test(tcase, senderless_signals_are_fine);
}

int main(void)
{
    return run_tests("router", add, setup, teardown);
}
