/*
 * Names in :global through BEAM neighbours: registering, moving, losing links and nodes.
 *
 * Node a is ours; b and c are BEAM nodes. In these tests the two BEAM nodes keep separate tables:
 * what OTP does between them is not ours to test.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "registry/global_external.h"
#include "unit/registry/beam.h"

static struct world world;
static struct beam b, c;
static struct functions *functions;
static struct global *global;
static struct probe owner, second;
static struct process *process;
static struct cn_pid pid;
static char answers[2048][64];
static size_t answered;
static char conflict[256];

static void on_conflict(void *context, struct cn_term name, const struct cn_pid *ours,
                        const struct cn_pid *other)
{
    (void)snprintf(conflict, sizeof(conflict), "%s %s %s", show(name), show(pid_term(ours)),
                   show(pid_term(other)));
}

/* Write "yes <pid>", "no", ... into the place that is the context. */
static void done(void *context, enum global_outcome outcome, const struct cn_pid *holder)
{
    static const char *const names[] = {"yes", "no", "unreachable"};

    ck_assert_str_eq(context, "");
    (void)snprintf(context, 64, "%s%s%s", names[outcome], holder != NULL ? " " : "",
                   holder != NULL ? show(pid_term(holder)) : "");
    answered++;
}

static void setup(void)
{
    struct global_hooks hooks = {NULL, on_conflict};

    world_init(&world);
    world_cut(&world, 0, 1);
    beam_init(&b, world_procs(&world, 1));
    beam_init(&c, world_procs(&world, 2));
    ck_assert_int_eq(functions_new(world_procs(&world, 0), &functions), 0);
    ck_assert_int_eq(global_new(world_procs(&world, 0), functions, &hooks, &global), 0);
    process = probe_start(world_procs(&world, 0), &owner);
    pid = *process_pid(process);
    second = (struct probe){0};
    memset(answers, 0, sizeof(answers));
    answered = 0;
    conflict[0] = '\0';
}

static void teardown(void)
{
    world_deinit(&world);
    beam_deinit(&b);
    beam_deinit(&c);
    functions = functions_free(functions);
    global = global_free(global);
    probe_deinit(&owner);
    probe_deinit(&second);
}

static void connect(int node)
{
    world_connect(&world, 0, node);
    ck_assert_int_eq(global_peer_up(global, world.nodes[node].name), 0);
    world_settle(&world);
}

static void cut(int node)
{
    world_cut(&world, 0, node);
    global_peer_down(global, world.nodes[node].name);
    world_settle(&world);
}

static const char *answer(size_t index)
{
    return answers[index];
}

static void ask_register(const char *name, const struct cn_pid *who, size_t index)
{
    ck_assert_int_eq(global_register(global, atom(name), who, done, answers[index]), 0);
}

/* A peer is told that we are in sync, at once and again when it asks us to join. */
START_TEST(peer_need_not_wait_for_us)
{
    struct dest us = to_name("global_name_server", "a@world");

    connect(1);
    ck_assert_uint_eq(b.in_sync, 1);
    ck_assert_uint_eq(global_neighbours(global), 1);
    ck_assert_int_eq(gen_cast(b.procs, NULL, &us, parse("{init_connect,{8,1},b@world,x}")), 0);
    world_settle(&world);
    ck_assert_uint_eq(b.in_sync, 2);
}
END_TEST

/* Calls that a BEAM makes to any visible node's server are answered as its callers can take it. */
START_TEST(calls_of_a_beam_are_answered)
{
    static const struct {
        const char *request;
        const char *answer;
    } table[] = {
        {"{set_lock,{res,me}}", "reply true"},
        {"{del_lock,{res,me}}", "reply true"},
        {"get_known", "reply []"},
        {"get_protocol_version", "reply {error,unsupported}"},
        {"{register,n,p,m}", "reply {error,unsupported}"},
    };
    static struct server asker;
    struct gen_server *self = server_start(b.procs, &asker, NULL);
    struct dest us = to_name("global_name_server", "a@world");

    connect(1);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_int_eq(
            call_start(self, &us, parse(table[i].request), 1000, server_done, &asker, NULL), 0);
        world_settle(&world);
        ck_assert_str_eq(server_last(&asker), table[i].answer);
    }
    server_deinit(&asker);
}
END_TEST

