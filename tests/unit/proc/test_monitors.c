/*
 * Monitors by pid and by name, on one node and over the wire, and references as aliases.
 */
#include <stdio.h>

#include "base/error.h"
#include "unit/proc/world.h"

static struct world world;
static struct probe p, q;
static struct process *here, *there;
static struct cn_pid here_pid, there_pid;
static struct cn_ref ref;

static void setup(void)
{
    world_init(&world);
    p = (struct probe){0};
    q = (struct probe){0};
}

static void teardown(void)
{
    world_deinit(&world);
    probe_deinit(&p);
    probe_deinit(&q);
}

static void start_at(int second)
{
    here = probe_start(world_procs(&world, 0), &p);
    there = probe_start(world_procs(&world, second), &q);
    here_pid = *process_pid(here);
    there_pid = *process_pid(there);
}

static void watch(struct dest dest)
{
    ck_assert_int_eq(process_monitor(here, &dest, &ref), 0);
    world_settle(&world);
}

/* The end of a watched process comes as DOWN with its reason, normal too. */
START_TEST(down_brings_the_reason)
{
    start_at(_i);
    watch(to_pid(&there_pid));
    process_exit_atom(there, "normal");
    world_settle(&world);
    ck_assert_str_eq(p.log[0], _i == 0 ? "{DOWN,#Ref<a.1>,process,<a.2.0>,normal}"
                                       : "{DOWN,#Ref<a.1>,process,<b.1.0>,normal}");
    ck_assert_uint_eq(p.count, 1);
}
END_TEST

/* A monitor by name says {Name, Node}, whichever way it was set. */
START_TEST(down_by_name_brings_the_name)
{
    start_at(_i);
    ck_assert_int_eq(process_register(there, "server"), 0);
    watch(to_name("server", _i == 0 ? NULL : "b@world"));
    process_exit_atom(there, "broken");
    world_settle(&world);
    ck_assert_str_eq(p.log[0], _i == 0 ? "{DOWN,#Ref<a.1>,process,{server,a@world},broken}"
                                       : "{DOWN,#Ref<a.1>,process,{server,b@world},broken}");
}
END_TEST

/* Watching what is not there answers noproc at once: by pid, by name. */
START_TEST(nobody_is_noproc)
{
    start_at(_i);
    there_pid.serial++;
    watch(to_pid(&there_pid));
    watch(to_name("nobody", _i == 0 ? NULL : "b@world"));
    ck_assert_str_eq(p.log[0], _i == 0 ? "{DOWN,#Ref<a.1>,process,<a.2.1>,noproc}"
                                       : "{DOWN,#Ref<a.1>,process,<b.1.1>,noproc}");
    ck_assert_str_eq(p.log[1], _i == 0 ? "{DOWN,#Ref<a.2>,process,{nobody,a@world},noproc}"
                                       : "{DOWN,#Ref<a.2>,process,{nobody,b@world},noproc}");
}
END_TEST

/* A pid of an older incarnation of a peer that is up is known to be dead. */
START_TEST(old_incarnation_is_noproc)
{
    start_at(1);
    there_pid.creation--;
    watch(to_pid(&there_pid));
    ck_assert_str_eq(p.log[0], "{DOWN,#Ref<a.1>,process,<b.1.0>,noproc}");
    ck_assert_uint_eq(world.nodes[0].sent[CONTROL_MONITOR], 0);
}
END_TEST

/* A pid of an older incarnation of ours gets its watcher noproc. */
START_TEST(own_old_incarnation_is_noproc)
{
    start_at(1);
    here_pid.creation--;
    struct dest dest = to_pid(&here_pid);
    ck_assert_int_eq(process_monitor(here, &dest, &ref), 0);
    world_settle(&world);
    ck_assert_str_eq(p.log[0], "{DOWN,#Ref<a.1>,process,<a.1.0>,noproc}");
}
END_TEST

/* Taken back, a monitor stays silent; with flush also when its DOWN is already there. */
START_TEST(demonitor_silences)
{
    start_at(_i);
    watch(to_pid(&there_pid));
    process_demonitor(here, &ref, false);
    world_settle(&world);
    ck_assert_uint_eq(process_watchers(there, NULL), 0);
    process_exit_atom(there, "broken");
    world_settle(&world);
    ck_assert_uint_eq(p.count, 0);
}
END_TEST

