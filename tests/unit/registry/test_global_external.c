/*
 * The server and what its interface promises, with a BEAM neighbour: nobody waits for us, and
 * every question is answered once, never from inside the asking call.
 */
#include "base/error.h"
#include "registry/global_internal.h"
#include "unit/no_memory.h"
#include "unit/registry/ours.h"

/* A peer is told that we are in sync, at once and again when it asks us to join. */
START_TEST(peer_need_not_wait_for_us)
{
    struct dest us = to_name("global_name_server", "a@world");

    link_up(1);
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

    link_up(1);
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

    link_up(1);
    ask_register("name", &pid, 0);
    ck_assert_str_eq(answers[0], ""); /* never from inside the call */
    world_settle(&world);
    ck_assert_str_eq(answers[0], "yes <a.4.0>");
    ck_assert_str_eq(beam_whereis(&b, "name"), "<a.4.0>");
    ck_assert(global_whereis_local(global, atom("name"), &found));
    ck_assert(cn_pid_equal(&found, &pid));
    ck_assert_int_eq(global_whereis(global, atom("name"), done, answers[1]), 0);
    ck_assert_int_eq(global_whereis(global, atom("nobody"), done, answers[2]), 0);
    beam_set(&b, "theirs", gen_server_pid(b.server));
    ck_assert_int_eq(global_whereis(global, atom("theirs"), done, answers[3]), 0);
    world_settle(&world);
    ck_assert_str_eq(answers[1], "yes <a.4.0>");
    ck_assert_str_eq(answers[2], "no");
    ck_assert_str_eq(answers[3], "yes <b.3.0>");
}
END_TEST

/* A taken name is refused, and who has it is told. */
START_TEST(taken_name_is_refused)
{
    link_up(1);
    beam_set(&b, "name", gen_server_pid(b.server));
    ask_register("name", &pid, 0);
    world_settle(&world);
    ck_assert_str_eq(answers[0], "no <b.3.0>");
    ck_assert_uint_eq(global_count(global), 0);
    ck_assert_str_eq(conflict, "");
}
END_TEST

static int register_name(void *context)
{
    return global_register(global, *(struct cn_term *)context, &pid, GLOBAL_NOTIFY_ALL, done,
                           answers[0]);
}

/* Asking fails cleanly at each allocation. */
START_TEST(asking_survives_no_memory)
{
    struct cn_term name = atom("name");

    link_up(1);
    ck_assert_uint_gt(no_memory_sweep(register_name, &name), 3);
    world_settle(&world);
    ck_assert_str_eq(answers[0], "yes <a.4.0>");
}
END_TEST

/* When the server was killed, asking fails instead of waiting for ever. */
START_TEST(asking_without_server_is_closed)
{
    struct process *server = procs_whereis(world_procs(&world, 0), view("global_name_server"));

    ck_assert_int_eq(
        procs_exit_signal(world_procs(&world, 0), NULL, process_pid(server), atom("kill")), 0);
    world_settle(&world);
    ck_assert_int_eq(global_register(global, atom("name"), &pid, GLOBAL_NOTIFY_ALL, done,
                                     answers[0]),
                     CN_E_CLOSED);
}
END_TEST

static unsigned closed;

static void on_closed(void *context)
{
    closed++;
}

/* When it is killed who waits is answered, and the owner is told, once. */
START_TEST(end_of_the_server_is_told)
{
    struct process *server = procs_whereis(world_procs(&world, 0), view("global_name_server"));

    closed = 0;
    global->hooks.closed = on_closed;
    link_up(1);
    ask_register("one", &pid, 0);
    ask_register("one", &pid, 1);
    ask_register("two", &pid, 2);
    ck_assert_int_eq(
        procs_exit_signal(world_procs(&world, 0), NULL, process_pid(server), atom("kill")), 0);
    world_settle(&world);
    ck_assert_uint_eq(closed, 1);
    ck_assert_uint_eq(answered, 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_str_eq(answers[i], "unreachable");
    ck_assert_ptr_null(global->lanes);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, peer_need_not_wait_for_us);
    tcase_add_test(tcase, calls_of_a_beam_are_answered);
    tcase_add_test(tcase, register_and_whereis);
    tcase_add_test(tcase, taken_name_is_refused);
    tcase_add_test(tcase, asking_survives_no_memory);
    tcase_add_test(tcase, asking_without_server_is_closed);
    tcase_add_test(tcase, end_of_the_server_is_told);
}

int main(void)
{
    return run_tests("global_external", add, ours_setup, ours_teardown);
}
