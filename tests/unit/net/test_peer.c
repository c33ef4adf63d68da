/*
 * One peer's comings and goings: dialling, both dialling at once, connecting anew, staying
 * connected. Two networks of ours in one loop, or one and a fake peer.
 */
#include "fake.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

static struct world world;
static struct node alice;
static struct node bob;
static struct fake fake;
static struct network_config alice_config;
static struct network_config bob_config;

static void setup(void)
{
    world_init(&world);
    alice_config = node_init(&alice, &world, "alice", "secret");
    bob_config = node_init(&bob, &world, "bob", "secret");
    memset(&fake, 0, sizeof(fake));
}

static void teardown(void)
{
    node_deinit(&alice);
    node_deinit(&bob);
    fake_deinit(&fake);
    world_deinit(&world);
}

static bool both_up(void *context)
{
    return node_sees(&alice, bob.name) && node_sees(&bob, alice.name);
}

static bool was_dialled(void *context)
{
    return ghost_was_dialled(context);
}

/* A dial ends with each seeing the other once, with the right creation. */
START_TEST(dial_connects_both)
{
    node_start_ready(&alice, &alice_config);
    node_start_ready(&bob, &bob_config);
    ck_assert_int_eq(network_connect(alice.network, bob.name), 0);
    ck_assert(world_until(&world, both_up, NULL));
    ck_assert_uint_eq(node_count(&alice, "up"), 1);
    ck_assert_uint_eq(node_count(&bob, "up"), 1);
    ck_assert_uint_eq(alice.peer_creation, network_creation(bob.network));
    ck_assert_uint_eq(bob.peer_creation, network_creation(alice.network));
    ck_assert_ptr_nonnull(strstr(alice.heard[node_find(&alice, "up", 0)], "initiated"));
    ck_assert_ptr_null(strstr(bob.heard[node_find(&bob, "up", 0)], "initiated"));
}
END_TEST

/* A turn in which everything has come to rest. */
static size_t quiet_turns;
static size_t lines_before;

static bool is_quiet(void *context)
{
    size_t lines = alice.heard_count + bob.heard_count;

    quiet_turns = lines == lines_before ? quiet_turns + 1 : 0;
    lines_before = lines;
    return quiet_turns > 20;
}

/* Both dial at once, again and again: one connection comes of it, and nobody goes down. */
START_TEST(simultaneous_dials_make_one_connection)
{
    node_start_ready(&alice, &alice_config);
    node_start_ready(&bob, &bob_config);
    for (int i = 0; i < 20; i++) {
        alice.heard_count = 0;
        bob.heard_count = 0;
        ck_assert_int_eq(network_connect(alice.network, bob.name), 0);
        ck_assert_int_eq(network_connect(bob.network, alice.name), 0);
        ck_assert(world_until(&world, both_up, NULL));
        quiet_turns = 0;
        ck_assert(world_until(&world, is_quiet, NULL));
        if (node_count(&alice, "up") != 1 || node_count(&bob, "up") != 1 ||
            node_count(&alice, "down") != 0 || node_count(&bob, "down") != 0) {
            node_print(&alice);
            node_print(&bob);
            ck_abort_msg("round %d: not exactly one connection", i);
        }
        ck_assert(network_disconnect(i % 2 == 0 ? alice.network : bob.network,
                                     i % 2 == 0 ? bob.name : alice.name));
        ck_assert(node_wait(&alice, "down"));
        ck_assert(node_wait(&bob, "down"));
    }
}
END_TEST

/* A wrong cookie is refused on both sides, each with a log line that says so. */
START_TEST(wrong_cookie_is_refused_and_said)
{
    bob_config.cookie = "other";
    node_start_ready(&alice, &alice_config);
    node_start_ready(&bob, &bob_config);
    ck_assert_int_eq(network_connect(alice.network, bob.name), 0);
    ck_assert(node_wait(&alice, "down bob"));
    ck_assert(node_wait(&bob, "log handshake.refused: alice"));
    ck_assert_ptr_nonnull(
        strstr(bob.heard[node_find(&bob, "log handshake.refused", 0)], "wrong cookie"));
    ck_assert_ptr_nonnull(
        strstr(alice.heard[node_find(&alice, "log dial.failed", 0)], "wrong cookie"));
    ck_assert(!node_heard(&alice, "up"));
    ck_assert(!node_heard(&bob, "up"));
    for (size_t i = 0; i < alice.heard_count; i++)
        ck_assert_ptr_null(strstr(alice.heard[i], "secret"));
}
END_TEST

