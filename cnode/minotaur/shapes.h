/*
 * The names of the game's structs and of their fields, each said once.
 *
 * A shape is a struct as RULES.md lists it; its fields stand in the order in which they are checked
 * on import and written on export, and are numbered by the enums here.
 */
#ifndef CNODE_MINOTAUR_SHAPES_H
#define CNODE_MINOTAUR_SHAPES_H

#include "atoms.h"

enum {
    SHAPE_FIELDS_MAX = 9,
};

/** A struct; its module and its fields are enum atom. */
struct shape {
    uint8_t module;
    uint8_t field_count;
    uint8_t fields[SHAPE_FIELDS_MAX];
};

enum game_field {
    GAME_ID,
    GAME_STATUS,
    GAME_ROUND,
    GAME_ROUND_END_TIME,
    GAME_PLAYERS,
    GAME_REGISTERED_ACTIONS,
    GAME_VERSION,
    GAME_EVENTS_LOG,
    GAME_WORLD,
};

enum world_field {
    WORLD_GRID,
    WORLD_PLAYER_CHARACTERS,
    WORLD_DEAD_CHARACTERS,
};

enum hex_field {
    HEX_COORD,
    HEX_TERRAIN,
};

/* Of Coord and Vector. */
enum coord_field {
    COORD_Q,
    COORD_R,
};

enum character_field {
    CHARACTER_PLAYER_ID,
    CHARACTER_POSITION,
    CHARACTER_HEALTH,
    CHARACTER_ACTION_POINTS,
};

enum player_field {
    PLAYER_ID,
    PLAYER_USER_ID,
    PLAYER_DISPLAY_NAME,
    PLAYER_STATUS,
};

/* Of MoveAction and AttackAction. */
enum action_field {
    ACTION_PLAYER_ID,
    ACTION_VECTOR,
    ACTION_TARGET_ID = ACTION_VECTOR,
};

enum log_field {
    LOG_EVENTS,
    LOG_VISIBLE,
};

/* Of PCEnteredHexEvent and PCLeftHexEvent. */
enum step_event_field {
    STEP_EVENT_ID,
    STEP_EVENT_PLAYER_ID,
    STEP_EVENT_TO,
    STEP_EVENT_FROM,
    STEP_EVENT_ROUND,
};

/* Of PCAttackedPCEvent; the first two are those of the other events. */
enum attack_event_field {
    ATTACK_EVENT_ID,
    ATTACK_EVENT_PLAYER_ID,
    ATTACK_EVENT_TARGET_ID,
    ATTACK_EVENT_ROUND,
};

extern const struct shape shape_game;
extern const struct shape shape_world;
extern const struct shape shape_hex;
extern const struct shape shape_coord;
extern const struct shape shape_vector;
extern const struct shape shape_character;
extern const struct shape shape_player;
extern const struct shape shape_log;
extern const struct shape shape_actions[2]; /* by enum action_kind */
extern const struct shape shape_events[3];  /* by enum event_kind */

/* The values of fields that hold one atom of a few, by the enums of state.h; ended by NULL. */
extern const char *const game_statuses[];
extern const char *const player_statuses[];
extern const char *const terrains[];

#endif