/* A name is registered at the neighbour, and can be looked up here and there. */
START_TEST(register_and_whereis)
{
    struct cn_pid found;

    connect(1);
    ask_register("name", &pid, 0);
    ck_assert_str_eq(answer(0), ""); /* never from inside the call */
    world_settle(&world);
    ck_assert_str_eq(answer(0), "yes <a.4.0>");
    ck_assert_str_eq(beam_whereis(&b, "name"), "<a.4.0>");
    ck_assert(global_whereis_local(global, atom("name"), &found));
    ck_assert(cn_pid_equal(&found, &pid));
    ck_assert_int_eq(global_whereis(global, atom("name"), done, answers[1]), 0);
    ck_assert_int_eq(global_whereis(global, atom("nobody"), done, answers[2]), 0);
    beam_set(&b, "theirs", gen_server_pid(b.server));
    ck_assert_int_eq(global_whereis(global, atom("theirs"), done, answers[3]), 0);
    world_settle(&world);
    ck_assert_str_eq(answer(1), "yes <a.4.0>");
    ck_assert_str_eq(answer(2), "no");
    ck_assert_str_eq(answer(3), "yes <b.3.0>");
}
END_TEST

/* A taken name is refused, and who has it is told. */
START_TEST(taken_name_is_refused)
{
    connect(1);
    beam_set(&b, "name", gen_server_pid(b.server));
    ask_register("name", &pid, 0);
    world_settle(&world);
    ck_assert_str_eq(answer(0), "no <b.3.0>");
    ck_assert_uint_eq(global_count(global), 0);
    ck_assert_str_eq(conflict, "");
}
END_TEST

/* Two processes here want one name: the first has it. */
START_TEST(name_taken_here_is_refused)
{
    struct process *other = probe_start(world_procs(&world, 0), &second);

    connect(1);
    ask_register("name", &pid, 0);
    ask_register("name", process_pid(other), 1);
    ask_register("name", &pid, 2); /* once more is fine */
    world_settle(&world);
    ck_assert_str_eq(answer(0), "yes <a.4.0>");
    ck_assert_str_eq(answer(1), "no <a.4.0>");
    ck_assert_str_eq(answer(2), "yes <a.4.0>");
}
END_TEST

/* A `no` for a name that nobody has is a race: it is tried again. */
START_TEST(no_without_holder_is_tried_again)
{
    connect(1);
    b.no_once = true;
    ask_register("name", &pid, 0);
    world_settle(&world);
    ck_assert_str_eq(answer(0), "yes <a.4.0>");
}
END_TEST

/* Unregistering gives the name up everywhere; not when somebody else has it. */
START_TEST(unregister_gives_up_own_names_only)
{
    connect(1);
    ask_register("name", &pid, 0);
    world_settle(&world);
    ck_assert_int_eq(global_unregister(global, atom("name"), &pid, done, answers[1]), 0);
    world_settle(&world);
    ck_assert_str_eq(answer(1), "yes");
    ck_assert_str_eq(beam_whereis(&b, "name"), "");
    ck_assert_uint_eq(global_count(global), 0);
    beam_set(&b, "theirs", gen_server_pid(b.server));
    ck_assert_int_eq(global_unregister(global, atom("theirs"), &pid, done, answers[2]), 0);
    world_settle(&world);
    ck_assert_str_eq(answer(2), "no <b.3.0>");
    ck_assert_str_eq(beam_whereis(&b, "theirs"), "<b.3.0>");
}
END_TEST

/* A move overwrites; a name that went elsewhere is no longer ours, one that came is. */
START_TEST(move_overwrites)
{
    struct process *other = probe_start(world_procs(&world, 0), &second);

    connect(1);
    ask_register("name", &pid, 0);
    ck_assert_int_eq(global_re_register(global, atom("name"), process_pid(other), done, answers[1]),
                     0);
    world_settle(&world);
    ck_assert_str_eq(answer(1), "yes <a.5.0>");
    ck_assert_str_eq(beam_whereis(&b, "name"), "<a.5.0>");
    ck_assert_uint_eq(global_count(global), 1);
    ck_assert_int_eq(
        global_re_register(global, atom("name"), gen_server_pid(b.server), done, answers[2]), 0);
    world_settle(&world);
    ck_assert_str_eq(answer(2), "yes <b.3.0>");
    ck_assert_uint_eq(global_count(global), 0);
}
END_TEST

/* The end of a process takes its names away, here and at the BEAM. */
START_TEST(end_of_process_frees_its_names)
{
    connect(1);
    ask_register("one", &pid, 0);
    ask_register("two", &pid, 1);
    world_settle(&world);
    ck_assert_uint_eq(global_count(global), 2);
    process_exit_atom(process, "broken");
    world_settle(&world);
    ck_assert_uint_eq(global_count(global), 0);
    ck_assert_uint_eq(b.count, 0);
}
END_TEST

