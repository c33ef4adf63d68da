/*
 * The world: the grid by coordinate, the characters by player id.
 *
 * A grid that is hex for hex the one of new games is not kept: the game shares that one. Keys may
 * differ in fields that we do not know and still be the same hex; sorting puts the one that counts
 * first.
 */
#include "board.h"
#include "entries.h"
#include "import.h"
#include "memory.h"

#include <errno.h>
#include <stdlib.h>

/* A key of the grid, with its value still to be read. */
struct place {
    struct coord coord;
    uint32_t extras;
    struct cn_term key;
    struct cn_term value;
};

static bool view_integer(struct cn_term term, int64_t *ret_value)
{
    struct cn_reader reader;

    if (term.data == NULL)
        return false;
    cn_reader_init(&reader, term);
    return cn_read_integer(&reader, ret_value);
}

/* Read a key; whatever is wrong inside is said of the key as a whole. */
static int read_key(struct import *import, const struct path *path, struct place *place)
{
    struct record record;
    int error = record_read(&record, import, path, &shape_coord, place->key);

    if (error == 0 && (!view_integer(record.values[COORD_Q], &place->coord.q) ||
                       !view_integer(record.values[COORD_R], &place->coord.r)))
        error = invalid_struct(&import->invalid, path, atom_text(shape_coord.module));
    place->extras = record.extras;
    return error;
}

static int compare_places(const void *a, const void *b)
{
    return board_compare(((const struct place *)a)->coord, ((const struct place *)b)->coord);
}

static int read_places(struct import *import, const struct path *grid, struct cn_reader *reader,
                       struct place *places, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct path path = {.up = grid};
        int error;

        if (!cn_read_term(reader, &places[i].key) || !cn_read_term(reader, &places[i].value))
            return invalid_expected(&import->invalid, grid, "map");
        path.key = places[i].key;
        error = read_key(import, &path, &places[i]);
        if (error != 0)
            return error;
    }
    if (count > 1)
        qsort(places, count, sizeof *places, compare_places);
    return 0;
}

static int import_hex(struct import *import, const struct path *path, const struct place *place,
                      struct hex *hex)
{
    struct record record;
    struct path coord_path;
    int error = record_read(&record, import, path, &shape_hex, place->value);

    if (error == 0)
        error = import_coord(&record, HEX_COORD, &shape_coord, &hex->coord, &hex->coord_extras);
    if (error == 0 && !coord_equal(place->coord, hex->coord)) {
        coord_path = record_path(&record, HEX_COORD);
        error = invalid_equal(&import->invalid, &coord_path, place->key);
    }
    if (error == 0)
        error = record_one_of(&record, HEX_TERRAIN, terrains, &hex->terrain);
    hex->key_extras = place->extras;
    hex->extras = record.extras;
    return error;
}

/* Of the keys that are the same hex the one that counts comes first: a plain one, else a floor. */
static int compare_hexes(const void *a, const void *b)
{
    const struct hex *hex_a = a;
    const struct hex *hex_b = b;
    int order = board_compare(hex_a->coord, hex_b->coord);

    if (order == 0)
        order = (hex_a->key_extras != 0) - (hex_b->key_extras != 0);
    return order != 0 ? order : hex_a->terrain - hex_b->terrain;
}

/* Put hexes of the same place in order; two plain keys there are no map of Erlang's. */
static int order_hexes(struct import *import, const struct path *grid, struct hex *hexes,
                       uint32_t count)
{
    if (count > 1)
        qsort(hexes, count, sizeof *hexes, compare_hexes);
    for (uint32_t i = 1; i < count; i++)
        if (coord_equal(hexes[i - 1].coord, hexes[i].coord) && hexes[i].key_extras == 0)
            return invalid_expected(&import->invalid, grid, "map");
    return 0;
}

