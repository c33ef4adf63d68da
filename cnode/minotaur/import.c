/*
 * The game itself and its players; the other parts have files of their own.
 *
 * A failure anywhere releases the half-built game. The recursion is that of our shapes, six deep,
 * never that of the term: what we do not know is passed over by the reader, which counts.
 */
#include "import.h"

#include "datetime.h"
#include "entries.h"
#include "memory.h"
#include "upgrade.h"
#include "uuid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int import_hand_over(struct import *import, struct game *game)
{
    int error = cn_writer_error(&import->kept);
    uint8_t *shrunk;

    if (error != 0)
        return error;
    game->bytes = cn_writer_take(&import->kept, &game->bytes_size);
    if (game->bytes == NULL)
        return 0;
    shrunk = realloc(game->bytes, game->bytes_size);
    if (shrunk != NULL)
        game->bytes = shrunk;
    return 0;
}

int import_list(struct import *import, const struct path *path, struct cn_term term,
                struct cn_reader *ret_reader, uint32_t *ret_count)
{
    struct cn_reader reader;
    uint32_t count;
    bool proper;

    cn_reader_init(&reader, term);
    proper = cn_read_list(&reader, &count);
    if (proper) {
        *ret_reader = reader;
        for (uint32_t i = 0; i < count; i++)
            cn_skip(&reader);
        proper = count == 0 || cn_read_nil(&reader);
    }
    if (!proper)
        return invalid_expected(&import->invalid, path, "list");
    *ret_count = count;
    return 0;
}

int import_coord(const struct record *record, unsigned field, const struct shape *shape,
                 struct coord *ret_coord, uint32_t *ret_extras)
{
    struct path path = record_path(record, field);
    struct record coord;
    struct cn_term term;
    int error = record_term(record, field, &term);

    if (error == 0)
        error = record_read(&coord, record->import, &path, shape, term);
    if (error == 0)
        error = record_integer(&coord, COORD_Q, &ret_coord->q);
    if (error == 0)
        error = record_integer(&coord, COORD_R, &ret_coord->r);
    if (error == 0)
        *ret_extras = coord.extras;
    return error;
}

static int import_player(struct import *import, const struct path *path, const struct entry *entry,
                         struct player *player)
{
    struct record record;
    int error = record_read(&record, import, path, &shape_player, entry->value);

    if (error == 0)
        error = record_key(&record, PLAYER_ID, INT64_MIN, "integer", entry->key);
    if (error == 0)
        error = record_keep(&record, PLAYER_USER_ID, &player->user_id);
    if (error == 0)
        error = record_keep_binary(&record, PLAYER_DISPLAY_NAME, &player->display_name);
    if (error == 0)
        error = record_one_of(&record, PLAYER_STATUS, player_statuses, &player->status);
    player->id = entry->key;
    player->extras = record.extras;
    return error;
}

int import_players(const struct record *game_record, struct game *game)
{
    struct entries entries;
    int error = entries_read(&entries, game_record, GAME_PLAYERS, INT64_MIN, "integer");

    if (error != 0)
        return error;
    game->players = memory_array(entries.count, sizeof *game->players);
    if (game->players == NULL && entries.count > 0)
        error = -ENOMEM;
    else
        game->player_count = entries.count;
    for (uint32_t i = 0; i < entries.count && error == 0; i++) {
        struct path path = entries_path(&entries, i);

        error = import_player(game_record->import, &path, &entries.items[i], &game->players[i]);
    }
    entries_free(&entries);
    return error;
}

static int import_id(const struct record *record, struct game *game)
{
    struct cn_reader reader;
    struct cn_bytes text;
    struct cn_term term;
    int error = record_term(record, GAME_ID, &term);

    if (error != 0)
        return error;
    cn_reader_init(&reader, term);
    if (!cn_read_binary(&reader, &text) || !uuid_is_valid(text))
        return record_expected(record, GAME_ID, "uuid");
    memcpy(game->id, text.data, sizeof game->id);
    return 0;
}

static int import_round_end(const struct record *record, struct game *game)
{
    struct cn_term term;
    int error = record_term(record, GAME_ROUND_END_TIME, &term);

    if (error != 0)
        return error;
    if (cn_term_is_atom(term, "nil"))
        game->round_end_s = GAME_NO_ROUND_END;
    else if (!datetime_read(term, &game->round_end_s))
        return record_expected(record, GAME_ROUND_END_TIME, "datetime_or_nil");
    return 0;
}

static int import_version(const struct record *record)
{
    struct cn_reader reader;
    struct cn_writer *error = record->import->invalid.writer;

    if (record->values[GAME_VERSION].data != NULL) {
        cn_reader_init(&reader, record->values[GAME_VERSION]);
        if (cn_read_integer(&reader, &record->import->version) &&
            upgrade_knows(record->import->version))
            return 0;
    }
    cn_write_tuple(error, 2);
    cn_write_atom(error, "error");
    cn_write_atom(error, "invalid_game_version");
    return cn_writer_error(error) != 0 ? cn_writer_error(error) : 1;
}

static int import_fields(const struct record *record, struct game *game)
{
    int error = import_version(record);

    if (error == 0)
        error = import_id(record, game);
    if (error == 0)
        error = record_one_of(record, GAME_STATUS, game_statuses, &game->status);
    if (error == 0)
        error = record_integer_from(record, GAME_ROUND, 1, "positive_integer", &game->round);
    record->import->game_round = game->round;
    if (error == 0)
        error = import_round_end(record, game);
    if (error == 0)
        error = import_players(record, game);
    if (error == 0)
        error = import_actions(record, game);
    if (error == 0)
        error = import_log(record, game);
    if (error == 0)
        error = import_world(record, game);
    return error;
}

int game_import(struct cn_term term, struct game **ret_game, struct cn_writer *error_writer)
{
    struct import import = {.invalid = {.writer = error_writer, .tag = "invalid_game"}};
    struct record record;
    struct game *game = game_new();
    int error;

    if (game == NULL)
        return -ENOMEM;
    cn_writer_init(&import.kept, INT32_MAX);
    error = record_read(&record, &import, NULL, &shape_game, term);
    if (error == 0)
        error = import_fields(&record, game);
    if (error == 0)
        error = import_hand_over(&import, game);
    cn_writer_free(&import.kept);
    if (error != 0) {
        game_free(game);
        return error;
    }
    game->extras = record.extras;
    *ret_game = game;
    return 0;
}
