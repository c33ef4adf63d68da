/*
 * What the layers above ask of the peers: sending in order, waiting for a dial, limits, refusals,
 * leaving.
 */
#include "fake.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "base/error.h"
#include "base/text.h"
#include "net/connection_state.h"

static struct world world;
static struct node alice;
static struct node bob;
static struct fake fake;
static struct network_config alice_config;
static struct network_config bob_config;

static void setup(void)
{
    world_init(&world);
    alice_config = node_init(&alice, &world, "alice", "secret");
    bob_config = node_init(&bob, &world, "bob", "secret");
    memset(&fake, 0, sizeof(fake));
}

static void teardown(void)
{
    node_deinit(&alice);
    node_deinit(&bob);
    fake_deinit(&fake);
    world_deinit(&world);
}

static bool ten_delivered(void *context)
{
    return bob.delivered >= 10;
}

/* What is sent before there is a connection dials, waits, and arrives in order. */
START_TEST(sending_dials_and_keeps_the_order)
{
    node_start_ready(&alice, &alice_config);
    node_start_ready(&bob, &bob_config);
    for (int i = 0; i < 10; i++) {
        char name[8];

        text_format(name, sizeof(name), "to%d", i);
        ck_assert_int_eq(node_send_text(&alice, bob.name, name, "hello"), 0);
    }
    ck_assert_uint_gt(network_queued_bytes(alice.network, bob.name), 0);
    ck_assert(world_until(&world, ten_delivered, NULL));
    ck_assert_uint_eq(bob.delivered, 10);
    for (size_t i = 0, at = 0; i < 10; i++) {
        char line[256];

        at = node_find(&bob, "deliver", at);
        text_format(line, sizeof(line), "deliver 1 from %s to to%zu", alice.name, i);
        ck_assert_str_eq(bob.heard[at++], line);
    }
    ck_assert_str_eq(bob.last.from.node, alice.name);
    ck_assert_uint_eq(network_queued_bytes(alice.network, bob.name), 0);
}
END_TEST

/* Sending before the network is published waits for it. */
START_TEST(sending_before_the_start_waits)
{
    node_start_ready(&bob, &bob_config);
    node_start(&alice, &alice_config);
    ck_assert_int_eq(node_send_text(&alice, bob.name, "early", "hello"), 0);
    ck_assert(node_wait(&bob, "deliver"));
    ck_assert_str_eq(bob.last_name, "early");
    ck_assert_uint_eq(bob.peer_creation, network_creation(alice.network));
}
END_TEST

/* Our own name and what is no name are unknown. */
START_TEST(impossible_destinations)
{
    node_start_ready(&alice, &alice_config);
    ck_assert_int_eq(node_send_text(&alice, alice.name, "x", "y"), CN_E_UNKNOWN);
    ck_assert_int_eq(node_send_text(&alice, "nonsense", "x", "y"), CN_E_UNKNOWN);
    ck_assert_int_eq(node_send_text(&alice, "", "x", "y"), CN_E_UNKNOWN);
    ck_assert_int_eq(network_connect(alice.network, "two@at@signs"), CN_E_UNKNOWN);
    ck_assert(!network_disconnect(alice.network, "nobody@127.0.0.1"));
    ck_assert_uint_eq(network_queued_bytes(alice.network, "nobody@127.0.0.1"), 0);
}
END_TEST

/* What waits for a node that cannot be reached is dropped, and noconnection says so. */
START_TEST(unreachable_destination)
{
    node_start_ready(&alice, &alice_config);
    ck_assert_int_eq(node_send_text(&alice, "nobody@127.0.0.1", "x", "y"), 0);
    ck_assert(node_wait(&alice, "down nobody@127.0.0.1 noconnection"));
    ck_assert_uint_eq(network_queued_bytes(alice.network, "nobody@127.0.0.1"), 0);
}
END_TEST

static int send_to_nobody(unsigned number)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "nobody%u@127.0.0.1", number);
    return node_send_text(&alice, name, "x", "y");
}

/* Only so many nodes are dialled at a time, whoever wants how many; when they are tried, others. */
START_TEST(dials_are_bounded)
{
    unsigned number = 0;

    node_start_ready(&alice, &alice_config);
    while (number < 1000 && send_to_nobody(number) == 0)
        number++;
    ck_assert_uint_eq(number, 128);
    ck_assert_int_eq(send_to_nobody(1), 0);
    ck_assert_int_eq(send_to_nobody(number), CN_E_UNKNOWN);
    ck_assert(node_wait(&alice, "down nobody0@127.0.0.1 noconnection"));
    ck_assert_int_eq(send_to_nobody(number), 0);
}
END_TEST

/* Too much for a node that is being dialled: refused, and the peer is given up. */
START_TEST(waiting_queue_is_bounded)
{
    int rc = 0;

    alice_config.queue_bytes_max = 4096;
    node_start_ready(&alice, &alice_config);
    for (int i = 0; i < 1000 && rc == 0; i++)
        rc = node_send_text(&alice, "nobody@127.0.0.1", "x", "some text");
    ck_assert_int_eq(rc, CN_E_LIMIT);
    ck_assert_uint_le(network_queued_bytes(alice.network, "nobody@127.0.0.1"), 4096);
    ck_assert(node_wait(&alice, "down nobody@127.0.0.1 noconnection"));
}
END_TEST

