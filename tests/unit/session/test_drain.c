/*
 * The drain between real hosts: everything moves, nothing is lost, nobody notices; and what it says
 * when that is not possible.
 */
#include <stdio.h>
#include <string.h>

#include "session/drain.h"
#include "session/forward.h"
#include "session/move.h"
#include "unit/session/fake_host.h"
#include "unit/session/main.h"

static struct session *toy;
static struct cn_pid toy_pid;

static void begin(void)
{
    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    toy = cluster_start(&cluster, 0, "t", "code");
    ck_assert_ptr_nonnull(toy);
    toy_pid = *session_pid(toy);
    cluster_call(&cluster, 0, &toy_pid, parse("{add,1}"));
}

/* The same, with a client that watches the session by the monitor that is given back. */
static struct cn_ref begin_watched(void)
{
    struct cn_ref monitor;
    struct dest dest;

    begin();
    dest = to_pid(&toy_pid);
    ck_assert_int_eq(process_monitor(gen_server_process(cluster.nodes[2].client), &dest, &monitor),
                     0);
    cluster_settle(&cluster);
    return monitor;
}

static void check_drained(int exit_code, uint64_t sessions, uint64_t moved, uint64_t lost)
{
    const struct cluster_node *node = &cluster.nodes[0];

    ck_assert_int_eq(node->drained, 1);
    ck_assert_int_eq(node->drain_started, 1);
    ck_assert_int_eq(node->exit_code, exit_code);
    ck_assert_uint_eq(node->summary.sessions, sessions);
    ck_assert_uint_eq(node->summary.moved, moved);
    ck_assert_uint_eq(node->summary.lost, lost);
}

/* Calls that wait, come during the move and come after it are each answered once, by the new owner.
 */
