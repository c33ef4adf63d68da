/*
 * When a peer is busy, what that means for others, and how it ends. The peer is a fake that stops
 * reading: what the kernel does not take waits.
 */
#include "fake.h"

#include <string.h>

#include <uv.h>

#include "base/error.h"
#include "net/connection_state.h"

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
    start_fake();
    make_busy();
    ck_assert(network_disconnect(alice.network, fake.name));
    ck_assert(node_wait(&alice, "down fake@127.0.0.1 disconnect"));
    connection_read_start(fake.connection);
    ck_assert(fake_wait_closed(&fake));
    fake_dial_up(&fake, &alice);
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

int main(void)
{
    Suite *suite = suite_create("busy");
    TCase *tcase = tcase_create("busy");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, busy_until_it_reads);
    tcase_add_test(tcase, others_are_not_busy);
    tcase_add_test(tcase, dialled_peer_can_be_busy);
    tcase_add_test(tcase, dialled_peer_becomes_ready);
    tcase_add_test(tcase, down_while_busy);
    tcase_add_test(tcase, replaced_while_busy);
    tcase_add_test(tcase, long_stall_is_logged);
    tcase_add_test(tcase, hard_limit_drops);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
