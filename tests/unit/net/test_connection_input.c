/*
 * What comes in on a connection: strangers during the handshake, garbage after it, one peer that
 * sends without end beside another.
 */
#include "fake.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "dist/frame.h"
#include "net/connection_state.h"

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

static void start_up(void)
{
    node_start_ready(&alice, &config);
    fake_init(&fake, &world, "fake@127.0.0.1", "secret");
    fake_dial_up(&fake, &alice);
    ck_assert(node_wait(&alice, "up fake"));
}

/* Each kind of garbage closes the connection with a log line that says what it was. */
START_TEST(garbage_closes_with_a_reason)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *words;
    } cases[] = {
        {"\0\0\0\1x", 5, "a frame that cannot be decoded"},
        {"\0\0\0\3p\203\150", 7, "a frame that cannot be decoded"},
        {"\0\0\0\4\203D\0\0", 8, "a frame that cannot be decoded"},
        {"\0\0\0\5p\203\150\1a", 9, "a frame that cannot be decoded"},
        {"\0\0\0\6p\203\150\1a\77", 10, "an unknown or malformed control message"},
        {"\377\377\377\377", 4, "a frame that is too long"},
        {"\10\0\0\1", 4, "a frame that is too long"},
    };

    node_start_ready(&alice, &config);
    fake_init(&fake, &world, "fake@127.0.0.1", "secret");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        alice.heard_count = 0;
        fake_dial_up(&fake, &alice);
        fake_send(&fake, cases[i].bytes, cases[i].size);
        ck_assert(fake_wait_closed(&fake));
        ck_assert(node_wait(&alice, "down fake@127.0.0.1 protocol_error"));
        ck_assert_msg(strstr(alice.heard[node_find(&alice, "log peer.down", 0)], cases[i].words),
                      "%s", alice.heard[node_find(&alice, "log peer.down", 0)]);
    }
    ck_assert_uint_eq(alice.delivered, 0);
}
END_TEST

/* Ticks are no frames: they are read over. */
START_TEST(ticks_are_read_over)
{
    static const uint8_t ticks[4000];

    start_up();
    fake_send(&fake, ticks, sizeof(ticks));
    fake_send(&fake, "\0\0\0\1x", 5);
    ck_assert(node_wait(&alice, "down fake@127.0.0.1 protocol_error"));
}
END_TEST