/* A peer that is up and connects anew takes its own place: down comes before up. */
START_TEST(connecting_anew_replaces_the_old_connection)
{
    struct fake again;
    size_t down;

    node_start_ready(&alice, &alice_config);
    fake_init(&fake, &world, "fake@127.0.0.1", "secret");
    fake_init(&again, &world, "fake@127.0.0.1", "secret");
    connections_set_creation(again.connections, 78);
    fake_dial_up(&fake, &alice);
    ck_assert(node_wait(&alice, "up fake"));
    fake_dial_up(&again, &alice);
    down = node_find(&alice, "down fake@127.0.0.1 connection_closed", 0);
    ck_assert_uint_ne(down, HEARD_MAX);
    ck_assert_uint_lt(node_find(&alice, "up fake", 0), down);
    ck_assert_uint_ne(node_find(&alice, "up fake", down), HEARD_MAX);
    ck_assert_uint_eq(alice.peer_creation, 78);
    ck_assert(fake_wait_closed(&fake));
    ck_assert(node_sees(&alice, "fake@127.0.0.1"));
    fake_deinit(&again);
}
END_TEST

/* Let alice dial the ghost @alive until its TCP is up; then nothing more comes. */
static void dial_ghost(struct ghost *ghost, const char *alive)
{
    char name[64];

    ghost_start(ghost, &world, alive);
    node_start_ready(&alice, &alice_config);
    text_format(name, sizeof(name), "%s@127.0.0.1", alive);
    ck_assert_int_eq(network_connect(alice.network, name), 0);
    ck_assert(world_until(&world, was_dialled, ghost));
}

/* Both dial, the peer's name is greater: its dial wins, ours ends when it has proven the cookie. */
START_TEST(greater_name_wins_the_tie)
{
    struct ghost ghost;
    int fd;

    dial_ghost(&ghost, "zed");
    ck_assert_str_eq(greet(&alice, "zed@127.0.0.1", &fd), "ok_simultaneous");
    close(fd);
    fake_init(&fake, &world, "zed@127.0.0.1", "secret");
    fake_dial_up(&fake, &alice);
    ck_assert(node_wait(&alice, "up zed"));
    ck_assert_uint_eq(node_count(&alice, "down"), 0);
    ck_assert(!ghost_was_dialled(&ghost));
    ghost_stop(&ghost);
}
END_TEST

/* Both dial, our name is greater: the peer hears nok, our dial goes on. */
START_TEST(smaller_name_loses_the_tie)
{
    struct ghost ghost;
    int fd;

    dial_ghost(&ghost, "aaa");
    ck_assert_str_eq(greet(&alice, "aaa@127.0.0.1", &fd), "nok");
    close(fd);
    fake_init(&fake, &world, "aaa@127.0.0.1", "secret");
    fake_dial(&fake, &alice);
    ck_assert(fake_wait_closed(&fake));
    ck_assert_str_eq(fake.detail, "the peer dials us itself");
    ck_assert(!node_heard(&alice, "up"));
    ck_assert(!node_heard(&alice, "down"));
    ghost_stop(&ghost);
}
END_TEST

/*
 * A peer that is up hears alive when it connects anew; one that is not hears ok; we ourselves may
 * not.
 */
START_TEST(answers_to_names)
{
    int fd;

    node_start_ready(&alice, &alice_config);
    ck_assert_str_eq(greet(&alice, "fake@127.0.0.1", &fd), "ok");
    close(fd);
    fake_init(&fake, &world, "fake@127.0.0.1", "secret");
    fake_dial_up(&fake, &alice);
    ck_assert(node_wait(&alice, "up fake"));
    ck_assert_str_eq(greet(&alice, "fake@127.0.0.1", &fd), "alive");
    close(fd);
    ck_assert_str_eq(greet(&alice, alice.name, &fd), "not_allowed");
    close(fd);
    ck_assert(node_sees(&alice, "fake@127.0.0.1"));
}
END_TEST

/* While a peer greets us, our own dial to it waits a moment: nearly always it need not happen. */
START_TEST(peer_that_greets_us_goes_first)
{
    struct ghost ghost;
    int fd;

    ghost_start(&ghost, &world, "zed");
    node_start_ready(&alice, &alice_config);
    ck_assert_str_eq(greet(&alice, "zed@127.0.0.1", &fd), "ok");
    ck_assert_int_eq(network_connect(alice.network, "zed@127.0.0.1"), 0);
    fake_init(&fake, &world, "zed@127.0.0.1", "secret");
    fake_dial_up(&fake, &alice);
    ck_assert(node_wait(&alice, "up zed"));
    ck_assert(!ghost_was_dialled(&ghost));
    close(fd);
    ghost_stop(&ghost);
}
END_TEST

/* A greeting that comes to nothing holds our dial up for that moment only. */
START_TEST(greeting_does_not_hold_a_dial_up)
{
    struct ghost ghost;
    int fd;

    ghost_start(&ghost, &world, "zed");
    node_start_ready(&alice, &alice_config);
    ck_assert_str_eq(greet(&alice, "zed@127.0.0.1", &fd), "ok");
    ck_assert_int_eq(network_connect(alice.network, "zed@127.0.0.1"), 0);
    ck_assert(world_until(&world, was_dialled, &ghost));
    close(fd);
    ghost_stop(&ghost);
}
END_TEST

