/*
 * Calls to sessions by rpc: found here, found elsewhere, found again, not found.
 */
#include <string.h>

#include "unit/session/fake_host.h"
#include "unit/session/main.h"
#include "unit/session/toy.h"

static struct session *toy;
static struct cn_pid toy_pid;

static void begin(int owner)
{
    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    toy = cluster_start(&cluster, owner, "t", "code");
    toy_pid = *session_pid(toy);
}

static struct fake_host fake;
static struct server silent;

/* The host of the second node says that a process there owns every session, and that one is silent.
 */
static void silent_owner(void)
{
    struct cn_pid pid;

    cluster_host(&cluster, 0);
    pid = *gen_server_pid(server_start(world_procs(&cluster.world, 1), &silent, NULL));
    silent.freeze = true;
    fake_host_start(&fake, &cluster, 1);
    fake_host_answer(&fake, pid_term(&pid));
    fake_host_hello(&fake, 0);
}

/* A session of the asked node is called; its bare answer is wrapped where the table says so. */
START_TEST(local)
{
    begin(0);
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "add", parse("[<<\"t\">>,7]")), "reply {ok,1}");
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "get", parse("[<<\"t\">>]")), "reply {ok,[7]}");
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "by_code", parse("[<<\"code\">>]")), "reply [7]");
}
END_TEST

/* A session of another host answers as if it were here. */
START_TEST(remote)
{
    begin(1);
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "add", parse("[<<\"t\">>,7]")), "reply {ok,1}");
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "get", parse("[<<\"t\">>]")), "reply {ok,[7]}");
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "by_code", parse("[<<\"code\">>]")), "reply [7]");
    ck_assert_ptr_nonnull(
        strstr(cluster_rpc(&cluster, 2, 0, "whereis", parse("[<<\"t\">>]")), "reply <b."));
}
END_TEST

/* Reads that pass through here write the state once per change, wherever the session is. */
START_TEST(states_are_written_once_per_change)
{
    begin(_i);
    toy_exports = 0;
    for (int change = 1; change <= 2; change++) {
        cluster_rpc(&cluster, 2, 0, "add", parse("[<<\"t\">>,7]"));
        for (int read = 0; read < 3; read++)
            ck_assert_ptr_nonnull(
                strstr(cluster_rpc(&cluster, 2, 0, "state", parse("[<<\"t\">>]")), "adds=>[7"));
        ck_assert_ptr_nonnull(strstr(cluster_call(&cluster, 2, &toy_pid, parse("state")), "adds"));
        ck_assert_uint_eq(toy_exports, (unsigned)change);
    }
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
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "get", parse("[<<\"t\">>]")), "reply {ok,[1,2]}");
}
END_TEST

/* A session that does not answer in 5 s: the caller sees what GenServer.call raises, and it is
 * asked once. */
START_TEST(timeout_raises)
{
    silent_owner();
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "add", parse("[<<\"t\">>,1]")), "");
    cluster_pass(&cluster, 5000);
    ck_assert_msg(strstr(cluster_last(&cluster, 2), "{timeout,{Elixir.GenServer,call,[<b.") != NULL,
                  "%s", cluster_last(&cluster, 2));
    ck_assert_uint_eq(silent.count, 1);
    server_deinit(&silent);
}
END_TEST

/* A process that says where the session went is believed: the new one is called, nobody is asked.
 */
START_TEST(moved)
{
    static struct server old, new;
    struct gen_server *old_server;
    struct cn_pid old_pid, new_pid;

    cluster_host(&cluster, 0);
    old_server = server_start(world_procs(&cluster.world, 1), &old, NULL);
    old.freeze = true;
    old_pid = *gen_server_pid(old_server);
    new_pid = *gen_server_pid(server_start(world_procs(&cluster.world, 2), &new, NULL));
    fake_host_start(&fake, &cluster, 1);
    fake_host_answer(&fake, pid_term(&old_pid));
    fake_host_hello(&fake, 0);
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "get", parse("[<<\"t\">>]")), "");
    gen_server_stop(old_server, parse_with("{shutdown,{moved,%p}}", &new_pid));
    cluster_settle(&cluster);
    ck_assert_str_eq(cluster_last(&cluster, 2), "reply {ok,{echo,get}}");
    ck_assert_int_eq(fake.calls, 1);
    server_deinit(&old);
    server_deinit(&new);
}
END_TEST