/* A stranger's noise in the handshake is refused and logged, without its bytes in the log. */
START_TEST(noise_in_the_handshake)
{
    int fd;

    node_start_ready(&alice, &config);
    fd = plain_connect(&alice);
    ck_assert_int_eq(send(fd, "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL), 18);
    ck_assert(node_wait(&alice, "log handshake.refused: somebody from 127.0.0.1"));
    ck_assert_ptr_nonnull(
        strstr(alice.heard[node_find(&alice, "log handshake.refused", 0)], "too long"));
    close(fd);
}
END_TEST

static void note_expired(void *context)
{
    *(bool *)context = true;
}

/* A stranger that says nothing is closed after seven seconds in all, its three of delay included:
 * by timers of the same loop, which come in their order however late the loop is. */
START_TEST(silent_stranger_is_closed)
{
    struct loop_timer early, late;
    bool seven = false;
    bool ten = false;
    int fd;

    node_start_ready(&alice, &config);
    fake_init(&fake, &world, "fake@127.0.0.1", "guess");
    for (int i = 0; i < 16; i++) {
        fake_dial(&fake, &alice);
        ck_assert(fake_wait_closed(&fake));
    }
    loop_timer_init(&early, world.loop, note_expired, &seven);
    loop_timer_init(&late, world.loop, note_expired, &ten);
    loop_timer_start(&early, 7000);
    loop_timer_start(&late, 10000);
    fd = plain_connect(&alice);
    ck_assert(node_wait(&alice, "log handshake.refused: somebody"));
    ck_assert_ptr_nonnull(strstr(
        alice.heard[node_find(&alice, "log handshake.refused: somebody", 0)], "took too long"));
    ck_assert(seven && !ten);
    loop_timer_stop(&late);
    close(fd);
}
END_TEST

/* Append a LINK from the fake peer, many times. */
static void append_links(size_t times)
{
    struct cn_pid from = {.id = 1, .creation = 77, .node = "fake@127.0.0.1"};
    struct cn_pid to = {.id = 2, .creation = 1};
    uint8_t head[FRAME_HEAD_BYTES];
    struct cn_writer tuple;

    memcpy(to.node, alice.name, strlen(alice.name) + 1);
    cn_writer_init(&tuple, 0);
    cn_write_tuple(&tuple, 3);
    cn_write_integer(&tuple, 1);
    cn_write_pid(&tuple, &from);
    cn_write_pid(&tuple, &to);
    frame_write_head(head, tuple.size, 0);
    while (times-- > 0)
        ck_assert_int_eq(outbox_append(connection_outbox(fake.connection),
                                       (struct cn_bytes[]){
                                           {head, sizeof(head)},
                                           {tuple.data, tuple.size},
                                       },
                                       2),
                         0);
    cn_writer_free(&tuple);
}

static size_t delivered_before;
static size_t delivered_at_most;

static bool all_delivered(void *context)
{
    size_t now = alice.delivered - delivered_before;

    delivered_before = alice.delivered;
    if (now > delivered_at_most)
        delivered_at_most = now;
    return alice.delivered == *(size_t *)context;
}

/* A peer that sends small frames without end gets its budget in each turn of the loop, in which a
 * frame costs more than its bytes, and loses nothing. */
START_TEST(reading_has_a_budget)
{
    size_t times = 100000;
    size_t frame_bytes = 80;

    start_up();
    append_links(times);
    connection_flush(fake.connection);
    ck_assert(world_until(&world, all_delivered, &times));
    ck_assert_uint_le(delivered_at_most,
                      2 * (CONNECTIONS_READ_BUDGET / (CONNECTIONS_FRAME_WORK + frame_bytes) +
                           CONNECTIONS_READ_BYTES / frame_bytes));
}
END_TEST

/* From the node to the fake, in each turn, until it rests. */
static bool fake_rests(void *context)
{
    struct cn_term none = {NULL, 0};

    if (loop_timer_running(&fake.connection->rest))
        return true;
    for (size_t times = 1000; times > 0; times--)
        ck_assert_int_ge(network_send(alice.network, "fake@127.0.0.1", context, none), 0);
    return false;
}

static bool fake_reads(void *context)
{
    return !loop_timer_running(&fake.connection->rest) &&
           uv_is_active((uv_handle_t *)&fake.connection->tcp);
}

/* A connection that reads a stream rests, and then reads on; one that is closed meanwhile ends. */
START_TEST(a_stream_is_read_with_rests)
{
    struct control control = {.op = CONTROL_LINK, .from.creation = 1, .to.creation = 77};

    start_up();
    memcpy(control.from.node, alice.name, strlen(alice.name) + 1);
    memcpy(control.to.node, "fake@127.0.0.1", 15);
    ck_assert(world_until(&world, fake_rests, &control));
    ck_assert(!uv_is_active((uv_handle_t *)&fake.connection->tcp));
    ck_assert(world_until(&world, fake_reads, NULL));
    ck_assert(world_until(&world, fake_rests, &control));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("connection_input");
    TCase *tcase = tcase_create("connection_input");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, garbage_closes_with_a_reason);
    tcase_add_test(tcase, ticks_are_read_over);
    tcase_add_test(tcase, noise_in_the_handshake);
    tcase_add_test(tcase, silent_stranger_is_closed);
    tcase_add_test(tcase, reading_has_a_budget);
    tcase_add_test(tcase, a_stream_is_read_with_rests);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
