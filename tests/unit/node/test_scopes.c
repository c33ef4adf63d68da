/*
 * The scopes of node a: which there are, and which peers they look for. Node b writes down what
 * comes to the name of a scope.
 */
#include "node/scopes.h"

#include <string.h>

#include "base/error.h"
#include "unit/proc/world.h"

static struct world world;
static struct functions *functions;
static struct scopes *scopes;
static struct probe heard[2]; /* by node b's processes of the two scopes' names */
static struct config config;
static struct hosts_config hosts;

static void setup(void)
{
    static const char *const names[] = {"Elixir.Minotaur.PubSub", "Elixir.Phoenix.PubSub"};

    world_init(&world);
    ck_assert_int_eq(functions_new(world_procs(&world, 0), &functions), 0);
    ck_assert_int_eq(scopes_new(world_procs(&world, 0), functions, NULL, &scopes), 0);
    for (int i = 0; i < 2; i++) {
        struct process *process = probe_start(world_procs(&world, 1), &heard[i]);
        ck_assert_int_eq(process_register(process, names[i]), 0);
    }
    config = (struct config){.pubsub = NULL};
    hosts = (struct hosts_config){0};
}

static void teardown(void)
{
    world_deinit(&world);
    scopes = scopes_free(scopes);
    functions = functions_free(functions);
    probe_deinit(&heard[0]);
    probe_deinit(&heard[1]);
}

static void peer_up(bool published)
{
    struct peer_info peer = {.node = "b@world", .published = published};

    ck_assert_int_eq(scopes_peer_up(scopes, &peer), 0);
    world_settle(&world);
}

/* A game needs one scope, and a second one for a Phoenix.PubSub, of which it is told the group. */
START_TEST(a_game_has_its_scopes)
{
    ck_assert_int_eq(scopes_for_game(scopes, &config, &hosts), 0);
    ck_assert_str_eq(pg_scope(hosts.pubsub), "Elixir.Minotaur.PubSub");
    ck_assert_ptr_null(hosts.phoenix);
    peer_up(true);
    ck_assert_uint_eq(heard[0].count, 1);
    ck_assert_uint_eq(heard[1].count, 0);

    config.pubsub = "MyApp.PubSub";
    ck_assert_int_eq(scopes_for_game(scopes, &config, &hosts), 0);
    ck_assert_str_eq(pg_scope(hosts.phoenix), "Elixir.Phoenix.PubSub");
    ck_assert_str_eq(hosts.phoenix_adapter, "Elixir.MyApp.PubSub.Adapter");
    peer_up(true);
    ck_assert_uint_eq(heard[0].count, 2);
    ck_assert_uint_eq(heard[1].count, 1);
}
END_TEST

/* A hidden node is not looked for. */
START_TEST(hidden_peers_are_left_alone)
{
    ck_assert_int_eq(scopes_for_game(scopes, &config, &hosts), 0);
    peer_up(false);
    ck_assert_uint_eq(heard[0].count, 0);
}
END_TEST

/* A scope is started once, whoever asks for it, and not under a name that somebody has. */
START_TEST(a_scope_is_started_once)
{
    struct pg *first = NULL;
    struct pg *second = NULL;

    ck_assert_int_eq(scopes_start(scopes, "scope", &first), 0);
    ck_assert_int_eq(scopes_start(scopes, "scope", &second), 0);
    ck_assert_ptr_eq(first, second);
    ck_assert_int_eq(scopes_start(scopes, "rex", &second), CN_E_TAKEN);
    scopes_peer_down(scopes, "b@world");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, a_game_has_its_scopes);
    tcase_add_test(tcase, hidden_peers_are_left_alone);
    tcase_add_test(tcase, a_scope_is_started_once);
}

int main(void)
{
    return run_tests("scopes", add, setup, teardown);
}