static int import_hexes(struct import *import, const struct path *grid, const struct place *places,
                        uint32_t count, struct game *game)
{
    struct hex *hexes = memory_array(count, sizeof *hexes);
    int error = 0;

    if (hexes == NULL && count > 0)
        return -ENOMEM;
    game->hexes = hexes;
    game->hex_count = count;
    game->owns_hexes = true;
    for (uint32_t i = 0; i < count && error == 0; i++) {
        struct path path = {.up = grid, .key = places[i].key};

        error = import_hex(import, &path, &places[i], &hexes[i]);
    }
    return error != 0 ? error : order_hexes(import, grid, hexes, count);
}

static bool is_board(const struct game *game)
{
    for (uint32_t i = 0; i < game->hex_count; i++) {
        const struct hex *hex = &game->hexes[i];

        if (i >= BOARD_HEXES || hex->extras != 0 || hex->coord_extras != 0 ||
            hex->key_extras != 0 || hex->terrain != board_hexes[i].terrain ||
            !coord_equal(hex->coord, board_hexes[i].coord))
            return false;
    }
    return game->hex_count == BOARD_HEXES;
}

static void share_board(struct game *game)
{
    memory_release((struct hex *)game->hexes);
    game->hexes = board_hexes;
    game->owns_hexes = false;
}

static int import_grid(const struct record *world, struct game *game)
{
    struct path path = record_path(world, WORLD_GRID);
    struct cn_reader reader;
    struct place *places;
    struct cn_term term;
    uint32_t count;
    int error = record_term(world, WORLD_GRID, &term);

    if (error != 0)
        return error;
    cn_reader_init(&reader, term);
    if (!cn_read_map(&reader, &count))
        return record_expected(world, WORLD_GRID, "map");
    places = memory_array(count, sizeof *places);
    if (places == NULL && count > 0)
        return -ENOMEM;
    error = read_places(world->import, &path, &reader, places, count);
    if (error == 0)
        error = import_hexes(world->import, &path, places, count, game);
    memory_release(places);
    if (error == 0 && is_board(game))
        share_board(game);
    return error;
}

static int import_character(struct import *import, const struct path *path,
                            const struct entry *entry, struct character *character)
{
    struct record record;
    int error = record_read(&record, import, path, &shape_character, entry->value);

    if (error == 0)
        error = record_key(&record, CHARACTER_PLAYER_ID, INT64_MIN, "integer", entry->key);
    if (error == 0)
        error = import_coord(&record, CHARACTER_POSITION, &shape_coord, &character->position,
                             &character->position_extras);
    if (error == 0)
        error = record_integer_from(&record, CHARACTER_HEALTH, 0, "non_neg_integer",
                                    &character->health);
    if (error == 0)
        error = record_integer_from(&record, CHARACTER_ACTION_POINTS, 0, "non_neg_integer",
                                    &character->action_points);
    character->player_id = entry->key;
    character->extras = record.extras;
    return error;
}

static int import_characters(const struct record *world, unsigned field,
                             struct character **ret_characters, uint32_t *ret_count)
{
    struct entries entries;
    int error = entries_read(&entries, world, field, INT64_MIN, "integer");

    if (error != 0)
        return error;
    *ret_characters = memory_array(entries.count, sizeof **ret_characters);
    if (*ret_characters == NULL && entries.count > 0)
        error = -ENOMEM;
    else
        *ret_count = entries.count;
    for (uint32_t i = 0; i < entries.count && error == 0; i++) {
        struct path path = entries_path(&entries, i);

        error = import_character(world->import, &path, &entries.items[i], &(*ret_characters)[i]);
    }
    entries_free(&entries);
    return error;
}

int import_world(const struct record *game_record, struct game *game)
{
    struct path path = record_path(game_record, GAME_WORLD);
    struct record world;
    struct cn_term term;
    int error = record_term(game_record, GAME_WORLD, &term);

    if (error == 0)
        error = record_read(&world, game_record->import, &path, &shape_world, term);
    if (error != 0)
        return error;
    game->world_extras = world.extras;
    error = import_grid(&world, game);
    if (error == 0)
        error = import_characters(&world, WORLD_PLAYER_CHARACTERS, &game->living,
                                  &game->living_count);
    if (error == 0)
        error = import_characters(&world, WORLD_DEAD_CHARACTERS, &game->dead, &game->dead_count);
    game->dead_capacity = game->dead_count;
    return error;
}
