/*
 * The target of a handoff, whose source the test plays: what it takes, checks, and when it owns it.
 */
#include <stdio.h>
#include <string.h>

#include "session/forward.h"
#include "session/handoff_in.h"
#include "session/handoff_out.h"
#include "session/snapshot.h"
#include "session/words.h"
#include "unit/session/main.h"

static struct probe source_log;
static struct process *source;
static struct cn_pid source_pid, new_pid;
static struct cn_ref transfer;
static struct session *toy;
static struct cn_writer scratch;

static void begin_with(const struct hosts_config *config)
{
    cluster_host_of(&cluster, 1, &toy_game, config);
    source = probe_start(world_procs(&cluster.world, 0), &source_log);
    source_pid = *process_pid(source);
    procs_make_ref(world_procs(&cluster.world, 0), &transfer);
    toy = NULL;
}

static void begin(void)
{
    struct hosts_config config = cluster_config(&cluster, 1);

    begin_with(&config);
}

static void finish(void)
{
    probe_deinit(&source_log);
    cn_writer_free(&scratch);
}

static const char *heard(void)
{
    return source_log.count == 0 ? "" : source_log.log[source_log.count - 1];
}

static void put(const char *key, int64_t value)
{
    cn_write_atom(&scratch, key);
    cn_write_integer(&scratch, value);
}

/* An offer of the toy "t" with code "code". */
static struct cn_term offer(int protocol, int state_version, int64_t bytes)
{
    cn_writer_free(&scratch);
    cn_writer_init(&scratch, 0);
    cn_write_tuple(&scratch, 2);
    cn_write_atom(&scratch, "offer");
    cn_write_map(&scratch, 10);
    put("protocol", protocol);
    cn_write_atom(&scratch, "transfer");
    cn_write_ref(&scratch, &transfer);
    cn_write_atom(&scratch, "id");
    cn_write_string(&scratch, "t");
    cn_write_atom(&scratch, "join_code");
    cn_write_string(&scratch, "code");
    put("epoch", 4);
    put("version", 9);
    put("state_version", state_version);
    put("bytes", bytes);
    cn_write_atom(&scratch, "source");
    cn_write_pid(&scratch, &source_pid);
    put("unknown_key", 1);
    return cn_writer_term(&scratch);
}

static void accept_offer(void)
{
    const char *reply = cluster_call_host(&cluster, 2, 1, offer(1, 2, 100));

    ck_assert_msg(strncmp(reply, "reply {accept,<b.", 17) == 0, "%s", reply);
    toy = cluster_find(&cluster, 1, "t");
    ck_assert_ptr_nonnull(toy);
    new_pid = *session_pid(toy);
    ck_assert_int_eq(session_state(toy), SESSION_RECEIVING);
}

static void say(struct cn_term message)
{
    procs_send_pid(world_procs(&cluster.world, 0), source, &new_pid, message);
    cluster_settle(&cluster);
}

static void say_chunk(const uint8_t *data, size_t size, int index, int count)
{
    cn_writer_reset(&scratch);
    cn_write_tuple(&scratch, 5);
    cn_write_atom(&scratch, "handoff_state");
    cn_write_ref(&scratch, &transfer);
    cn_write_integer(&scratch, index);
    cn_write_integer(&scratch, count);
    cn_write_binary(&scratch, (struct cn_bytes){data, size});
    say(cn_writer_term(&scratch));
}

static void say_digest(const uint8_t *data, size_t size, uint32_t hash)
{
    uint8_t digest[SNAPSHOT_DIGEST_BYTES];

    snapshot_digest(data, size, digest);
    cn_writer_reset(&scratch);
    cn_write_tuple(&scratch, 4);
    cn_write_atom(&scratch, "handoff_digest");
    cn_write_ref(&scratch, &transfer);
    cn_write_binary(&scratch, (struct cn_bytes){digest, sizeof(digest)});
    cn_write_unsigned(&scratch, hash);
    say(cn_writer_term(&scratch));
}

/* Send a snapshot of @state under @id in two chunks, with the right digest and @hash. */
static void send_state(const char *id, struct cn_term state, uint32_t hash, int state_version)
{
    struct snapshot snapshot = {.id = view(id),
                                .code = view("code"),
                                .epoch = 4,
                                .version = 9,
                                .state_version = (uint64_t)state_version,
                                .state = state};
    uint8_t *data;
    size_t size;

    ck_assert_int_eq(snapshot_encode(&snapshot, &data, &size), 0);
    say_chunk(data, 10, 0, 2);
    say_chunk(data + 10, size - 10, 1, 2);
    say_digest(data, size, hash);
    free(data);
}