/* A pid that turns out gone is looked for five times. */
START_TEST(gone_five_times)
{
    static struct server gone;
    struct cn_pid pid;

    cluster_host(&cluster, 0);
    pid = *gen_server_pid(server_start(world_procs(&cluster.world, 1), &gone, NULL));
    procs_exit_signal(world_procs(&cluster.world, 1), NULL, &pid, atom("kill"));
    fake_host_start(&fake, &cluster, 1);
    fake_host_answer(&fake, pid_term(&pid));
    fake_host_hello(&fake, 0);
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "get", parse("[<<\"t\">>]")),
                     "reply {error,toy_not_alive}");
    ck_assert_int_eq(fake.calls, 5);
    server_deinit(&gone);
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

/* The owner's node is lost during the call, and another host takes over a moment later. */
START_TEST(node_is_lost_and_another_takes_over)
{
    silent_owner();
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "get", parse("[<<\"t\">>]")), "");
    world_cut(&cluster.world, 0, 1);
    cluster_pass(&cluster, 50);
    ck_assert_str_eq(cluster_last(&cluster, 2), "");
    cluster_start(&cluster, 0, "t", NULL);
    cluster_pass(&cluster, 100);
    ck_assert_str_eq(cluster_last(&cluster, 2), "reply {ok,[]}");
    server_deinit(&silent);
}
END_TEST

/* The owner's node is lost during the call, and another host has taken over: it is asked at once.
 */
START_TEST(node_is_lost_and_another_has_taken_over)
{
    silent_owner();
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "get", parse("[<<\"t\">>]")), "");
    cluster_start(&cluster, 0, "t", NULL);
    world_cut(&cluster.world, 0, 1);
    cluster_settle(&cluster);
    ck_assert_str_eq(cluster_last(&cluster, 2), "reply {ok,[]}");
    server_deinit(&silent);
}
END_TEST

/* The owner's node is lost during the call and nobody takes over: not alive, half a second later.
 */
START_TEST(node_is_lost)
{
    silent_owner();
    (void)cluster_rpc(&cluster, 2, 0, "get", parse("[<<\"t\">>]"));
    world_cut(&cluster.world, 0, 1);
    cluster_pass(&cluster, 500);
    ck_assert_str_eq(cluster_last(&cluster, 2), "reply {error,toy_not_alive}");
    server_deinit(&silent);
}
END_TEST

/* Who calls when the owner's node was lost just before waits for whoever takes over, too; two
 * seconds later it was nobody's. */
START_TEST(node_was_lost_just_before)
{
    silent_owner();
    world_cut(&cluster.world, 0, 1);
    cluster_pass(&cluster, _i == 0 ? 100 : 2010);
    (void)cluster_rpc(&cluster, 2, 0, "get", parse("[<<\"t\">>]"));
    ck_assert_str_eq(cluster_last(&cluster, 2), _i == 0 ? "" : "reply {error,toy_not_alive}");
    cluster_start(&cluster, 0, "t", NULL);
    cluster_pass(&cluster, 150);
    ck_assert_str_eq(cluster_last(&cluster, 2),
                     _i == 0 ? "reply {ok,[]}" : "reply {error,toy_not_alive}");
    server_deinit(&silent);
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("engine_call", &tests);

    tcase_add_test(tests, local);
    tcase_add_test(tests, remote);
    tcase_add_loop_test(tests, states_are_written_once_per_change, 0, 2);
    tcase_add_test(tests, nowhere);
    tcase_add_test(tests, ended);
    tcase_add_test(tests, during_a_move);
    tcase_add_test(tests, timeout_raises);
    tcase_add_test(tests, crash_raises);
    tcase_add_test(tests, moved);
    tcase_add_test(tests, gone_five_times);
    tcase_add_test(tests, node_is_lost_and_another_takes_over);
    tcase_add_test(tests, node_is_lost_and_another_has_taken_over);
    tcase_add_test(tests, node_is_lost);
    tcase_add_loop_test(tests, node_was_lost_just_before, 0, 2);
    return run_suite(suite);
}
