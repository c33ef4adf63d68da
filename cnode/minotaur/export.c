/*
 * Writing a game: every struct with its known fields in the order of its shape, then those that are
 * kept.
 *
 * The order is the same whatever came in, so that two C nodes with equal games write equal bytes.
 * What never changes is written once; see written.h.
 */
#include "export.h"

#include "datetime.h"
#include "shapes.h"

/* By the enums of state.h, as the tables of texts in shapes.c. */
static const uint8_t game_status_atoms[] = {ATOM_ACTIVE, ATOM_CONCLUDED};
static const uint8_t player_status_atoms[] = {ATOM_ACTIVE, ATOM_ELIMINATED, ATOM_WON};
static const uint8_t terrain_atoms[] = {ATOM_FLOOR, ATOM_WALL};

/* Give a reader of the kept map at @extras and the number of its pairs. */
static uint32_t read_extras(const struct game *game, uint32_t extras, struct cn_reader *ret_reader)
{
    uint32_t count = 0;

    if (extras == 0)
        return 0;
    cn_reader_init(ret_reader, game_kept_term(game, extras));
    cn_read_map(ret_reader, &count);
    return count;
}

/* Begin a struct: the caller writes each known field's name and value. */
static void begin(const struct game *game, struct cn_writer *writer, const struct shape *shape,
                  uint32_t extras)
{
    struct cn_reader reader;
    uint32_t count = read_extras(game, extras, &reader);

    cn_write_map(writer, 1 + shape->field_count + count);
    write_atom(writer, ATOM_STRUCT);
    write_atom(writer, shape->module);
    for (uint32_t i = 0; i < 2 * count; i++) {
        struct cn_term term;

        if (cn_read_term(&reader, &term))
            cn_write_term(writer, term);
    }
}

static void write_name(struct cn_writer *writer, const struct shape *shape, unsigned field)
{
    write_atom(writer, shape->fields[field]);
}

static void write_integer(struct cn_writer *writer, const struct shape *shape, unsigned field,
                          int64_t value)
{
    write_name(writer, shape, field);
    cn_write_integer(writer, value);
}

static void write_coord(const struct game *game, struct cn_writer *writer,
                        const struct shape *shape, struct coord coord, uint32_t extras)
{
    begin(game, writer, shape, extras);
    write_integer(writer, shape, COORD_Q, coord.q);
    write_integer(writer, shape, COORD_R, coord.r);
}

static void write_hex(const void *context, struct cn_writer *writer, uint32_t index)
{
    const struct game *game = context;
    const struct hex *hex = &game->hexes[index];

    write_coord(game, writer, &shape_coord, hex->coord, hex->key_extras);
    begin(game, writer, &shape_hex, hex->extras);
    write_name(writer, &shape_hex, HEX_COORD);
    write_coord(game, writer, &shape_coord, hex->coord, hex->coord_extras);
    write_name(writer, &shape_hex, HEX_TERRAIN);
    write_atom(writer, terrain_atoms[hex->terrain]);
}

static void write_characters(const struct game *game, struct cn_writer *writer,
                             const struct character *characters, uint32_t count)
{
    const struct shape *shape = &shape_character;

    cn_write_map(writer, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct character *it = &characters[i];

        cn_write_integer(writer, it->player_id);
        begin(game, writer, shape, it->extras);
        write_integer(writer, shape, CHARACTER_PLAYER_ID, it->player_id);
        write_name(writer, shape, CHARACTER_POSITION);
        write_coord(game, writer, &shape_coord, it->position, it->position_extras);
        write_integer(writer, shape, CHARACTER_HEALTH, it->health);
        write_integer(writer, shape, CHARACTER_ACTION_POINTS, it->action_points);
    }
}

static void write_world(const struct game *game, struct cn_writer *writer)
{
    const struct shape *shape = &shape_world;

    begin(game, writer, shape, game->world_extras);
    write_name(writer, shape, WORLD_GRID);
    cn_write_map(writer, game->hex_count);
    written_write(&game->written->grid, game, write_hex, game->hex_count, writer);
    write_name(writer, shape, WORLD_PLAYER_CHARACTERS);
    write_characters(game, writer, game->living, game->living_count);
    write_name(writer, shape, WORLD_DEAD_CHARACTERS);
    write_characters(game, writer, game->dead, game->dead_count);
}