/* Flush takes the DOWN of that reference, and no other message, out of the mailbox. */
START_TEST(flush_takes_one_down_out)
{
    struct cn_ref other;
    struct dest nobody = to_name("nobody", NULL);

    start_at(0);
    ck_assert_int_eq(procs_send_pid(world_procs(&world, 0), NULL, &here_pid, atom("first")), 0);
    ck_assert_int_eq(process_monitor(here, &nobody, &ref), 0);
    ck_assert_int_eq(process_monitor(here, &nobody, &other), 0);
    ck_assert_uint_eq(process_mailbox_length(here), 3);
    process_demonitor(here, &ref, true);
    process_demonitor(here, &other, false); /* without flush it stays */
    ck_assert_uint_eq(process_mailbox_length(here), 2);
    ck_assert_int_eq(procs_send_pid(world_procs(&world, 0), NULL, &here_pid, atom("last")), 0);
    world_settle(&world);
    ck_assert_str_eq(p.log[0], "first");
    ck_assert_str_eq(p.log[1], "{DOWN,#Ref<a.2>,process,{nobody,a@world},noproc}");
    ck_assert_str_eq(p.log[2], "last");
}
END_TEST

/* A lost peer, or one that cannot be reached, is noconnection; its own monitors are dropped. */
START_TEST(lost_peer_is_noconnection)
{
    struct dest back;

    start_at(1);
    back = to_pid(&here_pid);
    watch(to_pid(&there_pid));
    ck_assert_int_eq(process_monitor(there, &back, &ref), 0);
    world_settle(&world);
    ck_assert_uint_eq(process_watchers(here, NULL), 1);
    world_cut(&world, 0, 1);
    world_settle(&world);
    ck_assert_str_eq(p.log[0], "{DOWN,#Ref<a.1>,process,<b.1.0>,noconnection}");
    ck_assert_uint_eq(process_watchers(here, NULL), 0);
    watch(to_name("x", "c@world"));
    procs_peer_down(world_procs(&world, 0), "c@world");
    world_settle(&world);
    ck_assert_str_eq(p.log[1], "{DOWN,#Ref<a.2>,process,{x,c@world},noconnection}");
}
END_TEST

/* A monitor that cannot be sent answers noconnection. */
START_TEST(unsent_monitor_is_noconnection)
{
    start_at(1);
    world.nodes[0].send_result = CN_E_LIMIT;
    watch(to_pid(&there_pid));
    ck_assert_str_eq(p.log[0], "{DOWN,#Ref<a.1>,process,<b.1.0>,noconnection}");
}
END_TEST

/* The end of a watcher takes its monitors back. */
START_TEST(end_of_watcher_takes_monitors_back)
{
    start_at(_i);
    watch(to_pid(&there_pid));
    ck_assert_uint_eq(process_watchers(there, NULL), 1);
    process_exit_atom(here, "normal");
    world_settle(&world);
    ck_assert_uint_eq(process_watchers(there, NULL), 0);
}
END_TEST

/* Watchers are counted, those of one node left out if asked. */
START_TEST(watchers_are_counted)
{
    struct dest dest;
    static struct probe third_state;
    struct process *third = NULL;

    start_at(1);
    third = probe_start(world_procs(&world, 1), &third_state);
    watch(to_pid(&there_pid));
    dest = to_pid(&there_pid);
    ck_assert_int_eq(process_monitor(third, &dest, &ref), 0);
    ck_assert_uint_eq(process_watchers(there, NULL), 2);
    ck_assert_uint_eq(process_watchers(there, "a@world"), 1);
    ck_assert_uint_eq(process_watchers(there, "b@world"), 1);
}
END_TEST

/* A process may watch itself: its end is then nobody's news. */
START_TEST(watching_oneself_is_harmless)
{
    start_at(0);
    watch(to_pid(&here_pid));
    process_exit_atom(here, "normal");
    world_settle(&world);
    ck_assert_str_eq(p.ended, "normal");
}
END_TEST

/* What is sent to an alias arrives until the DOWN or the demonitor, from far and near. */
START_TEST(alias_lives_with_its_monitor)
{
    struct dest target;
    struct dest alias = {.kind = DEST_ALIAS};

    start_at(1);
    target = to_pid(&there_pid);
    ck_assert_int_eq(process_monitor_alias(here, &target, &alias.alias), 0);
    world_settle(&world);
    ck_assert_int_eq(procs_send(world_procs(&world, 1), there, &alias, atom("far")), 0);
    world_settle(&world);
    ck_assert_int_eq(procs_send(world_procs(&world, 0), NULL, &alias, atom("near")), 0);
    world_settle(&world);
    ck_assert_str_eq(p.log[0], "far");
    ck_assert_str_eq(p.log[1], "near");
    process_demonitor(here, &alias.alias, true);
    ck_assert_int_eq(procs_send(world_procs(&world, 1), there, &alias, atom("late")), 0);
    world_settle(&world);
    ck_assert_uint_eq(p.count, 2);
    ck_assert_int_eq(process_monitor(here, &alias, &ref), -22);
}
END_TEST

