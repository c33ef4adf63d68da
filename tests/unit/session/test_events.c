/*
 * What subscribers hear of a toy on node a: its rounds, which are its adds, and its moves. They are
 * on nodes b and c; node b can take the toy over.
 */
#include <stdio.h>
#include <string.h>

#include "registry/pg.h"
#include "session/handoff_out.h"
#include "session/session.h"
#include "unit/session/cluster.h"

static struct cluster cluster;
static struct pg *scopes[CLUSTER_NODES];
static struct probe subscribers[CLUSTER_NODES];
static struct process *processes[CLUSTER_NODES];
static struct probe target_log; /* of a target that the test plays */

static void meet(int a, int b)
{
    ck_assert_int_eq(pg_peer_up(scopes[a], cluster_name(&cluster, b)), 0);
    ck_assert_int_eq(pg_peer_up(scopes[b], cluster_name(&cluster, a)), 0);
    cluster_settle(&cluster);
}

static void setup(void)
{
    struct pg_config config = {.scope = "scope"};

    cluster_init(&cluster);
    for (int i = 0; i < CLUSTER_NODES; i++) {
        struct procs *procs = world_procs(&cluster.world, i);

        ck_assert_int_eq(pg_new(procs, &config, &scopes[i]), 0);
        processes[i] = probe_start(procs, &subscribers[i]);
    }
    meet(0, 1);
    meet(0, 2);
}

static void teardown(void)
{
    cluster_deinit(&cluster);
    probe_deinit(&target_log);
    for (int i = 0; i < CLUSTER_NODES; i++) {
        scopes[i] = pg_free(scopes[i]);
        probe_deinit(&subscribers[i]);
    }
}

static void host(int node, const char *adapter)
{
    struct hosts_config config = cluster_config(&cluster, node);

    config.pubsub = scopes[node];
    if (adapter != NULL) {
        config.phoenix = scopes[node];
        config.phoenix_adapter = adapter;
    }
    cluster_host_of(&cluster, node, &toy_game, &config);
}

static void subscribe(int node, struct cn_term group)
{
    ck_assert_int_eq(pg_join(scopes[node], group, process_pid(processes[node])), 0);
    cluster_settle(&cluster);
}

static struct cn_pid start(void)
{
    struct session *toy = NULL;

    host(0, NULL);
    toy = cluster_start(&cluster, 0, "t", NULL);
    ck_assert_ptr_nonnull(toy);
    return *session_pid(toy);
}

static void check_heard(int node, const char *first, const char *second)
{
    ck_assert_uint_eq(subscribers[node].count, second[0] != '\0' ? 2 : 1);
    ck_assert_str_eq(subscribers[node].log[0], first);
    if (second[0] != '\0')
        ck_assert_str_eq(subscribers[node].log[1], second);
}

static unsigned times_heard(int node, const char *event)
{
    unsigned times = 0;

    for (size_t i = 0; i < subscribers[node].count; i++)
        times += strcmp(subscribers[node].log[i], event) == 0 ? 1 : 0;
    return times;
}

/* A change that begins a round is told, once to each; another change, and another session's, not.
 */
START_TEST(rounds_are_told_once)
{
    struct cn_pid toy = start();

    subscribe(1, parse("{session,<<\"t\">>}"));
    subscribe(2, parse("{session,<<\"t\">>}"));
    subscribe(2, parse("{session,<<\"t\">>}"));
    subscribe(0, parse("{session,<<\"other\">>}"));
    cluster_call(&cluster, 0, &toy, parse("{add,1}"));
    cluster_call(&cluster, 0, &toy, parse("{ballast,9}"));
    cluster_send(&cluster, 0, &toy, parse("{add,2}"));
    cluster_settle(&cluster);
    for (int node = 1; node <= 2; node++)
        check_heard(node, "{toy_round,<<t>>,1}", "{toy_round,<<t>>,2}");
    ck_assert_uint_eq(subscribers[0].count, 0);
}
END_TEST

