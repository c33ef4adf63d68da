/*
 * Moves that are ordered one by one, and a rebalance, between hosts of one program.
 *
 * Hosts that the test plays (fake_host.h) hold moves up by their silence.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "session/conductor.h"
#include "session/host.h"
#include "session/move.h"
#include "session/placement.h"
#include "unit/session/fake_host.h"
#include "unit/session/main.h"

static struct session *toy;
static struct cn_pid toy_pid;

static const char *ask(int to, const char *request)
{
    return cluster_call_host(&cluster, 2, to, parse(request));
}

static void begin(void)
{
    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    toy = cluster_start(&cluster, 0, "t", "code");
    toy_pid = *session_pid(toy);
}

/* It moves to just that host, a call to the old pid reaches it, and back again. */
START_TEST(moves)
{
    begin();
    cluster_call(&cluster, 2, &toy_pid, parse("{add,1}"));
    ck_assert_str_eq(ask(0, "{move,<<\"t\">>,b@world}"), "reply ok");
    ck_assert_int_eq(session_state(toy), SESSION_FORWARDING);
    ck_assert_ptr_nonnull(cluster_find(&cluster, 1, "t"));
    ck_assert_str_eq(cluster_call(&cluster, 2, &toy_pid, parse("get")), "reply [1]");
    ck_assert_ptr_nonnull(strstr(ask(0, "{move,<<\"t\">>,b@world}"), "reply {error,{not_here,<b."));
    cluster_pass(&cluster, 600);
    ck_assert_ptr_nonnull(strstr(ask(0, "{move,<<\"t\">>,b@world}"), "reply {error,{not_here,<b."));
    ck_assert_str_eq(ask(1, "{move,<<\"t\">>,a@world}"), "reply ok");
    ck_assert_ptr_nonnull(cluster_find(&cluster, 0, "t"));
}
END_TEST

/* What cannot be is refused by its field, and the session runs on. */
START_TEST(refuses)
{
    begin();
    ck_assert_str_eq(ask(0, "{move,<<\"t\">>,a@world}"), "reply ok");
    ck_assert_str_eq(ask(0, "{move,<<\"t\">>,x@world}"), "reply {error,no_such_host}");
    ck_assert_str_eq(ask(0, "{move,<<\"u\">>,b@world}"), "reply {error,unknown_session}");
    ck_assert_str_eq(ask(0, "{move,7,b@world}"), "reply {error,unknown_session}");
    ck_assert_str_eq(ask(0, "{move,<<\"t\">>,7}"), "reply {error,{invalid_node,7}}");
    ck_assert_str_eq(ask(0, "{move,<<\"t\">>}"), "reply {error,unknown_request}");
    ask(1, "cordon");
    ck_assert_str_eq(ask(0, "{move,<<\"t\">>,b@world}"), "reply {error,draining}");
    ck_assert_int_eq(session_state(toy), SESSION_RUNNING);
    ask(1, "uncordon");
    cluster.nodes[1].hosts->config.capacity = 0;
    ck_assert_str_eq(ask(0, "{move,<<\"t\">>,b@world}"), "reply {error,full}");
    ck_assert_int_eq(session_state(toy), SESSION_RUNNING);
}
END_TEST

/* A session that moves is not moved by another order. */
START_TEST(busy)
{
    begin();
    cluster.names.hold = true;
    cluster_call_host(&cluster, 1, 0, parse("{move,<<\"t\">>,b@world}"));
    ck_assert_str_eq(ask(0, "{move,<<\"t\">>,b@world}"), "reply {error,busy}");
    cluster.names.hold = false;
    cluster_settle(&cluster);
    ck_assert_str_eq(cluster_last(&cluster, 1), "reply ok");
}
END_TEST

/* An order without room waits for it. */
START_TEST(waits_for_room)
{
    begin();
    cluster.nodes[0].hosts->moving_bytes = MOVE_BYTES_MAX;
    cluster_call_host(&cluster, 2, 0, parse("{move,<<\"t\">>,b@world}"));
    ck_assert_uint_eq(cluster_answers(&cluster, 2), 0);
    ck_assert_int_eq(session_state(toy), SESSION_RUNNING);
    cluster.nodes[0].hosts->moving_bytes = 0;
    ck_assert_str_eq(ask(0, "{move,<<\"nobody\">>,b@world}"), "reply {error,unknown_session}");
    cluster_start(&cluster, 0, "u", NULL);
    cluster_call(&cluster, 1, session_pid(cluster_find(&cluster, 0, "u")), parse("stop"));
    ck_assert_str_eq(cluster_last(&cluster, 2), "reply ok");
}
END_TEST

