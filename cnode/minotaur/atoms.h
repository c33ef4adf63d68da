/*
 * The atoms that a game's term is made of, each said once and numbered.
 *
 * They are the words (<cnode/term.h>) in which states are written: their order is the order in
 * which every answer names them to its receiver, so it may change from one release to the next, but
 * none may stand here twice.
 */
#ifndef CNODE_MINOTAUR_ATOMS_H
#define CNODE_MINOTAUR_ATOMS_H

#include <cnode/term.h>

#define GAME_MODULE(name) "Elixir.Minotaur.GameEngine." name

/** All of them, as X(name, text). */
#define ATOMS(X)                                               \
    X(STRUCT, "__struct__")                                    \
    X(MODULE_GAME, GAME_MODULE("Game"))                        \
    X(MODULE_WORLD, GAME_MODULE("World"))                      \
    X(MODULE_GRID_HEX, GAME_MODULE("GridHex"))                 \
    X(MODULE_COORD, GAME_MODULE("Coord"))                      \
    X(MODULE_VECTOR, GAME_MODULE("Vector"))                    \
    X(MODULE_CHARACTER, GAME_MODULE("PlayerCharacter"))        \
    X(MODULE_PLAYER, GAME_MODULE("Player"))                    \
    X(MODULE_EVENTS_LOG, GAME_MODULE("EventsLog"))             \
    X(MODULE_MOVE_ACTION, GAME_MODULE("MoveAction"))           \
    X(MODULE_ATTACK_ACTION, GAME_MODULE("AttackAction"))       \
    X(MODULE_ENTERED_EVENT, GAME_MODULE("PCEnteredHexEvent"))  \
    X(MODULE_LEFT_EVENT, GAME_MODULE("PCLeftHexEvent"))        \
    X(MODULE_ATTACKED_EVENT, GAME_MODULE("PCAttackedPCEvent")) \
    X(ID, "id")                                                \
    X(STATUS, "status")                                        \
    X(ROUND, "round")                                          \
    X(ROUND_END_TIME, "round_end_time")                        \
    X(PLAYERS, "players")                                      \
    X(REGISTERED_ACTIONS, "registered_actions")                \
    X(VERSION, "version")                                      \
    X(EVENTS_LOG, "events_log")                                \
    X(WORLD, "world")                                          \
    X(GRID, "grid")                                            \
    X(PLAYER_CHARACTERS, "player_characters")                  \
    X(DEAD_CHARACTERS, "dead_characters")                      \
    X(COORD, "coord")                                          \
    X(TERRAIN, "terrain")                                      \
    X(Q, "q")                                                  \
    X(R, "r")                                                  \
    X(PLAYER_ID, "player_id")                                  \
    X(POSITION, "position")                                    \
    X(HEALTH, "health")                                        \
    X(ACTION_POINTS, "action_points")                          \
    X(USER_ID, "user_id")                                      \
    X(DISPLAY_NAME, "display_name")                            \
    X(EVENTS, "events")                                        \
    X(EVENTS_VISIBLE_BY_PLAYER, "events_visible_by_player")    \
    X(VECTOR, "vector")                                        \
    X(TARGET_ID, "target_id")                                  \
    X(TO, "to")                                                \
    X(FROM, "from")                                            \
    X(MODULE_DATE_TIME, "Elixir.DateTime")                     \
    X(MODULE_CALENDAR, "Elixir.Calendar.ISO")                  \
    X(CALENDAR, "calendar")                                    \
    X(DAY, "day")                                              \
    X(HOUR, "hour")                                            \
    X(MICROSECOND, "microsecond")                              \
    X(MINUTE, "minute")                                        \
    X(MONTH, "month")                                          \
    X(SECOND, "second")                                        \
    X(STD_OFFSET, "std_offset")                                \
    X(TIME_ZONE, "time_zone")                                  \
    X(UTC_OFFSET, "utc_offset")                                \
    X(YEAR, "year")                                            \
    X(ZONE_ABBR, "zone_abbr")                                  \
    X(ACTIVE, "active")                                        \
    X(CONCLUDED, "concluded")                                  \
    X(ELIMINATED, "eliminated")                                \
    X(WON, "won")                                              \
    X(FLOOR, "floor")                                          \
    X(WALL, "wall")                                            \
    X(NIL, "nil")                                              \
    X(OK, "ok")

#define ATOM_NUMBER(name, text) ATOM_##name,

/** Their numbers. */
enum atom {
    ATOMS(ATOM_NUMBER) ATOM_COUNT
};

#undef ATOM_NUMBER

/** Their texts. */
extern const struct cn_words game_atoms;

/** Give the text of an atom. */
static inline const char *atom_text(unsigned number)
{
    return game_atoms.texts[number];
}

/** Write an atom. */
static inline void write_atom(struct cn_writer *writer, unsigned number)
{
    cn_write_word(writer, &game_atoms, number);
}

#endif
