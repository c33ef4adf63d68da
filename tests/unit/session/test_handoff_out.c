/*
 * The source of a handoff against a target that the test plays: order of what is said, and every
 * way in which a target can fail.
 */
#include <string.h>

#include "base/error.h"
#include "session/forward.h"
#include "session/handoff_out.h"
#include "session/handoff_words.h"
#include "session/snapshot.h"
#include "unit/session/main.h"

static struct session *toy;
static struct cn_pid toy_pid, target_pid;
static struct probe target_log;
static struct process *target;
static struct cn_ref transfer;
static int result, results;

static void done(struct session *session, int how)
{
    result = how;
    results++;
}

static void begin_with(const struct hosts_config *config)
{
    results = 0;
    result = -1;
    cluster_host_of(&cluster, 0, &toy_game, config);
    toy = cluster_start(&cluster, 0, "t", "code");
    ck_assert_ptr_nonnull(toy);
    toy_pid = *session_pid(toy);
    cluster_call(&cluster, 0, &toy_pid, parse("{add,1}"));
    target = probe_start(world_procs(&cluster.world, 1), &target_log);
    target_pid = *process_pid(target);
    procs_make_ref(world_procs(&cluster.world, 0), &transfer);
}

/* A frozen session whose state is with the target. */
static void begin(void)
{
    struct hosts_config config = cluster_config(&cluster, 0);

    begin_with(&config);
    ck_assert_int_eq(handoff_out_start(toy, &transfer, &target_pid, done), 0);
    cluster_settle(&cluster);
}

static void finish(void)
{
    probe_deinit(&target_log);
}

static void answer(struct cn_term message)
{
    procs_send_pid(world_procs(&cluster.world, 1), target, &toy_pid, message);
    cluster_settle(&cluster);
}

static void say_ready(void)
{
    answer(parse_with("{handoff_ready,%r,%p}", &transfer, &target_pid));
}

static void say_active(void)
{
    answer(parse_with("{handoff_active,%r,2}", &transfer));
}

static bool target_heard(const char *text)
{
    for (size_t i = 0; i < target_log.count; i++)
        if (strstr(target_log.log[i], text) != NULL)
            return true;
    return false;
}

static const char *target_last(void)
{
    return target_log.count == 0 ? "" : target_log.log[target_log.count - 1];
}

static void ask(const char *request)
{
    cluster_ask(&cluster, 2, &toy_pid, parse(request));
    cluster_settle(&cluster);
}

/* The session runs here again, with its names and with what it had queued executed once, in order.
 */
