/*
 * Calls to sessions by rpc: found here, found elsewhere, found again, not found.
 */
#include <string.h>

#include "session/handoff_words.h"
#include "session/move.h"
#include "unit/session/main.h"

static struct session *toy;
static struct cn_pid toy_pid;

static void begin(int owner)
{
    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    toy = cluster_start(&cluster, owner, "t", "code");
    toy_pid = *session_pid(toy);
}

/* A session of the asked node is called; its bare answer is wrapped where the table says so. */
START_TEST(local)
{
    begin(0);
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "add", parse("[<<\"t\">>,7]")), "reply {ok,1}");
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "get", parse("[<<\"t\">>]")), "reply {ok,[7]}");
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "by_code", parse("[<<\"code\">>]")),
                     "reply [7]");
}
END_TEST

/* A session of another host answers as if it were here. */
START_TEST(remote)
{
    begin(1);
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "add", parse("[<<\"t\">>,7]")), "reply {ok,1}");
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "get", parse("[<<\"t\">>]")), "reply {ok,[7]}");
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "by_code", parse("[<<\"code\">>]")),
                     "reply [7]");
    ck_assert_ptr_nonnull(
        strstr(cluster_rpc(&cluster, 2, 0, "whereis", parse("[<<\"t\">>]")), "reply <b."));
}
END_TEST

/* A session that is nowhere, and a key that cannot be one. */
START_TEST(nowhere)
{
    begin(0);
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "get", parse("[<<\"u\">>]")),
                     "reply {error,toy_not_alive}");
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 1, "get", parse("[<<\"u\">>]")),
                     "reply {error,toy_not_alive}");
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "by_code", parse("[<<\"t\">>]")),
                     "reply {error,toy_not_alive}");
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "get", parse("[17]")),
                     "reply {error,toy_not_alive}");
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "whereis", parse("[<<\"u\">>]")), "reply nil");
}
END_TEST

/* An ended session is not alive, at once, from everywhere. */
START_TEST(ended)
{
    begin(0);
    cluster_call(&cluster, 1, &toy_pid, parse("stop"));
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "get", parse("[<<\"t\">>]")),
                     "reply {error,toy_not_alive}");
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 1, "get", parse("[<<\"t\">>]")),
                     "reply {error,toy_not_alive}");
}
END_TEST

/* A call to a frozen session waits for the move and is answered by the new owner. */
START_TEST(during_a_move)
{
    begin(0);
    cluster.names.hold = true;
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "add", parse("[<<\"t\">>,1]")), "");
    cluster.names.hold = false;
    cluster_settle(&cluster);
    ck_assert_str_eq(cluster_last(&cluster, 2), "reply {ok,1}");
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "add", parse("[<<\"t\">>,2]")), "reply {ok,2}");
    cluster_pass(&cluster, 1000);
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "get", parse("[<<\"t\">>]")),
                     "reply {ok,[1,2]}");
}
END_TEST

/* A session that does not answer in 5 s: the caller sees what GenServer.call raises. */
START_TEST(timeout_raises)
{
    begin(1);
    session_freeze(toy);
    session_run(toy);
    world_connect(&cluster.world, 0, 1);
    cluster.names.hold = true;
    hosts_drain(cluster.nodes[1].hosts);
    cluster_settle(&cluster);
    (void)cluster_rpc(&cluster, 2, 0, "add", parse("[<<\"t\">>,1]"));
    cluster.names.answers_count = 0;
    cluster_pass(&cluster, 5100);
    cluster.names.hold = false;
    ck_assert_msg(strstr(cluster_last(&cluster, 2), "reply ") != NULL, "%s",
                  cluster_last(&cluster, 2));
}
END_TEST

/* A crash during the call is the caller's to see. */
START_TEST(crash_raises)
{
    begin(0);
    cluster.names.hold = true;
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    (void)cluster_rpc(&cluster, 2, 0, "get", parse("[<<\"t\">>]"));
    procs_exit_signal(world_procs(&cluster.world, 0), NULL, &toy_pid, atom("boom"));
    cluster_settle(&cluster);
    cluster.names.hold = false;
    ck_assert_msg(strstr(cluster_last(&cluster, 2), "boom") != NULL, "%s",
                  cluster_last(&cluster, 2));
    ck_assert_msg(strstr(cluster_last(&cluster, 2), "Elixir.GenServer,call,[<a.") != NULL, "%s",
                  cluster_last(&cluster, 2));
}
END_TEST

/* The owner's node is lost during the call: it is looked for a few times, then not alive. */
START_TEST(lost_node)
{
    begin(1);
    session_freeze(toy); /* no handoff: it only stands still */
    toy->out = NULL;
    (void)toy;
    session_run(toy);
    cluster_ask(&cluster, 0, &toy_pid, parse("get"));
    world_cut(&cluster.world, 0, 1);
    cluster_settle(&cluster);
    ck_assert_str_eq(cluster_last(&cluster, 0), "down noconnection");
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "get", parse("[<<\"t\">>]")),
                     "reply {error,toy_not_alive}");
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("engine_call", &tests);

    tcase_add_test(tests, local);
    tcase_add_test(tests, remote);
    tcase_add_test(tests, nowhere);
    tcase_add_test(tests, ended);
    tcase_add_test(tests, during_a_move);
    tcase_add_test(tests, timeout_raises);
    tcase_add_test(tests, crash_raises);
    tcase_add_test(tests, lost_node);
    return run_suite(suite);
}