static void become_ready(void)
{
    struct cn_term state = cluster_toy("t");

    accept_offer();
    send_state("t", state, snapshot_hash(state), 2);
    ck_assert_ptr_nonnull(strstr(heard(), "{handoff_ready,#Ref<a."));
    ck_assert_int_eq(session_state(toy), SESSION_READY);
}

static void check_refused(const char *reason)
{
    char text[100];

    (void)snprintf(text, sizeof(text), ",%s}", reason);
    ck_assert_msg(strncmp(heard(), "{handoff_refuse,", 16) == 0, "%s", heard());
    ck_assert_msg(strstr(heard(), text) != NULL, "%s", heard());
    ck_assert_ptr_null(cluster_find(&cluster, 1, "t"));
}

/* The new process owns the session only when it is told so: then one epoch later, with its timer
 * and queue. */
START_TEST(activation_makes_it_the_owner)
{
    begin();
    become_ready();
    cluster_ask(&cluster, 2, &new_pid, parse("{add,1}"));
    cluster_settle(&cluster);
    ck_assert_str_eq(cluster_call_host(&cluster, 0, 1, parse("{whereis,{id,<<\"t\">>}}")),
                     "reply nil");
    say(parse_with("{handoff_activate,%r}", &transfer));
    ck_assert_ptr_nonnull(strstr(heard(), "{handoff_active,#Ref<a."));
    ck_assert_ptr_nonnull(strstr(heard(), ",5}"));
    ck_assert_uint_eq(toy->epoch, 5);
    ck_assert_uint_eq(toy->version, 10);
    ck_assert_str_eq(cluster_last(&cluster, 2), "reply {ok,1}");
    ck_assert_uint_eq(process_watchers(source, NULL), 0);
    ck_assert_uint_eq(cluster.names.adopted, 2);
    finish();
}
END_TEST

/* What cannot be taken is refused by name. */
START_TEST(offers_are_refused)
{
    begin();
    ck_assert_str_eq(cluster_call_host(&cluster, 2, 1, offer(2, 2, 1)),
                     "reply {refuse,unsupported_protocol}");
    ck_assert_str_eq(cluster_call_host(&cluster, 2, 1, offer(1, 3, 1)),
                     "reply {refuse,unsupported_state_version}");
    ck_assert_str_eq(cluster_call_host(&cluster, 2, 1, offer(1, 2, 1 << 30)),
                     "reply {refuse,full}");
    cluster_start(&cluster, 1, "t", NULL);
    ck_assert_str_eq(cluster_call_host(&cluster, 2, 1, offer(1, 2, 1)),
                     "reply {refuse,already_owner}");
    ck_assert_str_eq(cluster_call_host(&cluster, 2, 1, parse("{offer,nonsense}")),
                     "reply {error,unknown_request}");
    hosts_drain(cluster.nodes[1].hosts);
    ck_assert_str_eq(cluster_call_host(&cluster, 2, 1, offer(1, 2, 1)), "reply {refuse,draining}");
    finish();
}
END_TEST

/* A full host refuses. */
START_TEST(full_host_refuses)
{
    struct hosts_config config = cluster_config(&cluster, 1);

    config.capacity = 1;
    begin_with(&config);
    cluster_start(&cluster, 1, "other", NULL);
    ck_assert_str_eq(cluster_call_host(&cluster, 2, 1, offer(1, 2, 1)), "reply {refuse,full}");
    finish();
}
END_TEST

/* Bytes that do not match their digest are refused. */
START_TEST(bad_digest)
{
    begin();
    accept_offer();
    say_chunk((const uint8_t *)"abc", 3, 0, 1);
    say_digest((const uint8_t *)"abd", 3, 0);
    check_refused("bad_digest");
    finish();
}
END_TEST

/* A digest that comes before all chunks is refused. */
START_TEST(early_digest)
{
    begin();
    accept_offer();
    say_chunk((const uint8_t *)"abc", 3, 0, 2);
    say_digest((const uint8_t *)"abc", 3, 0);
    check_refused("bad_digest");
    finish();
}
END_TEST

/* Bytes with a right digest that are no snapshot are refused. */
START_TEST(bad_snapshot)
{
    begin();
    accept_offer();
    say_chunk((const uint8_t *)"\x83\x6c\xff\xff\xff\xff", 6, 0, 1);
    say_digest((const uint8_t *)"\x83\x6c\xff\xff\xff\xff", 6, 0);
    check_refused("bad_snapshot");
    finish();
}
END_TEST

