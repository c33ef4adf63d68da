/*
 * The registration in EPMD, with a real one that is stopped and started, and one that talks
 * nonsense.
 */
#include "support.h"

#include <string.h>

#include "base/text.h"
#include "net/epmd_client.h"
#include "net/listener.h"

#include <uv.h>

static struct world world;
static struct epmd_client *client;
static struct listener *impostor;
static size_t registered;
static uint32_t creation;
static char told[4][256];
static size_t told_count;

static void setup(void)
{
    world_init(&world);
    client = NULL;
    impostor = NULL;
    registered = 0;
    told_count = 0;
}

static void teardown(void)
{
    client = epmd_client_close(client);
    impostor = listener_close(impostor);
    world_deinit(&world);
}

static void on_registered(void *context, uint32_t given)
{
    registered++;
    creation = given;
}

static void on_log(void *context, int level, const char *event, const char *detail)
{
    if (told_count < 4)
        text_format(told[told_count++], sizeof(told[0]), "%s %s", event, detail);
}

static bool registered_times(void *context)
{
    return registered >= *(size_t *)context;
}

static bool has_told(void *context)
{
    return told_count >= *(size_t *)context;
}

static struct epmd_client *start(uint16_t epmd_port, const char *alive)
{
    struct epmd_client_config config = {
        .alive = alive, .port = 4711, .registered = on_registered, .log = on_log};
    struct epmd_client *made = NULL;

    ck_assert_int_eq(address_parse("127.0.0.1", epmd_port, &config.address), 0);
    ck_assert_int_eq(epmd_client_new(world.loop, &config, &made), 0);
    return made;
}

static void wait_registered(size_t times)
{
    ck_assert(world_until(&world, registered_times, &times));
}

static void wait_told(size_t lines)
{
    ck_assert(world_until(&world, has_told, &lines));
}

/* A registration gives a creation and stays. */
START_TEST(registration)
{
    client = start(world.epmd_port, "someone");
    ck_assert(!epmd_client_registered(client));
    wait_registered(1);
    ck_assert(epmd_client_registered(client));
    ck_assert_uint_gt(creation, 0);
    ck_assert_uint_eq(told_count, 0);
}
END_TEST

/* EPMD goes away: one log line, and a new registration when it is back. */
START_TEST(registering_again)
{
    client = start(world.epmd_port, "someone");
    wait_registered(1);
    world_stop_epmd(&world);
    wait_told(1);
    ck_assert(!epmd_client_registered(client));
    world_start_epmd(&world);
    wait_registered(2);
    ck_assert(epmd_client_registered(client));
}
END_TEST

/* A name that is taken is tried again until its owner is gone. */
START_TEST(taken_name_is_waited_for)
{
    struct epmd_client *second;

    client = start(world.epmd_port, "someone");
    wait_registered(1);
    second = start(world.epmd_port, "someone");
    wait_told(1);
    ck_assert_ptr_nonnull(strstr(told[0], "a node of this name is registered already"));
    client = epmd_client_close(client);
    wait_registered(2);
    epmd_client_close(second);
}
END_TEST

struct nonsense {
    uv_tcp_t tcp;
    uv_write_t write;
};

static struct nonsense nonsense;

static int on_incoming(void *context, struct uv_stream_s *server)
{
    uv_buf_t buffer = uv_buf_init((char *)(uintptr_t) "HTTP/1.1 400 Bad Request", 24);

    uv_tcp_init(server->loop, &nonsense.tcp);
    ck_assert_int_eq(uv_accept(server, (uv_stream_t *)&nonsense.tcp), 0);
    uv_write(&nonsense.write, (uv_stream_t *)&nonsense.tcp, &buffer, 1, NULL);
    return 0;
}

/* Something else listens on EPMD's port: said once, tried again. */
START_TEST(impostor_is_no_epmd)
{
    static const struct listener_events events = {.incoming = on_incoming, .log = on_log};
    struct address address;

    ck_assert_int_eq(address_parse("127.0.0.1", 0, &address), 0);
    ck_assert_int_eq(listener_new(world.loop, &address, &events, NULL, &impostor), 0);
    listener_accept_now(impostor);
    client = start(listener_port(impostor), "someone");
    wait_told(1);
    ck_assert_ptr_nonnull(strstr(told[0], "invalid"));
    ck_assert_uint_eq(registered, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("epmd_client");
    TCase *tcase = tcase_create("epmd_client");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, registration);
    tcase_add_test(tcase, registering_again);
    tcase_add_test(tcase, taken_name_is_waited_for);
    tcase_add_test(tcase, impostor_is_no_epmd);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
