/*
 * Random games from seeds: whatever the players try, the rules hold.
 *
 * After each round the characters, the log and the lists are checked against each other; now and
 * then the game is taken out of the node and in again. A failure can be repeated from its seed.
 */
#include "support.h"

static const struct cn_game *const minotaur = &cn_minotaur_game;
static uint64_t seed;
static struct cn_writer writer;

static uint32_t below(uint32_t limit)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % limit;
}

static struct game *new_game(uint32_t players)
{
    struct cn_writer error;
    void *state;

    cn_writer_reset(&writer);
    cn_write_list(&writer, players);
    for (uint32_t i = 0; i < players; i++) {
        cn_write_map(&writer, 2);
        cn_write_atom(&writer, "id");
        cn_write_integer(&writer, 100 + i);
        cn_write_atom(&writer, "display_name");
        cn_write_string(&writer, "name");
    }
    cn_write_nil(&writer);
    cn_writer_init(&error, 0);
    must(minotaur->create(&still_env, cn_writer_term(&writer), &state, &error) == 0);
    return state;
}

static void write_vector(void)
{
    cn_write_map(&writer, 3);
    cn_write_atom(&writer, "__struct__");
    cn_write_atom(&writer, "Elixir.Minotaur.GameEngine.Vector");
    cn_write_atom(&writer, "q");
    cn_write_integer(&writer, (int64_t)below(3) - 1);
    cn_write_atom(&writer, "r");
    cn_write_integer(&writer, (int64_t)below(3) - 1);
}

/* Write a request of a random player, mostly a sensible one; attackers look around first. */
static void write_request(const struct game *game)
{
    uint32_t player = below(game->player_count + (below(20) == 0));
    const struct character *actor = game_living(game, player + 1);
    int64_t target = 1 + below(game->player_count + 1);
    bool attacks = below(9) == 0;

    for (uint32_t i = 0; i < game->living_count && actor != NULL && below(3) > 0; i++) {
        if (game->living[i].player_id != actor->player_id &&
            coord_equal(game->living[i].position, actor->position)) {
            target = game->living[i].player_id;
            attacks = true;
        }
    }
    cn_writer_reset(&writer);
    cn_write_tuple(&writer, 3);
    cn_write_atom(&writer, attacks ? "register_attack" : "register_move");
    cn_write_integer(&writer, 100 + player);
    if (attacks)
        cn_write_integer(&writer, target);
    else
        write_vector();
}

static bool is_floor(const struct game *game, struct coord place)
{
    for (uint32_t i = 0; i < game->hex_count; i++)
        if (coord_equal(game->hexes[i].coord, place))
            return game->hexes[i].terrain == TERRAIN_FLOOR;
    return false;
}

static void check_characters(const struct game *game)
{
    must(game->living_count + game->dead_count == game->player_count);
    for (uint32_t i = 0; i < game->living_count; i++) {
        const struct character *it = &game->living[i];
        const struct action_list *list = game_actions(game, it->player_id);

        must(it->health >= 1 && it->health <= 3);
        must(it->action_points >= 0 && it->action_points <= 3);
        must(is_floor(game, it->position));
        must(list == NULL || it->action_points + list->count <= 3);
        must(game_player(game, it->player_id)->status != PLAYER_ELIMINATED);
    }
    for (uint32_t i = 0; i < game->dead_count; i++) {
        must(game->dead[i].health == 0);
        must(game_player(game, game->dead[i].player_id)->status == PLAYER_ELIMINATED);
        must(game_actions(game, game->dead[i].player_id) == NULL);
    }
    must((game->living_count < 2) == (game->status == GAME_CONCLUDED));
    if (game->living_count == 1 && game->round > 1)
        must(game_player(game, game->living[0].player_id)->status == PLAYER_WON);
}

static void check_log(const struct game *game)
{
    uint32_t seen_attacks = 0;

    for (uint32_t i = 0; i < game->event_count; i++) {
        const struct event *it = &game->events[i];

        must(it->id == i);
        must(it->round >= 1 && it->round < game->round);
        must(i == 0 || game->events[i - 1].round <= it->round);
        seen_attacks += it->kind == EVENT_ATTACKED;
    }
    for (uint32_t i = 0; i < game->visible_count; i++) {
        const struct visible_list *list = &game->visible[i];

        for (uint32_t j = 0; j < list->count; j++) {
            must(list->ids[j] >= 0 && list->ids[j] < game->event_count);
            must(j == 0 || list->ids[j - 1] < list->ids[j]);
        }
    }
    for (uint32_t i = 0; i < game->player_count; i++) {
        int64_t lost = 3;
        const struct character *it = game_living(game, game->players[i].id);
        int64_t hits = 0;

        if (it != NULL)
            lost = 3 - it->health;
        for (uint32_t j = 0; j < game->event_count; j++)
            hits += game->events[j].kind == EVENT_ATTACKED &&
                    game->events[j].target_id == game->players[i].id;
        must(it != NULL ? hits == lost : hits >= lost);
    }
    must(seen_attacks <= game->event_count);
}

/* Take the game out of the node and in again: it is the same. */
static struct game *moved(struct game *game)
{
    struct cn_term before = exported(game);
    struct cn_writer error;
    void *state;

    minotaur->free(game);
    cn_writer_init(&error, 0);
    must(minotaur->import(&still_env, before, &state, &error) == 0);
    must(exported(state).size == before.size);
    ck_assert_mem_eq(exported(state).data, before.data, before.size);
    return state;
}

static uint32_t play(uint64_t from_seed, uint32_t rounds)
{
    struct cn_writer reply;
    struct game *game;
    uint32_t registered = 0;

    seed = from_seed;
    game = new_game(1 + below(6));
    cn_writer_init(&reply, 0);
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < game->player_count * 5; i++) {
            int result;

            write_request(game);
            cn_writer_reset(&reply);
            result = minotaur->call(&still_env, game, cn_writer_term(&writer), &reply);
            must(result == CN_GAME_CHANGED || result == CN_GAME_UNCHANGED);
            registered += result == CN_GAME_CHANGED;
        }
        cn_writer_reset(&reply);
        must(minotaur->call(&still_env, game, term(":end_round"), &reply) >= 0);
        check_characters(game);
        check_log(game);
        if (round % 7 == 0)
            game = moved(game);
    }
    minotaur->free(game);
    cn_writer_free(&reply);
    return registered;
}

/* Hundreds of games with more than 100,000 actions tried: characters, log and ids stay sound. */
START_TEST(random_games)
{
    uint32_t registered = 0;

    cn_writer_init(&writer, 0);
    for (uint64_t from_seed = 1; from_seed <= 300; from_seed++)
        registered += play(from_seed, 20);
    must(registered > 15000);
    cn_writer_free(&writer);
}
END_TEST

/* A seed tells the whole game: played again it ends in the same bytes. */
START_TEST(seeds_repeat)
{
    cn_writer_init(&writer, 0);
    for (uint64_t from_seed = 1; from_seed <= 5; from_seed++) {
        uint32_t first = play(from_seed, 20);

        ck_assert_uint_eq(play(from_seed, 20), first);
    }
    cn_writer_free(&writer);
}
END_TEST

TEST_MAIN("games", random_games, seeds_repeat)