static void write_players(const struct game *game, struct cn_writer *writer)
{
    const struct shape *shape = &shape_player;

    cn_write_map(writer, game->player_count);
    for (uint32_t i = 0; i < game->player_count; i++) {
        const struct player *player = &game->players[i];

        cn_write_integer(writer, player->id);
        begin(game, writer, shape, player->extras);
        write_integer(writer, shape, PLAYER_ID, player->id);
        write_name(writer, shape, PLAYER_USER_ID);
        cn_write_term(writer, game_kept_term(game, player->user_id));
        write_name(writer, shape, PLAYER_DISPLAY_NAME);
        cn_write_term(writer, game_kept_term(game, player->display_name));
        write_name(writer, shape, PLAYER_STATUS);
        write_atom(writer, player_status_atoms[player->status]);
    }
}

static void write_action(const struct game *game, struct cn_writer *writer,
                         const struct action *action)
{
    const struct shape *shape = &shape_actions[action->kind];

    begin(game, writer, shape, action->extras);
    write_integer(writer, shape, ACTION_PLAYER_ID, action->player_id);
    if (action->kind == ACTION_ATTACK) {
        write_integer(writer, shape, ACTION_TARGET_ID, action->target_id);
        return;
    }
    write_name(writer, shape, ACTION_VECTOR);
    write_coord(game, writer, &shape_vector, action->vector, action->vector_extras);
}

static void write_actions(const struct game *game, struct cn_writer *writer)
{
    cn_write_map(writer, game->action_list_count);
    for (uint32_t i = 0; i < game->action_list_count; i++) {
        const struct action_list *list = &game->actions[i];

        cn_write_integer(writer, list->player_id);
        cn_write_list(writer, list->count);
        for (uint32_t j = 0; j < list->count; j++)
            write_action(game, writer, &list->items[j]);
        cn_write_nil(writer);
    }
}

static void write_event(const void *context, struct cn_writer *writer, uint32_t index)
{
    const struct game *game = context;
    const struct event *event = &game->events[index];
    const struct shape *shape = &shape_events[event->kind];

    cn_write_integer(writer, event->id);
    begin(game, writer, shape, event->extras);
    write_integer(writer, shape, STEP_EVENT_ID, event->id);
    write_integer(writer, shape, STEP_EVENT_PLAYER_ID, event->player_id);
    if (event->kind == EVENT_ATTACKED) {
        write_integer(writer, shape, ATTACK_EVENT_TARGET_ID, event->target_id);
        write_integer(writer, shape, ATTACK_EVENT_ROUND, event->round);
        return;
    }
    write_name(writer, shape, STEP_EVENT_TO);
    write_coord(game, writer, &shape_coord, event->to, event->to_extras);
    write_name(writer, shape, STEP_EVENT_FROM);
    write_coord(game, writer, &shape_coord, event->from, event->from_extras);
    write_integer(writer, shape, STEP_EVENT_ROUND, event->round);
}

static void write_visible(const struct game *game, struct cn_writer *writer)
{
    cn_write_map(writer, game->visible_count);
    for (uint32_t i = 0; i < game->visible_count; i++) {
        const struct visible_list *list = &game->visible[i];

        cn_write_integer(writer, list->player_id);
        cn_write_list(writer, list->count);
        for (uint32_t j = list->count; j > 0; j--)
            cn_write_integer(writer, list->ids[j - 1]);
        cn_write_nil(writer);
    }
}

static void write_log(const struct game *game, struct cn_writer *writer)
{
    begin(game, writer, &shape_log, game->log_extras);
    write_name(writer, &shape_log, LOG_EVENTS);
    cn_write_map(writer, game->event_count);
    written_write(&game->written->events, game, write_event, game->event_count, writer);
    write_name(writer, &shape_log, LOG_VISIBLE);
    write_visible(game, writer);
}

static void write_round_end(const struct game *game, struct cn_writer *writer)
{
    if (game->round_end_s == GAME_NO_ROUND_END)
        write_atom(writer, ATOM_NIL);
    else
        datetime_write(writer, game->round_end_s);
}

void game_export(const struct game *game, struct cn_writer *writer)
{
    const struct shape *shape = &shape_game;
    struct cn_bytes id = {(const uint8_t *)game->id, sizeof game->id};

    begin(game, writer, shape, game->extras);
    write_name(writer, shape, GAME_ID);
    cn_write_binary(writer, id);
    write_name(writer, shape, GAME_STATUS);
    write_atom(writer, game_status_atoms[game->status]);
    write_integer(writer, shape, GAME_ROUND, game->round);
    write_name(writer, shape, GAME_ROUND_END_TIME);
    write_round_end(game, writer);
    write_name(writer, shape, GAME_PLAYERS);
    write_players(game, writer);
    write_name(writer, shape, GAME_REGISTERED_ACTIONS);
    write_actions(game, writer);
    write_integer(writer, shape, GAME_VERSION, GAME_STATE_VERSION);
    write_name(writer, shape, GAME_EVENTS_LOG);
    write_log(game, writer);
    write_name(writer, shape, GAME_WORLD);
    write_world(game, writer);
}
