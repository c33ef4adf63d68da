/*
 * Reaching a node: found, not found, no EPMD, no such host, somebody who never answers.
 */
#include "fake.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "dist/flags.h"
#include "net/dial.h"

static struct world world;
static struct node node;
static struct connections *connections;
static struct dial *dial;
static struct connection *reached;
static char failure[256];

static void setup(void)
{
    world_init(&world);
    memset(&node, 0, sizeof(node));
    dial = NULL;
    reached = NULL;
    failure[0] = '\0';
    ck_assert_int_eq(connections_new(world.loop,
                                     &(struct connections_config){.name = "dialler@127.0.0.1",
                                                                  .cookie = "secret",
                                                                  .flags = FLAGS_OURS},
                                     &connections),
                     0);
}

static void teardown(void)
{
    dial_cancel(dial);
    node_deinit(&node);
    connections = connections_free(connections);
    world_deinit(&world);
}

static void on_reached(void *context, struct connection *connection)
{
    static const struct connection_events none = {NULL};

    dial = NULL;
    reached = connection;
    connection_set_events(connection, &none, NULL);
}

static void on_failed(void *context, const char *detail)
{
    dial = NULL;
    text_copy(failure, sizeof(failure), detail);
}

static bool is_over(void *context)
{
    return dial == NULL;
}

static int start(const char *name, uint16_t epmd_port)
{
    static const struct dial_events events = {.reached = on_reached, .failed = on_failed};

    return dial_new(connections, name, epmd_port, &events, NULL, &dial);
}

static void run(const char *name, uint16_t epmd_port)
{
    ck_assert_int_eq(start(name, epmd_port), 0);
    ck_assert(world_until(&world, is_over, NULL));
}

/* A node is found through the EPMD of its host, and the handshake has begun. */
START_TEST(node_is_reached)
{
    struct network_config config = node_init(&node, &world, "n", "secret");

    node_start_ready(&node, &config);
    run(node.name, world.epmd_port);
    ck_assert_ptr_nonnull(reached);
    ck_assert(connection_initiated(reached));
    ck_assert_uint_eq(address_port(connection_address(reached)), node.port);
    ck_assert(node_wait(&node, "up dialler"));
}
END_TEST

/* Each way to fail is told in its own words. */
START_TEST(failures_are_told_apart)
{
    run("nobody@127.0.0.1", world.epmd_port);
    ck_assert_ptr_nonnull(strstr(failure, "no node of this name"));
    run("nobody@127.0.0.1", free_port());
    ck_assert_ptr_nonnull(strstr(failure, "ECONNREFUSED"));
    run("nobody@host.invalid", world.epmd_port);
    ck_assert_ptr_nonnull(strstr(failure, "resolving host.invalid"));
    ck_assert_ptr_null(reached);
    ck_assert_int_eq(start("no name", world.epmd_port), CN_E_INVALID);
    ck_assert_ptr_null(dial);
}
END_TEST

/* A node that is registered but does not listen any more. */
START_TEST(registered_but_gone)
{
    struct ghost ghost;

    ghost_start(&ghost, &world, "ghost");
    close(ghost.listening);
    run("ghost@127.0.0.1", world.epmd_port);
    ck_assert_ptr_nonnull(strstr(failure, "connecting to 127.0.0.1"));
    close(ghost.epmd);
}
END_TEST

static int silent_server(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* An EPMD that takes the question and never answers costs its step's time, no more. */
START_TEST(silent_epmd)
{
    uint16_t port;
    int fd = silent_server(&port);

    run("nobody@127.0.0.1", port);
    ck_assert_ptr_nonnull(strstr(failure, "no answer"));
    close(fd);
}
END_TEST

static bool some_turns_later(void *context)
{
    size_t *turns = context;

    return ++*turns > 4;
}

/* Cancelled while it resolves or asks: nothing is told, nothing is left. */
START_TEST(cancelling)
{
    uint16_t port;
    int fd = silent_server(&port);
    size_t turns = 0;

    ck_assert_int_eq(start("nobody@127.0.0.1", port), 0);
    dial = dial_cancel(dial);
    ck_assert_int_eq(start("nobody@127.0.0.1", port), 0);
    ck_assert(world_until(&world, some_turns_later, &turns));
    dial = dial_cancel(dial);
    ck_assert_str_eq(failure, "");
    close(fd);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dial");
    TCase *tcase = tcase_create("dial");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, node_is_reached);
    tcase_add_test(tcase, failures_are_told_apart);
    tcase_add_test(tcase, registered_but_gone);
    tcase_add_test(tcase, silent_epmd);
    tcase_add_test(tcase, cancelling);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
