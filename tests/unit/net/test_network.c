/*
 * The network against real BEAM nodes and a real EPMD: what an operator and a cluster see of it.
 */
#include "fake.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "dist/epmd.h"

static struct world world;
static struct node node;
static struct program beam;
static struct network_config config;
static char beam_name[64];
static char expression[1024];

static void setup(void)
{
    world_init(&world);
    config = node_init(&node, &world, "c", "secret");
    text_format(beam_name, sizeof(beam_name), "beam%u@127.0.0.1", free_port());
    beam.pid = -1;
}

static void teardown(void)
{
    node_deinit(&node);
    program_stop(&beam);
    world_deinit(&world);
}

/* Start a BEAM that evaluates @code, in which $ stands for our name. */
static void start_beam(const char *name, const char *cookie, const char *code)
{
    struct text text;

    text_init(&text, expression, sizeof(expression));
    for (; *code != '\0'; code++) {
        if (*code == '$')
            text_add_format(&text, "'%s'", node.name);
        else
            text_add_bytes(&text, code, 1);
    }
    text_add(&text, ", receive after infinity -> ok end.");
    ck_assert(!text.truncated);
    beam_start(&beam, &world, name, cookie, expression);
}

/* A BEAM that connects to us sees us in nodes(), and we see it. */
START_TEST(beam_connects_to_us)
{
    node_start_ready(&node, &config);
    start_beam(beam_name, "secret",
               "C = net_kernel:connect_node($), io:format(\"connected ~p ~p~n\", [C, nodes() =:= "
               "[$]])");
    ck_assert(program_wait(&world, &beam, "connected true true"));
    ck_assert(node_wait(&node, "up beam"));
    ck_assert(node_sees(&node, beam_name));
}
END_TEST

/* We dial a BEAM, a message reaches a registered process there, and it sees us. */
START_TEST(we_dial_a_beam)
{
    start_beam(beam_name, "secret",
               "register(ear, self()), io:format(\"ready~n\"),"
               "receive M -> io:format(\"got ~p ~p~n\", [M, nodes() =:= [$]]) end");
    ck_assert(program_wait(&world, &beam, "ready"));
    node_start_ready(&node, &config);
    ck_assert_int_eq(node_send_text(&node, beam_name, "ear", "hello"), 0);
    ck_assert(node_wait(&node, "up beam"));
    ck_assert(program_wait(&world, &beam, "got {1,<<\"hello\">>} true"));
}
END_TEST

/* A message of a BEAM to a name here is delivered as it was sent. */
START_TEST(beam_sends_to_us)
{
    static const uint8_t expected[] = {104, 2, 119, 1, 'a', 97, 7};

    node_start_ready(&node, &config);
    start_beam(beam_name, "secret", "{some_name, $} ! {a, 7}");
    ck_assert(node_wait(&node, "deliver 1"));
    ck_assert_str_eq(node.last_name, "some_name");
    ck_assert_str_eq(node.last.from.node, beam_name);
    ck_assert_uint_eq(node.last.from.creation, node.peer_creation);
    ck_assert_uint_eq(node.last_message_size, sizeof(expected));
    ck_assert_mem_eq(node.last_message, expected, sizeof(expected));
}
END_TEST

/* The creation is there from the start, and published before the node is ready. */
START_TEST(creation_is_ours)
{
    node_start_ready(&node, &config);
    ck_assert_uint_eq(node.creation, network_creation(node.network));
    ck_assert_uint_ge(node.creation, 4);
    ck_assert_uint_lt(node_find(&node, "published", 0), node_find(&node, "ready", 0));
}
END_TEST

/* A hidden node is not in nodes() but in nodes(hidden). */
START_TEST(hidden_node)
{
    config.hidden = true;
    node_start_ready(&node, &config);
    start_beam(beam_name, "secret",
               "net_kernel:connect_node($), io:format(\"~p ~p~n\", [nodes(), nodes(hidden) =:= "
               "[$]])");
    ck_assert(program_wait(&world, &beam, "[] true"));
}
END_TEST

/* A BEAM with another cookie is refused, and our log says why. */
START_TEST(beam_with_a_wrong_cookie)
{
    node_start_ready(&node, &config);
    start_beam(beam_name, "guess",
               "C = net_kernel:connect_node($), io:format(\"connected ~p ~p~n\", [C, nodes()])");
    ck_assert(program_wait(&world, &beam, "connected false []"));
    ck_assert(node_wait(&node, "log handshake.refused: beam"));
    ck_assert_ptr_nonnull(
        strstr(node.heard[node_find(&node, "log handshake.refused", 0)], "wrong cookie"));
    ck_assert(!node_heard(&node, "up"));
}
END_TEST