/* An answer is out until its caller demonitors, or its node is gone; an answer is one, however
 * often. */
START_TEST(answers_out_are_counted)
{
    struct procs *server = NULL;
    struct dest target;
    struct dest aliases[3] = {{.kind = DEST_ALIAS}, {.kind = DEST_ALIAS}, {.kind = DEST_ALIAS}};

    start_at(1);
    server = world_procs(&world, 1);
    target = to_pid(&there_pid);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(process_monitor_alias(here, &target, &aliases[i].alias), 0);
    world_settle(&world);
    ck_assert_uint_eq(procs_answers_out(server), 0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(procs_send(server, there, &aliases[i], atom("answer")), 0);
    ck_assert_int_eq(procs_send(server, there, &aliases[0], atom("again")), 0);
    ck_assert_uint_eq(procs_answers_out(server), 2);
    ck_assert_uint_eq(procs_answers_out(server), 0); /* nothing was answered since */
    world_settle(&world);
    ck_assert_uint_eq(procs_answers_left(server), 100);
    process_demonitor(here, &aliases[0].alias, true);
    world_settle(&world);
    ck_assert_uint_eq(procs_answers_left(server), 50);
    ck_assert_int_eq(procs_send(server, there, &aliases[2], atom("answer")), 0);
    ck_assert_uint_eq(procs_answers_out(server), 2);
    world_cut(&world, 0, 1);
    world_connect(&world, 0, 1);
    ck_assert_int_eq(process_monitor_alias(here, &target, &aliases[0].alias), 0);
    world_settle(&world);
    ck_assert_int_eq(procs_send(server, there, &aliases[0], atom("answer")), 0);
    ck_assert_uint_eq(procs_answers_out(server), 1);
}
END_TEST

/* A plain monitor's reference is no alias. */
START_TEST(plain_reference_is_no_alias)
{
    struct dest alias = {.kind = DEST_ALIAS};

    start_at(1);
    watch(to_pid(&there_pid));
    alias.alias = ref;
    ck_assert_int_eq(procs_send(world_procs(&world, 1), there, &alias, atom("x")), 0);
    world_settle(&world);
    ck_assert_uint_eq(p.count, 0);
}
END_TEST

static struct control monitor_of(uint32_t word)
{
    struct control control = {.op = CONTROL_MONITOR,
                              .has_from = true,
                              .from = there_pid,
                              .to = here_pid,
                              .ref = {.words = {word}, .count = 3, .creation = there_pid.creation}};

    (void)snprintf(control.ref.node, sizeof(control.ref.node), "%s", there_pid.node);
    return control;
}

/* A reference that is not the peer's own, or used twice, breaks the rules. */
START_TEST(false_references_break_the_rules)
{
    struct control control;
    const struct cn_term none = {0};

    start_at(1);
    control = monitor_of(1);
    ck_assert_int_eq(world_inject(&world, 1, 0, &control, none), 0);
    ck_assert_int_eq(world_inject(&world, 1, 0, &control, none), CN_E_INVALID);
    control = monitor_of(2);
    control.ref.creation++;
    ck_assert_int_eq(world_inject(&world, 1, 0, &control, none), CN_E_INVALID);
    control = monitor_of(2);
    control.ref.node[0] = 'c';
    ck_assert_int_eq(world_inject(&world, 1, 0, &control, none), CN_E_INVALID);
}
END_TEST

/* A DOWN for no monitor of ours, or from a node that we do not watch, is ignored. */
START_TEST(stray_down_is_ignored)
{
    struct control control;

    start_at(1);
    watch(to_pid(&there_pid));
    control = (struct control){.op = CONTROL_MONITOR_EXIT,
                               .has_from = true,
                               .from = there_pid,
                               .to = here_pid,
                               .ref = ref};
    control.ref.words[0]++;
    ck_assert_int_eq(world_inject(&world, 1, 0, &control, atom("x")), 0);
    control.ref = ref;
    control.ref.creation++;
    ck_assert_int_eq(world_inject(&world, 1, 0, &control, atom("x")), 0);
    world_connect(&world, 0, 2);
    control.ref = ref;
    control.from = (struct cn_pid){1, 0, world.nodes[2].creation, "c@world"};
    ck_assert_int_eq(world_inject(&world, 2, 0, &control, atom("x")), 0);
    world_settle(&world);
    ck_assert_uint_eq(p.count, 0);
}
END_TEST

static unsigned reached;

static void on_reached(void *context, const char *limit, const char *who)
{
    reached++;
    ck_assert_str_eq(limit, "monitors.full");
    ck_assert_str_eq(who, "b@world");
}

/* A peer cannot hold more monitors than its share: the next fires with system_limit; told once. */
START_TEST(monitors_of_a_peer_are_limited)
{
    struct procs *procs = NULL;
    static struct probe state;
    struct procs_limits limits = {.monitors_per_peer_max = 2, .reached = on_reached};
    struct transport transport = {0};
    struct process *process = NULL;

    start_at(1);
    ck_assert_int_eq(procs_new("a@world", 100, &transport, &limits, &procs), 0);
    ck_assert_int_eq(procs_peer_up(procs, "b@world", 101), 0);
    process = probe_start(procs, &state);
    for (uint32_t i = 1; i <= 5; i++) {
        struct control control = monitor_of(i);

        control.to = *process_pid(process);
        ck_assert_int_eq(procs_deliver(procs, "b@world", 101, &control, (struct cn_term){0}), 0);
    }
    ck_assert_uint_eq(process_watchers(process, NULL), 2);
    ck_assert_uint_eq(reached, 1);
    procs_free(procs);
}
END_TEST

/* Write {@word, ref or an integer, @kind, x [, {a,b}]} of @arity elements. */
static struct cn_term down_like(struct cn_writer *writer, const char *word, bool with_ref,
                                const char *kind, uint32_t arity)
{
    cn_writer_reset(writer);
    cn_write_tuple(writer, arity);
    cn_write_atom(writer, word);
    if (with_ref)
        cn_write_ref(writer, &ref);
    else
        cn_write_integer(writer, 1);
    if (arity > 2)
        cn_write_atom(writer, kind);
    if (arity > 3)
        cn_write_atom(writer, "x");
    if (arity > 4) {
        cn_write_tuple(writer, 2);
        cn_write_atom(writer, "a");
        cn_write_atom(writer, "b");
    }
    return cn_writer_term(writer);
}

/* DOWN messages are read, anything else is not one. */
START_TEST(downs_are_read)
{
    struct process_down down;
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    procs_make_ref(world_procs(&world, 0), &ref);
    ck_assert(process_read_down(down_like(&writer, "DOWN", true, "process", 5), &down));
    ck_assert(cn_ref_equal(&ref, &down.ref));
    ck_assert_str_eq(show(down.object), "x");
    ck_assert_str_eq(show(down.reason), "{a,b}");
    ck_assert(!process_read_down(down_like(&writer, "DOWN", true, "port", 5), &down));
    ck_assert(!process_read_down(down_like(&writer, "DOWN", true, "process", 2), &down));
    ck_assert(!process_read_down(down_like(&writer, "DOWN", false, "process", 5), &down));
    ck_assert(!process_read_down(down_like(&writer, "UP", true, "process", 5), &down));
    cn_writer_free(&writer);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, downs_are_read);
    tcase_add_loop_test(tcase, down_brings_the_reason, 0, 2);
    tcase_add_loop_test(tcase, down_by_name_brings_the_name, 0, 2);
    tcase_add_loop_test(tcase, nobody_is_noproc, 0, 2);
    tcase_add_test(tcase, old_incarnation_is_noproc);
    tcase_add_test(tcase, own_old_incarnation_is_noproc);
    tcase_add_loop_test(tcase, demonitor_silences, 0, 2);
    tcase_add_test(tcase, flush_takes_one_down_out);
    tcase_add_test(tcase, lost_peer_is_noconnection);
    tcase_add_test(tcase, unsent_monitor_is_noconnection);
    tcase_add_loop_test(tcase, end_of_watcher_takes_monitors_back, 0, 2);
    tcase_add_test(tcase, watchers_are_counted);
    tcase_add_test(tcase, watching_oneself_is_harmless);
    tcase_add_test(tcase, alias_lives_with_its_monitor);
    tcase_add_test(tcase, answers_out_are_counted);
    tcase_add_test(tcase, plain_reference_is_no_alias);
    tcase_add_test(tcase, false_references_break_the_rules);
    tcase_add_test(tcase, stray_down_is_ignored);
    tcase_add_test(tcase, monitors_of_a_peer_are_limited);
}

int main(void)
{
    return run_tests("monitors", add, setup, teardown);
}
