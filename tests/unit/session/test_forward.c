/*
 * The forwarder: what it passes on, what it tells, and when it goes.
 */
#include <string.h>

#include "session/forward.h"
#include "session/table.h"
#include "unit/session/fake_host.h"
#include "unit/session/main.h"

static struct session *old;
static struct cn_pid old_pid, new_pid;
static struct probe followed_log;

/* Somebody on c watches the old process, so that it stays. */
static void watch_old(void)
{
    struct cn_ref monitor;
    struct dest dest = to_pid(&old_pid);

    ck_assert_int_eq(process_monitor(gen_server_process(cluster.nodes[2].client), &dest, &monitor),
                     0);
}

/* A session that has moved from a to b; its forwarder has just begun. */
static void begin(void)
{
    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    old = cluster_start(&cluster, 0, "t", "code");
    old_pid = *session_pid(old);
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    ck_assert_int_eq(session_state(old), SESSION_FORWARDING);
    new_pid = *session_pid(cluster_find(&cluster, 1, "t"));
}

/* Calls, casts and messages reach the new owner, which answers the caller itself. */
START_TEST(everything_is_passed_on)
{
    begin();
    ck_assert_str_eq(cluster_call(&cluster, 2, &old_pid, parse("{add,1}")), "reply {ok,1}");
    cluster_send(&cluster, 2, &old_pid, parse("{$gen_cast,{add,2}}"));
    cluster_send(&cluster, 2, &old_pid, parse("{add,3}"));
    cluster_settle(&cluster);
    ck_assert_str_eq(cluster_call(&cluster, 2, &new_pid, parse("get")), "reply [1,2,3]");
}
END_TEST

/* While the new owner's node is busy the forwarder keeps what comes, and loses nothing of it. */
START_TEST(waits_for_a_busy_node)
{
    begin();
    cluster.world.nodes[0].busy[1] = true;
    for (int i = 0; i < 10; i++)
        cluster_send(&cluster, 2, &old_pid, parse("{$gen_cast,{add,7}}"));
    cluster_settle(&cluster);
    ck_assert(process_stalled(gen_server_process(old->server)));
    ck_assert_str_eq(cluster_call(&cluster, 2, &new_pid, parse("get")), "reply [7]");
    cluster_send(&cluster, 2, &old_pid, parse("{$gen_cast,{add,8}}"));
    cluster.world.nodes[0].busy[1] = false;
    procs_peer_ready(world_procs(&cluster.world, 0), cluster_name(&cluster, 1));
    cluster_settle(&cluster);
    ck_assert_str_eq(cluster_call(&cluster, 2, &new_pid, parse("get")),
                     "reply [7,7,7,7,7,7,7,7,7,7,8]");
    cluster_pass(&cluster, 1000);
    ck_assert_ptr_null(cluster_find(&cluster, 0, "t"));
}
END_TEST

/* A forwarder that waits for its new owner's node does not hold the drain beyond its time. */
START_TEST(drain_ends_while_it_waits)
{
    begin();
    cluster.world.nodes[0].busy[1] = true;
    for (int i = 0; i < 10; i++)
        cluster_send(&cluster, 2, &old_pid, parse("{$gen_cast,{add,7}}"));
    cluster_settle(&cluster);
    ck_assert(process_stalled(gen_server_process(old->server)));
    cluster_pass(&cluster, 60000);
    ck_assert_int_eq(cluster.nodes[0].drained, 1);
    ck_assert_int_eq(cluster.nodes[0].exit_code, HOSTS_EXIT_MOVED);
}
END_TEST

/* When that node is lost the forwarder owns the session again, as if it waited for nothing. */
START_TEST(recovers_from_a_busy_node)
{
    begin();
    cluster.world.nodes[0].busy[1] = true;
    cluster_send(&cluster, 2, &old_pid, parse("{$gen_cast,{add,7}}"));
    cluster_settle(&cluster);
    ck_assert(process_stalled(gen_server_process(old->server)));
    cluster_lose(&cluster, 0, 1);
    ck_assert_int_eq(session_state(old), SESSION_RUNNING);
}
END_TEST

