/*
 * When a peer is busy, what that means for others, and how it ends. The peer is a fake that stops
 * reading: what the kernel does not take waits.
 */
#include "fake.h"

#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/error.h"
#include "net/connection_state.h"
#include "net/peer.h"

#define BUSY_BYTES 100000

static struct world world;
static struct node alice;
static struct node bob;
static struct fake fake;
static struct network_config alice_config;
static size_t sent;
static int answer;

static void setup(void)
{
    world_init(&world);
    alice_config = node_init(&alice, &world, "alice", "secret");
    alice_config.queue_busy_bytes = BUSY_BYTES;
    memset(&fake, 0, sizeof(fake));
    memset(&bob, 0, sizeof(bob));
    sent = 0;
}

static void teardown(void)
{
    node_deinit(&alice);
    node_deinit(&bob);
    fake_deinit(&fake);
    world_deinit(&world);
}

static int say(const char *node)
{
    answer = node_send_text(&alice, node, "x", "some text that takes room");
    if (answer == 0 || answer == CN_E_BUSY)
        sent++;
    return answer;
}

/* Send more than the mark at once. */
static void flood(const char *node)
{
    for (int i = 0; i < 5000 && say(node) == 0; i++)
        ;
    ck_assert_int_eq(answer, CN_E_BUSY);
}

/* Send less than the mark in a turn, until what the kernel does not take is more than that. */
static bool becomes_busy(void *context)
{
    for (int i = 0; i < 400; i++) {
        if (say(context) != 0)
            return true;
    }
    return false;
}

static void start_fake(void)
{
    node_start_ready(&alice, &alice_config);
    fake_init(&fake, &world, "fake@127.0.0.1", "secret");
    fake_dial_up(&fake, &alice);
    ck_assert(node_wait(&alice, "up fake"));
}

static void make_busy(void)
{
    uv_read_stop((uv_stream_t *)&fake.connection->tcp);
    ck_assert(world_until(&world, becomes_busy, fake.name));
    ck_assert_int_eq(answer, CN_E_BUSY);
}

static bool all_arrived(void *context)
{
    return fake.delivered == sent;
}

/* Beyond the mark each signal is taken and answered busy; nothing is lost, and it is told once when
 * half of the mark is left. */
START_TEST(busy_until_it_reads)
{
    start_fake();
    make_busy();
    ck_assert_uint_gt(network_queued_bytes(alice.network, fake.name), BUSY_BYTES);
    ck_assert_int_eq(say(fake.name), CN_E_BUSY);
    ck_assert(!node_heard(&alice, "reads"));
    connection_read_start(fake.connection);
    ck_assert(node_wait(&alice, "reads fake@127.0.0.1"));
    ck_assert_uint_lt(alice.ready_bytes, BUSY_BYTES / 2);
    ck_assert_int_eq(say(fake.name), 0);
    ck_assert(world_until(&world, all_arrived, NULL));
    ck_assert_uint_eq(node_count(&alice, "reads"), 1);
}
END_TEST

static void note_ready(void *context, const char *name)
{
    *(bool *)context = true;
}

static void ignore_log(void *context, int level, const char *event, const char *detail)
{
}

/* A few turns of the loop, in each of which the queues were written. */
static bool turns_pass(void *context)
{
    static unsigned turns;

    peers_written(context);
    return ++turns % 8 == 0;
}

/* Having fallen under the mark is not enough: senders would start and stop for each frame. */
START_TEST(ready_is_below_half)
{
    static uint8_t bytes[BUSY_BYTES + 1];
    struct cn_pid anybody = {.id = 1};
    struct cn_bytes part = {bytes, sizeof(bytes)};
    bool ready = false;
    struct network_events events = {.context = &ready, .peer_ready = note_ready, .log = ignore_log};
    struct peers *peers;
    struct peer *peer;

    fake_init(&fake, &world, "fake@127.0.0.1", "secret");
    ck_assert_int_eq(peers_new(fake.connections,
                               &(struct peers_config){.name = fake.name,
                                                      .queue_bytes_max = 3 * BUSY_BYTES,
                                                      .queue_busy_bytes = BUSY_BYTES,
                                                      .net_ticktime_s = 60,
                                                      .events = &events},
                               &peers),
                     0);
    peer = peer_obtain(peers, "slow@127.0.0.1");
    ck_assert_int_eq(outbox_append(&peer->waiting, &part, 1), 0);
    ck_assert_int_eq(busy_note(peer, &anybody), CN_E_BUSY);
    outbox_consume(&peer->waiting, BUSY_BYTES / 4);
    ck_assert(world_until(&world, turns_pass, peers));
    ck_assert(!ready);
    ck_assert_int_eq(busy_note(peer, &anybody), CN_E_BUSY);
    outbox_consume(&peer->waiting, BUSY_BYTES / 2);
    ck_assert(world_until(&world, turns_pass, peers));
    ck_assert(ready);
    ck_assert_int_eq(busy_note(peer, &anybody), 0);
    peers_free(peers);
}
END_TEST