/* The same when we dial it. */
START_TEST(dialling_a_beam_with_a_wrong_cookie)
{
    start_beam(beam_name, "other", "io:format(\"ready~n\")");
    ck_assert(program_wait(&world, &beam, "ready"));
    node_start_ready(&node, &config);
    ck_assert_int_eq(network_connect(node.network, beam_name), 0);
    ck_assert(node_wait(&node, "down beam"));
    ck_assert_ptr_nonnull(
        strstr(node.heard[node_find(&node, "log dial.failed", 0)], "wrong cookie"));
}
END_TEST

/* Dial a BEAM and let it dial us at once, twenty times; one connection each time. */
static void dial_each_other(const char *name)
{
    size_t ups;

    node_start_ready(&node, &config);
    start_beam(name, "secret",
               "register(ear, self()), io:format(\"ready~n\"),"
               "F = fun F() -> receive {1, _} -> "
               "erlang:disconnect_node($), io:format(\"off~n\"), spawn(fun() -> "
               "net_kernel:connect_node($), {any, $} ! here end), F() end end, F()");
    ck_assert(program_wait(&world, &beam, "ready"));
    for (size_t i = 0; i < 20; i++) {
        node.heard_count = 0;
        ck_assert_int_eq(node_send_text(&node, name, "ear", "again"), 0);
        ck_assert(node_wait(&node, "down"));
        ck_assert_int_eq(network_connect(node.network, name), 0);
        ck_assert(node_wait(&node, "deliver"));
        if (!node_sees(&node, name))
            node_print(&node);
        ck_assert(node_sees(&node, name));
        ups = node_count(&node, "up");
        ck_assert_uint_le(ups, 2);
    }
}

/* Both dial at once and our name is the smaller one. */
START_TEST(ties_with_a_greater_beam)
{
    dial_each_other("zzz@127.0.0.1");
}
END_TEST

/* Both dial at once and our name is the greater one. */
START_TEST(ties_with_a_smaller_beam)
{
    dial_each_other("aaa@127.0.0.1");
}
END_TEST

static bool registered_twice(void *context)
{
    return node_count(&node, "log epmd.registered") >= 2;
}

/* EPMD restarts: we register again with the same creation, and are found again. */
START_TEST(epmd_restart_is_survived)
{
    uint32_t creation;

    node_start_ready(&node, &config);
    creation = network_creation(node.network);
    world_stop_epmd(&world);
    ck_assert(node_wait(&node, "log epmd.unavailable"));
    world_start_epmd(&world);
    ck_assert(world_until(&world, registered_twice, NULL));
    ck_assert_uint_eq(network_creation(node.network), creation);
    ck_assert_uint_eq(node_count(&node, "published"), 1);
    ck_assert_uint_eq(node_count(&node, "ready"), 1);
    start_beam(beam_name, "secret", "net_kernel:connect_node($)");
    ck_assert(node_wait(&node, "up beam"));
}
END_TEST

/* Without EPMD the node waits, and becomes ready when EPMD comes. */
START_TEST(epmd_that_comes_late)
{
    world_stop_epmd(&world);
    node_start(&node, &config);
    ck_assert(node_wait(&node, "log epmd.unavailable"));
    ck_assert(!node_heard(&node, "published"));
    world_start_epmd(&world);
    ck_assert(node_wait(&node, "ready"));
}
END_TEST

/* A BEAM that was killed and comes back under its name finds its place again. */
START_TEST(beam_comes_back)
{
    uint32_t first;

    node_start_ready(&node, &config);
    start_beam(beam_name, "secret", "net_kernel:connect_node($)");
    ck_assert(node_wait(&node, "up beam"));
    first = node.peer_creation;
    program_stop(&beam);
    start_beam(beam_name, "secret", "net_kernel:connect_node($), {any, $} ! back");
    ck_assert(node_wait(&node, "deliver"));
    ck_assert_uint_ne(node.peer_creation, first);
    ck_assert_uint_eq(node_count(&node, "down"), 1);
    ck_assert_uint_lt(node_find(&node, "down", 0),
                      node_find(&node, "up", node_find(&node, "down", 0)));
}
END_TEST

/* The BEAM does not drop us although it has a short net_ticktime and nothing else is said. */
START_TEST(short_ticktime_of_a_beam)
{
    node_start_ready(&node, &config);
    start_beam(beam_name, "secret",
               "net_kernel:set_net_ticktime(4, 0), net_kernel:connect_node($), "
               "net_kernel:monitor_nodes(true), receive M -> io:format(\"~p~n\", [M]) "
               "after 6000 -> io:format(\"still ~p~n\", [nodes() =:= [$]]) end");
    ck_assert(program_wait(&world, &beam, "still true"));
    ck_assert(!node_heard(&node, "down"));
}
END_TEST

static void on_done(void *context)
{
    node.done = true;
}

static bool is_done(void *context)
{
    return node.done;
}

