/*
 * The real game on two hosts: created, played, moved by a drain with its timer, played on.
 */
#include <string.h>

#include "base/alloc.h"
#include "session/snapshot.h"
#include "unit/session/main.h"

static struct hosts *host(int node)
{
    struct hosts_config config = cluster_config(&cluster, node);

    config.round_seconds = 10;
    return cluster_host_of(&cluster, node, &cn_minotaur_game, &config);
}

/* Apply a function of the game's module on @to, from node 2. */
static const char *rpc(int to, const char *function, struct cn_term arguments)
{
    struct cluster_node *self = &cluster.nodes[2];

    ck_assert_int_eq(call_rpc(self->client, cluster_name(&cluster, to), cn_minotaur_game.module,
                              function, arguments, 60000, server_done, &self->client_log, NULL),
                     0);
    cluster_settle(&cluster);
    return cluster_last(&cluster, 2);
}

static void put_user(struct cn_writer *writer, int id)
{
    cn_write_map(writer, 2);
    cn_write_atom(writer, "id");
    cn_write_integer(writer, id);
    cn_write_atom(writer, "display_name");
    cn_write_string(writer, "somebody");
}

/* Create a game of @users users on the only host, 0. */
static struct session *create(uint32_t users)
{
    struct session_key *key;
    struct cn_term list;
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_list(&writer, users);
    for (uint32_t i = 0; i < users; i++)
        put_user(&writer, 10 + (int)i);
    cn_write_nil(&writer);
    list = cn_writer_term(&writer);
    (void)rpc(0, "create_game", parse_with("[<<\"code\">>,%t]", &list));
    cn_writer_free(&writer);
    ck_assert_msg(strncmp(cluster_last(&cluster, 2), "reply {ok,<a.", 13) == 0, "%s",
                  cluster_last(&cluster, 2));
    key = cluster.nodes[0].hosts->table.by_id;
    ck_assert_ptr_nonnull(key);
    return key->session;
}

static uint32_t hash_of(const struct session *session)
{
    struct cn_writer writer;
    uint32_t hash;

    cn_writer_init(&writer, 0);
    ck_assert_int_eq(cn_minotaur_game.export(session->game, &writer), 0);
    hash = snapshot_hash(cn_writer_term(&writer));
    cn_writer_free(&writer);
    return hash;
}

/* A game moves with its whole state; its round's timer goes off at the new owner, on time. */
START_TEST(game_moves_with_its_timer)
{
    struct session *old, *new;
    uint32_t before;

    host(0);
    old = create(3);
    before = hash_of(old);
    host(1);
    cluster_pass(&cluster, 4000);
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    ck_assert_ptr_nonnull(cluster.nodes[1].hosts->table.by_id);
    new = cluster.nodes[1].hosts->table.by_id->session;
    ck_assert_uint_eq(hash_of(new), before);
    ck_assert_uint_eq(new->epoch, 2);
    ck_assert_uint_eq(new->version, 1);
    cluster_pass(&cluster, 4000);
    ck_assert_uint_eq(new->version, 1);
    cluster_pass(&cluster, 3000);
    ck_assert_uint_eq(new->version, 2);
    ck_assert_uint_ne(hash_of(new), before);
    cluster_pass(&cluster, 10000);
    ck_assert_uint_eq(new->version, 3);
    ck_assert_int_eq(cluster.nodes[0].exit_code, 0);
}
END_TEST

/* The game's functions find it by id and by join code, here and from the other host. */
START_TEST(functions_find_it)
{
    struct session *session;
    struct cn_term id_term;
    struct cn_writer id;

    host(0);
    session = create(2);
    host(1);
    cn_writer_init(&id, 0);
    cn_write_binary(&id, session_id(session));
    id_term = cn_writer_term(&id);
    for (int node = 0; node < 2; node++) {
        ck_assert_ptr_nonnull(
            strstr(rpc(node, "get_game", parse_with("[%t]", &id_term)), "reply {ok,#{"));
        ck_assert_ptr_nonnull(
            strstr(rpc(node, "get_game_by_join_code", parse("[<<\"code\">>]")), "reply {ok,#{"));
        ck_assert_ptr_nonnull(
            strstr(rpc(node, "end_round", parse_with("[%t]", &id_term)), "reply {ok,#{"));
        ck_assert_str_eq(rpc(node, "register_attack", parse_with("[%t,10,9]", &id_term)),
                         "reply {error,target_not_found}");
        ck_assert_str_eq(rpc(node, "get_game", parse("[<<\"nobody\">>]")),
                         "reply {error,game_not_alive}");
    }
    ck_assert_uint_eq(session->version, 3);
    cn_writer_free(&id);
}
END_TEST

/* Bad input is named, without a session and without a message to another host. */
START_TEST(bad_input)
{
    host(0);
    ck_assert_str_eq(rpc(0, "create_game", parse("[<<\"\">>,[]]")),
                     "reply {error,invalid_join_code}");
    ck_assert_ptr_nonnull(
        strstr(rpc(0, "create_game", parse("[<<\"c\">>,[]]")), "reply {error,{invalid_users,[],"));
    ck_assert_ptr_nonnull(
        strstr(rpc(0, "continue_game", parse("[what]")), "reply {error,{invalid_game,[],"));
    ck_assert_ptr_null(cluster.nodes[0].hosts->table.by_id);
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("minotaur_game", &tests);

    tcase_add_test(tests, game_moves_with_its_timer);
    tcase_add_test(tests, functions_find_it);
    tcase_add_test(tests, bad_input);
    return run_suite(suite);
}
