/*
 * One session: requests to the game, answers, its end. The timer of its rounds has a test of its
 * own.
 */
#include <errno.h>

#include "session/table.h"
#include "unit/session/main.h"

static struct session *toy;
static struct cn_pid toy_pid;

static void start(void)
{
    cluster_host(&cluster, 0);
    toy = cluster_start(&cluster, 0, "t", "code");
    ck_assert_ptr_nonnull(toy);
    toy_pid = *session_pid(toy);
}

/* A call reaches the game and its answer the caller, from the same node and from another. */
START_TEST(calls_are_answered_by_the_game)
{
    start();
    ck_assert_str_eq(cluster_call(&cluster, 0, &toy_pid, parse("{add,5}")), "reply {ok,1}");
    ck_assert_str_eq(cluster_call(&cluster, 1, &toy_pid, parse("{add,6}")), "reply {ok,2}");
    ck_assert_str_eq(cluster_call(&cluster, 2, &toy_pid, parse("get")), "reply [5,6]");
}
END_TEST

/* What the game does not know is an error for a call, and a log line for the rest; nothing changes.
 */
START_TEST(unknown_requests_are_refused_and_logged)
{
    start();
    ck_assert_str_eq(cluster_call(&cluster, 1, &toy_pid, parse("{fly,away}")),
                     "reply {error,unknown_request}");
    cluster_send(&cluster, 1, &toy_pid, parse("{$gen_cast,{fly,away}}"));
    cluster_send(&cluster, 1, &toy_pid, parse("what"));
    cluster_settle(&cluster);
    ck_assert(cluster_logged(&cluster, 0, "session t: a cast dropped (unknown)"));
    ck_assert(cluster_logged(&cluster, 0, "session t: a message dropped (unknown)"));
    ck_assert_str_eq(cluster_call(&cluster, 1, &toy_pid, parse("get")), "reply []");
}
END_TEST

/* What is too large for a term says so: it is no lack of memory that passes. */
START_TEST(system_limit_has_a_name)
{
    start();
    ck_assert_str_eq(cluster_call(&cluster, 1, &toy_pid, parse("too_large")),
                     "reply {error,system_limit}");
    toy_export_fails = -E2BIG;
    ck_assert_str_eq(cluster_call(&cluster, 1, &toy_pid, parse("state")),
                     "reply {error,system_limit}");
    toy_export_fails = -ENOMEM;
    ck_assert_str_eq(cluster_call(&cluster, 1, &toy_pid, parse("state")),
                     "reply {error,no_memory}");
    cluster_send(&cluster, 1, &toy_pid, parse("too_large"));
    cluster_settle(&cluster);
    ck_assert(cluster_logged(&cluster, 0, "session t: a message dropped (system limit)"));
}
END_TEST

/* A session goes on answering while the node of one of its callers is busy, that caller too. */
START_TEST(busy_node_of_a_caller_holds_nobody)
{
    start();
    cluster.world.nodes[0].busy[2] = true;
    for (int i = 0; i < 20; i++)
        cluster_ask(&cluster, 2, &toy_pid, parse("get"));
    cluster_settle(&cluster);
    ck_assert_str_eq(cluster_call(&cluster, 1, &toy_pid, parse("{add,1}")), "reply {ok,1}");
    ck_assert(!process_stalled(gen_server_process(toy->server)));
    ck_assert_uint_eq(cluster_answers(&cluster, 2), 20);
}
END_TEST

/* Each change of the state raises the version by one, answers without a change do not. */
START_TEST(version_counts_changes)
{
    start();
    ck_assert_uint_eq(toy->version, 1);
    cluster_call(&cluster, 0, &toy_pid, parse("{add,1}"));
    cluster_call(&cluster, 0, &toy_pid, parse("get"));
    cluster_call(&cluster, 0, &toy_pid, parse("unknown"));
    cluster_send(&cluster, 0, &toy_pid, parse("{$gen_cast,{add,2}}"));
    cluster_send(&cluster, 0, &toy_pid, parse("{add,3}"));
    cluster_settle(&cluster);
    ck_assert_uint_eq(toy->version, 4);
    ck_assert_uint_eq(toy->epoch, 1);
    ck_assert_str_eq(cluster_call(&cluster, 0, &toy_pid, parse("get")), "reply [1,2,3]");
}
END_TEST

/* An ending call is answered; then the process, its names and its place in the tables are gone. */
START_TEST(end_gives_up_everything)
{
    start();
    ck_assert_ptr_nonnull(names_holder(&cluster.names, "Elixir.Toy.Ids", "t"));
    ck_assert_ptr_nonnull(names_holder(&cluster.names, "Elixir.Toy.Codes", "code"));
    ck_assert_str_eq(cluster_call(&cluster, 1, &toy_pid, parse("stop")), "reply stopped");
    ck_assert_uint_eq(names_held(&cluster.names), 0);
    ck_assert_ptr_null(cluster_find(&cluster, 0, "t"));
    ck_assert_str_eq(cluster_call(&cluster, 1, &toy_pid, parse("get")), "down noproc");
}
END_TEST

/* The message end_session ends it with reason normal; what waits behind it is not executed. */
START_TEST(nothing_is_executed_after_the_end)
{
    start();
    cluster_send(&cluster, 0, &toy_pid, parse("end_session"));
    cluster_ask(&cluster, 0, &toy_pid, parse("{add,1}"));
    cluster_settle(&cluster);
    ck_assert_str_eq(cluster_last(&cluster, 0), "down normal");
}
END_TEST

/* A session killed from outside leaves nothing behind either. */
START_TEST(kill_leaves_nothing)
{
    struct hosts_counts counts;

    start();
    procs_exit_signal(world_procs(&cluster.world, 1), NULL, &toy_pid, atom("kill"));
    cluster_settle(&cluster);
    ck_assert_uint_eq(names_held(&cluster.names), 0);
    hosts_counts(cluster.nodes[0].hosts, &counts);
    ck_assert_uint_eq(counts.sessions, 0);
}
END_TEST

/* Words of a handoff that a running session has nothing to do with are dropped. */
START_TEST(words_of_other_transfers_are_dropped)
{
    struct cn_ref transfer;

    start();
    procs_make_ref(world_procs(&cluster.world, 0), &transfer);
    cluster_send(&cluster, 0, &toy_pid, parse_with("{handoff_cancel,%r}", &transfer));
    cluster_settle(&cluster);
    ck_assert(cluster_logged(&cluster, 0, "late word of a handoff dropped"));
    ck_assert_str_eq(cluster_call(&cluster, 0, &toy_pid, parse("get")), "reply []");
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("session", &tests);

    tcase_add_test(tests, calls_are_answered_by_the_game);
    tcase_add_test(tests, unknown_requests_are_refused_and_logged);
    tcase_add_test(tests, system_limit_has_a_name);
    tcase_add_test(tests, busy_node_of_a_caller_holds_nobody);
    tcase_add_test(tests, version_counts_changes);
    tcase_add_test(tests, end_gives_up_everything);
    tcase_add_test(tests, nothing_is_executed_after_the_end);
    tcase_add_test(tests, kill_leaves_nothing);
    tcase_add_test(tests, words_of_other_transfers_are_dropped);
    return run_suite(suite);
}