/* Leaving flushes what was sent, tells nobody here, and the BEAM sees one clean end. */
START_TEST(stop_flushes)
{
    node_start_ready(&node, &config);
    start_beam(beam_name, "secret",
               "register(ear, self()), net_kernel:monitor_nodes(true, [nodedown_reason]),"
               "net_kernel:connect_node($),"
               "receive {1, _} = A -> io:format(\"first ~p~n\", [A]) end,"
               "receive {nodedown, _, R} -> io:format(\"then ~p~n\", [R]) end");
    ck_assert(node_wait(&node, "up beam"));
    ck_assert_int_eq(node_send_text(&node, beam_name, "ear", "last words"), 0);
    network_stop(node.network, 2000, on_done, NULL);
    ck_assert_int_eq(node_send_text(&node, "other@127.0.0.1", "x", "y"), CN_E_CLOSED);
    ck_assert(world_until(&world, is_done, NULL));
    ck_assert(!node_heard(&node, "down"));
    ck_assert(program_wait(&world, &beam, "then "));
    ck_assert(program_said(&beam, "first {1,<<\"last words\">>}"));
    ck_assert(program_said(&beam, "connection_closed"));
}
END_TEST

/* A port that is taken is an error of network_start. */
START_TEST(taken_port)
{
    struct node second;
    struct network_config second_config = node_init(&second, &world, "d", "secret");
    struct network_events none = {0};

    node_start_ready(&node, &config);
    second_config.listen_port = node.port;
    ck_assert_int_eq(network_new(world.loop, &second_config, &none, &second.network), 0);
    ck_assert_int_eq(network_start(second.network), -EADDRINUSE);
    node_deinit(&second);
}
END_TEST

/* A name that is registered already is waited for, with a log line that says so. */
START_TEST(taken_name)
{
    struct node second;
    struct network_config second_config = node_init(&second, &world, "d", "secret");

    node_start_ready(&node, &config);
    second_config.name = node.name;
    node_start(&second, &second_config);
    ck_assert(node_wait(&second, "log epmd.unavailable"));
    ck_assert_ptr_nonnull(strstr(second.heard[0], "registered already"));
    node_deinit(&node);
    ck_assert(node_wait(&second, "ready"));
    node_deinit(&second);
}
END_TEST

/* Nonsense in the configuration is an error at once. */
START_TEST(bad_configuration)
{
    struct network_events none = {0};
    struct network *network = NULL;

    config.name = "no name";
    ck_assert_int_eq(network_new(world.loop, &config, &none, &network), CN_E_INVALID);
    config.name = node.name;
    config.connect = (const char *const[]){"also none", NULL};
    ck_assert_int_eq(network_new(world.loop, &config, &none, &network), CN_E_INVALID);
    config.connect = NULL;
    config.listen_address = "nowhere";
    ck_assert_int_eq(network_new(world.loop, &config, &none, &network), 0);
    ck_assert_int_eq(network_start(network), -EADDRNOTAVAIL);
    network_free(network);
}
END_TEST

/* Two nodes on ::1 find each other through EPMD on ::1. */
START_TEST(nodes_on_ipv6)
{
    struct node other;
    struct network_config other_config = node_init(&other, &world, "d", "secret");

    text_copy(strchr(node.name, '@'), 8, "@::1");
    text_copy(strchr(other.name, '@'), 8, "@::1");
    config.listen_address = "::1";
    other_config.listen_address = "::1";
    config.epmd_address = "::1";
    node_start_ready(&node, &config);
    node_start_ready(&other, &other_config);
    ck_assert_int_eq(network_connect(node.network, other.name), 0);
    ck_assert(node_wait(&other, "up c"));
    ck_assert(node_wait(&node, "up d"));
    node_deinit(&other);
}
END_TEST

static void add_meetings(TCase *tcase)
{
    tcase_add_test(tcase, beam_connects_to_us);
    tcase_add_test(tcase, we_dial_a_beam);
    tcase_add_test(tcase, beam_sends_to_us);
    tcase_add_test(tcase, creation_is_ours);
    tcase_add_test(tcase, hidden_node);
    tcase_add_test(tcase, beam_with_a_wrong_cookie);
    tcase_add_test(tcase, dialling_a_beam_with_a_wrong_cookie);
    tcase_add_test(tcase, ties_with_a_greater_beam);
    tcase_add_test(tcase, ties_with_a_smaller_beam);
    tcase_add_test(tcase, beam_comes_back);
    tcase_add_test(tcase, short_ticktime_of_a_beam);
    tcase_add_test(tcase, stop_flushes);
}

int main(void)
{
    Suite *suite = suite_create("network");
    TCase *tcase = tcase_create("network");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 90);
    add_meetings(tcase);
    tcase_add_test(tcase, epmd_restart_is_survived);
    tcase_add_test(tcase, epmd_that_comes_late);
    tcase_add_test(tcase, taken_port);
    tcase_add_test(tcase, taken_name);
    tcase_add_test(tcase, bad_configuration);
    tcase_add_test(tcase, nodes_on_ipv6);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
