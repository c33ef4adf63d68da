/*
 * One question over TCP: answered by a real EPMD, refused, ended, closed in the middle.
 */
#include "support.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "net/tcp_client.h"

static struct world world;
static struct tcp_client *client;
static uint8_t reply[EPMD_REPLY_MAX];
static size_t reply_size;
static int ended;
static bool close_on_reply;

static void setup(void)
{
    world_init(&world);
    client = NULL;
    reply_size = 0;
    ended = 0;
    close_on_reply = false;
}

static void teardown(void)
{
    client = tcp_client_close(client);
    world_deinit(&world);
}

static void on_received(void *context, const uint8_t *data, size_t size)
{
    ck_assert_uint_le(size, sizeof(reply));
    memcpy(reply, data, size);
    reply_size = size;
    if (close_on_reply)
        client = tcp_client_close(client);
}

static void on_ended(void *context, int error)
{
    ended = error;
}

static bool has_reply(void *context)
{
    return reply_size > 0 || ended != 0;
}

static bool has_ended(void *context)
{
    return ended != 0;
}

static void ask(uint16_t port, const char *name)
{
    static const struct tcp_client_events events = {.received = on_received, .ended = on_ended};
    struct address address;
    struct bytes request;

    bytes_init(&request, 0);
    ck_assert_int_eq(epmd_write_lookup(&request, name), 0);
    ck_assert_int_eq(address_parse("127.0.0.1", port, &address), 0);
    ck_assert_int_eq(tcp_client_new(world.loop, &address, &request, &events, NULL, &client), 0);
    bytes_deinit(&request);
}

/* The request arrives and its answer comes back, then the end. */
START_TEST(question_and_answer)
{
    ask(world.epmd_port, "nobody");
    ck_assert(world_until(&world, has_reply, NULL));
    ck_assert_uint_ge(reply_size, 2);
    ck_assert_uint_eq(reply[0], 119);
    ck_assert_uint_ne(reply[1], 0);
    ck_assert(world_until(&world, has_ended, NULL));
    ck_assert_int_eq(ended, -ENODATA);
}
END_TEST

/* Nobody listens. */
START_TEST(refused_connection)
{
    ask(free_port(), "nobody");
    ck_assert(world_until(&world, has_ended, NULL));
    ck_assert_int_eq(ended, -ECONNREFUSED);
    ck_assert_uint_eq(reply_size, 0);
}
END_TEST

/* Closed from inside its own callback, it tells nothing more. */
START_TEST(closed_in_a_callback)
{
    close_on_reply = true;
    ask(world.epmd_port, "nobody");
    ck_assert(world_until(&world, has_reply, NULL));
    ck_assert_ptr_null(client);
    ck_assert_int_eq(ended, 0);
}
END_TEST

/* Closed before anything happened, it tells nothing; NULL is fine. */
START_TEST(closed_at_once)
{
    ask(world.epmd_port, "nobody");
    client = tcp_client_close(client);
    client = tcp_client_close(client);
    ck_assert_uint_eq(reply_size, 0);
    ck_assert_int_eq(ended, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tcp_client");
    TCase *tcase = tcase_create("tcp_client");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, question_and_answer);
    tcase_add_test(tcase, refused_connection);
    tcase_add_test(tcase, closed_in_a_callback);
    tcase_add_test(tcase, closed_at_once);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
