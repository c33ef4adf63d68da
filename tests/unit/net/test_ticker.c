/*
 * Ticks: a silent peer is dropped, a silent connection of ours is not, and standing still is
 * forgiven.
 *
 * The fake peer sends no ticks of its own, so it is what a dead host looks like.
 */
#include "fake.h"

#include <string.h>

#include <uv.h>

static struct world world;
static struct node alice;
static struct node bob;
static struct fake fake;

static void setup(void)
{
    world_init(&world);
    memset(&alice, 0, sizeof(alice));
    memset(&bob, 0, sizeof(bob));
    memset(&fake, 0, sizeof(fake));
}

static void teardown(void)
{
    node_deinit(&alice);
    node_deinit(&bob);
    fake_deinit(&fake);
    world_deinit(&world);
}

/* A peer without a byte for net_ticktime is dead, and the reason says so. */
START_TEST(silent_peer_is_dropped)
{
    struct network_config config = node_init(&alice, &world, "alice", "secret");

    config.net_ticktime_s = 1;
    node_start_ready(&alice, &config);
    fake_init(&fake, &world, "fake@127.0.0.1", "secret");
    fake_dial_up(&fake, &alice);
    ck_assert(node_wait(&alice, "down fake@127.0.0.1 net_tick_timeout"));
    ck_assert(fake_wait_closed(&fake));
}
END_TEST

static bool five_beats(void *context)
{
    struct fake *peer = context;
    uint64_t seen = connection_received_ms(peer->connection);

    if (seen != peer->seen_ms)
        peer->beats++;
    peer->seen_ms = seen;
    return peer->beats >= 5;
}

static struct loop_timer second;

static void count_second(void *context)
{
    ++*(unsigned *)context;
    loop_timer_start(&second, 1000);
}

/* A connection on which nothing else is sent carries a tick at least every second, of which a late
 * loop has fewer. */
START_TEST(idle_connection_is_ticked)
{
    struct network_config config = node_init(&alice, &world, "alice", "secret");
    unsigned seconds = 0;

    node_start_ready(&alice, &config); /* net_ticktime of 60 s */
    fake_init(&fake, &world, "fake@127.0.0.1", "secret");
    fake_dial_up(&fake, &alice);
    loop_timer_init(&second, world.loop, count_second, &seconds);
    loop_timer_start(&second, 1000);
    ck_assert(world_until(&world, five_beats, &fake));
    ck_assert_uint_le(seconds, 6);
    loop_timer_stop(&second);
}
END_TEST

static bool many_ticks_later(void *context)
{
    return loop_now_ms(world.loop) > *(uint64_t *)context || node_heard(&alice, "down") ||
           node_heard(&bob, "down");
}

/* Two idle nodes with a short net_ticktime stay connected for many times that time. */
START_TEST(idle_nodes_stay_connected)
{
    struct network_config alice_config = node_init(&alice, &world, "alice", "secret");
    struct network_config bob_config = node_init(&bob, &world, "bob", "secret");
    uint64_t end;

    alice_config.net_ticktime_s = 1;
    bob_config.net_ticktime_s = 1;
    node_start_ready(&alice, &alice_config);
    node_start_ready(&bob, &bob_config);
    ck_assert_int_eq(network_connect(alice.network, bob.name), 0);
    ck_assert(node_wait(&bob, "up"));
    end = loop_now_ms(world.loop) + 3500;
    ck_assert(world_until(&world, many_ticks_later, &end));
    ck_assert(!node_heard(&alice, "down"));
    ck_assert(!node_heard(&bob, "down"));
}
END_TEST

static bool stand_still(void *context)
{
    uint64_t start = loop_now_ms(world.loop);

    while (loop_now_ms(world.loop) - start < 1500)
        uv_update_time(loop_uv(world.loop));
    return true;
}

static bool looked_twice(void *context)
{
    return loop_now_ms(world.loop) > *(uint64_t *)context;
}

/* If this process stood still for longer than net_ticktime, its peers are not to blame. */
START_TEST(standing_still_is_forgiven)
{
    struct network_config config = node_init(&alice, &world, "alice", "secret");
    uint64_t end;

    config.net_ticktime_s = 1;
    node_start_ready(&alice, &config);
    fake_init(&fake, &world, "fake@127.0.0.1", "secret");
    fake_dial_up(&fake, &alice);
    ck_assert(world_until(&world, stand_still, NULL));
    end = loop_now_ms(world.loop) + 400;
    ck_assert(world_until(&world, looked_twice, &end));
    ck_assert(!node_heard(&alice, "down"));
    ck_assert(node_wait(&alice, "down fake@127.0.0.1 net_tick_timeout"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ticker");
    TCase *tcase = tcase_create("ticker");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, silent_peer_is_dropped);
    tcase_add_test(tcase, idle_connection_is_ticked);
    tcase_add_test(tcase, idle_nodes_stay_connected);
    tcase_add_test(tcase, standing_still_is_forgiven);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