/* The new owner tells of the move, once, and not of the round in which the toy came. */
START_TEST(a_move_is_told_once)
{
    struct cn_pid toy = start();
    char moved[128];

    meet(1, 2);
    host(1, NULL);
    subscribe(1, parse("{session,<<\"t\">>}"));
    subscribe(2, parse("{session,<<\"t\">>}"));
    hosts_drain(cluster.nodes[0].hosts);
    cluster_send(&cluster, 0, &toy, parse("{add,1}"));
    cluster_settle(&cluster);
    toy = *session_pid(cluster_find(&cluster, 1, "t"));
    cluster_call(&cluster, 0, &toy, parse("{ballast,9}"));
    (void)snprintf(moved, sizeof(moved), "{session_moved,<<t>>,%s}", show(pid_term(&toy)));
    for (int node = 1; node <= 2; node++) {
        ck_assert_uint_eq(subscribers[node].count, 2);
        ck_assert_uint_eq(times_heard(node, moved), 1);
        ck_assert_uint_eq(times_heard(node, "{toy_round,<<t>>,1}"), 1);
    }
}
END_TEST

/* A new owner that has not met a subscriber's node yet tells whom the source knew there, once. */
START_TEST(strangers_are_told_too)
{
    char moved[128];

    start();
    host(1, NULL);
    subscribe(1, parse("{session,<<\"t\">>}"));
    subscribe(2, parse("{session,<<\"t\">>}"));
    subscribe(2, parse("{session,<<\"t\">>}"));
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    (void)snprintf(moved, sizeof(moved), "{session_moved,<<t>>,%s}",
                   show(pid_term(session_pid(cluster_find(&cluster, 1, "t")))));
    check_heard(1, moved, "");
    check_heard(2, moved, "");
}
END_TEST

static void done(struct session *session, int result)
{
}

/* A source that takes back what the target may have owned tells that it has it again. */
START_TEST(a_move_that_comes_to_nothing_is_told)
{
    struct cn_pid toy = start();
    struct process *target = probe_start(world_procs(&cluster.world, 1), &target_log);
    struct cn_pid pid = *process_pid(target);
    struct cn_ref transfer;
    char back[128];

    subscribe(2, parse("{session,<<\"t\">>}"));
    procs_make_ref(world_procs(&cluster.world, 0), &transfer);
    ck_assert_int_eq(handoff_out_start(cluster_find(&cluster, 0, "t"), &transfer, &pid, done), 0);
    cluster_settle(&cluster);
    procs_send_pid(world_procs(&cluster.world, 1), target, &toy,
                   parse_with("{handoff_ready,%r,%p}", &transfer, &pid));
    cluster_settle(&cluster);
    process_exit_atom(target, "normal");
    cluster_settle(&cluster);
    (void)snprintf(back, sizeof(back), "{session_moved,<<t>>,%s}", show(pid_term(&toy)));
    check_heard(2, back, "");
}
END_TEST

/* A target that refused told nobody, so neither does the source. */
START_TEST(a_refusal_is_not_told)
{
    struct cn_pid toy = start();
    struct process *target = probe_start(world_procs(&cluster.world, 1), &target_log);
    struct cn_ref transfer;

    subscribe(2, parse("{session,<<\"t\">>}"));
    procs_make_ref(world_procs(&cluster.world, 0), &transfer);
    ck_assert_int_eq(
        handoff_out_start(cluster_find(&cluster, 0, "t"), &transfer, process_pid(target), done), 0);
    cluster_settle(&cluster);
    procs_send_pid(world_procs(&cluster.world, 1), target, &toy,
                   parse_with("{handoff_refuse,%r,full}", &transfer));
    cluster_settle(&cluster);
    ck_assert_int_eq(session_state(cluster_find(&cluster, 0, "t")), SESSION_RUNNING);
    ck_assert_uint_eq(subscribers[2].count, 0);
}
END_TEST

/* The processes of Phoenix's adapter get the event to hand on, with its topic. */
START_TEST(phoenix_is_told)
{
    struct cn_pid toy;

    host(0, "Elixir.MyApp.PubSub.Adapter");
    toy = *session_pid(cluster_start(&cluster, 0, "t", NULL));
    subscribe(1, atom("Elixir.MyApp.PubSub.Adapter"));
    subscribe(2, atom("Elixir.Other.Adapter"));
    cluster_call(&cluster, 0, &toy, parse("{add,1}"));
    check_heard(1, "{forward_to_local,<<session:t>>,{toy_round,<<t>>,1},Elixir.Phoenix.PubSub}",
                "");
    ck_assert_uint_eq(subscribers[2].count, 0);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, rounds_are_told_once);
    tcase_add_test(tcase, a_move_is_told_once);
    tcase_add_test(tcase, strangers_are_told_too);
    tcase_add_test(tcase, a_move_that_comes_to_nothing_is_told);
    tcase_add_test(tcase, a_refusal_is_not_told);
    tcase_add_test(tcase, phoenix_is_told);
}

int main(void)
{
    return run_tests("events", add, setup, teardown);
}
