/*
 * The network against real BEAM nodes and a real EPMD.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static struct world world;
static struct node node;
static struct program beam;
static char beam_name[64];

static void setup(void)
{
    world_init(&world);
    text_format(beam_name, sizeof(beam_name), "beam%u@127.0.0.1", free_port());
    beam.pid = -1;
}

static void teardown(void)
{
    node_deinit(&node);
    program_stop(&beam);
    world_deinit(&world);
}

/* A BEAM node that connects to us sees us in nodes(), and we see it. */
START_TEST(beam_connects_to_us)
{
    struct network_config config = node_init(&node, &world, "c", "secret");
    char expression[512];

    node_start_ready(&node, &config);
    text_format(
        expression, sizeof(expression),
        "C = net_kernel:connect_node('%s'), io:format(\"connected ~p ~p~~n\", [C, nodes()]),"
        "receive after infinity -> ok end.",
        node.name);
    for (char *tilde = strstr(expression, "~~"); tilde != NULL; tilde = strstr(expression, "~~"))
        memmove(tilde, tilde + 1, strlen(tilde));
    beam_start(&beam, &world, beam_name, "secret", expression);
    ck_assert(program_wait(&world, &beam, "connected true ['c"));
    ck_assert(node_wait(&node, "up beam"));
    ck_assert(node_sees(&node, beam_name));
}
END_TEST

/* We dial a BEAM node and a message reaches a registered process there. */
START_TEST(we_dial_a_beam)
{
    struct network_config config = node_init(&node, &world, "c", "secret");

    beam_start(&beam, &world, beam_name, "secret",
               "register(ear, self()), io:format(\"ready~n\"),"
               "receive M -> io:format(\"got ~p ~p~n\", [M, nodes()]) end,"
               "receive after infinity -> ok end.");
    ck_assert(program_wait(&world, &beam, "ready"));
    node_start_ready(&node, &config);
    ck_assert_int_eq(node_send_text(&node, beam_name, "ear", "hello"), 0);
    ck_assert(node_wait(&node, "up beam"));
    network_flush(node.network);
    ck_assert(program_wait(&world, &beam, "got {1,<<\"hello\">>} ['c"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("network");
    TCase *tcase = tcase_create("beam");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, beam_connects_to_us);
    tcase_add_test(tcase, we_dial_a_beam);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