/* Send a large message from a process of its own; gives the answer. */
static int say_large_from(uint32_t id, struct cn_term message)
{
    struct control control = {.op = CONTROL_REG_SEND,
                              .has_from = true,
                              .from = {id, 0, 1, {0}},
                              .to_name = {(const uint8_t *)"x", 1}};

    memcpy(control.from.node, alice.name, strlen(alice.name) + 1);
    sent++;
    return network_send(alice.network, fake.name, &control, message);
}

/* Write a binary of so many zeros. */
static void write_zeros(struct cn_writer *writer, size_t size)
{
    uint8_t *bytes = calloc(1, size);

    cn_writer_init(writer, 0);
    cn_write_binary(writer, (struct cn_bytes){bytes, size});
    ck_assert_int_eq(cn_writer_error(writer), 0);
    free(bytes);
}

struct crowd {
    struct cn_writer large;
    uint32_t id;
};

static bool crowd_is_busy(void *context)
{
    struct crowd *crowd = context;

    return say_large_from(++crowd->id, cn_writer_term(&crowd->large)) == CN_E_BUSY;
}

/* Many processes of which one large message waits, each below the mark, are busy together: the
 * first fragment of each waits with what everybody shares. */
START_TEST(crowd_of_large_messages)
{
    struct crowd crowd = {.id = 0};

    alice_config.queue_busy_bytes = 4 * BUSY_BYTES; /* more than fragments share */
    start_fake();
    write_zeros(&crowd.large, BUSY_BYTES);
    uv_read_stop((uv_stream_t *)&fake.connection->tcp);
    ck_assert(world_until(&world, crowd_is_busy, &crowd));
    ck_assert_uint_lt(network_queued_bytes(alice.network, fake.name), 20 * BUSY_BYTES);
    connection_read_start(fake.connection);
    ck_assert(node_wait(&alice, "reads fake"));
    ck_assert(world_until(&world, all_arrived, NULL));
    cn_writer_free(&crowd.large);
}
END_TEST

static bool bob_heard_ten(void *context)
{
    return bob.delivered >= 10;
}

/* One peer that is busy does not make another one so. */
START_TEST(others_are_not_busy)
{
    struct network_config bob_config = node_init(&bob, &world, "bob", "secret");

    start_fake();
    node_start_ready(&bob, &bob_config);
    ck_assert_int_eq(network_connect(alice.network, bob.name), 0);
    ck_assert(node_wait(&bob, "up"));
    make_busy();
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(say(bob.name), 0);
    ck_assert(world_until(&world, bob_heard_ten, NULL));
}
END_TEST

/* What waits for a dial counts: the end of the dial in vain is told as ever, without "reads". */
START_TEST(dialled_peer_can_be_busy)
{
    static char nobody[] = "nobody@127.0.0.1";

    node_start_ready(&alice, &alice_config);
    flood(nobody);
    ck_assert(node_wait(&alice, "down nobody@127.0.0.1 noconnection"));
    ck_assert(!node_heard(&alice, "reads"));
}
END_TEST

static bool bob_heard_all(void *context)
{
    return bob.delivered == sent;
}

/* And when the dial succeeds, and all was written, the peer is ready. */
START_TEST(dialled_peer_becomes_ready)
{
    struct network_config bob_config = node_init(&bob, &world, "bob", "secret");

    node_start_ready(&bob, &bob_config);
    node_start(&alice, &alice_config);
    flood(bob.name);
    ck_assert(node_wait(&alice, "reads bob"));
    ck_assert(node_find(&alice, "up bob", 0) < node_find(&alice, "reads bob", 0));
    ck_assert(world_until(&world, bob_heard_all, NULL));
}
END_TEST

/* A busy peer that goes down is forgotten as busy: only its end is told. */
START_TEST(down_while_busy)
{
    static const char *const kept[] = {"fake@127.0.0.1", NULL};

    alice_config.connect = kept; /* so that it is not forgotten altogether */
    start_fake();
    make_busy();
    ck_assert(network_disconnect(alice.network, fake.name));
    ck_assert(node_wait(&alice, "down fake@127.0.0.1 disconnect"));
    ck_assert_int_eq(say(fake.name), 0);
    ck_assert(!node_heard(&alice, "reads"));
}
END_TEST

