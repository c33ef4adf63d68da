/*
 * The end of a round: the one place where the game moves by itself.
 *
 * It is played on a fork, so that a failure anywhere, also in writing the answer, changes nothing.
 */
#ifndef CNODE_MINOTAUR_ROUND_H
#define CNODE_MINOTAUR_ROUND_H

#include <cnode/game.h>

#include "state.h"

/**
 * Play the end of the active game's round, on a fork of it.
 *
 * Ownership: @ret_next is for game_adopt or game_drop_fork. Errors: -ENOMEM; -E2BIG when the round
 * would take more work than one round may (EVENTS_WORK_MAX).
 */
int round_end(const struct cn_game_env *env, const struct game *game, struct game *ret_next);

#endif