/* A state that does not hash as the source says is refused. */
START_TEST(bad_hash)
{
    begin();
    accept_offer();
    send_state("t", cluster_toy("t"), 12345, 2);
    check_refused("bad_hash");
    finish();
}
END_TEST

/* A state of an older version is upgraded, so its hash cannot be compared. */
START_TEST(older_state_is_taken)
{
    begin();
    accept_offer();
    send_state("t", cluster_toy("t"), 12345, 1);
    ck_assert_ptr_nonnull(strstr(heard(), "{handoff_ready,"));
    finish();
}
END_TEST

/* A state that the game refuses is refused with the game's reason. */
START_TEST(import_error)
{
    begin();
    accept_offer();
    send_state("t", parse("nonsense"), 0, 2);
    check_refused("invalid_toy");
    finish();
}
END_TEST

/* A snapshot or a state of another session is refused. */
START_TEST(other_session)
{
    struct cn_term state = cluster_toy("u");

    begin();
    accept_offer();
    send_state("u", state, snapshot_hash(state), 2);
    check_refused("bad_snapshot");
    accept_offer();
    send_state("t", state, snapshot_hash(state), 2);
    check_refused("bad_snapshot");
    finish();
}
END_TEST

/* Chunks out of order, and a count that changes, are refused. */
START_TEST(bad_chunks)
{
    begin();
    accept_offer();
    say_chunk((const uint8_t *)"abc", 3, 1, 2);
    check_refused("bad_chunk");
    accept_offer();
    say_chunk((const uint8_t *)"abc", 3, 0, 2);
    say_chunk((const uint8_t *)"abc", 3, 1, 3);
    check_refused("bad_chunk");
    finish();
}
END_TEST

/* Cancel ends the paused process, before and after it is ready. */
START_TEST(cancel_ends_it)
{
    begin();
    accept_offer();
    say(parse_with("{handoff_cancel,%r}", &transfer));
    ck_assert_ptr_null(cluster_find(&cluster, 1, "t"));
    become_ready();
    say(parse_with("{handoff_cancel,%r}", &transfer));
    ck_assert_ptr_null(cluster_find(&cluster, 1, "t"));
    ck_assert_uint_eq(names_held(&cluster.names), 0);
    finish();
}
END_TEST

/* A cancel after the activation ends it too: the source owns the session again. */
START_TEST(late_cancel_ends_it)
{
    struct cn_ref other;

    begin();
    become_ready();
    say(parse_with("{handoff_activate,%r}", &transfer));
    procs_make_ref(world_procs(&cluster.world, 0), &other);
    say(parse_with("{handoff_cancel,%r}", &other));
    ck_assert(cluster_logged(&cluster, 1, "late word of a handoff dropped"));
    names_give(&cluster.names, "Elixir.Toy.Ids", "t", &source_pid);
    names_give(&cluster.names, "Elixir.Toy.Codes", "code", &source_pid);
    say(parse_with("{handoff_cancel,%r}", &transfer));
    ck_assert(cn_pid_equal(forward_target(toy), &source_pid));
    cluster_pass(&cluster, 700);
    ck_assert_ptr_null(cluster_find(&cluster, 1, "t"));
    ck_assert_uint_eq(names_held(&cluster.names), 2);
    finish();
}
END_TEST

/* The same when it is itself on its way to a third host. */
START_TEST(late_cancel_ends_it_while_frozen)
{
    static struct probe third_log;
    struct process *third;
    struct cn_ref onward;

    begin();
    become_ready();
    say(parse_with("{handoff_activate,%r}", &transfer));
    third = probe_start(world_procs(&cluster.world, 2), &third_log);
    procs_make_ref(world_procs(&cluster.world, 1), &onward);
    ck_assert_int_eq(handoff_out_start(toy, &onward, process_pid(third), NULL), 0);
    ck_assert_int_eq(session_state(toy), SESSION_FROZEN);
    say(parse_with("{handoff_cancel,%r}", &transfer));
    ck_assert_ptr_null(cluster_find(&cluster, 1, "t"));
    probe_deinit(&third_log);
    finish();
}
END_TEST

/* The source's end ends it, unless the source's node was lost and it is ready. */
START_TEST(source_ends)
{
    begin();
    become_ready();
    process_exit_atom(source, "oops");
    cluster_settle(&cluster);
    ck_assert_ptr_null(cluster_find(&cluster, 1, "t"));
    finish();
}
END_TEST

