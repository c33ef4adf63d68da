/*
 * What all connections share: pending handshakes and their limit, challenges that are out,
 * flushing.
 */
#include "fake.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dist/handshake_message.h"
#include "net/connection_state.h"

#define STRANGERS 200

static struct world world;
static struct node alice;
static struct fake fake;
static struct network_config config;

static void setup(void)
{
    world_init(&world);
    config = node_init(&alice, &world, "alice", "secret");
    memset(&fake, 0, sizeof(fake));
}

static void teardown(void)
{
    node_deinit(&alice);
    fake_deinit(&fake);
    world_deinit(&world);
}

/* Hundreds of connections that say nothing neither use up the node nor keep a real peer out. */
START_TEST(half_open_handshakes_do_not_keep_peers_out)
{
    int strangers[STRANGERS];

    node_start_ready(&alice, &config);
    for (size_t i = 0; i < STRANGERS; i++)
        strangers[i] = plain_connect(&alice);
    fake_init(&fake, &world, "fake@127.0.0.1", "secret");
    fake_dial_up(&fake, &alice);
    ck_assert(node_wait(&alice, "up fake"));
    ck_assert(node_heard(&alice, "log handshake.refused"));
    for (size_t i = 0; i < STRANGERS; i++)
        close(strangers[i]);
}
END_TEST

/* One slot only: each newcomer takes the place of the one before. */
START_TEST(oldest_pending_gives_way)
{
    char byte;
    int first;
    int second;

    config.pending_handshakes_max = 1;
    node_start_ready(&alice, &config);
    first = plain_connect(&alice);
    second = plain_connect(&alice);
    ck_assert(node_wait(&alice, "log handshake.refused"));
    ck_assert_int_eq(recv(first, &byte, 1, 0), 0);
    ck_assert_int_lt(recv(second, &byte, 1, MSG_DONTWAIT), 0);
    close(first);
    close(second);
}
END_TEST

static bool is_closed(void *context)
{
    char byte;

    return recv(*(const int *)context, &byte, 1, MSG_DONTWAIT) == 0;
}

static bool waits_for_us(void *context)
{
    char bytes[512];

    return recv(*(const int *)context, bytes, sizeof(bytes), MSG_DONTWAIT) < 0;
}

/* Who has told its name keeps its place among the silent, however many come after it. */
START_TEST(silent_ones_give_way_first)
{
    int strangers[STRANGERS];
    int named;

    config.pending_handshakes_max = 4;
    node_start_ready(&alice, &config);
    ck_assert_str_eq(greet(&alice, "named@127.0.0.1", &named), "ok");
    for (size_t i = 0; i < STRANGERS; i++)
        strangers[i] = plain_connect(&alice);
    ck_assert(world_until(&world, is_closed, &strangers[STRANGERS - 4]));
    ck_assert(world_until(&world, waits_for_us, &named));
    ck_assert(!is_closed(&named));
    for (size_t i = 0; i < STRANGERS; i++)
        close(strangers[i]);
    close(named);
}
END_TEST

static bool has_challenged(void *context)
{
    return handshake_state(&fake.connection->handshake) == HANDSHAKE_ACK;
}

static bool is_up(void *context)
{
    return fake.up;
}

/* A challenge that a handshake has given out is known until that handshake is over. */
START_TEST(challenges_are_known_while_they_are_out)
{
    uint32_t challenge;

    node_start_ready(&alice, &config);
    fake_init(&fake, &world, "fake@127.0.0.1", "secret");
    fake_dial(&fake, &alice);
    ck_assert(world_until(&world, has_challenged, NULL));
    challenge = fake.connection->handshake.challenge;
    ck_assert(connections_outstanding(fake.connections, challenge));
    ck_assert(!connections_outstanding(fake.connections, challenge + 1));
    ck_assert(world_until(&world, is_up, NULL));
    ck_assert(!connections_outstanding(fake.connections, challenge));
    ck_assert_uint_eq(connections_pending(fake.connections), 0);
    ck_assert_ptr_null(connections_expendable(fake.connections));
    ck_assert(!connections_greeted_by(fake.connections, alice.name));
}
END_TEST

/* Bytes wait until the flush. */
START_TEST(flush_writes_what_waits)
{
    static const uint8_t tick[4];
    struct cn_bytes part = {tick, sizeof(tick)};

    node_start_ready(&alice, &config);
    fake_init(&fake, &world, "fake@127.0.0.1", "secret");
    fake_dial_up(&fake, &alice);
    ck_assert_int_eq(outbox_append(connection_outbox(fake.connection), &part, 1), 0);
    connection_wants_flush(fake.connection);
    connection_wants_flush(fake.connection);
    ck_assert_uint_eq(connections_queued_bytes(fake.connections), 4);
    connections_flush(fake.connections);
    ck_assert_uint_eq(connections_queued_bytes(fake.connections), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("connections");
    TCase *tcase = tcase_create("connections");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, half_open_handshakes_do_not_keep_peers_out);
    tcase_add_test(tcase, oldest_pending_gives_way);
    tcase_add_test(tcase, silent_ones_give_way_first);
    tcase_add_test(tcase, challenges_are_known_while_they_are_out);
    tcase_add_test(tcase, flush_writes_what_waits);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
