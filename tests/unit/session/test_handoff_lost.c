/*
 * A connection that breaks in the middle of a handoff, between two hosts: at every step there is
 * one owner in the end, and what was queued is executed once.
 */
#include <string.h>

#include "session/forward.h"
#include "unit/session/main.h"

static struct session *old;
static struct cn_pid old_pid;

static struct session *new (void)
{
    return cluster_find(&cluster, 1, "t");
}

/* A session on a that is about to move to b. */
static void begin(void)
{
    cluster_host(&cluster, 0);
    old = cluster_start(&cluster, 0, "t", "code");
    old_pid = *session_pid(old);
    cluster_call(&cluster, 2, &old_pid, parse("{add,1}"));
    cluster_host(&cluster, 1);
}

/* The same, on its way: b is ready, and the names wait. */
static void begin_held(void)
{
    begin();
    cluster.names.hold = true;
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
}

static void ask(const char *request)
{
    cluster_ask(&cluster, 2, &old_pid, parse(request));
}

/* Run until b has all and says so; what it says is still on the wire. */
static void run_until_ready_is_on_the_wire(void)
{
    uint64_t now_ms = cluster.world.now_ms;

    hosts_drain(cluster.nodes[0].hosts);
    while (new () == NULL || session_state(new ()) != SESSION_READY) {
        procs_run(world_procs(&cluster.world, 0), now_ms);
        world_deliver_one(&cluster.world, 2, 0);
        world_deliver_one(&cluster.world, 0, 1);
        procs_run(world_procs(&cluster.world, 1), now_ms);
        if (new () == NULL || session_state(new ()) != SESSION_READY)
            world_deliver_one(&cluster.world, 1, 0);
    }
    ck_assert_int_eq(session_state(old), SESSION_FROZEN);
}