/* A connection that takes the place of a busy one is not busy. */
START_TEST(replaced_while_busy)
{
    struct fake again;

    start_fake();
    make_busy();
    fake_init(&again, &world, fake.name, "secret");
    fake_dial_up(&again, &alice);
    ck_assert(node_wait(&alice, "down fake@127.0.0.1"));
    ck_assert_int_eq(say(fake.name), 0);
    ck_assert(!node_heard(&alice, "reads"));
    fake_deinit(&again);
}
END_TEST

/* A peer that stays busy is told of once, and so is its recovery. */
START_TEST(long_stall_is_logged)
{
    start_fake();
    make_busy();
    ck_assert(node_wait(&alice, "log peer.busy: fake@127.0.0.1 does not read"));
    connection_read_start(fake.connection);
    ck_assert(node_wait(&alice, "log peer.ready: fake@127.0.0.1 reads again"));
    ck_assert_uint_eq(node_count(&alice, "log peer.busy"), 1);
}
END_TEST

static bool limit_reached(void *context)
{
    for (int i = 0; i < 5000 && answer != CN_E_LIMIT; i++)
        say(fake.name);
    return answer == CN_E_LIMIT;
}

/* Who goes on sending reaches the limit: the peer is dropped, by name. */
START_TEST(hard_limit_drops)
{
    alice_config.queue_bytes_max = 3 * BUSY_BYTES;
    start_fake();
    make_busy();
    ck_assert(world_until(&world, limit_reached, NULL));
    ck_assert(node_wait(&alice, "log peer.queue_full: fake@127.0.0.1 does not read"));
    ck_assert(node_wait(&alice, "down fake@127.0.0.1 queue_full"));
    ck_assert(!node_heard(&alice, "reads"));
}
END_TEST

/* A message that is larger than the limit does not cost a peer that reads its connection. */
START_TEST(reading_peer_may_be_over_the_limit)
{
    struct cn_writer large;

    alice_config.queue_bytes_max = 3 * BUSY_BYTES;
    start_fake();
    write_zeros(&large, 10 * BUSY_BYTES);
    ck_assert_int_eq(say_large_from(1, cn_writer_term(&large)), CN_E_BUSY);
    for (int i = 0; i < 100; i++)
        ck_assert_int_ne(say(fake.name), CN_E_LIMIT);
    ck_assert(world_until(&world, all_arrived, NULL));
    ck_assert(!node_heard(&alice, "down"));
    cn_writer_free(&large);
}
END_TEST

/* Send little, ten times a second, until it is refused. */
static bool refused(void *context)
{
    static uint64_t next_ms;

    if (loop_now_ms(world.loop) < next_ms)
        return false;
    next_ms = loop_now_ms(world.loop) + 100;
    *(size_t *)context = network_queued_bytes(alice.network, fake.name);
    return say(fake.name) == CN_E_LIMIT;
}

/* A peer that takes nothing is dropped when it is over the limit for a while. */
START_TEST(stuck_peer_is_dropped)
{
    struct cn_writer large;
    size_t queued = 0;

    alice_config.queue_bytes_max = 3 * BUSY_BYTES;
    start_fake();
    make_busy();
    write_zeros(&large, 4 * BUSY_BYTES);
    ck_assert_int_eq(say_large_from(1, cn_writer_term(&large)), CN_E_BUSY);
    ck_assert(world_until(&world, refused, &queued));
    ck_assert_uint_lt(queued, 7 * BUSY_BYTES);
    ck_assert(node_wait(&alice, "down fake@127.0.0.1 queue_full"));
    cn_writer_free(&large);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("busy");
    TCase *tcase = tcase_create("busy");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, busy_until_it_reads);
    tcase_add_test(tcase, ready_is_below_half);
    tcase_add_test(tcase, crowd_of_large_messages);
    tcase_add_test(tcase, others_are_not_busy);
    tcase_add_test(tcase, dialled_peer_can_be_busy);
    tcase_add_test(tcase, dialled_peer_becomes_ready);
    tcase_add_test(tcase, down_while_busy);
    tcase_add_test(tcase, replaced_while_busy);
    tcase_add_test(tcase, long_stall_is_logged);
    tcase_add_test(tcase, hard_limit_drops);
    tcase_add_test(tcase, reading_peer_may_be_over_the_limit);
    tcase_add_test(tcase, stuck_peer_is_dropped);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
