/*
 * A new game: a fresh id, the grid of 37 hexes, the players spread round its edge.
 *
 * Users come from anybody, so they are checked as an imported game is, and named the same way.
 */
#ifndef CNODE_MINOTAUR_CREATE_H
#define CNODE_MINOTAUR_CREATE_H

#include <cnode/game.h>

#include "state.h"

/**
 * Make a game for the list @users.
 *
 * Ownership: *@ret_game is the caller's, for game_free.
 * Errors: 1 with {error, {invalid_users, Path, Reason}} written to @error; -ENOMEM/-E2BIG.
 */
int game_create(const struct cn_game_env *env, struct cn_term users, struct game **ret_game,
                struct cn_writer *error);
/** Give the moment at which a round that begins now ends, or GAME_NO_ROUND_END. */
int64_t game_round_end(const struct cn_game_env *env);

#endif