static void check_moved(const char *numbers)
{
    ck_assert_int_eq(session_state(old), SESSION_FORWARDING);
    ck_assert_int_eq(session_state(new ()), SESSION_RUNNING);
    ck_assert_uint_eq(new ()->epoch, 2);
    ck_assert_str_eq(cluster_call(&cluster, 2, &old_pid, parse("get")), numbers);
    ck_assert_str_eq(cluster_call(&cluster, 2, session_pid(new ()), parse("get")), numbers);
    cluster_pass(&cluster, 100);
    ck_assert(
        cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Ids", "t"), session_pid(new ())));
    cluster_pass(&cluster, 900);
    ck_assert_ptr_null(cluster_find(&cluster, 0, "t"));
    ck_assert_int_eq(cluster.nodes[0].exit_code, HOSTS_EXIT_MOVED);
}

static void break_connection(const char *request)
{
    world_cut(&cluster.world, 0, 1);
    cluster_settle(&cluster);
    if (request != NULL)
        cluster_send(&cluster, 2, &old_pid, parse(request));
    cluster_settle(&cluster);
    ck_assert_int_eq(session_state(old), SESSION_FROZEN);
    world_connect(&cluster.world, 0, 1);
    cluster_settle(&cluster);
}

/* `ready` is lost: the target says it again, the source asks at the same time. */
START_TEST(ready_is_lost)
{
    begin();
    run_until_ready_is_on_the_wire();
    ask("{add,2}");
    cluster_send(&cluster, 2, &old_pid, parse("{$gen_cast,{add,3}}"));
    break_connection("{add,4}");
    check_moved("reply [1,2,3,4]");
}
END_TEST

/* The queue has arrived, the names are moving: it goes once more and is not executed twice, calls
 * nor casts nor messages; what comes while nobody is there goes once. */
START_TEST(queue_is_sent_twice)
{
    begin_held();
    ask("{add,2}");
    cluster_send(&cluster, 2, &old_pid, parse("{$gen_cast,{add,3}}"));
    cluster_send(&cluster, 2, &old_pid, parse("{add,4}"));
    cluster_settle(&cluster);
    break_connection("{$gen_cast,{add,5}}");
    ck_assert_str_eq(cluster_last(&cluster, 2), "reply {ok,2}");
    ck_assert_int_eq(session_state(old), SESSION_FORWARDING);
    cluster.names.hold = false;
    cluster_settle(&cluster);
    check_moved("reply [1,2,3,4,5]");
}
END_TEST

/* `active` is lost: the target runs, has executed what was queued, and says so again. */
START_TEST(active_is_lost)
{
    begin_held();
    ask("{add,2}");
    cluster_settle(&cluster);
    cluster.world.up[1][0] = false; /* what b says waits on the wire */
    cluster.names.hold = false;
    cluster_settle(&cluster);
    ck_assert_int_eq(session_state(new ()), SESSION_RUNNING);
    break_connection(NULL);
    check_moved("reply [1,2]");
}
END_TEST

/* The hosts of a and b meet again: @stays owns the session, with what it did, and its names. */
static void check_met(struct session *stays, struct session *goes, const char *numbers)
{
    struct cn_pid stays_pid = *session_pid(stays);
    struct cn_pid goes_pid = *session_pid(goes);

    world_connect(&cluster.world, 0, 1);
    hosts_node_up(cluster.nodes[1].hosts, cluster_name(&cluster, 0)); /* a said bye: no hello */
    cluster_settle(&cluster);
    ck_assert_int_eq(session_state(goes), SESSION_FORWARDING);
    ck_assert_int_eq(session_state(stays), SESSION_RUNNING);
    ck_assert_str_eq(cluster_call(&cluster, 2, &goes_pid, parse("get")), numbers);
    ck_assert(cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Ids", "t"), &stays_pid));
}

/* Cut off for good in the middle of a move, both live: two owners. When their hosts meet again, the
 * one is left that did more, whoever it is: whom nobody could reach meanwhile has nothing that
 * somebody counts on. */
START_TEST(cut_off_for_a_while)
{
    struct session *busy;

    begin();
    run_until_ready_is_on_the_wire();
    cluster_lose(&cluster, 0, 1);
    ck_assert_int_eq(session_state(old), SESSION_RUNNING);
    ck_assert_int_eq(session_state(new ()), SESSION_RUNNING);
    busy = _i == 0 ? old : new ();
    cluster_call(&cluster, 2, session_pid(busy), parse("{add,2}"));
    names_give(&cluster.names, "Elixir.Toy.Ids", "t", session_pid(busy == old ? new () : old));
    check_met(busy, busy == old ? new () : old, "reply [1,2]");
}
END_TEST

/* The same when the move was over: a forwarder that could not reach its owner went on with an old
 * state, and gives way to the owner that did more. */
START_TEST(cut_off_after_the_move)
{
    struct cn_ref monitor;
    struct dest dest;

    begin();
    dest = to_pid(&old_pid);
    process_monitor(gen_server_process(cluster.nodes[2].client), &dest, &monitor);
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    ck_assert_int_eq(session_state(old), SESSION_FORWARDING);
    cluster_call(&cluster, 2, session_pid(new ()), parse("{add,2}"));
    cluster_lose(&cluster, 0, 1);
    ck_assert_int_eq(session_state(old), SESSION_RUNNING);
    check_met(new (), old, "reply [1,2]");
}
END_TEST

/* The wire alone is cut, and c reaches both: the one that runs owns the session, whoever looks for
 * it; who waits on the other is told where it is. */
START_TEST(the_wire_is_cut)
{
    bool stays = _i == 0;

    begin();
    cluster_host(&cluster, 2);
    cluster_call_host(&cluster, 2, 2, parse("cordon"));
    if (stays) { /* b is ready: it hears of a, which goes on */
        run_until_ready_is_on_the_wire();
    } else { /* b runs, and a does not know */
        cluster.names.hold = true;
        hosts_drain(cluster.nodes[0].hosts);
        cluster_settle(&cluster);
        cluster.world.up[1][0] = false; /* what b says is lost */
        cluster_pass(&cluster, 5010);
        ck_assert_int_eq(session_state(new ()), SESSION_RUNNING);
        ck_assert_int_eq(session_state(old), SESSION_FROZEN);
        cluster.names.hold = false;
    }
    ask("{add,2}");
    for (int i = 0; i < 2; i++) { /* the second time for who is a forwarder now */
        cluster_lose(&cluster, 0, 1);
        cluster_pass(&cluster, 2000);
    }
    ck_assert_ptr_null(cluster_find(&cluster, stays ? 1 : 0, "t"));
    ck_assert_int_eq(session_state(stays ? old : new ()), SESSION_RUNNING);
    ck_assert_ptr_nonnull(
        strstr(cluster_last(&cluster, 2), stays ? "reply {ok,2}" : "down {shutdown,{moved,<b."));
}
END_TEST

/* A copy that runs because it could not reach its source hears that its source goes on: who did
 * more stays, although the source says that it should end. */
START_TEST(late_cancel_of_one_that_runs_alone)
{
    struct cn_ref transfer;

    begin();
    run_until_ready_is_on_the_wire();
    cluster_lose(&cluster, 0, 1);
    transfer = new ()->came_by->transfer;
    cluster_call(&cluster, 2, session_pid(new ()), parse("{add,2}"));
    world_connect(&cluster.world, 0, 1);
    cluster_send(&cluster, 0, session_pid(new ()), parse_with("{handoff_cancel,%r}", &transfer));
    cluster_settle(&cluster);
    check_met(new (), old, "reply [1,2]");
}
END_TEST

/* The source is gone, and its node is there: what is ready looks for another owner, then runs. */
START_TEST(source_crashed_unseen)
{
    begin();
    run_until_ready_is_on_the_wire();
    procs_exit_signal(world_procs(&cluster.world, 0), NULL, &old_pid, atom("oops"));
    world_cut(&cluster.world, 0, 1);
    cluster_settle(&cluster);
    if (_i == 1) { /* somebody else has it: this copy is of no use */
        cluster_host(&cluster, 2);
        names_clear(&cluster.names);
        ck_assert_ptr_nonnull(cluster_start(&cluster, 2, "t", "code"));
    }
    world_connect(&cluster.world, 0, 1);
    cluster_settle(&cluster);
    if (_i == 1) {
        ck_assert(cluster_logged(&cluster, 1, "it ends: its owner is on c@world"));
        ck_assert_ptr_null(new ());
        return;
    }
    ck_assert_int_eq(session_state(new ()), SESSION_RUNNING);
    ck_assert(cluster_logged(&cluster, 1, "out of reach, it runs here now"));
    ck_assert_uint_eq(new ()->epoch, 2);
    ck_assert_str_eq(cluster_call(&cluster, 2, session_pid(new ()), parse("get")), "reply [1]");
}
END_TEST

/* A source that had given up, and is told `ready` once more, says what its target did not hear. */
START_TEST(cancel_is_lost)
{
    begin_held();
    cluster.world.up[0][1] = false; /* what a says waits on the wire, and is lost with it */
    cluster_pass(&cluster, 10010);
    ck_assert_int_eq(session_state(old), SESSION_FROZEN);
    cluster_pass(&cluster, 1000); /* b's host does not say whether it owns the session */
    ck_assert_int_eq(session_state(old), SESSION_RUNNING);
    ck_assert_int_eq(session_state(new ()), SESSION_READY);
    world_cut(&cluster.world, 0, 1);
    cluster_settle(&cluster);
    world_connect(&cluster.world, 0, 1);
    cluster_settle(&cluster);
    ck_assert_ptr_null(new ());
    ck_assert_int_eq(session_state(old), SESSION_RUNNING);
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("handoff_lost", &tests);

    tcase_add_test(tests, ready_is_lost);
    tcase_add_test(tests, queue_is_sent_twice);
    tcase_add_test(tests, active_is_lost);
    tcase_add_loop_test(tests, cut_off_for_a_while, 0, 2);
    tcase_add_test(tests, cut_off_after_the_move);
    tcase_add_loop_test(tests, the_wire_is_cut, 0, 2);
    tcase_add_test(tests, late_cancel_of_one_that_runs_alone);
    tcase_add_loop_test(tests, source_crashed_unseen, 0, 2);
    tcase_add_test(tests, cancel_is_lost);
    return run_suite(suite);
}