static bool limit_reached(void *context)
{
    int *rc = context;

    for (int i = 0; i < 200 && *rc == 0; i++)
        *rc = node_send_text(&alice, fake.name, "x", "some text that takes room");
    return *rc != 0;
}

/* A peer that does not read is dropped when its queue is full; nobody else notices. */
START_TEST(peer_that_does_not_read_is_dropped)
{
    int rc = 0;

    alice_config.queue_bytes_max = 100000;
    node_start_ready(&alice, &alice_config);
    node_start_ready(&bob, &bob_config);
    fake_init(&fake, &world, "fake@127.0.0.1", "secret");
    fake_dial_up(&fake, &alice);
    ck_assert(node_wait(&alice, "up fake"));
    ck_assert_int_eq(network_connect(alice.network, bob.name), 0);
    ck_assert(node_wait(&bob, "up"));
    uv_read_stop((uv_stream_t *)&fake.connection->tcp);
    ck_assert(world_until(&world, limit_reached, &rc));
    ck_assert_int_eq(rc, CN_E_LIMIT);
    ck_assert(node_wait(&alice, "down fake@127.0.0.1 queue_full"));
    ck_assert(node_sees(&alice, bob.name));
    ck_assert(!node_heard(&bob, "down"));
}
END_TEST

/* Dropped for its full queue: what is sent before that is told is lost, not an error. */
START_TEST(sending_to_a_closing_peer_is_lost)
{
    node_start_ready(&alice, &alice_config);
    fake_init(&fake, &world, "fake@127.0.0.1", "secret");
    fake_dial_up(&fake, &alice);
    ck_assert(node_wait(&alice, "up fake"));
    ck_assert(network_disconnect(alice.network, fake.name));
    ck_assert_int_eq(node_send_text(&alice, fake.name, "x", "y"), 0);
    ck_assert(node_wait(&alice, "down fake@127.0.0.1 disconnect"));
    ck_assert_uint_eq(fake.delivered, 0);
}
END_TEST

static struct peer_info seen;

static void remember(void *context, const struct peer_info *peer)
{
    seen = *peer;
    (*(size_t *)context)++;
}

/* Peers can be visited; a hidden node is seen as such. */
START_TEST(peers_are_visited)
{
    size_t count = 0;

    bob_config.hidden = true;
    node_start_ready(&alice, &alice_config);
    node_start_ready(&bob, &bob_config);
    ck_assert_int_eq(network_connect(bob.network, alice.name), 0);
    ck_assert(node_wait(&alice, "up bob"));
    network_each_peer(alice.network, remember, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(seen.node, bob.name);
    ck_assert(seen.hidden);
    ck_assert(!seen.initiated);
    ck_assert_uint_eq(seen.creation, network_creation(bob.network));
}
END_TEST

/* A signal that the layers above refuse closes the connection with a log line. */
START_TEST(refused_signal_closes)
{
    bob.deliver_answer = CN_E_INVALID;
    node_start_ready(&alice, &alice_config);
    node_start(&bob, &bob_config);
    bob.deliver_answer = CN_E_INVALID;
    ck_assert(node_wait(&bob, "ready"));
    ck_assert_int_eq(node_send_text(&alice, bob.name, "x", "y"), 0);
    ck_assert(node_wait(&bob, "down alice"));
    ck_assert_ptr_nonnull(
        strstr(bob.heard[node_find(&bob, "log peer.down", 0)], "a signal that breaks a rule"));
    ck_assert(node_wait(&alice, "down bob"));
}
END_TEST

/*
 * Somebody who guesses is slowed, logged, and in nobody's way: who knows the cookie still comes
 * in.
 */
START_TEST(guessing_is_slowed)
{
    uint64_t begun;

    node_start_ready(&alice, &alice_config);
    fake_init(&fake, &world, "fake@127.0.0.1", "guess");
    for (int i = 0; i < 13; i++) {
        fake_dial(&fake, &alice);
        ck_assert(fake_wait_closed(&fake));
        ck_assert(!fake.up);
    }
    ck_assert(node_wait(&alice, "log handshake.refused: fake@127.0.0.1 from 127.0.0.1"));
    fake_deinit(&fake);
    fake_init(&fake, &world, "fake@127.0.0.1", "secret");
    begun = loop_now_ms(world.loop);
    fake_dial_up(&fake, &alice);
    ck_assert_uint_ge(loop_now_ms(world.loop) - begun, 390);
    ck_assert(node_wait(&alice, "up fake"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("peers");
    TCase *tcase = tcase_create("peers");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, sending_dials_and_keeps_the_order);
    tcase_add_test(tcase, sending_before_the_start_waits);
    tcase_add_test(tcase, impossible_destinations);
    tcase_add_test(tcase, unreachable_destination);
    tcase_add_test(tcase, dials_are_bounded);
    tcase_add_test(tcase, waiting_queue_is_bounded);
    tcase_add_test(tcase, peer_that_does_not_read_is_dropped);
    tcase_add_test(tcase, sending_to_a_closing_peer_is_lost);
    tcase_add_test(tcase, peers_are_visited);
    tcase_add_test(tcase, refused_signal_closes);
    tcase_add_test(tcase, guessing_is_slowed);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