/* Orders that wait have a limit, and are not looked at all each time that one may go. */
START_TEST(orders_have_a_limit)
{
    struct hosts *hosts;
    char order[64];
    unsigned exports;

    begin();
    hosts = cluster.nodes[0].hosts;
    hosts->config.orders_max = 5;
    hosts->moving_bytes = MOVE_BYTES_MAX;
    for (int i = 0; i < 5; i++) {
        char id[2] = {(char)('a' + i)};

        cluster_start(&cluster, 0, id, NULL);
        (void)snprintf(order, sizeof(order), "{move,<<\"%s\">>,b@world}", id);
        cluster_call_host(&cluster, 2, 0, parse(order));
    }
    ck_assert_uint_eq(cluster_answers(&cluster, 2), 0);
    ck_assert_str_eq(ask(0, "{move,<<\"t\">>,b@world}"), "reply {error,busy}");
    exports = toy_exports;
    cluster_call(&cluster, 1, &toy_pid, parse("stop"));
    ck_assert_uint_eq(toy_exports, exports + 1);
    hosts->moving_bytes = 0;
    cluster_call(&cluster, 1, session_pid(cluster_start(&cluster, 0, "z", NULL)), parse("stop"));
    for (int i = 0; i < 5; i++) {
        char id[2] = {(char)('a' + i)};

        ck_assert_ptr_nonnull(cluster_find(&cluster, 1, id));
    }
    ck_assert_str_eq(cluster_last(&cluster, 2), "reply ok");
}
END_TEST

/* A drain that begins takes over what the conductor moves: nothing is moved twice or left. */
START_TEST(drain_takes_over)
{
    static struct fake_host b;

    cluster_host(&cluster, 0);
    toy = cluster_start(&cluster, 0, "t", "code");
    fake_host_start(&b, &cluster, 1);
    fake_host_hello(&b, 0);
    cluster_host(&cluster, 2);
    cluster_call_host(&cluster, 2, 0, parse("{move,<<\"t\">>,b@world}")); /* it is silent */
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    ck_assert_ptr_null(cluster_find(&cluster, 2, "t"));
    ck_assert_str_eq(ask(0, "rebalance"), "reply {error,draining}");
    cluster_pass(&cluster, 6000);
    ck_assert_ptr_nonnull(cluster_find(&cluster, 2, "t"));
    ck_assert_int_eq(cluster.nodes[0].drained, 1);
    ck_assert_int_eq(cluster.nodes[0].exit_code, 0);
    ck_assert_uint_eq(cluster.nodes[0].summary.sessions, 1);
    ck_assert_uint_eq(cluster.nodes[0].summary.moved, 1);
}
END_TEST

/* A move that succeeds while a drain is on counts as the drain's. */
START_TEST(drain_counts_it)
{
    begin();
    cluster.names.hold = true;
    cluster_call_host(&cluster, 2, 0, parse("{move,<<\"t\">>,b@world}"));
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    ck_assert_int_eq(cluster.nodes[0].drained, 0);
    cluster.names.hold = false;
    cluster_pass(&cluster, 600);
    ck_assert_str_eq(cluster_last(&cluster, 2), "reply ok");
    ck_assert_int_eq(cluster.nodes[0].drained, 1);
    ck_assert_uint_eq(cluster.nodes[0].summary.sessions, 1);
    ck_assert_uint_eq(cluster.nodes[0].summary.moved, 1);
    ck_assert_uint_eq(cluster.nodes[0].summary.lost, 0);
}
END_TEST

static bool belongs_to_b(const char *id)
{
    uint32_t a, b;

    ck_assert_int_eq(placement_weight(view(id), "a@world", &a), 0);
    ck_assert_int_eq(placement_weight(view(id), "b@world", &b), 0);
    return b > a;
}

/* Start @count sessions on a; returns how many of them belong to b. */
static int start_many(int count)
{
    int others = 0;

    for (int i = 0; i < count; i++) {
        char id[16];

        (void)snprintf(id, sizeof(id), "t%d", i);
        ck_assert_ptr_nonnull(cluster_start(&cluster, 0, id, NULL));
        others += belongs_to_b(id) ? 1 : 0;
    }
    return others;
}

static struct hosts *host_of_many(int node)
{
    struct hosts_config config = cluster_config(&cluster, node);

    config.capacity = 1000;
    return cluster_host_of(&cluster, node, &toy_game, &config);
}

