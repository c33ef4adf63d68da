/*
 * Two owners of one session: who stays, who ends, and that nobody's call is lost by it.
 */
#include <stdio.h>
#include <string.h>

#include "session/conflict.h"
#include "session/forward.h"
#include "unit/session/fake_host.h"
#include "unit/session/main.h"

static struct session *owners[CLUSTER_NODES];
static struct cn_pid pids[CLUSTER_NODES];

static void start_owner(int node)
{
    names_clear(&cluster.names); /* nobody knows of the other */
    owners[node] = cluster_start(&cluster, node, "t", "code");
    ck_assert_ptr_nonnull(owners[node]);
    pids[node] = *session_pid(owners[node]);
}

/* The same session on a and on b, each of which has never heard of the other. */
static void begin(void)
{
    cluster_host(&cluster, 0);
    start_owner(0);
    cluster_host(&cluster, 1);
    start_owner(1);
}

static void add(int node, const char *request)
{
    ck_assert_ptr_nonnull(
        strstr(cluster_call(&cluster, 2, &pids[node], parse(request)), "reply {ok,"));
}

/* What :global does when it finds a name in two hands. */
static void names_meet(int a, int b)
{
    names_clear(&cluster.names);
    cluster_send(&cluster, 2, &pids[a],
                 parse_with("{global_name_conflict,{'Elixir.Toy.Ids',<<\"t\">>},%p}", &pids[b]));
    cluster_send(&cluster, 2, &pids[b],
                 parse_with("{global_name_conflict,{'Elixir.Toy.Ids',<<\"t\">>},%p}", &pids[a]));
    cluster_settle(&cluster);
}