static void check_thawed_at(uint64_t epoch, int how, const char *state)
{
    ck_assert_int_eq(results, 1);
    ck_assert_int_eq(result, how);
    ck_assert_int_eq(session_state(toy), SESSION_RUNNING);
    ck_assert(cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Ids", "t"), &toy_pid));
    ck_assert(cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Codes", "code"), &toy_pid));
    ck_assert_uint_eq(toy->epoch, epoch);
    ck_assert_str_eq(cluster_call(&cluster, 0, &toy_pid, parse("get")), state);
}

/* The same where the target may have owned the session meanwhile. */
static void check_thawed(int how, const char *state)
{
    check_thawed_at(2, how, state);
}

static void check_names_moved(void)
{
    ck_assert(cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Ids", "t"), &target_pid));
    ck_assert(cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Codes", "code"), &target_pid));
}

/* State, queue, activate: in this order, and the names move between queue and activate. */
START_TEST(order_is_state_queue_activate)
{
    begin();
    ck_assert_int_eq(session_state(toy), SESSION_FROZEN);
    ck_assert_uint_eq(target_log.count, 2);
    ck_assert_ptr_nonnull(strstr(target_log.log[0], "{handoff_state,#Ref<a."));
    ck_assert_ptr_nonnull(strstr(target_log.log[1], "{handoff_digest,#Ref<a."));
    ask("{add,2}");
    ask("{add,3}");
    ck_assert_uint_eq(target_log.count, 2);
    ck_assert_uint_eq(cluster_answers(&cluster, 2), 0);
    cluster.names.hold = true;
    say_ready();
    ck_assert_uint_eq(target_log.count, 4);
    ck_assert_ptr_nonnull(strstr(target_log.log[2], "{add,2}"));
    ck_assert_ptr_nonnull(strstr(target_log.log[3], "{add,3}"));
    ask("{add,4}");
    ck_assert_ptr_nonnull(strstr(target_log.log[4], "{add,4}"));
    cluster.names.hold = false;
    cluster_settle(&cluster);
    ck_assert_uint_eq(target_log.count, 6);
    ck_assert_ptr_nonnull(strstr(target_last(), "{handoff_activate,"));
    ck_assert(cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Ids", "t"), &target_pid));
    ck_assert_int_eq(results, 0);
    say_active();
    ck_assert_int_eq(results, 1);
    ck_assert_int_eq(result, 0);
    ck_assert_int_eq(session_state(toy), SESSION_FORWARDING);
    ck_assert_ptr_null(toy->held);
    ck_assert_uint_eq(cluster_answers(&cluster, 2), 0);
    finish();
}
END_TEST

static uint8_t received[1 << 20];
static size_t received_size, chunks;
static bool digest_ok, order_ok;

static void collect(struct process *self, struct probe *probe, struct cn_term term)
{
    struct handoff_message message;
    uint8_t digest[SNAPSHOT_DIGEST_BYTES];

    if (!handoff_read(term, &message))
        return;
    if (message.word == HANDOFF_STATE) {
        order_ok = order_ok && message.index == chunks++ && message.bytes.size <= 65536;
        memcpy(received + received_size, message.bytes.data, message.bytes.size);
        received_size += message.bytes.size;
    } else if (message.word == HANDOFF_DIGEST) {
        snapshot_digest(received, received_size, digest);
        digest_ok = memcmp(digest, message.bytes.data, sizeof(digest)) == 0;
    }
}

/* A large state goes in chunks of at most 64 KiB, whose bytes are a snapshot and match the digest.
 */
START_TEST(large_state_is_cut)
{
    struct hosts_config config = cluster_config(&cluster, 0);
    struct snapshot snapshot;

    begin_with(&config);
    cluster_call(&cluster, 0, &toy_pid, parse("{ballast,300000}"));
    received_size = chunks = 0;
    digest_ok = false;
    order_ok = true;
    target_log.on_message = collect;
    ck_assert_int_eq(handoff_out_start(toy, &transfer, &target_pid, done), 0);
    cluster_settle(&cluster);
    ck_assert_uint_eq(chunks, 5);
    ck_assert(order_ok);
    ck_assert(digest_ok);
    ck_assert_int_eq(snapshot_decode(received, received_size, &snapshot), 0);
    ck_assert_uint_eq(snapshot.epoch, 1);
    ck_assert_uint_eq(snapshot.version, 3);
    ck_assert_uint_eq(snapshot.state_version, 2);
    ck_assert_uint_eq(snapshot.id.size, 1);
    finish();
}
END_TEST

/* A target that refuses costs the session nothing, and has owned nothing. */
START_TEST(refused)
{
    begin();
    ask("{add,2}");
    answer(parse_with("{handoff_refuse,%r,bad_hash}", &transfer));
    ck_assert_str_eq(cluster_last(&cluster, 2), "reply {ok,2}");
    check_thawed_at(1, CN_E_REFUSED, "reply [1,2]");
    finish();
}
END_TEST

/* A target that ends before it is ready. */
START_TEST(target_ends_before_ready)
{
    begin();
    ask("{add,2}");
    process_exit_atom(target, "oops");
    cluster_settle(&cluster);
    check_thawed(CN_E_CLOSED, "reply [1,2]");
    finish();
}
END_TEST

/* A target that ends when the names are already moving: they come back. */
START_TEST(target_ends_while_names_move)
{
    begin();
    ask("{add,2}");
    cluster.names.hold = true;
    say_ready();
    ask("{add,3}");
    process_exit_atom(target, "oops");
    cluster_settle(&cluster);
    cluster.names.hold = false;
    cluster_settle(&cluster);
    check_thawed(CN_E_CLOSED, "reply [1,2,3]");
    finish();
}
END_TEST

/* A target whose node is lost after activate, before it said active. */
START_TEST(target_is_lost_before_active)
{
    begin();
    ask("{add,2}");
    say_ready();
    ck_assert(target_heard("handoff_activate"));
    cluster_lose(&cluster, 0, 1);
    ck_assert_str_eq(cluster_last(&cluster, 2), "reply {ok,2}");
    check_thawed_at(2, CN_E_CLOSED, "reply [1,2]");
    finish();
}
END_TEST

/* A target that never gets ready: after 5 s it is told to go. */
START_TEST(target_is_silent_before_ready)
{
    begin();
    ask("{add,2}");
    cluster_pass(&cluster, 4990);
    ck_assert_int_eq(session_state(toy), SESSION_FROZEN);
    cluster_pass(&cluster, 10);
    ck_assert(target_heard("{handoff_cancel,"));
    check_thawed(CN_E_TIMEOUT, "reply [1,2]");
    finish();
}
END_TEST

/* A registry that is slow does not hold the session: after 5 s it moves ahead of its names. The
 * forwarder stays until they have followed, and 500 ms more. */
START_TEST(names_follow_late)
{
    begin();
    cluster.names.hold = true;
    say_ready();
    cluster_pass(&cluster, 4990);
    ck_assert(!target_heard("{handoff_activate,"));
    cluster_pass(&cluster, 10);
    ck_assert(target_heard("{handoff_activate,"));
    ck_assert(!target_heard("{handoff_cancel,"));
    say_active();
    ck_assert_int_eq(results, 1);
    ck_assert_int_eq(result, 0);
    cluster_pass(&cluster, 3000);
    ck_assert_int_eq(session_state(cluster_find(&cluster, 0, "t")), SESSION_FORWARDING);
    ask("{add,7}");
    ck_assert(target_heard("{add,7}"));
    cluster.names.hold = false;
    cluster_pass(&cluster, 400);
    check_names_moved();
    ck_assert_ptr_nonnull(cluster_find(&cluster, 0, "t"));
    cluster_send(&cluster, 2, &toy_pid, parse("late"));
    cluster_pass(&cluster, 10000); /* the caller gives up watching */
    ck_assert(target_heard("late"));
    ck_assert_ptr_null(cluster_find(&cluster, 0, "t"));
    check_names_moved();
    finish();
}
END_TEST

/* Names that come after activate, but before active. */
START_TEST(names_follow_before_active)
{
    begin();
    cluster.names.hold = true;
    say_ready();
    cluster_pass(&cluster, 5000);
    cluster.names.hold = false;
    cluster_settle(&cluster);
    check_names_moved();
    say_active();
    ck_assert_int_eq(session_state(toy), SESSION_FORWARDING);
    cluster_pass(&cluster, 700);
    ck_assert_ptr_null(cluster_find(&cluster, 0, "t"));
    finish();
}
END_TEST

/* A target that fails while the names are still under way: they come back. */
START_TEST(names_come_back_late)
{
    begin();
    cluster.names.hold = true;
    say_ready();
    cluster_pass(&cluster, 10000);
    ck_assert(target_heard("{handoff_cancel,"));
    cluster.names.hold = false;
    cluster_settle(&cluster);
    check_thawed_at(2, CN_E_TIMEOUT, "reply [1]");
    finish();
}
END_TEST

/* A registry that refuses to move a name does not stop the move: the forwarder asks again. */
START_TEST(names_are_asked_for_again)
{
    begin();
    cluster.names.fail_next = CN_E_TIMEOUT;
    say_ready();
    ck_assert(target_heard("{handoff_activate,"));
    say_active();
    ck_assert_int_eq(result, 0);
    cluster_pass(&cluster, 2000);
    ck_assert_int_eq(session_state(cluster_find(&cluster, 0, "t")), SESSION_FORWARDING);
    ck_assert(cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Ids", "t"), &toy_pid));
    cluster.names.fail_next = 0;
    cluster_pass(&cluster, 200);
    check_names_moved();
    cluster_pass(&cluster, 600);
    ck_assert_ptr_null(cluster_find(&cluster, 0, "t"));
    finish();
}
END_TEST

/* A target that never says active: it may run at epoch 2, and so does the session here. */
START_TEST(target_is_silent_after_activate)
{
    begin();
    say_ready();
    ask("{add,2}");
    cluster_pass(&cluster, 5000);
    ck_assert(target_heard("{handoff_cancel,"));
    check_thawed_at(2, CN_E_TIMEOUT, "reply [1,2]");
    say_active(); /* too late: it means nothing */
    ck_assert_int_eq(session_state(toy), SESSION_RUNNING);
    finish();
}
END_TEST

/* A target that did not hear the cancel, and says that it is ready, hears it now. */
START_TEST(a_late_ready_is_cancelled)
{
    size_t heard;

    begin();
    ask("{add,2}");
    cluster_pass(&cluster, 5000);
    check_thawed(CN_E_TIMEOUT, "reply [1,2]");
    heard = target_log.count;
    say_ready();
    ck_assert_uint_eq(target_log.count, heard + 1);
    ck_assert_ptr_nonnull(strstr(target_last(), "{handoff_cancel,"));
    ck_assert_int_eq(session_state(toy), SESSION_RUNNING);
    finish();
}
END_TEST

/* Words that carry another reference mean nothing; a ready one hears that it is not wanted. */
START_TEST(other_transfers_are_ignored)
{
    struct cn_ref other;

    begin();
    procs_make_ref(world_procs(&cluster.world, 0), &other);
    answer(parse_with("{handoff_ready,%r,%p}", &other, &target_pid));
    answer(parse_with("{handoff_refuse,%r,full}", &other));
    answer(parse_with("{handoff_active,%r,2}", &other));
    answer(parse_with("{handoff_active,%r,2}", &transfer));           /* not yet asked for */
    answer(parse_with("{handoff_ready,%r,%p}", &transfer, &toy_pid)); /* another pid */
    ck_assert_int_eq(session_state(toy), SESSION_FROZEN);
    ck_assert_uint_eq(target_log.count, 3);
    ck_assert_ptr_nonnull(strstr(target_last(), "{handoff_cancel,"));
    ck_assert_int_eq(results, 0);
    finish();
}
END_TEST

/* A word said twice, or after its step, changes nothing. */
START_TEST(words_come_once)
{
    begin();
    ask("{add,2}");
    cluster.names.hold = true;
    say_ready();
    say_ready();
    answer(parse_with("{handoff_refuse,%r,full}", &transfer));
    ck_assert_uint_eq(target_log.count, 3);
    cluster.names.hold = false;
    cluster_settle(&cluster);
    say_ready();
    say_active();
    say_active();
    ck_assert_int_eq(results, 1);
    ck_assert_int_eq(session_state(toy), SESSION_FORWARDING);
    ck_assert_uint_eq(target_log.count, 4);
    finish();
}
END_TEST

/* A queue beyond the limit ends the attempt; every message is executed in order. */
START_TEST(queue_has_a_limit)
{
    struct hosts_config config = cluster_config(&cluster, 0);

    config.held_messages_max = 2;
    begin_with(&config);
    ck_assert_int_eq(handoff_out_start(toy, &transfer, &target_pid, done), 0);
    ask("{add,2}");
    ask("{add,3}");
    ck_assert_int_eq(session_state(toy), SESSION_FROZEN);
    ask("{add,4}");
    check_thawed(CN_E_LIMIT, "reply [1,2,3,4]");
    finish();
}
END_TEST

/* A queue whose replay ends the session: what is behind the end is not executed. */
START_TEST(replay_may_end_the_session)
{
    begin();
    ask("stop");
    ask("{add,2}");
    answer(parse_with("{handoff_refuse,%r,full}", &transfer));
    ck_assert_str_eq(cluster.nodes[2].client_log.log[0], "reply stopped");
    ck_assert_str_eq(cluster.nodes[2].client_log.log[1], "down normal");
    ck_assert_ptr_null(cluster_find(&cluster, 0, "t"));
    ck_assert_uint_eq(names_held(&cluster.names), 0);
    finish();
}
END_TEST

/* A frozen session that is killed takes the attempt with it. */
START_TEST(session_is_killed_while_frozen)
{
    begin();
    procs_exit_signal(world_procs(&cluster.world, 1), NULL, &toy_pid, atom("kill"));
    cluster_settle(&cluster);
    ck_assert_ptr_null(cluster_find(&cluster, 0, "t"));
    ck_assert_int_eq(results, 0);
    finish();
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("handoff_out", &tests);

    tcase_add_test(tests, order_is_state_queue_activate);
    tcase_add_test(tests, large_state_is_cut);
    tcase_add_test(tests, refused);
    tcase_add_test(tests, target_ends_before_ready);
    tcase_add_test(tests, target_ends_while_names_move);
    tcase_add_test(tests, target_is_lost_before_active);
    tcase_add_test(tests, target_is_silent_before_ready);
    tcase_add_test(tests, names_follow_late);
    tcase_add_test(tests, names_follow_before_active);
    tcase_add_test(tests, names_come_back_late);
    tcase_add_test(tests, names_are_asked_for_again);
    tcase_add_test(tests, target_is_silent_after_activate);
    tcase_add_test(tests, a_late_ready_is_cancelled);
    tcase_add_test(tests, other_transfers_are_ignored);
    tcase_add_test(tests, words_come_once);
    tcase_add_test(tests, queue_has_a_limit);
    tcase_add_test(tests, replay_may_end_the_session);
    tcase_add_test(tests, session_is_killed_while_frozen);
    return run_suite(suite);
}