/* Those that belong elsewhere move, more than a window and than a slice; a second one finds none.
 */
START_TEST(rebalances)
{
    char expected[100];
    int others;

    host_of_many(0);
    others = start_many(250);
    host_of_many(1);
    (void)snprintf(expected, sizeof(expected), "reply {ok,#{moved=>%d,failed=>0,stayed=>%d}}",
                   others, 250 - others);
    ck_assert_str_eq(ask(0, "rebalance"), expected);
    for (int i = 0; i < 250; i++) {
        char id[16];

        (void)snprintf(id, sizeof(id), "t%d", i);
        if (belongs_to_b(id))
            ck_assert_ptr_nonnull(cluster_find(&cluster, 1, id));
        else
            ck_assert_int_eq(session_state(cluster_find(&cluster, 0, id)), SESSION_RUNNING);
    }
    (void)snprintf(expected, sizeof(expected), "reply {ok,#{moved=>0,failed=>0,stayed=>%d}}",
                   250 - others);
    ck_assert_str_eq(ask(0, "rebalance"), expected);
    (void)snprintf(expected, sizeof(expected), "reply {ok,#{moved=>0,failed=>0,stayed=>%d}}",
                   others);
    ck_assert_str_eq(ask(1, "rebalance"), expected);
}
END_TEST

/* No more than a window moves at a time, and another rebalance is refused meanwhile. */
START_TEST(rebalance_is_bounded)
{
    static struct fake_host b;

    host_of_many(0);
    ck_assert_int_gt(start_many(100), 32);
    fake_host_start(&b, &cluster, 1);
    fake_host_hello(&b, 0);
    cluster_call_host(&cluster, 1, 0, parse("rebalance"));
    ck_assert_str_eq(ask(0, "rebalance"), "reply {error,busy}");
    ck_assert_int_eq(b.calls, 16);
    gen_server_stop_atom(b.server, "normal"); /* the others have no better host then */
    cluster_settle(&cluster);
    ck_assert_int_eq(b.calls, 16);
    ck_assert_str_eq(cluster_last(&cluster, 1), "reply {ok,#{moved=>0,failed=>16,stayed=>84}}");
}
END_TEST

/* A cordoned host keeps its own; to a host that takes nothing in nothing moves. */
START_TEST(rebalance_minds_cordons)
{
    host_of_many(0);
    start_many(20);
    host_of_many(1);
    ask(1, "cordon");
    ck_assert_str_eq(ask(0, "rebalance"), "reply {ok,#{moved=>0,failed=>0,stayed=>20}}");
}
END_TEST

/* Without memory an order is answered at once or in the end; the session runs on, nothing leaks. */
START_TEST(survives_without_memory)
{
    static struct fake_host b;
    const char *const orders[] = {"{move,<<\"t\">>,b@world}", "{move,<<\"u\">>,b@world}",
                                  "rebalance"};

    cluster_host(&cluster, 0);
    toy = cluster_start(&cluster, 0, "t", NULL);
    toy_pid = *session_pid(toy);
    fake_host_start(&b, &cluster, 1);
    fake_host_answer(&b, parse("{refuse,full}"));
    fake_host_hello(&b, 0);
    ask(0, "rebalance");
    for (size_t order = 0; order < 3; order++) {
        bool failed = true;

        for (size_t i = 1; failed; i++) {
            struct gen_from from = {*gen_server_pid(cluster.nodes[2].client), parse("tag")};
            struct cn_term request = parse(orders[order]);

            mem_test_begin();
            mem_test_fail(i);
            ck_assert(conductor_call(cluster.nodes[0].hosts, &from, request));
            failed = mem_test_failed();
            cluster_pass(&cluster, 6000);
            mem_test_end();
            ck_assert_int_eq(session_state(toy), SESSION_RUNNING);
            ck_assert_ptr_null(toy->move);
        }
    }
    ck_assert_str_eq(cluster_call(&cluster, 1, &toy_pid, parse("get")), "reply []");
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("conductor", &tests);

    tcase_add_test(tests, moves);
    tcase_add_test(tests, refuses);
    tcase_add_test(tests, busy);
    tcase_add_test(tests, waits_for_room);
    tcase_add_test(tests, orders_have_a_limit);
    tcase_add_test(tests, drain_takes_over);
    tcase_add_test(tests, drain_counts_it);
    tcase_add_test(tests, rebalances);
    tcase_add_test(tests, rebalance_is_bounded);
    tcase_add_test(tests, rebalance_minds_cordons);
    tcase_add_test(tests, survives_without_memory);
    return run_suite(suite);
}