/* Before it is ready it has nothing to offer when the source's node is lost. */
START_TEST(source_node_is_lost_too_early)
{
    begin();
    accept_offer();
    world_cut(&cluster.world, 0, 1);
    cluster_settle(&cluster);
    ck_assert_ptr_null(cluster_find(&cluster, 1, "t"));
    finish();
}
END_TEST

/* Ready, and the source's node is lost: it owns the newest state and takes the names. */
START_TEST(source_node_is_lost)
{
    begin();
    become_ready();
    cluster_ask(&cluster, 2, &new_pid, parse("{add,1}"));
    cluster_settle(&cluster);
    if (_i == 0) {
        cluster_lose(&cluster, 0, 1);
    } else { /* nobody can say whether it is there */
        world_cut(&cluster.world, 0, 1);
        cluster_settle(&cluster);
        cluster_pass(&cluster, 2990); /* 2 s for the source, 1 s for its host */
        ck_assert_int_eq(session_state(toy), SESSION_READY);
        cluster_pass(&cluster, 10);
    }
    ck_assert_int_eq(session_state(toy), SESSION_RUNNING);
    ck_assert_uint_eq(toy->epoch, 5);
    ck_assert_str_eq(cluster_last(&cluster, 2), "reply {ok,1}");
    ck_assert(cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Ids", "t"), &new_pid));
    ck_assert(cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Codes", "code"), &new_pid));
    finish();
}
END_TEST

/* A source that says nothing for 10 s is not waited for; each chunk is a word. */
START_TEST(source_is_silent)
{
    begin();
    accept_offer();
    cluster_pass(&cluster, 9000);
    say_chunk((const uint8_t *)"abc", 3, 0, 3);
    cluster_pass(&cluster, 9990);
    ck_assert_ptr_nonnull(cluster_find(&cluster, 1, "t"));
    cluster_pass(&cluster, 10);
    ck_assert_ptr_null(cluster_find(&cluster, 1, "t"));
    ck_assert(cluster_logged(&cluster, 1, "session t: ends, its source is silent"));
    ck_assert_uint_eq(process_watchers(source, NULL), 0);
    finish();
}
END_TEST

/* A ready one waits 15 s, for its source has 5 s for each step; when it runs nothing ends it. */
START_TEST(source_is_silent_when_ready)
{
    begin();
    become_ready();
    cluster_pass(&cluster, 14990);
    ck_assert_int_eq(session_state(toy), SESSION_READY);
    cluster_pass(&cluster, 10);
    ck_assert_ptr_null(cluster_find(&cluster, 1, "t"));
    become_ready();
    cluster_pass(&cluster, 14990);
    say(parse_with("{handoff_activate,%r}", &transfer));
    cluster_pass(&cluster, 60000);
    ck_assert_int_eq(session_state(toy), SESSION_RUNNING);
    finish();
}
END_TEST

/* Words with another reference, and activate before ready, mean nothing. */
START_TEST(other_transfers_are_ignored)
{
    struct cn_ref other;

    begin();
    accept_offer();
    procs_make_ref(world_procs(&cluster.world, 0), &other);
    say(parse_with("{handoff_cancel,%r}", &other));
    say(parse_with("{handoff_activate,%r}", &transfer));
    ck_assert_int_eq(session_state(toy), SESSION_RECEIVING);
    finish();
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("handoff_in", &tests);

    tcase_add_test(tests, activation_makes_it_the_owner);
    tcase_add_test(tests, offers_are_refused);
    tcase_add_test(tests, full_host_refuses);
    tcase_add_test(tests, bad_digest);
    tcase_add_test(tests, early_digest);
    tcase_add_test(tests, bad_snapshot);
    tcase_add_test(tests, bad_hash);
    tcase_add_test(tests, older_state_is_taken);
    tcase_add_test(tests, import_error);
    tcase_add_test(tests, other_session);
    tcase_add_test(tests, bad_chunks);
    tcase_add_test(tests, cancel_ends_it);
    tcase_add_test(tests, late_cancel_ends_it);
    tcase_add_test(tests, late_cancel_ends_it_while_frozen);
    tcase_add_test(tests, source_is_silent);
    tcase_add_test(tests, source_is_silent_when_ready);
    tcase_add_test(tests, source_ends);
    tcase_add_test(tests, source_node_is_lost_too_early);
    tcase_add_loop_test(tests, source_node_is_lost, 0, 2);
    tcase_add_test(tests, other_transfers_are_ignored);
    return run_suite(suite);
}