/* The BEAM's link to a named process ends nobody when that BEAM goes. */
START_TEST(end_of_registrar_ends_nobody)
{
    connect(1);
    ask_register("name", &pid, 0);
    world_settle(&world);
    if (_i == 0)
        cut(1);
    else
        process_exit_atom(gen_server_process(b.server), "shutdown");
    world_settle(&world);
    ck_assert_str_eq(owner.ended, "");
}
END_TEST

/* Without a neighbour a name is ours locally, and is registered when one appears. */
START_TEST(name_waits_for_a_neighbour)
{
    ask_register("name", &pid, 0);
    ck_assert_int_eq(global_whereis(global, atom("nobody"), done, answers[1]), 0);
    world_settle(&world);
    ck_assert_str_eq(answer(0), "yes <a.4.0>");
    ck_assert_str_eq(answer(1), "no");
    connect(1);
    ck_assert_str_eq(beam_whereis(&b, "name"), "<a.4.0>");
    ck_assert_str_eq(conflict, "");
}
END_TEST

/* A name that was taken elsewhere meanwhile is a conflict, told once. */
START_TEST(name_taken_meanwhile_is_a_conflict)
{
    ask_register("name", &pid, 0);
    world_settle(&world);
    beam_set(&b, "name", gen_server_pid(b.server));
    connect(1);
    ck_assert_str_eq(conflict, "name <a.4.0> <b.3.0>");
    ck_assert_uint_eq(global_count(global), 0);
    ck_assert_str_eq(owner.ended, "");
}
END_TEST

/* A BEAM that lost its link to us forgot our names: they are registered again at that node. */
START_TEST(hole_is_repaired_at_the_node_that_has_it)
{
    connect(1);
    connect(2);
    beam_set(&b, "name", &pid); /* as if the registrar c had told b */
    ask_register("name", &pid, 0);
    world_settle(&world);
    ck_assert_str_eq(beam_whereis(&c, "name"), "<a.4.0>");
    cut(1);
    beam_set(&b, "name", NULL);
    connect(1);
    ck_assert_str_eq(beam_whereis(&b, "name"), "<a.4.0>");
    ck_assert_str_eq(conflict, "");
}
END_TEST

/* One neighbour registers for all, the greatest; when it goes, the next has or gets the names. */
START_TEST(next_registrar_takes_over)
{
    connect(1);
    connect(2);
    ask_register("name", &pid, 0);
    world_settle(&world);
    ck_assert_uint_eq(c.registered, 1);
    ck_assert_uint_eq(b.registered, 0);
    cut(2);
    ck_assert_str_eq(beam_whereis(&b, "name"), "<a.4.0>");
}
END_TEST

/* A neighbour that ends while it registers: the next one does it. */
START_TEST(request_survives_its_registrar)
{
    connect(1);
    connect(2);
    c.hold = true;
    ask_register("name", &pid, 0);
    world_settle(&world);
    ck_assert_str_eq(answer(0), "");
    cut(2);
    ck_assert_str_eq(answer(0), "yes <a.4.0>");
    ck_assert_str_eq(beam_whereis(&b, "name"), "<a.4.0>");
}
END_TEST

/* A neighbour that answers nothing in time is unreachable, and so is one that only fails. */
START_TEST(silence_is_unreachable)
{
    connect(1);
    b.hold = _i == 0;
    b.fail = _i == 1;
    ask_register("name", &pid, 0);
    world_settle(&world);
    world_pass(&world, 60000);
    ck_assert_str_eq(answer(0), "unreachable");
}
END_TEST

/* Thousands of names are registered side by side, but never too many at once. */
START_TEST(registrations_are_bounded)
{
    char name[16];

    connect(1);
    b.hold = true;
    for (size_t i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "name%zu", i);
        ask_register(name, &pid, i);
    }
    world_settle(&world);
    ck_assert_uint_eq(b.running, 64);
    b.hold = false;
    beam_release(&b);
    world_settle(&world);
    ck_assert_uint_eq(answered, 1000);
    ck_assert_uint_eq(b.registered, 1000);
    ck_assert_uint_eq(b.running_max, 64);
}
END_TEST

/* A reconnected BEAM is asked for all names in batches, and only the missing are repaired. */
START_TEST(audit_goes_through_all_names)
{
    char name[16];
    size_t sends = 0;

    connect(1);
    for (size_t i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "name%zu", i);
        ask_register(name, &pid, i);
    }
    world_settle(&world);
    cut(1);
    ck_assert_uint_eq(b.count, 0); /* its monitors saw noconnection */
    for (size_t i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "name%zu", i);
        if (i % 10 != 0)
            beam_set(&b, name, &pid);
    }
    b.asked = 0;
    b.registered = 0;
    sends = world.nodes[0].sent[CONTROL_REG_SEND];
    connect(1);
    ck_assert_uint_eq(b.asked, 1000);
    ck_assert_uint_eq(b.registered, 100);
    ck_assert_uint_eq(b.count, 1000);
    /* in_sync, two questions of the probe, 4 batches, 100 registrations */
    ck_assert_uint_eq(world.nodes[0].sent[CONTROL_REG_SEND] - sends, 107);
}
END_TEST

