/*
 * What :global asks of a node by rpc: whereis_name, and resolve_it with each method of stock OTP
 * when two partitions have one name.
 */
#include <stdio.h>

#include "registry/global_internal.h"
#include "unit/registry/ours.h"

static struct server asker;
static struct gen_server *self;

static void setup(void)
{
    ours_setup();
    self = server_start(b.procs, &asker, NULL);
}

static void teardown(void)
{
    ours_teardown();
    server_deinit(&asker);
}

/* Ask from node b; the answer is in the asker's log. */
static const char *rpc(const char *function, struct cn_term arguments)
{
    ck_assert_int_eq(call_rpc(self, "a@world", "global", function, arguments, 1000, server_done,
                              &asker, NULL),
                     0);
    world_settle(&world);
    return server_last(&asker);
}

/* fun global:Method/3, as it travels */
static struct cn_term method(const char *name)
{
    static struct cn_writer writer;
    static const uint8_t tag = 113;
    static const uint8_t arity[] = {97, 3};

    if (writer.data == NULL)
        cn_writer_init(&writer, 0);
    cn_writer_reset(&writer);
    cn_write_term(&writer, (struct cn_term){&tag, 1});
    cn_write_atom(&writer, "global");
    cn_write_atom(&writer, name);
    cn_write_term(&writer, (struct cn_term){arity, 2});
    return cn_writer_term(&writer);
}

static const char *resolve(const char *name, const struct cn_pid *theirs)
{
    struct cn_term fun = method(name);

    return rpc("resolve_it", parse_with("[%t,name,%p,%p]", &fun, theirs, &pid));
}

/* A name of ours is answered from the table, another one by asking a BEAM neighbour. */
START_TEST(whereis_name_answers)
{
    link_up(1);
    ask_register("name", &pid, 0);
    world_settle(&world);
    ck_assert_str_eq(rpc("whereis_name", parse("[name]")), "reply <a.4.0>");
    beam_set(&b, "theirs", gen_server_pid(b.server));
    ck_assert_str_eq(rpc("whereis_name", parse("[theirs]")), "reply <b.3.0>");
    ck_assert_str_eq(rpc("whereis_name", parse("[nobody]")), "reply undefined");
}
END_TEST

/* random_exit_name: the process of the lesser node keeps the name, the other is killed. */
START_TEST(exit_method_kills_the_greater)
{
    struct process *theirs = probe_start(b.procs, &second);

    link_up(1);
    ask_register("name", &pid, 0);
    world_settle(&world);
    ck_assert_str_eq(resolve("random_exit_name", process_pid(theirs)), "reply <a.4.0>");
    ck_assert_str_eq(second.ended, "killed");
    ck_assert_str_eq(conflict, "");
    ck_assert_uint_eq(global_count(global), 1);
}
END_TEST

/* When it kills one of ours the owner is told, and the name is no longer cared for. */
START_TEST(exit_method_kills_ours)
{
    struct cn_pid theirs = pid;

    (void)snprintf(theirs.node, sizeof(theirs.node), "A@world");
    link_up(1);
    ask_register("name", &pid, 0);
    world_settle(&world);
    ck_assert_str_eq(resolve("random_exit_name", &theirs), "reply <A.4.0>");
    ck_assert_str_eq(owner.ended, "killed");
    ck_assert_str_eq(conflict, "name <a.4.0> <A.4.0>");
    ck_assert_uint_eq(global_count(global), 0);
}
END_TEST

/* random_notify_name: the greater is told and lives. */
START_TEST(notify_method_tells_the_greater)
{
    struct process *theirs = probe_start(b.procs, &second);

    link_up(1);
    ck_assert_str_eq(resolve("random_notify_name", process_pid(theirs)), "reply <a.4.0>");
    ck_assert_str_eq(second.log[0], "{global_name_conflict,name}");
}
END_TEST

/* notify_all_name: both are told, once, and nobody keeps the name. */
START_TEST(notify_all_method_tells_both)
{
    struct process *theirs = probe_start(b.procs, &second);

    link_up(1);
    ask_register("name", &pid, 0);
    world_settle(&world);
    ck_assert_str_eq(resolve("notify_all_name", process_pid(theirs)), "reply none");
    ck_assert_str_eq(owner.log[0], "{global_name_conflict,name,<b.5.0>}");
    ck_assert_str_eq(second.log[0], "{global_name_conflict,name,<a.4.0>}");
    ck_assert_uint_eq(owner.count, 1);
    ck_assert_str_eq(conflict, "");
    ck_assert_uint_eq(global_count(global), 0);
}
END_TEST

static global_chosen chosen;
static void *chosen_context;

static void choose(void *context, struct cn_term name, const struct cn_pid *one,
                   const struct cn_pid *other, global_chosen to_call, void *with)
{
    chosen = to_call;
    chosen_context = with;
}

/* The owner's method, which a BEAM node gave the name: asked here, the owner chooses later, and is
 * told no more; or the node ends first. */
START_TEST(owner_chooses)
{
    static const uint8_t bytes[] = "\x71\x77\x05owner\x77\x06"
                                   "choose\x61\x03";
    struct cn_term fun = {bytes, sizeof(bytes) - 1};
    struct process *theirs = probe_start(b.procs, &second);
    struct cn_pid winner;

    global->hooks.owner_module = "owner";
    global->hooks.owner_function = "choose";
    global->hooks.choose = choose;
    link_up(1);
    ask_register("name", &pid, 0);
    world_settle(&world);
    ck_assert_str_eq(
        rpc("resolve_it", parse_with("[%t,name,%p,%p]", &fun, process_pid(theirs), &pid)), "");
    ck_assert_uint_eq(global_count(global), 1);
    if (_i == 2)
        return;
    winner = _i == 0 ? pid : *process_pid(theirs);
    chosen(chosen_context, &winner);
    world_settle(&world);
    ck_assert_str_eq(server_last(&asker), _i == 0 ? "reply <a.4.0>" : "reply <b.5.0>");
    ck_assert_uint_eq(global_count(global), _i == 0 ? 1 : 0);
    ck_assert_str_eq(conflict, "");
}
END_TEST

/* Another method is an error, upon which OTP lets the other side win. */
START_TEST(unknown_method_is_an_error)
{
    link_up(1);
    ck_assert_str_eq(resolve("dance", &pid), "reply {badrpc,{EXIT,{badarg,"
                                             "[{global,resolve_it,4,[]}]}}}");
    ck_assert_str_eq(rpc("resolve_it", parse("[not_a_fun,name,a,b]")),
                     "reply {badrpc,{EXIT,{badarg,[{global,resolve_it,4,[]}]}}}");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, whereis_name_answers);
    tcase_add_test(tcase, exit_method_kills_the_greater);
    tcase_add_test(tcase, exit_method_kills_ours);
    tcase_add_test(tcase, notify_method_tells_the_greater);
    tcase_add_test(tcase, notify_all_method_tells_both);
    tcase_add_loop_test(tcase, owner_chooses, 0, 3);
    tcase_add_test(tcase, unknown_method_is_an_error);
}

int main(void)
{
    return run_tests("global_functions", add, setup, teardown);
}