/* A stranger that claims to be a peer that is up changes nothing. */
START_TEST(stranger_cannot_replace_a_peer)
{
    struct fake stranger;

    node_start_ready(&alice, &alice_config);
    fake_init(&fake, &world, "fake@127.0.0.1", "secret");
    fake_init(&stranger, &world, "fake@127.0.0.1", "guess");
    fake_dial_up(&fake, &alice);
    fake_dial(&stranger, &alice);
    ck_assert(fake_wait_closed(&stranger));
    ck_assert(!stranger.up);
    ck_assert(!node_heard(&alice, "down"));
    ck_assert(node_sees(&alice, "fake@127.0.0.1"));
    ck_assert(!fake.closed);
    fake_deinit(&stranger);
}
END_TEST

/* A stranger that claims to be the peer we are dialling does not end our dial. */
START_TEST(stranger_cannot_stop_a_dial)
{
    struct fake stranger;
    int fd;

    node_start_ready(&alice, &alice_config);
    node_start_ready(&bob, &bob_config);
    fake_init(&stranger, &world, bob.name, "guess"); /* the greater name: alice would give way */
    fake_dial(&stranger, &alice);
    ck_assert_int_eq(network_connect(alice.network, bob.name), 0);
    fd = plain_connect(&alice);
    ck_assert(world_until(&world, both_up, NULL));
    ck_assert(!node_heard(&alice, "down"));
    close(fd);
    fake_deinit(&stranger);
}
END_TEST

/* A node to stay connected with is dialled until it is there, and again when it comes back. */
START_TEST(kept_node_is_dialled_for_ever)
{
    const char *const keep[] = {bob.name, NULL};
    uint32_t first;

    alice_config.connect = keep;
    node_start_ready(&alice, &alice_config); /* ready although bob is not there */
    ck_assert(node_heard(&alice, "log dial.failed: bob"));
    ck_assert(!node_heard(&alice, "down"));
    node_start(&bob, &bob_config);
    ck_assert(node_wait(&alice, "up bob"));
    first = alice.peer_creation;
    node_deinit(&bob);
    ck_assert(node_wait(&alice, "down bob"));
    alice.heard_count = 0;
    bob.heard_count = 0;
    node_start(&bob, &bob_config);
    ck_assert(node_wait(&alice, "up bob"));
    ck_assert_uint_ne(alice.peer_creation, first);
}
END_TEST

/* Disconnecting is told to both, and a new dial works. */
START_TEST(disconnect_and_dial_again)
{
    node_start_ready(&alice, &alice_config);
    node_start_ready(&bob, &bob_config);
    ck_assert(!network_disconnect(alice.network, bob.name));
    ck_assert_int_eq(network_connect(alice.network, bob.name), 0);
    ck_assert(world_until(&world, both_up, NULL));
    ck_assert(network_disconnect(alice.network, bob.name));
    ck_assert(!network_disconnect(alice.network, bob.name));
    ck_assert(node_wait(&alice, "down"));
    ck_assert_str_eq(strrchr(alice.heard[node_find(&alice, "down", 0)], ' '), " disconnect");
    ck_assert(node_wait(&bob, "down"));
    ck_assert_str_eq(strrchr(bob.heard[node_find(&bob, "down", 0)], ' '), " connection_closed");
    ck_assert_int_eq(network_connect(bob.network, alice.name), 0);
    ck_assert(world_until(&world, both_up, NULL));
}
END_TEST

/* Dialling a node that is not there ends with noconnection, once. */
START_TEST(absent_node_is_told)
{
    node_start_ready(&alice, &alice_config);
    ck_assert_int_eq(network_connect(alice.network, "nobody@127.0.0.1"), 0);
    ck_assert_int_eq(network_connect(alice.network, "nobody@127.0.0.1"), 0);
    ck_assert(node_wait(&alice, "down nobody@127.0.0.1 noconnection"));
    ck_assert_uint_eq(node_count(&alice, "down"), 1);
    ck_assert_ptr_nonnull(
        strstr(alice.heard[node_find(&alice, "log dial.failed", 0)], "no node of this name"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("peer");
    TCase *tcase = tcase_create("peer");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, dial_connects_both);
    tcase_add_test(tcase, simultaneous_dials_make_one_connection);
    tcase_add_test(tcase, wrong_cookie_is_refused_and_said);
    tcase_add_test(tcase, connecting_anew_replaces_the_old_connection);
    tcase_add_test(tcase, greater_name_wins_the_tie);
    tcase_add_test(tcase, smaller_name_loses_the_tie);
    tcase_add_test(tcase, answers_to_names);
    tcase_add_test(tcase, peer_that_greets_us_goes_first);
    tcase_add_test(tcase, greeting_does_not_hold_a_dial_up);
    tcase_add_test(tcase, stranger_cannot_replace_a_peer);
    tcase_add_test(tcase, stranger_cannot_stop_a_dial);
    tcase_add_test(tcase, kept_node_is_dialled_for_ever);
    tcase_add_test(tcase, disconnect_and_dial_again);
    tcase_add_test(tcase, absent_node_is_told);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
