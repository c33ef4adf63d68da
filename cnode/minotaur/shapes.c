/*
 * The names of the game's structs, fields and values, as data.
 *
 * Import, export and errors all read these tables, so that a name cannot differ between them.
 */
#include "shapes.h"

#include <stddef.h>

#define MODULE(name) "Elixir.Minotaur.GameEngine." name

const struct shape shape_game = {
    MODULE("Game"),
    9,
    {"id", "status", "round", "round_end_time", "players", "registered_actions", "version",
     "events_log", "world"},
};

const struct shape shape_world = {
    MODULE("World"),
    3,
    {"grid", "player_characters", "dead_characters"},
};

const struct shape shape_hex = {MODULE("GridHex"), 2, {"coord", "terrain"}};
const struct shape shape_coord = {MODULE("Coord"), 2, {"q", "r"}};
const struct shape shape_vector = {MODULE("Vector"), 2, {"q", "r"}};

const struct shape shape_character = {
    MODULE("PlayerCharacter"),
    4,
    {"player_id", "position", "health", "action_points"},
};

const struct shape shape_player = {
    MODULE("Player"),
    4,
    {"id", "user_id", "display_name", "status"},
};

const struct shape shape_log = {
    MODULE("EventsLog"),
    2,
    {"events", "events_visible_by_player"},
};

const struct shape shape_actions[2] = {
    {MODULE("MoveAction"), 2, {"player_id", "vector"}},
    {MODULE("AttackAction"), 2, {"player_id", "target_id"}},
};

const struct shape shape_events[3] = {
    {MODULE("PCEnteredHexEvent"), 5, {"id", "player_id", "to", "from", "round"}},
    {MODULE("PCLeftHexEvent"), 5, {"id", "player_id", "to", "from", "round"}},
    {MODULE("PCAttackedPCEvent"), 4, {"id", "player_id", "target_id", "round"}},
};

const char *const game_statuses[] = {"active", "concluded", NULL};
const char *const player_statuses[] = {"active", "eliminated", "won", NULL};
const char *const terrains[] = {"floor", "wall", NULL};