START_TEST(nobody_notices)
{
    struct session *new_toy;
    struct cn_pid new_pid;

    begin();
    cluster.names.hold = true; /* the move stands still with the names */
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    cluster_ask(&cluster, 2, &toy_pid, parse("{add,2}"));
    cluster_settle(&cluster);
    cluster_ask(&cluster, 2, &toy_pid, parse("{add,3}"));
    cluster_send(&cluster, 2, &toy_pid, parse("{$gen_cast,{add,4}}"));
    cluster_settle(&cluster);
    ck_assert_uint_eq(cluster_answers(&cluster, 2), 0);
    cluster.names.hold = false;
    cluster_settle(&cluster);
    ck_assert_uint_eq(cluster_answers(&cluster, 2), 2);
    ck_assert_str_eq(cluster.nodes[2].client_log.log[0], "reply {ok,2}");
    ck_assert_str_eq(cluster.nodes[2].client_log.log[1], "reply {ok,3}");
    new_toy = cluster_find(&cluster, 1, "t");
    ck_assert_ptr_nonnull(new_toy);
    new_pid = *session_pid(new_toy);
    ck_assert_int_eq(session_state(toy), SESSION_FORWARDING);
    ck_assert_str_eq(cluster_call(&cluster, 2, &toy_pid, parse("get")), "reply [1,2,3,4]");
    ck_assert_str_eq(cluster_call(&cluster, 2, &new_pid, parse("get")), "reply [1,2,3,4]");
    ck_assert_uint_eq(new_toy->epoch, 2);
    ck_assert_uint_eq(new_toy->version, 5);
    ck_assert(cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Ids", "t"), &new_pid));
    ck_assert(cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Codes", "code"), &new_pid));
    ck_assert_int_eq(cluster.nodes[0].drained, 0); /* the forwarder is there */
    cluster_pass(&cluster, 600);
    check_drained(0, 1, 1, 0);
    ck_assert_ptr_null(cluster_find(&cluster, 0, "t"));
    ck_assert_uint_eq(names_held(&cluster.names), 2);
}
END_TEST

/* A forwarder lives 500 ms at least, as long as somebody monitors it, and says where the session
 * went. */
START_TEST(forwarder_lives_while_it_is_watched)
{
    struct cn_ref monitor = begin_watched();

    hosts_drain(cluster.nodes[0].hosts);
    cluster_pass(&cluster, 5000);
    ck_assert_ptr_nonnull(cluster_find(&cluster, 0, "t"));
    ck_assert_int_eq(cluster.nodes[0].drained, 0);
    ck_assert_str_eq(cluster_call(&cluster, 2, &toy_pid, parse("{add,9}")), "reply {ok,2}");
    process_demonitor(gen_server_process(cluster.nodes[2].client), &monitor, true);
    cluster_pass(&cluster, 200);
    ck_assert_ptr_null(cluster_find(&cluster, 0, "t"));
    check_drained(0, 1, 1, 0);
}
END_TEST

/* At the deadline the forwarder goes, and its watchers learn where to. */
START_TEST(deadline_ends_forwarders)
{
    begin_watched();
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    cluster_pass(&cluster, 29900);
    ck_assert_int_eq(cluster.nodes[0].drained, 0);
    cluster_pass(&cluster, 100);
    check_drained(0, 1, 1, 0);
    ck_assert_ptr_nonnull(strstr(cluster_last(&cluster, 2), ",{shutdown,{moved,<b."));
}
END_TEST

/* Without names a forwarder that is watched cannot give them away: it waits for a second, no more.
 */
START_TEST(nameless_forwarders_do_not_stay)
{
    begin_watched();
    hosts_names_closed(cluster.nodes[0].hosts);
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    cluster_pass(&cluster, 900);
    ck_assert_int_eq(cluster.nodes[0].drained, 0);
    cluster_pass(&cluster, 200);
    check_drained(0, 1, 1, 0);
    ck_assert_ptr_nonnull(strstr(cluster_last(&cluster, 2), ",{shutdown,{moved,<b."));
}
END_TEST

/* The second signal leaves one second. */
START_TEST(hurry)
{
    begin_watched();
    hosts_drain(cluster.nodes[0].hosts);
    hosts_drain_hurry(cluster.nodes[0].hosts);
    hosts_drain_hurry(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    cluster_pass(&cluster, 990);
    ck_assert_int_eq(cluster.nodes[0].drained, 0);
    cluster_pass(&cluster, 10);
    check_drained(0, 1, 1, 0);
}
END_TEST

/* The third signal stops at once; what was under way counts as lost. */
START_TEST(abort_at_once)
{
    begin();
    cluster_start(&cluster, 0, "u", NULL);
    cluster.names.hold = true;
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    hosts_drain_abort(cluster.nodes[0].hosts);
    check_drained(70, 2, 0, 2);
    hosts_drain_abort(cluster.nodes[0].hosts);
    hosts_drain(cluster.nodes[0].hosts);
    ck_assert_int_eq(cluster.nodes[0].drained, 1);
}
END_TEST

/* Three signals at once: the same. */
START_TEST(abort_before_it_began)
{
    begin();
    hosts_drain(cluster.nodes[0].hosts);
    hosts_drain_hurry(cluster.nodes[0].hosts);
    hosts_drain_abort(cluster.nodes[0].hosts);
    check_drained(70, 1, 0, 1);
    cluster_pass(&cluster, 2000);
    ck_assert_int_eq(cluster.nodes[0].drained, 1);
}
END_TEST

/* The deadline counts from the signal, however long the node had nothing to do before. */
START_TEST(deadline_counts_from_the_signal)
{
    begin();
    cluster.names.hold = true;
    cluster.world.now_ms += 40000; /* nobody ran */
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    ck_assert_int_eq(cluster.nodes[0].drained, 0);
    ck_assert_int_eq(session_state(toy), SESSION_FROZEN);
    cluster.names.hold = false;
    cluster_pass(&cluster, 1000);
    check_drained(0, 1, 1, 0);
    ck_assert_uint_lt(cluster.nodes[0].summary.ms, 1000);
}
END_TEST

/* A host alone gives up at once; its sessions go on to the end. */
START_TEST(alone)
{
    cluster_host(&cluster, 0);
    toy = cluster_start(&cluster, 0, "t", NULL);
    toy_pid = *session_pid(toy);
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    check_drained(70, 1, 0, 1);
    ck_assert_str_eq(cluster_call(&cluster, 1, &toy_pid, parse("get")), "reply []");
}
END_TEST

/* A host without sessions is drained at once. */
START_TEST(empty)
{
    cluster_host(&cluster, 0);
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    check_drained(0, 0, 0, 0);
}
END_TEST

/* When the first of the ranking refuses, the next is asked; each once. */
START_TEST(refusals_go_on_to_the_next)
{
    struct hosts_config config = cluster_config(&cluster, 1);
    char id[16];

    config.capacity = 1;
    cluster_host(&cluster, 0);
    for (int i = 0; i < 10; i++) {
        (void)snprintf(id, sizeof(id), "t%d", i);
        ck_assert_ptr_nonnull(cluster_start(&cluster, 0, id, NULL));
    }
    cluster_host_of(&cluster, 1, &toy_game, &config);
    cluster_host(&cluster, 2);
    hosts_drain(cluster.nodes[0].hosts);
    cluster_pass(&cluster, 1000);
    check_drained(0, 10, 10, 0);
    ck_assert_uint_eq(session_table_owned(&cluster.nodes[1].hosts->table), 1);
    ck_assert_uint_eq(session_table_owned(&cluster.nodes[2].hosts->table), 9);
}
END_TEST

/* When all are full the session stays and counts as lost. */
START_TEST(nobody_has_room)
{
    struct hosts_config config = cluster_config(&cluster, 1);

    config.capacity = 1;
    cluster_host(&cluster, 0);
    cluster_start(&cluster, 0, "t", NULL);
    cluster_host_of(&cluster, 1, &toy_game, &config);
    cluster_start(&cluster, 1, "u", NULL);
    hosts_drain(cluster.nodes[0].hosts);
    cluster_pass(&cluster, 100);
    check_drained(70, 1, 0, 1);
}
END_TEST

/* A target that stands still when it should activate, and goes on 9 s later, hears activate and
 * cancel together: the session has one owner, the source. */
START_TEST(slow_target_does_not_own_it_too)
{
    begin();
    cluster.names.hold = true;
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    ck_assert_int_eq(session_state(cluster_find(&cluster, 1, "t")), SESSION_READY);
    cluster.world.up[0][1] = false; /* what is said waits on the wire */
    cluster.names.hold = false;
    cluster_pass(&cluster, 9000);
    ck_assert_int_eq(session_state(toy), SESSION_RUNNING);
    cluster.world.up[0][1] = true;
    cluster_settle(&cluster);
    ck_assert_int_eq(session_state(cluster_find(&cluster, 1, "t")), SESSION_FORWARDING);
    ck_assert(cluster_logged(&cluster, 1, "session t: ends at epoch 2"));
    ck_assert_uint_eq(toy->epoch, 2);
    ck_assert(cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Ids", "t"), &toy_pid));
    ck_assert(cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Codes", "code"), &toy_pid));
    ck_assert_str_eq(cluster_call(&cluster, 2, &toy_pid, parse("get")), "reply [1]");
}
END_TEST

/* Sessions move 16 at a time as long as it is not known how long they stand still; all move. */
START_TEST(many)
{
    struct session_key *key, *next;
    size_t frozen = 0;
    char id[16];

    cluster_host(&cluster, 0);
    for (int i = 0; i < 80; i++) {
        (void)snprintf(id, sizeof(id), "t%d", i);
        ck_assert_ptr_nonnull(cluster_start(&cluster, 0, id, NULL));
    }
    cluster_host(&cluster, 1);
    cluster_host(&cluster, 2);
    cluster.names.hold = true;
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    map_for_each(cluster.nodes[0].hosts->table.by_id, key, next)
        frozen += session_state(key->session) == SESSION_FROZEN ? 1 : 0;
    ck_assert_uint_eq(frozen, 16);
    cluster.names.hold = false;
    cluster_pass(&cluster, 1000);
    check_drained(0, 80, 80, 0);
    ck_assert_uint_gt(session_table_owned(&cluster.nodes[1].hosts->table), 0);
    ck_assert_uint_gt(session_table_owned(&cluster.nodes[2].hosts->table), 0);
}
END_TEST

/* With 40 bytes a second, sessions of some bytes leave one by one: so many bytes take so long. */
START_TEST(bandwidth)
{
    struct hosts_config config = cluster_config(&cluster, 0);
    const struct hosts_summary *summary = &cluster.nodes[0].summary;
    char id[16];

    config.bytes_per_second = 40;
    cluster_host_of(&cluster, 0, &toy_game, &config);
    for (int i = 0; i < 10; i++) {
        (void)snprintf(id, sizeof(id), "t%d", i);
        ck_assert_ptr_nonnull(cluster_start(&cluster, 0, id, NULL));
    }
    cluster_host(&cluster, 1);
    hosts_drain(cluster.nodes[0].hosts);
    cluster_pass(&cluster, 20000);
    check_drained(0, 10, 10, 0);
    ck_assert_uint_ge(summary->ms, summary->bytes * 9 / 10 * 1000 / 40 - 20);
    ck_assert_uint_le(summary->ms, summary->bytes * 1000 / 40 + 1000);
}
END_TEST

/* Its bytes count once however many hosts refuse it, and once more for each that fails with it. */
START_TEST(bandwidth_of_what_is_sent)
{
    static struct fake_host refusing[2];
    struct hosts_config config = cluster_config(&cluster, 0);
    struct hosts *hosts;
    uint64_t from_us;
    size_t bytes;

    config.bytes_per_second = 1000;
    hosts = cluster_host_of(&cluster, 0, &toy_game, &config);
    ck_assert_int_eq(move_measure(cluster_start(&cluster, 0, "t", NULL), &bytes), 0);
    for (int i = 0; i < 2 && _i == 0; i++) {
        fake_host_start(&refusing[i], &cluster, 1 + i);
        fake_host_answer(&refusing[i], parse("{refuse,full}"));
        fake_host_hello(&refusing[i], 0);
    }
    if (_i == 1) {
        cluster_host(&cluster, 1);
        cluster.names.hold = true;
    }
    from_us = hosts->bandwidth.next_us = cluster.world.now_ms * 1000;
    hosts_drain(hosts);
    cluster_settle(&cluster);
    if (_i == 0)
        ck_assert_int_eq(refusing[0].offers + refusing[1].offers, 2);
    else
        cluster_lose(&cluster, 0, 1);
    cluster_pass(&cluster, 1000);
    check_drained(70, 1, 0, 1);
    ck_assert_uint_eq(hosts->bandwidth.next_us - from_us, (1 + (uint64_t)_i) * bytes * 1000);
}
END_TEST

/* A session that is just starting when the drain begins is waited for, and moved. */
START_TEST(starting_sessions_are_moved)
{
    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    cluster.names.hold = true;
    ck_assert_ptr_null(cluster_start(&cluster, 0, "t", NULL));
    hosts_drain(cluster.nodes[0].hosts);
    cluster_pass(&cluster, 200);
    ck_assert_int_eq(cluster.nodes[0].drained, 0);
    cluster.names.hold = false;
    cluster_pass(&cluster, 1000);
    check_drained(0, 1, 1, 0);
    ck_assert_ptr_nonnull(cluster_find(&cluster, 1, "t"));
}
END_TEST

/* The call `drain` is answered with the summary when all is over; the other hosts hear bye. */
START_TEST(call_drain)
{
    struct hosts_counts counts;

    begin();
    hosts_counts(cluster.nodes[1].hosts, &counts);
    ck_assert_uint_eq(counts.hosts, 1);
    cluster.names.hold = true; /* the session stands still until its names move */
    ck_assert_str_eq(cluster_call_host(&cluster, 2, 0, parse("drain")), "");
    cluster_pass(&cluster, 250);
    cluster.names.hold = false;
    cluster_settle(&cluster);
    cluster_pass(&cluster, 600);
    ck_assert_ptr_nonnull(strstr(cluster_last(&cluster, 2), "reply {ok,#{sessions=>1,moved=>1,"));
    ck_assert_ptr_nonnull(
        strstr(cluster_last(&cluster, 2), "stall_ms=>#{p50=>250,p99=>250,max=>250}"));
    ck_assert_uint_gt(cluster.nodes[0].summary.bytes, 0);
    hosts_counts(cluster.nodes[1].hosts, &counts);
    ck_assert_uint_eq(counts.hosts, 0);
    check_drained(0, 1, 1, 0);
    ck_assert_ptr_nonnull(strstr(cluster_call_host(&cluster, 2, 0, parse("drain")), "moved=>1"));
}
END_TEST

/* Each second a line tells how far it is, until it is over. */
START_TEST(progress_is_told)
{
    begin();
    cluster_start(&cluster, 0, "u", NULL);
    cluster.names.hold = true;
    hosts_drain(cluster.nodes[0].hosts);
    cluster_pass(&cluster, 990);
    ck_assert(!cluster_logged(&cluster, 0, "waiting="));
    cluster_pass(&cluster, 20);
    ck_assert(cluster_logged(&cluster, 0,
                             "draining: moved=0 moving=2 waiting=0 lost=0 forwarders=0 left_s=0"));
    cluster.names.hold = false;
    cluster_settle(&cluster);
    memset(cluster.nodes[0].logs, 0, sizeof(cluster.nodes[0].logs));
    cluster_pass(&cluster, 2000);
    check_drained(0, 2, 2, 0);
    ck_assert(!cluster_logged(&cluster, 0, "waiting="));
}
END_TEST

/* A caller of `drain` on a host with nothing to move is answered too. */
START_TEST(call_drain_when_empty)
{
    cluster_host(&cluster, 0);
    ck_assert_ptr_nonnull(
        strstr(cluster_call_host(&cluster, 2, 0, parse("drain")), "reply {ok,#{sessions=>0"));
}
END_TEST

/* A draining host says so to all at once and starts nothing more. */
START_TEST(draining_is_told)
{
    begin();
    cluster.names.hold = true;
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    ck_assert_ptr_nonnull(
        strstr(cluster_call_host(&cluster, 2, 1, parse("hosts")), "draining=>true"));
    ck_assert_ptr_null(cluster_start(&cluster, 0, "u", NULL));
    ck_assert_str_eq(cluster.started, "{error,draining}");
    cluster.names.hold = false;
}
END_TEST

/* A session that ends by itself while it is to be moved is neither moved nor lost. */
START_TEST(session_ends_during_the_drain)
{
    begin();
    cluster.names.hold = true;
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    procs_exit_signal(world_procs(&cluster.world, 0), NULL, &toy_pid, atom("kill"));
    cluster_settle(&cluster);
    check_drained(0, 1, 0, 0);
    cluster.names.hold = false;
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("drain", &tests);

    tcase_add_test(tests, nobody_notices);
    tcase_add_test(tests, forwarder_lives_while_it_is_watched);
    tcase_add_test(tests, deadline_ends_forwarders);
    tcase_add_test(tests, nameless_forwarders_do_not_stay);
    tcase_add_test(tests, hurry);
    tcase_add_test(tests, abort_at_once);
    tcase_add_test(tests, abort_before_it_began);
    tcase_add_test(tests, deadline_counts_from_the_signal);
    tcase_add_test(tests, alone);
    tcase_add_test(tests, empty);
    tcase_add_test(tests, refusals_go_on_to_the_next);
    tcase_add_test(tests, nobody_has_room);
    tcase_add_test(tests, slow_target_does_not_own_it_too);
    tcase_add_test(tests, many);
    tcase_add_test(tests, bandwidth);
    tcase_add_loop_test(tests, bandwidth_of_what_is_sent, 0, 2);
    tcase_add_test(tests, starting_sessions_are_moved);
    tcase_add_test(tests, call_drain);
    tcase_add_test(tests, progress_is_told);
    tcase_add_test(tests, call_drain_when_empty);
    tcase_add_test(tests, draining_is_told);
    tcase_add_test(tests, session_ends_during_the_drain);
    return run_suite(suite);
}