/* Names are looked at again every minute, so what no event told us heals as well. */
START_TEST(names_are_checked_every_minute)
{
    connect(1);
    ask_register("name", &pid, 0);
    world_settle(&world);
    beam_set(&b, "name", NULL);
    world_pass(&world, 60000);
    ck_assert_str_eq(beam_whereis(&b, "name"), "<a.4.0>");
}
END_TEST

/* A name that somebody moved to us is cared for once it is adopted. */
START_TEST(adopted_name_is_cared_for)
{
    connect(1);
    beam_set(&b, "name", &pid);
    ck_assert_int_eq(global_adopt(global, atom("name"), &pid), 0);
    cut(1);
    beam_set(&b, "name", NULL);
    connect(1);
    ck_assert_str_eq(beam_whereis(&b, "name"), "<a.4.0>");
    pid.serial++;
    ck_assert_int_eq(global_adopt(global, atom("other"), &pid), 0); /* it has ended: nothing */
    ck_assert_uint_eq(global_count(global), 1);
}
END_TEST

/* A peer that is no BEAM is never asked to register: ours, and one without any server. */
START_TEST(other_nodes_do_not_register)
{
    process_unregister(gen_server_process(b.server), "global_name_server");
    connect(1);
    ck_assert_uint_eq(global_neighbours(global), 0);
    ask_register("name", &pid, 0);
    world_settle(&world);
    ck_assert_str_eq(answer(0), "yes <a.4.0>");
    ck_assert_uint_eq(b.registered, 0);
}
END_TEST

/* Asking fails cleanly at each allocation. */
START_TEST(asking_survives_no_memory)
{
    struct cn_term name = atom("name");
    int r = -1;
    size_t nth = 0;

    connect(1);
    while (r != 0) {
        mem_test_begin();
        mem_test_fail(++nth);
        r = global_register(global, name, &pid, done, answers[0]);
        mem_test_fail(0);
        if (r != 0)
            ck_assert_int_eq(mem_test_end(), 0);
    }
    (void)mem_test_end();
    world_settle(&world);
    ck_assert_str_eq(answer(0), "yes <a.4.0>");
    ck_assert_uint_gt(nth, 3);
}
END_TEST

/* When the server was killed, asking fails instead of waiting for ever. */
START_TEST(asking_without_server_is_closed)
{
    struct process *server = procs_whereis(world_procs(&world, 0), view("global_name_server"));

    ck_assert_int_eq(
        procs_exit_signal(world_procs(&world, 0), NULL, process_pid(server), atom("kill")), 0);
    world_settle(&world);
    ck_assert_int_eq(global_register(global, atom("name"), &pid, done, answers[0]), CN_E_CLOSED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("global_external");
    TCase *tcase = tcase_create("global_external");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, peer_need_not_wait_for_us);
    tcase_add_test(tcase, calls_of_a_beam_are_answered);
    tcase_add_test(tcase, register_and_whereis);
    tcase_add_test(tcase, taken_name_is_refused);
    tcase_add_test(tcase, name_taken_here_is_refused);
    tcase_add_test(tcase, no_without_holder_is_tried_again);
    tcase_add_test(tcase, unregister_gives_up_own_names_only);
    tcase_add_test(tcase, move_overwrites);
    tcase_add_test(tcase, end_of_process_frees_its_names);
    tcase_add_loop_test(tcase, end_of_registrar_ends_nobody, 0, 2);
    tcase_add_test(tcase, name_waits_for_a_neighbour);
    tcase_add_test(tcase, name_taken_meanwhile_is_a_conflict);
    tcase_add_test(tcase, hole_is_repaired_at_the_node_that_has_it);
    tcase_add_test(tcase, next_registrar_takes_over);
    tcase_add_test(tcase, request_survives_its_registrar);
    tcase_add_loop_test(tcase, silence_is_unreachable, 0, 2);
    tcase_add_test(tcase, registrations_are_bounded);
    tcase_add_test(tcase, audit_goes_through_all_names);
    tcase_add_test(tcase, names_are_checked_every_minute);
    tcase_add_test(tcase, adopted_name_is_cared_for);
    tcase_add_test(tcase, other_nodes_do_not_register);
    tcase_add_test(tcase, asking_survives_no_memory);
    tcase_add_test(tcase, asking_without_server_is_closed);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
