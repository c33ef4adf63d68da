/*
 * One connection from outside: opening, writing much, closing in every manner. The other end is a
 * network of ours in the same loop, so both ends of each end are seen.
 */
#include "fake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/error.h"
#include "base/text.h"
#include "net/connection_state.h"

#define BLOB (8 << 20)

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

static void start(void)
{
    node_start_ready(&alice, &config);
    fake_init(&fake, &world, "fake@127.0.0.1", "secret");
}

/* Dialling somebody who is not there ends with the error's name. */
START_TEST(refused_dial)
{
    start();
    alice.port = free_port();
    fake_dial(&fake, &alice);
    ck_assert(fake_wait_closed(&fake));
    ck_assert(!fake.connected);
    ck_assert_str_eq(fake.detail, "ECONNREFUSED");
}
END_TEST

/* Both sides come up with each other's name, creation, flags and address. */
START_TEST(greeting)
{
    struct handshake *handshake;

    start();
    fake_dial_up(&fake, &alice);
    handshake = connection_handshake(fake.connection);
    ck_assert(fake.connected);
    ck_assert_str_eq(handshake_peer(handshake), alice.name);
    ck_assert_uint_eq(handshake_peer_creation(handshake), network_creation(alice.network));
    ck_assert(connection_is_up(fake.connection));
    ck_assert(connection_initiated(fake.connection));
    ck_assert_uint_eq(address_port(connection_address(fake.connection)), alice.port);
    ck_assert_uint_eq(alice.peer_creation, 77);
}
END_TEST

/* Write a REG_SEND frame with a binary of @size bytes. */
static void send_blob(size_t size)
{
    struct cn_writer control;
    struct cn_writer message;
    struct cn_pid from = {.id = 1, .creation = 77, .node = "fake@127.0.0.1"};
    uint8_t *blob = calloc(1, size);
    uint8_t head[FRAME_HEAD_BYTES];
    static const uint8_t version = 131;

    cn_writer_init(&control, 0);
    cn_writer_init(&message, 0);
    cn_write_tuple(&control, 4);
    cn_write_integer(&control, 6);
    cn_write_pid(&control, &from);
    cn_write_atom(&control, "");
    cn_write_atom(&control, "blob");
    cn_write_binary(&message, (struct cn_bytes){blob, size});
    frame_write_head(head, cn_writer_term(&control).size, cn_writer_term(&message).size);
    ck_assert_int_eq(outbox_append(connection_outbox(fake.connection),
                                   (struct cn_bytes[]){
                                       {head, sizeof(head)},
                                       {control.data, control.size},
                                       {&version, 1},
                                       {message.data, message.size},
                                   },
                                   4),
                     0);
    cn_writer_free(&control);
    cn_writer_free(&message);
    free(blob);
}

static bool four_delivered(void *context)
{
    return alice.delivered >= 4;
}

/* Megabytes leave and arrive whole although no socket takes them at once; nothing stays behind. */
START_TEST(large_frames)
{
    start();
    fake_dial_up(&fake, &alice);
    for (int i = 0; i < 4; i++)
        send_blob(i % 2 == 0 ? BLOB : 10);
    connection_flush(fake.connection);
    ck_assert_uint_gt(outbox_bytes(connection_outbox(fake.connection)), 0);
    ck_assert(world_until(&world, four_delivered, NULL));
    ck_assert_uint_eq(alice.delivered_bytes, 2 * (BLOB + 5) + 2 * 15);
    ck_assert_uint_eq(outbox_bytes(connection_outbox(fake.connection)), 0);
}
END_TEST

/* While the peer does not read, the kernel takes little: what is small can still pass the rest. */
START_TEST(little_waits_in_the_kernel)
{
    size_t waiting;

    start();
    fake_dial_up(&fake, &alice);
    send_blob(BLOB);
    waiting = outbox_bytes(connection_outbox(fake.connection));
    connection_flush(fake.connection);
    ck_assert_uint_lt(outbox_bytes(connection_outbox(fake.connection)), waiting);
    ck_assert_uint_gt(outbox_bytes(connection_outbox(fake.connection)), waiting - (1 << 20));
}
END_TEST

/* Closing tells the owner once, with its reason, from the loop. */
START_TEST(closing_tells_once)
{
    start();
    fake_dial_up(&fake, &alice);
    connection_close(fake.connection, "because");
    connection_close(fake.connection, "again");
    ck_assert(!fake.closed);
    ck_assert(connection_is_closing(fake.connection));
    ck_assert(fake_wait_closed(&fake));
    ck_assert_str_eq(fake.detail, "because");
    ck_assert(node_wait(&alice, "down fake@127.0.0.1 connection_closed"));
}
END_TEST

/* Dropping tells nobody; the other side sees the end all the same. */
START_TEST(dropping_tells_nobody)
{
    start();
    fake_dial_up(&fake, &alice);
    connection_drop(fake.connection);
    fake.connection = NULL;
    ck_assert(node_wait(&alice, "down fake@127.0.0.1 connection_closed"));
    ck_assert(!fake.closed);
}
END_TEST

/* Closing with megabytes on their way leaves nothing behind (a sanitizer looks). */
START_TEST(closing_while_writing)
{
    start();
    fake_dial_up(&fake, &alice);
    send_blob(BLOB);
    send_blob(BLOB);
    connection_flush(fake.connection);
    ck_assert(fake.connection->writing);
    connection_close(fake.connection, "enough");
    ck_assert(fake_wait_closed(&fake));
    ck_assert(node_wait(&alice, "down fake"));
}
END_TEST

/* Saying that nothing more comes makes the peer close, after it has read everything. */
START_TEST(finishing)
{
    start();
    fake_dial_up(&fake, &alice);
    send_blob(10);
    connection_flush(fake.connection);
    connection_finish(fake.connection);
    connection_finish(fake.connection);
    ck_assert(fake_wait_closed(&fake));
    ck_assert_uint_eq(alice.delivered, 1);
}
END_TEST

/* A tick is sent only when nothing else waits. */
START_TEST(ticks)
{
    uint64_t sent;

    start();
    fake_dial_up(&fake, &alice);
    uv_update_time(loop_uv(world.loop));
    sent = connection_sent_ms(fake.connection);
    connection_tick(fake.connection);
    ck_assert_uint_ge(connection_sent_ms(fake.connection), sent);
    ck_assert_uint_eq(outbox_bytes(connection_outbox(fake.connection)), 0);
    send_blob(10);
    sent = outbox_bytes(connection_outbox(fake.connection));
    connection_tick(fake.connection);
    ck_assert_uint_eq(outbox_bytes(connection_outbox(fake.connection)), sent);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("connection");
    TCase *tcase = tcase_create("connection");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, refused_dial);
    tcase_add_test(tcase, greeting);
    tcase_add_test(tcase, large_frames);
    tcase_add_test(tcase, little_waits_in_the_kernel);
    tcase_add_test(tcase, closing_tells_once);
    tcase_add_test(tcase, dropping_tells_nobody);
    tcase_add_test(tcase, closing_while_writing);
    tcase_add_test(tcase, finishing);
    tcase_add_test(tcase, ticks);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
