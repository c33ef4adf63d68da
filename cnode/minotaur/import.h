/*
 * A game from its term, of any version that we know.
 *
 * Everything is checked in the order of RULES.md, so that of several faults the same one is named
 * by the Elixir game and by this one.
 */
#ifndef CNODE_MINOTAUR_IMPORT_H
#define CNODE_MINOTAUR_IMPORT_H

#include "record.h"
#include "state.h"

/**
 * Make a game from @term, upgrading it.
 *
 * Ownership: *@ret_game is the caller's, for game_free.
 * Errors: 1 with {error, Reason} written to @error; -ENOMEM/-E2BIG.
 */
int game_import(struct cn_term term, struct game **ret_game, struct cn_writer *error);
/**
 * Hand what @import has kept to @game, as its `bytes`.
 *
 * Errors: -ENOMEM/-E2BIG, what the import's writer met.
 */
int import_hand_over(struct import *import, struct game *game);

/*
 * The parts of a game, each from one field of the struct around it. They fill arrays of @game,
 * which is released with game_free if one fails. Each returns 0, 1 with the error written, or
 * -ENOMEM/-E2BIG.
 */

/** Read the players by id. */
int import_players(const struct record *game_record, struct game *game);
/** Read the lists of registered actions by player id. */
int import_actions(const struct record *game_record, struct game *game);
/** Read the log of events and who saw them; upgrades both. The game's players have been read. */
int import_log(const struct record *game_record, struct game *game);
/** Read the grid and the characters. */
int import_world(const struct record *game_record, struct game *game);

/** Read a Coord or a Vector, which @shape tells. */
int import_coord(const struct record *record, unsigned field, const struct shape *shape,
                 struct coord *ret_coord, uint32_t *ret_extras);
/** Begin the proper list @term at @path: @ret_reader stands before its first element. */
int import_list(struct import *import, const struct path *path, struct cn_term term,
                struct cn_reader *ret_reader, uint32_t *ret_count);

#endif
