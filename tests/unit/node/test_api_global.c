/*
 * Names and locks of :global on the public API: the server on node a, a full member beside two
 * others. What is asked of a hidden node is in test_api_waiting.c.
 */
#include <errno.h>
#include <stdio.h>

#include "node/api.h"
#include "unit/registry/members.h"

static struct cn_node node;
static struct batches batches;
static struct cn_server *server;
static char ended[256]; /* "done x", "exit x", "ended" of the latest */
static unsigned calls;

static void on_info(struct cn_server *self, void *state, struct cn_term message)
{
    (void)snprintf(ended, sizeof(ended), "info %s", show(message));
}

static void setup(void)
{
    static const struct cn_server_callbacks callbacks = {.module = "m", .handle_info = on_info};

    members_setup();
    batches_init(&batches);
    ones[0].names.batches = &batches;
    node = (struct cn_node){.procs = world_procs(&world, 0), .registry = &ones[0].names};
    api_node_init(&node);
    ck_assert_int_eq(cn_server_start(&node, &callbacks, NULL, &server), 0);
    ended[0] = '\0';
    calls = 0;
}

static void teardown(void)
{
    members_teardown();
    batches_deinit(&batches);
    api_node_deinit(&node);
}

static void join_all(void)
{
    join(0, 1);
    join(1, 2);
    join(0, 2);
    pass(3000);
}

static void done(struct cn_server *self, void *context, enum cn_outcome outcome,
                 struct cn_term term)
{
    static const char *const names[] = {"done ", "exit ", "ended"};

    calls++;
    (void)snprintf(ended, sizeof(ended), "%s%s", names[outcome],
                   outcome == CN_ENDED ? "" : show(term));
}

static void expect(int error, const char *text)
{
    ck_assert_int_eq(error, 0);
    pass(100);
    ck_assert_str_eq(ended, text);
}

/* A name is moved in one step, to a process of another node, whoever has it. */
START_TEST(name_moves)
{
    join_all();
    expect(cn_global_register(server, atom("n"), done, NULL), "done yes");
    expect(cn_global_re_register(server, atom("n"), &ones[1].pids[0], done, NULL), "done yes");
    expect(cn_global_whereis(server, atom("n"), done, NULL), "done <b.6.0>");
    ck_assert_str_eq(holder(2, "n"), "<b.6.0>");
}
END_TEST

/* A batch gives what each of its changes gave, in their order. */
START_TEST(batch_gives_each_outcome)
{
    struct cn_pid us = *cn_server_pid(server);
    struct cn_global_change changes[] = {
        {CN_REGISTER, parse("x"), us, CN_EXIT_ONE},
        {CN_REGISTER, parse("x"), ones[0].pids[0], CN_EXIT_ONE},
        {CN_RE_REGISTER, parse("y"), ones[2].pids[0], CN_NOTIFY_ALL},
        {CN_UNREGISTER, parse("x"), us, CN_EXIT_ONE},
    };

    join_all();
    expect(cn_global_change(server, changes, 4, done, NULL), "done [yes,no,yes,ok]");
    ck_assert_str_eq(holder(1, "x"), "");
    ck_assert_str_eq(holder(1, "y"), "<c.6.0>");
    ck_assert_int_eq(cn_global_change(server, changes, 0, done, NULL), -EINVAL);
}
END_TEST

/* Two who took one name apart are both told, and nobody has it: that is for them to settle. */
START_TEST(conflict_is_told_to_both)
{
    expect(cn_global_register(server, atom("n"), done, NULL), "done yes");
    ask(2, "n", 0, 0);
    join_all();
    ck_assert_str_eq(ended, "info {global_name_conflict,n,<c.6.0>}");
    ck_assert_str_eq(ones[2].probes[0].log[0], "{global_name_conflict,n,<a.10.0>}");
    for (int i = 0; i < WORLD_NODES; i++)
        ck_assert_str_eq(holder(i, "n"), "");
}
END_TEST

/* A lock is had on all nodes, not while another has it, and given back. */
START_TEST(lock_is_taken_and_given_back)
{
    join_all();
    expect(cn_global_set_lock(server, parse("{r,me}"), 0, done, NULL), "done true");
    ck_assert_uint_eq(member_locks(ones[1].member), 1);
    expect(cn_global_set_lock(server, parse("{r,other}"), 0, done, NULL), "done false");
    expect(cn_global_del_lock(server, parse("{r,me}"), done, NULL), "done true");
    expect(cn_global_del_lock(server, parse("{r,me}"), done, NULL), "done true");
    ck_assert_uint_eq(member_locks(ones[1].member), 0);
    ck_assert_int_eq(cn_global_set_lock(server, parse("r"), 0, done, NULL), -EINVAL);
}
END_TEST

static size_t locked_in_body;

static void body(struct cn_server *self, void *context, struct cn_writer *result)
{
    locked_in_body = member_locks(ones[2].member);
    cn_write_atom(result, "value");
}

/* A trans runs its body under the lock, and gives its value when the lock is free again. */
START_TEST(trans_runs_under_the_lock)
{
    join_all();
    expect(cn_global_trans(server, parse("{r,me}"), 0, body, done, NULL), "done value");
    ck_assert_uint_eq(locked_in_body, 1);
    ck_assert_uint_eq(member_locks(ones[2].member), 0);
    ck_assert_int_eq(locks_set(ones[2].member, parse("{r,x}"), &ones[2].pids[0]), 0);
    expect(cn_global_trans(server, parse("{r,me}"), 0, body, done, NULL), "done aborted");
}
END_TEST

/* What a server waits for ends with it, once, and its locks are free. */
START_TEST(all_ends_with_the_server)
{
    struct cn_global_change change = {CN_REGISTER, atom("n"), ones[0].pids[0], CN_EXIT_ONE};

    join_all();
    expect(cn_global_set_lock(server, parse("{held,me}"), 0, done, NULL), "done true");
    ck_assert_int_eq(locks_set(ones[1].member, parse("{r,x}"), &ones[1].pids[0]), 0);
    ck_assert_int_eq(cn_global_set_lock(server, parse("{r,me}"), CN_INFINITY, done, NULL), 0);
    ck_assert_int_eq(cn_global_trans(server, parse("{r,me}"), CN_INFINITY, body, done, NULL), 0);
    ck_assert_int_eq(cn_global_change(server, &change, 1, done, NULL), 0);
    cn_server_stop_atom(server, "normal");
    pass(1000);
    ck_assert_uint_eq(calls, 4);
    ck_assert_str_eq(ended, "ended");
    ck_assert_uint_eq(member_locks(ones[0].member), 0);
    ck_assert_uint_eq(member_locks(ones[1].member), 1);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, name_moves);
    tcase_add_test(tcase, batch_gives_each_outcome);
    tcase_add_test(tcase, conflict_is_told_to_both);
    tcase_add_test(tcase, lock_is_taken_and_given_back);
    tcase_add_test(tcase, trans_runs_under_the_lock);
    tcase_add_test(tcase, all_ends_with_the_server);
}

int main(void)
{
    return run_tests("node/api_global", add, setup, teardown);
}
