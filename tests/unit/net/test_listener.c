/*
 * The listening socket: ports, connections held back until they are wanted, and running out of
 * file descriptors.
 */
#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "net/listener.h"

#define TAKEN_MAX 16

static struct world world;
static struct listener *listener;
static uv_tcp_t taken[TAKEN_MAX];
static size_t taken_count;
static size_t logged;
static bool refuse; /* the next connection is not taken */

static void setup(void)
{
    world_init(&world);
    listener = NULL;
    taken_count = 0;
    logged = 0;
    refuse = false;
}

static void teardown(void)
{
    listener = listener_close(listener);
    world_deinit(&world);
}

static int on_incoming(void *context, struct uv_stream_s *server)
{
    if (refuse) {
        refuse = false;
        return -ENOMEM;
    }
    ck_assert_uint_lt(taken_count, TAKEN_MAX);
    uv_tcp_init(server->loop, &taken[taken_count]);
    ck_assert_int_eq(uv_accept(server, (uv_stream_t *)&taken[taken_count++]), 0);
    return 0;
}

static void on_log(void *context, int level, const char *event, const char *detail)
{
    logged++;
}

static int start(const char *host, uint16_t port, struct listener **ret_listener)
{
    static const struct listener_events events = {.incoming = on_incoming, .log = on_log};
    struct address address;

    ck_assert_int_eq(address_parse(host, port, &address), 0);
    return listener_new(world.loop, &address, &events, NULL, ret_listener);
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static bool has_taken(void *context)
{
    return taken_count >= *(size_t *)context;
}

static void wait_taken(size_t count)
{
    ck_assert(world_until(&world, has_taken, &count));
}

/* Port 0 gives a port of its own, a port that is taken is an error at once. */
START_TEST(ports)
{
    struct listener *second = NULL;

    ck_assert_int_eq(start("127.0.0.1", 0, &listener), 0);
    ck_assert_uint_gt(listener_port(listener), 0);
    ck_assert_int_eq(start("127.0.0.1", listener_port(listener), &second), -EADDRINUSE);
    ck_assert_ptr_null(second);
}
END_TEST

/* A connection that comes early waits until connections are wanted. */
START_TEST(early_connections_wait)
{
    size_t none = 0;
    int first;
    int second;

    ck_assert_int_eq(start("127.0.0.1", 0, &listener), 0);
    first = connect_to(listener_port(listener));
    second = connect_to(listener_port(listener));
    ck_assert(world_until(&world, has_taken, &none));
    ck_assert_uint_eq(taken_count, 0);
    listener_accept_now(listener);
    wait_taken(2);
    close(first);
    close(second);
}
END_TEST

/* An IPv6 listener on :: takes IPv4 connections too. */
START_TEST(both_families)
{
    int fd;

    ck_assert_int_eq(start("::", 0, &listener), 0);
    listener_accept_now(listener);
    fd = connect_to(listener_port(listener));
    wait_taken(1);
    close(fd);
}
END_TEST

static int lowest_free(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    close(fd);
    return fd;
}

/* Tell whether @fd was closed by the other side. */
static bool was_closed(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET;
}

static bool is_closed(void *context)
{
    return was_closed(*(int *)context);
}

/*
 * Without descriptors the connection is turned away, the loop does not spin, and it goes on later.
 */
START_TEST(running_out_of_descriptors)
{
    struct rlimit saved;
    struct rlimit tight;
    int turned_away;
    int later;

    ck_assert_int_eq(start("127.0.0.1", 0, &listener), 0);
    listener_accept_now(listener);
    turned_away = connect_to(listener_port(listener));
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &saved), 0);
    tight = saved;
    tight.rlim_cur = (rlim_t)lowest_free();
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
    ck_assert(world_until(&world, is_closed, &turned_away));
    ck_assert_uint_eq(taken_count, 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &saved), 0);
    later = connect_to(listener_port(listener));
    wait_taken(1);
    close(turned_away);
    close(later);
}
END_TEST

/* A connection that is not taken, for want of memory, is turned away; the next one is taken. */
START_TEST(a_connection_nobody_takes)
{
    int turned_away;
    int later;

    ck_assert_int_eq(start("127.0.0.1", 0, &listener), 0);
    listener_accept_now(listener);
    refuse = true;
    turned_away = connect_to(listener_port(listener));
    ck_assert(world_until(&world, is_closed, &turned_away));
    later = connect_to(listener_port(listener));
    wait_taken(1);
    close(turned_away);
    close(later);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("listener");
    TCase *tcase = tcase_create("listener");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, ports);
    tcase_add_test(tcase, early_connections_wait);
    tcase_add_test(tcase, both_families);
    tcase_add_test(tcase, running_out_of_descriptors);
    tcase_add_test(tcase, a_connection_nobody_takes);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
