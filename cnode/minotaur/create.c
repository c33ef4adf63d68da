/*
 * Making a new game.
 *
 * Users are any maps: only their id (any term) and display name are read, and kept as they came.
 */
#include "create.h"

#include "board.h"
#include "datetime.h"
#include "import.h"
#include "memory.h"
#include "uuid.h"

#include <errno.h>

enum {
    HEALTH_AT_START = 3,
    ACTION_POINTS_AT_START = 2,
};

int64_t game_round_end(const struct cn_game_env *env)
{
    int64_t end_s = (env->now_s > 0 ? env->now_s : 0);

    if (env->round_seconds == 0)
        return GAME_NO_ROUND_END;
    if (end_s > DATETIME_SECONDS_MAX - (int64_t)env->round_seconds)
        return DATETIME_SECONDS_MAX;
    return end_s + env->round_seconds;
}

/* Keep what is under the key @key of the user at @path; a display name must be a binary. */
static int keep_field(struct import *import, const struct path *user_path, struct cn_term user,
                      const char *key, bool binary, uint32_t *ret_offset)
{
    struct path path = {.up = user_path, .field = key};
    struct cn_reader reader;
    struct cn_term value;

    if (!cn_map_get(user, key, &value))
        return invalid_missing(&import->invalid, &path);
    cn_reader_init(&reader, value);
    if (binary && cn_peek(&reader) != CN_TYPE_BINARY)
        return invalid_expected(&import->invalid, &path, "binary");
    return import_keep(import, value, ret_offset);
}

static int read_user(struct import *import, const struct path *path, struct cn_reader *reader,
                     struct player *player)
{
    struct cn_term user;
    int error;

    if (cn_peek(reader) != CN_TYPE_MAP || !cn_read_term(reader, &user))
        return invalid_expected(&import->invalid, path, "map");
    error = keep_field(import, path, user, "id", false, &player->user_id);
    if (error == 0)
        error = keep_field(import, path, user, "display_name", true, &player->display_name);
    return error;
}

static int make_arrays(struct game *game, uint32_t count)
{
    game->players = memory_array(count, sizeof *game->players);
    game->living = memory_array(count, sizeof *game->living);
    game->visible = memory_array(count, sizeof *game->visible);
    if (game->players == NULL || game->living == NULL || game->visible == NULL)
        return -ENOMEM;
    game->player_count = count;
    game->living_count = count;
    game->visible_count = game->visible_capacity = count;
    return 0;
}

static int read_users(struct import *import, struct cn_term users, struct game *game)
{
    struct cn_reader reader;
    uint32_t count;
    int error = import_list(import, NULL, users, &reader, &count);

    if (error == 0 && (count < 1 || count > BOARD_PLAYERS_MAX))
        error = invalid_length(&import->invalid, NULL, 1, BOARD_PLAYERS_MAX);
    if (error == 0)
        error = make_arrays(game, count);
    for (uint32_t i = 0; error == 0 && i < count; i++) {
        struct path path = {.number = i};

        error = read_user(import, &path, &reader, &game->players[i]);
    }
    return error;
}

static void place_players(struct game *game)
{
    for (uint32_t i = 0; i < game->player_count; i++) {
        int64_t id = (int64_t)i + 1;

        game->players[i].id = id;
        game->players[i].status = PLAYER_ACTIVE;
        game->visible[i].player_id = id;
        game->living[i] = (struct character){
            .player_id = id,
            .position = board_start(i, game->player_count),
            .health = HEALTH_AT_START,
            .action_points = ACTION_POINTS_AT_START,
        };
    }
}

static void begin_game(const struct cn_game_env *env, struct game *game)
{
    uint8_t random[UUID_RANDOM_BYTES];

    env->random(env->random_context, random, sizeof random);
    uuid_format(random, game->id);
    game->status = GAME_ACTIVE;
    game->round = 1;
    game->round_end_s = game_round_end(env);
    game->timed = env->round_seconds > 0;
    game->hexes = board_hexes;
    game->hex_count = BOARD_HEXES;
    place_players(game);
}

int game_create(const struct cn_game_env *env, struct cn_term users, struct game **ret_game,
                struct cn_writer *error_writer)
{
    struct import import = {.invalid = {.writer = error_writer, .tag = "invalid_users"}};
    struct game *game = game_new();
    int error;

    if (game == NULL)
        return -ENOMEM;
    cn_writer_init(&import.kept, INT32_MAX);
    error = read_users(&import, users, game);
    if (error == 0)
        error = import_hand_over(&import, game);
    cn_writer_free(&import.kept);
    if (error != 0) {
        game_free(game);
        return error;
    }
    begin_game(env, game);
    *ret_game = game;
    return 0;
}