/* @winner owns the session under its names; @loser passes calls on, and ends in a while. */
static void check_settled(int winner, int loser, const char *numbers)
{
    struct cn_ref monitor;
    struct dest dest = to_pid(&pids[loser]);
    char reason[80];

    ck_assert_int_eq(session_state(owners[winner]), SESSION_RUNNING);
    ck_assert_int_eq(session_state(owners[loser]), SESSION_FORWARDING);
    ck_assert(cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Ids", "t"), &pids[winner]));
    ck_assert(
        cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Codes", "code"), &pids[winner]));
    ck_assert_str_eq(cluster_call(&cluster, 2, &pids[loser], parse("get")), numbers);
    ck_assert_str_eq(cluster_call(&cluster, 2, &pids[winner], parse("get")), numbers);
    ck_assert(cluster_logged(&cluster, loser, "its owner is on"));
    ck_assert(cluster_logged(&cluster, winner, "another owner on"));
    process_monitor(gen_server_process(cluster.nodes[2].client), &dest, &monitor);
    cluster_settle(&cluster);
    forward_end(owners[loser]);
    cluster_settle(&cluster);
    (void)snprintf(reason, sizeof(reason), "{shutdown,{session_conflict,<%c.",
                   pids[winner].node[0]);
    ck_assert_ptr_nonnull(strstr(cluster_last(&cluster, 2), reason));
    ck_assert_ptr_null(cluster_find(&cluster, loser, "t"));
    ck_assert(cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Ids", "t"), &pids[winner]));
}

/* The higher version stays, on whichever side; what only the other had done is counted. */
START_TEST(the_higher_version_stays)
{
    begin();
    add(_i, "{add,1}");
    add(_i, "{add,2}");
    add(1 - _i, "{add,3}");
    names_meet(0, 1);
    ck_assert(cluster_logged(&cluster, _i, "only it had carried out: 1"));
    check_settled(_i, 1 - _i, "reply [1,2]");
}
END_TEST

/* A higher epoch counts more than any version. */
START_TEST(the_higher_epoch_stays)
{
    begin();
    add(1, "{add,1}");
    owners[0]->epoch = 2;
    names_meet(0, 1);
    check_settled(0, 1, "reply []");
}
END_TEST

/* Alike in both, the one on the greater node stays. */
START_TEST(the_greater_node_stays)
{
    begin();
    names_meet(0, 1);
    ck_assert(cluster_logged(&cluster, 1, "only it had carried out: 0"));
    check_settled(1, 0, "reply []");
}
END_TEST

/* Of three one is left. */
START_TEST(one_of_three_stays)
{
    begin();
    cluster_host(&cluster, 2);
    start_owner(2);
    add(1, "{add,1}");
    names_meet(0, 2);
    names_meet(2, 1);
    ck_assert_int_eq(session_state(owners[0]), SESSION_FORWARDING);
    ck_assert_str_eq(cluster_call(&cluster, 2, &pids[0], parse("get")), "reply [1]");
    check_settled(1, 2, "reply [1]");
}
END_TEST

/* A name found with a forwarder and with its own new owner is the new owner's: nobody ends. */
START_TEST(a_forwarder_is_no_rival)
{
    cluster_host(&cluster, 0);
    start_owner(0);
    cluster_host(&cluster, 1);
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    owners[1] = cluster_find(&cluster, 1, "t");
    pids[1] = *session_pid(owners[1]);
    names_meet(0, 1);
    ck_assert_int_eq(session_state(owners[1]), SESSION_RUNNING);
    ck_assert(cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Ids", "t"), &pids[1]));
    ck_assert(!cluster_logged(&cluster, 1, "owner"));
}
END_TEST

/* When the rival is nobody who answers, the names are taken back all the same. */
START_TEST(names_come_back_in_a_second)
{
    cluster_host(&cluster, 0);
    start_owner(0);
    names_clear(&cluster.names);
    cluster_send(&cluster, 2, &pids[0],
                 parse_with("{global_name_conflict,name,%p}",
                            gen_server_pid(cluster.nodes[2].client)));
    cluster_settle(&cluster);
    ck_assert_ptr_null(names_holder(&cluster.names, "Elixir.Toy.Ids", "t"));
    cluster_pass(&cluster, 1010);
    ck_assert(cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Ids", "t"), &pids[0]));
}
END_TEST

/* A winner that dies at that very moment takes nothing along: the other goes on, in its place. */
START_TEST(the_loser_goes_on_without_the_winner)
{
    begin();
    add(0, "{add,1}");
    cluster_send(&cluster, 2, &pids[0], parse_with("{session_claim,<<\"t\">>,7,1,%p}", &pids[1]));
    process_exit_atom(gen_server_process(owners[1]->server), "oops");
    cluster_settle(&cluster);
    ck_assert_int_eq(session_state(owners[0]), SESSION_RUNNING);
    ck_assert_uint_eq(owners[0]->epoch, 7);
    ck_assert_str_eq(cluster_call(&cluster, 2, &pids[0], parse("get")), "reply [1]");
    ck_assert(cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Ids", "t"), &pids[0]));
}
END_TEST

/* One that gives way while its host leaves has nothing left to move. */
START_TEST(a_leaving_host_lets_go)
{
    static struct fake_host fake;

    begin();
    fake_host_start(&fake, &cluster, 2);
    fake.capacity = 10;
    fake_host_hello(&fake, 0);
    owners[1]->epoch = 2;
    cluster_call_host(&cluster, 2, 1, parse("cordon"));
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    ck_assert_ptr_nonnull(owners[0]->move);
    names_meet(0, 1);
    ck_assert_ptr_null(owners[0]->move);
    ck_assert_int_eq(cluster.nodes[0].drained, 0); /* it waits for the forwarder */
    cluster_pass(&cluster, 6000);
    ck_assert_int_eq(cluster.nodes[0].exit_code, HOSTS_EXIT_MOVED);
    ck_assert_ptr_null(cluster_find(&cluster, 0, "t"));
}
END_TEST

/* A session on its way from a, which holds so many messages, to b, which is ready; the names wait.
 */
static void begin_moving_held(uint32_t held_messages_max)
{
    struct hosts_config config = cluster_config(&cluster, 0);

    config.held_messages_max = held_messages_max;
    cluster_host_of(&cluster, 0, &toy_game, &config);
    start_owner(0);
    cluster_host(&cluster, 1);
    cluster.names.hold = true;
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    owners[1] = cluster_find(&cluster, 1, "t");
    ck_assert_int_eq(session_state(owners[1]), SESSION_READY);
}

static void begin_moving(void)
{
    begin_moving_held(100);
}

static void end_moving(void)
{
    cluster.names.hold = false;
    cluster_settle(&cluster);
}

/* What :global says to a session on its way, its new owner looks into, once. */
START_TEST(a_conflict_on_the_way)
{
    struct hosts *hosts;

    begin_moving();
    hosts = cluster.nodes[1].hosts;
    cluster_send(&cluster, 2, &pids[0],
                 parse_with("{global_name_conflict,name,%p}",
                            gen_server_pid(cluster.nodes[2].client)));
    cluster_settle(&cluster);
    end_moving();
    ck_assert_int_eq(session_state(owners[1]), SESSION_RUNNING);
    ck_assert_ptr_eq(list_first(&hosts->unsure), &owners[1]->arrived);
    ck_assert(list_empty(&hosts->arrived));
    cluster_pass(&cluster, 1010);
    ck_assert(list_empty(&hosts->unsure));
    ck_assert_ptr_eq(list_first(&hosts->arrived), &owners[1]->arrived);
}
END_TEST

/* One that gives way as soon as it runs is no session that its leaving host could move. */
START_TEST(a_claim_on_the_way)
{
    begin_moving();
    cluster_send(&cluster, 2, &pids[0],
                 parse_with("{session_claim,<<\"t\">>,99,1,%p}",
                            gen_server_pid(cluster.nodes[2].client)));
    cluster_settle(&cluster);
    cluster_host(&cluster, 2);
    hosts_drain(cluster.nodes[1].hosts);
    cluster_settle(&cluster);
    end_moving();
    ck_assert_int_eq(session_state(owners[1]), SESSION_FORWARDING);
    ck_assert_ptr_null(owners[1]->move);
    ck_assert_ptr_null(cluster_find(&cluster, 2, "t"));
}
END_TEST

/* A third host, which owns the session, too, and takes none in. */
static void begin_rival(void)
{
    cluster_host(&cluster, 2);
    start_owner(2);
    cluster_call_host(&cluster, 2, 2, parse("cordon"));
}

/* What a session cannot hold ends its move, and may find it as one that has given way by then. */
START_TEST(what_is_too_much_after_a_claim)
{
    begin_rival();
    begin_moving_held(1);
    cluster_send(&cluster, 2, &pids[0], parse_with("{session_claim,<<\"t\">>,99,1,%p}", &pids[2]));
    cluster_ask(&cluster, 2, &pids[0], parse("{add,7}"));
    cluster_settle(&cluster);
    ck_assert_int_eq(session_state(owners[0]), SESSION_FORWARDING);
    ck_assert_str_eq(cluster_last(&cluster, 2), "reply {ok,1}");
    ck_assert_str_eq(cluster_call(&cluster, 2, &pids[2], parse("get")), "reply [7]");
}
END_TEST

/* One that gives way to a claim that it had queued executes nothing that was queued behind it. */
START_TEST(what_comes_after_a_claim_on_the_way)
{
    begin_rival();
    begin_moving();
    cluster_send(&cluster, 2, &pids[0], parse_with("{session_claim,<<\"t\">>,99,1,%p}", &pids[2]));
    cluster_ask(&cluster, 2, &pids[0], parse("{add,7}"));
    cluster_send(&cluster, 2, &pids[0], parse("{$gen_cast,{add,8}}"));
    cluster_settle(&cluster);
    end_moving();
    ck_assert_int_eq(session_state(owners[1]), SESSION_FORWARDING);
    ck_assert_str_eq(cluster_last(&cluster, 2), "reply {ok,1}");
    ck_assert_str_eq(cluster_call(&cluster, 2, &pids[2], parse("get")), "reply [7,8]");
}
END_TEST

/* A lasting watcher does not hold it up for ever: it learns where to go. */
START_TEST(it_ends_in_some_seconds)
{
    struct cn_ref monitor;
    struct dest dest;

    begin();
    dest = to_pid(&pids[0]);
    process_monitor(gen_server_process(cluster.nodes[2].client), &dest, &monitor);
    names_meet(0, 1);
    cluster_pass(&cluster, 6490);
    ck_assert_ptr_nonnull(cluster_find(&cluster, 0, "t"));
    cluster_pass(&cluster, 110);
    ck_assert_ptr_null(cluster_find(&cluster, 0, "t"));
}
END_TEST

/* Many of them ask some at a time, and all in the end. */
START_TEST(more_than_a_slice_ask)
{
    static struct fake_host fake;
    char id[16];

    cluster_host(&cluster, 0);
    for (int i = 0; i < 90; i++) {
        (void)snprintf(id, sizeof(id), "t%d", i);
        conflict_expect(cluster_start(&cluster, 0, id, NULL));
    }
    fake_host_start(&fake, &cluster, 2);
    fake_host_hello(&fake, 0);
    cluster_pass(&cluster, 100);
    ck_assert_int_eq(fake.calls, 90);
}
END_TEST

/* Who may have a rival asks each host that comes, for an hour: then it has none. */
START_TEST(nobody_asks_for_ever)
{
    static struct fake_host fake;

    cluster_host(&cluster, 0);
    start_owner(0);
    conflict_expect(owners[0]);
    fake_host_start(&fake, &cluster, 2);
    cluster.world.now_ms += 3590000 + 20000 * (uint64_t)_i;
    cluster_settle(&cluster);
    fake_host_hello(&fake, 0);
    ck_assert_int_eq(fake.calls, _i == 0 ? 1 : 0);
    ck_assert_int_eq(list_empty(&owners[0]->contested), _i == 1);
}
END_TEST

/* A claim of another session, or without sense, changes nothing. */
START_TEST(nonsense_changes_nothing)
{
    static const char *const claims[] = {
        "{session_claim,<<\"u\">>,9,9,%p}",         "{session_claim,<<\"t\">>,-1,9,%p}",
        "{session_claim,<<\"t\">>,nine,9,%p}",      "{session_claim,t,9,9,%p}",
        "{session_yield,<<\"t\">>,9,9,%p,nothing}",
    };

    begin();
    for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++)
        cluster_send(&cluster, 2, &pids[0], parse_with(claims[i], &pids[1]));
    cluster_send(&cluster, 2, &pids[0], parse("{session_claim,<<\"t\">>,9,9,nobody}"));
    cluster_send(&cluster, 2, &pids[0], parse("{global_name_conflict,name,nobody}"));
    cluster_settle(&cluster);
    ck_assert_int_eq(session_state(owners[0]), SESSION_RUNNING);
    ck_assert_int_eq(session_state(owners[1]), SESSION_RUNNING);
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("conflict", &tests);

    tcase_add_loop_test(tests, the_higher_version_stays, 0, 2);
    tcase_add_test(tests, the_higher_epoch_stays);
    tcase_add_test(tests, the_greater_node_stays);
    tcase_add_test(tests, one_of_three_stays);
    tcase_add_test(tests, a_forwarder_is_no_rival);
    tcase_add_test(tests, names_come_back_in_a_second);
    tcase_add_test(tests, the_loser_goes_on_without_the_winner);
    tcase_add_test(tests, a_leaving_host_lets_go);
    tcase_add_test(tests, a_conflict_on_the_way);
    tcase_add_test(tests, a_claim_on_the_way);
    tcase_add_test(tests, what_comes_after_a_claim_on_the_way);
    tcase_add_test(tests, what_is_too_much_after_a_claim);
    tcase_add_test(tests, it_ends_in_some_seconds);
    tcase_add_test(tests, more_than_a_slice_ask);
    tcase_add_loop_test(tests, nobody_asks_for_ever, 0, 2);
    tcase_add_test(tests, nonsense_changes_nothing);
    return run_suite(suite);
}