/* Whoever asks its host is shown the new owner, by id and by join code. */
START_TEST(host_shows_the_new_owner)
{
    begin();
    ck_assert_ptr_nonnull(
        strstr(cluster_call_host(&cluster, 2, 0, parse("{whereis,{id,<<\"t\">>}}")), "reply <b."));
    ck_assert_ptr_nonnull(
        strstr(cluster_call_host(&cluster, 2, 0, parse("{whereis,{join_code,<<\"code\">>}}")),
               "reply <b."));
    ck_assert_str_eq(cluster_call_host(&cluster, 2, 0, parse("sessions")), "reply []");
}
END_TEST

/* It stays 500 ms after the names moved, then goes; a caller after that sees where to. */
START_TEST(stays_500_ms)
{
    begin();
    cluster_pass(&cluster, 490);
    ck_assert_ptr_nonnull(cluster_find(&cluster, 0, "t"));
    cluster_pass(&cluster, 110);
    ck_assert_ptr_null(cluster_find(&cluster, 0, "t"));
    ck_assert_str_eq(cluster_call(&cluster, 2, &old_pid, parse("get")), "down noproc");
}
END_TEST

/* It has its names again, at the epoch of the owner that died, and takes calls. */
static void check_recovered(uint64_t epoch, const char *state)
{
    ck_assert_int_eq(session_state(old), SESSION_RUNNING);
    ck_assert_uint_eq(old->epoch, epoch);
    ck_assert_ptr_null(old->forward);
    ck_assert(cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Ids", "t"), &old_pid));
    ck_assert(cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Codes", "code"), &old_pid));
    ck_assert_str_eq(cluster_call(&cluster, 2, &old_pid, parse("get")), state);
    ck_assert(cluster_logged(&cluster, 0, "died: it goes on here"));
}

/* The new owner's node is lost: the session goes on with the state that it left with, and the
 * drain, which had counted it as moved, looks for another host. */
START_TEST(recovers_when_the_node_is_lost)
{
    begin();
    cluster_call(&cluster, 2, &new_pid, parse("{add,7}"));
    cluster_lose(&cluster, 0, 1);
    check_recovered(2, "reply []");
    cluster_pass(&cluster, 100);
    ck_assert_int_eq(cluster.nodes[0].exit_code, HOSTS_EXIT_LOST);
    ck_assert_uint_eq(cluster.nodes[0].summary.sessions, 1);
    ck_assert_uint_eq(cluster.nodes[0].summary.moved, 0);
}
END_TEST

/* Running again it answers everybody, also while the node of one of its callers is busy. */
START_TEST(recovered_it_waits_for_nobody)
{
    begin();
    cluster_lose(&cluster, 0, 1);
    cluster.world.nodes[0].busy[2] = true;
    for (int i = 0; i < 3; i++)
        cluster_ask(&cluster, 2, &old_pid, parse("get"));
    cluster_settle(&cluster);
    ck_assert_int_eq(session_state(old), SESSION_RUNNING);
    ck_assert(!process_stalled(gen_server_process(old->server)));
    ck_assert_uint_eq(cluster_answers(&cluster, 2), 3);
}
END_TEST

/* With a third host the drain moves it there, and all is well. */
START_TEST(recovers_and_moves_on)
{
    begin();
    cluster_host(&cluster, 2);
    cluster_lose(&cluster, 1, 2);
    cluster_lose(&cluster, 0, 1);
    cluster_pass(&cluster, 1000);
    ck_assert_ptr_nonnull(cluster_find(&cluster, 2, "t"));
    ck_assert_uint_eq(cluster_find(&cluster, 2, "t")->epoch, 3);
    ck_assert_int_eq(cluster.nodes[0].exit_code, HOSTS_EXIT_MOVED);
    ck_assert_uint_eq(cluster.nodes[0].summary.moved, 1);
}
END_TEST

/* While a third host reaches the new owner nobody else owns the session: the forwarder ends, and
 * who watches it learns where to go. */
START_TEST(a_wire_that_is_cut)
{
    begin();
    watch_old();
    cluster_host(&cluster, 2);
    cluster_lose(&cluster, 0, 1);
    cluster_settle(&cluster);
    ck_assert_ptr_null(cluster_find(&cluster, 0, "t"));
    ck_assert_ptr_nonnull(strstr(cluster_last(&cluster, 2), "{shutdown,{moved,<b."));
    ck_assert_int_eq(session_state(cluster_find(&cluster, 1, "t")), SESSION_RUNNING);
    ck_assert(!cluster_logged(&cluster, 0, "it goes on here"));
}
END_TEST

/* A connection that breaks and is there again costs nothing: the new owner is still the owner. */
START_TEST(a_broken_connection_is_tried_again)
{
    begin();
    world_cut(&cluster.world, 0, 1);
    cluster_settle(&cluster);
    ck_assert_int_eq(session_state(old), SESSION_FORWARDING);
    world_connect(&cluster.world, 0, 1);
    cluster_settle(&cluster);
    ck_assert_str_eq(cluster_call(&cluster, 2, &old_pid, parse("{add,1}")), "reply {ok,1}");
    ck_assert_str_eq(cluster_call(&cluster, 2, &new_pid, parse("get")), "reply [1]");
    cluster_pass(&cluster, 1000);
    ck_assert_ptr_null(cluster_find(&cluster, 0, "t"));
}
END_TEST

/* The owner crashes while the connection is broken: nobody has the session but the forwarder. */
START_TEST(recovers_what_crashed_unseen)
{
    begin();
    world_cut(&cluster.world, 0, 1);
    cluster_settle(&cluster);
    procs_exit_signal(world_procs(&cluster.world, 1), NULL, &new_pid, atom("oops"));
    cluster_settle(&cluster);
    cluster_ask(&cluster, 2, &old_pid, parse("{add,1}"));
    world_connect(&cluster.world, 0, 1);
    cluster_settle(&cluster);
    ck_assert(cluster_logged(&cluster, 0, "died: it goes on here"));
    ck_assert_uint_eq(old->epoch, 2);
    ck_assert_str_eq(cluster_last(&cluster, 2), "reply {ok,1}");
    ck_assert_str_eq(cluster_call(&cluster, 2, &old_pid, parse("get")), "reply [1]");
}
END_TEST

/* The owner has moved on while the connection is broken or lost for good: the hosts know where to,
 * and there is one owner. What came while they were asked goes there. */
START_TEST(finds_who_moved_on_unseen)
{
    struct session *third;

    begin();
    watch_old();
    cluster_host(&cluster, 2);
    world_cut(&cluster.world, 0, 1);
    cluster_settle(&cluster);
    hosts_drain(cluster.nodes[1].hosts);
    cluster_pass(&cluster, 2000);
    third = cluster_find(&cluster, 2, "t");
    ck_assert_ptr_nonnull(third);
    ck_assert_ptr_null(cluster_find(&cluster, 1, "t"));
    if (_i == 0)
        world_connect(&cluster.world, 0, 1);
    else
        cluster_lose(&cluster, 0, 1);
    cluster_ask(&cluster, 2, &old_pid, parse("{add,1}"));
    cluster_settle(&cluster);
    ck_assert_ptr_nonnull(cluster_find(&cluster, 0, "t"));
    ck_assert_int_eq(session_state(old), SESSION_FORWARDING);
    ck_assert(cn_pid_equal(forward_target(old), session_pid(third)));
    ck_assert_str_eq(cluster_call(&cluster, 2, session_pid(third), parse("get")), "reply [1]");
    ck_assert_uint_eq(third->epoch, 3);
}
END_TEST

/* While a host is silent the forwarder holds what comes, and then executes it. */
START_TEST(holds_while_it_asks)
{
    static struct fake_host fake;

    begin();
    fake_host_start(&fake, &cluster, 2);
    fake_host_hello(&fake, 0);
    cluster_lose(&cluster, 0, 1);
    cluster_ask(&cluster, 2, &old_pid, parse("{add,1}"));
    cluster_pass(&cluster, 900);
    ck_assert_int_eq(session_state(old), SESSION_FORWARDING);
    cluster_pass(&cluster, 110);
    ck_assert_str_eq(cluster_last(&cluster, 2), "reply {ok,1}");
    check_recovered(2, "reply [1]");
}
END_TEST

/* A session that ends is not brought back; one that crashes is, and moves once more. */
START_TEST(tells_an_end_from_a_crash)
{
    begin();
    if (_i == 0) {
        cluster_call(&cluster, 2, &new_pid, parse("stop"));
        cluster_settle(&cluster);
        ck_assert_ptr_null(cluster_find(&cluster, 0, "t"));
    } else {
        procs_exit_signal(world_procs(&cluster.world, 1), NULL, &new_pid, atom("oops"));
        cluster_settle(&cluster);
        ck_assert(cluster_logged(&cluster, 0, "died: it goes on here"));
        ck_assert_ptr_nonnull(cluster_find(&cluster, 1, "t"));
        ck_assert_uint_eq(cluster_find(&cluster, 1, "t")->epoch, 3);
    }
}
END_TEST

/* When the new owner moves on, the forwarder follows it and its callers notice nothing. */
START_TEST(follows_the_owner)
{
    struct session *third;

    begin();
    watch_old();
    cluster_host(&cluster, 2);
    hosts_drain(cluster.nodes[1].hosts);
    cluster_settle(&cluster);
    third = cluster_find(&cluster, 2, "t");
    ck_assert_ptr_nonnull(third);
    hosts_drain_hurry(cluster.nodes[1].hosts); /* its forwarder is watched by the first one */
    cluster_pass(&cluster, 2000);
    ck_assert_ptr_null(cluster_find(&cluster, 1, "t"));
    ck_assert_ptr_nonnull(cluster_find(&cluster, 0, "t"));
    ck_assert(cn_pid_equal(forward_target(old), session_pid(third)));
    ck_assert_str_eq(cluster_call(&cluster, 1, &old_pid, parse("{add,1}")), "reply {ok,1}");
    ck_assert(
        cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Ids", "t"), session_pid(third)));
    process_exit_atom(gen_server_process(third->server), "oops");
    cluster_settle(&cluster);
    ck_assert(cluster_logged(&cluster, 0, "died: it goes on here"));
    ck_assert_ptr_nonnull(cluster_find(&cluster, 2, "t"));
    ck_assert_uint_eq(cluster_find(&cluster, 2, "t")->epoch, 4);
}
END_TEST

/* Names that are still under way when the owner moves on go to where it went. */
START_TEST(names_follow_the_owner)
{
    struct process *newer = probe_start(world_procs(&cluster.world, 2), &followed_log);
    struct cn_pid newer_pid = *process_pid(newer);

    begin();
    old->forward->names = FORWARD_NAMES_FAILED;
    cluster.names.hold = true;
    cluster_pass(&cluster, 600); /* the forwarder wishes again */
    ck_assert_ptr_nonnull(old->naming);
    procs_exit_signal(world_procs(&cluster.world, 1), NULL, &new_pid,
                      parse_with("{shutdown,{moved,%p}}", &newer_pid));
    cluster_settle(&cluster);
    cluster.names.hold = false;
    cluster_settle(&cluster);
    ck_assert(cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Ids", "t"), &newer_pid));
    ck_assert(cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Codes", "code"), &newer_pid));
}
END_TEST

/* A session that comes back while its former process still forwards: callers of both reach it, the
 * former one ends as it would have, and what is owned here is counted right. */
START_TEST(the_session_comes_back)
{
    struct hosts_counts counts;
    struct session *back;

    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    old = cluster_start(&cluster, 0, "t", "code");
    old_pid = *session_pid(old);
    watch_old();
    cluster_call_host(&cluster, 2, 0, parse("{move,<<\"t\">>,b@world}"));
    ck_assert_int_eq(session_state(old), SESSION_FORWARDING);
    new_pid = *session_pid(cluster_find(&cluster, 1, "t"));
    cluster_call_host(&cluster, 2, 1, parse("{move,<<\"t\">>,a@world}"));
    ck_assert_str_eq(cluster_last(&cluster, 2), "reply ok");
    back = cluster_find(&cluster, 0, "t");
    ck_assert_ptr_ne(back, old);
    ck_assert_uint_eq(back->epoch, 3);
    ck_assert_str_eq(cluster_call(&cluster, 2, &old_pid, parse("{add,1}")), "reply {ok,1}");
    ck_assert_str_eq(cluster_call(&cluster, 2, &new_pid, parse("{add,2}")), "reply {ok,2}");
    ck_assert_str_eq(cluster_call(&cluster, 2, session_pid(back), parse("get")), "reply [1,2]");
    hosts_counts(cluster.nodes[0].hosts, &counts);
    ck_assert_uint_eq(counts.sessions, 1);
    ck_assert_uint_eq(counts.forwarders, 1);
    forward_end(old);
    cluster_settle(&cluster);
    hosts_counts(cluster.nodes[0].hosts, &counts);
    ck_assert_uint_eq(counts.sessions, 1);
    ck_assert_uint_eq(counts.forwarders, 0);
    ck_assert_ptr_eq(cluster_find(&cluster, 0, "t"), back);
}
END_TEST

/* The time of the drain ends those, too, whose session had come back: who watches is told. */
START_TEST(all_end_with_the_drain)
{
    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    old = cluster_start(&cluster, 0, "t", "code");
    old_pid = *session_pid(old);
    watch_old();
    cluster_call_host(&cluster, 2, 0, parse("{move,<<\"t\">>,b@world}"));
    cluster_call_host(&cluster, 2, 1, parse("{move,<<\"t\">>,a@world}"));
    ck_assert_ptr_ne(cluster_find(&cluster, 0, "t"), old);
    hosts_drain(cluster.nodes[0].hosts);
    cluster_pass(&cluster, 30200);
    ck_assert_int_eq(cluster.nodes[0].exit_code, HOSTS_EXIT_MOVED);
    ck_assert_ptr_nonnull(strstr(cluster_last(&cluster, 2), "{shutdown,{moved,<b."));
}
END_TEST

/* A return that came to nothing, and an owner that crashed on it: the session goes on here. */
START_TEST(a_return_that_failed)
{
    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    old = cluster_start(&cluster, 0, "t", "code");
    old_pid = *session_pid(old);
    watch_old();
    cluster_call_host(&cluster, 2, 0, parse("{move,<<\"t\">>,b@world}"));
    cluster.names.hold = true;
    hosts_drain(cluster.nodes[1].hosts);
    cluster_settle(&cluster);
    ck_assert_ptr_ne(cluster_find(&cluster, 0, "t"), old);
    process_exit_atom(gen_server_process(cluster_find(&cluster, 0, "t")->server), "oops");
    process_exit_atom(gen_server_process(cluster_find(&cluster, 1, "t")->server), "oops");
    cluster_settle(&cluster);
    cluster.names.hold = false;
    cluster_settle(&cluster);
    ck_assert_int_eq(session_state(old), SESSION_RUNNING);
    ck_assert_ptr_eq(cluster_find(&cluster, 0, "t"), old);
    ck_assert_str_eq(cluster_call(&cluster, 2, &old_pid, parse("{add,1}")), "reply {ok,1}");
}
END_TEST

/* A late word of the handoff is not passed on. */
START_TEST(late_words_stay_here)
{
    struct cn_ref transfer;

    begin();
    procs_make_ref(world_procs(&cluster.world, 0), &transfer);
    cluster_send(&cluster, 2, &old_pid, parse_with("{handoff_active,%r,2}", &transfer));
    cluster_settle(&cluster);
    ck_assert_int_eq(session_state(old), SESSION_FORWARDING);
    ck_assert(!cluster_logged(&cluster, 1, "late word"));
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("forward", &tests);

    tcase_add_test(tests, everything_is_passed_on);
    tcase_add_test(tests, waits_for_a_busy_node);
    tcase_add_test(tests, drain_ends_while_it_waits);
    tcase_add_test(tests, recovers_from_a_busy_node);
    tcase_add_test(tests, host_shows_the_new_owner);
    tcase_add_test(tests, stays_500_ms);
    tcase_add_test(tests, recovers_when_the_node_is_lost);
    tcase_add_test(tests, recovered_it_waits_for_nobody);
    tcase_add_test(tests, recovers_and_moves_on);
    tcase_add_test(tests, a_wire_that_is_cut);
    tcase_add_test(tests, a_broken_connection_is_tried_again);
    tcase_add_test(tests, recovers_what_crashed_unseen);
    tcase_add_loop_test(tests, finds_who_moved_on_unseen, 0, 2);
    tcase_add_test(tests, holds_while_it_asks);
    tcase_add_loop_test(tests, tells_an_end_from_a_crash, 0, 2);
    tcase_add_test(tests, follows_the_owner);
    tcase_add_test(tests, names_follow_the_owner);
    tcase_add_test(tests, the_session_comes_back);
    tcase_add_test(tests, all_end_with_the_drain);
    tcase_add_test(tests, a_return_that_failed);
    tcase_add_test(tests, late_words_stay_here);
    return run_suite(suite);
}
