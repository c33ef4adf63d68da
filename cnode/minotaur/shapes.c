/*
 * The names of the game's structs, fields and values, as data.
 *
 * Import, export and errors all read these tables, so that a name cannot differ between them.
 */
#include "shapes.h"

#include <stddef.h>

const struct shape shape_game = {
    ATOM_MODULE_GAME,
    9,
    {ATOM_ID, ATOM_STATUS, ATOM_ROUND, ATOM_ROUND_END_TIME, ATOM_PLAYERS, ATOM_REGISTERED_ACTIONS,
     ATOM_VERSION, ATOM_EVENTS_LOG, ATOM_WORLD},
};

const struct shape shape_world = {
    ATOM_MODULE_WORLD,
    3,
    {ATOM_GRID, ATOM_PLAYER_CHARACTERS, ATOM_DEAD_CHARACTERS},
};

const struct shape shape_hex = {ATOM_MODULE_GRID_HEX, 2, {ATOM_COORD, ATOM_TERRAIN}};
const struct shape shape_coord = {ATOM_MODULE_COORD, 2, {ATOM_Q, ATOM_R}};
const struct shape shape_vector = {ATOM_MODULE_VECTOR, 2, {ATOM_Q, ATOM_R}};

const struct shape shape_character = {
    ATOM_MODULE_CHARACTER,
    4,
    {ATOM_PLAYER_ID, ATOM_POSITION, ATOM_HEALTH, ATOM_ACTION_POINTS},
};

const struct shape shape_player = {
    ATOM_MODULE_PLAYER,
    4,
    {ATOM_ID, ATOM_USER_ID, ATOM_DISPLAY_NAME, ATOM_STATUS},
};

const struct shape shape_log = {
    ATOM_MODULE_EVENTS_LOG,
    2,
    {ATOM_EVENTS, ATOM_EVENTS_VISIBLE_BY_PLAYER},
};

const struct shape shape_actions[2] = {
    {ATOM_MODULE_MOVE_ACTION, 2, {ATOM_PLAYER_ID, ATOM_VECTOR}},
    {ATOM_MODULE_ATTACK_ACTION, 2, {ATOM_PLAYER_ID, ATOM_TARGET_ID}},
};

const struct shape shape_events[3] = {
    {ATOM_MODULE_ENTERED_EVENT, 5, {ATOM_ID, ATOM_PLAYER_ID, ATOM_TO, ATOM_FROM, ATOM_ROUND}},
    {ATOM_MODULE_LEFT_EVENT, 5, {ATOM_ID, ATOM_PLAYER_ID, ATOM_TO, ATOM_FROM, ATOM_ROUND}},
    {ATOM_MODULE_ATTACKED_EVENT, 4, {ATOM_ID, ATOM_PLAYER_ID, ATOM_TARGET_ID, ATOM_ROUND}},
};

const char *const game_statuses[] = {"active", "concluded", NULL};
const char *const player_statuses[] = {"active", "eliminated", "won", NULL};
const char *const terrains[] = {"floor", "wall", NULL};
