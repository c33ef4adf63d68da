/*
 * Registering what a player wants to do at the end of the round.
 *
 * A refusal is a condition with a name that the player is told; it changes nothing.
 */
#ifndef CNODE_MINOTAUR_ACTIONS_H
#define CNODE_MINOTAUR_ACTIONS_H

#include "state.h"

/** Why an action is refused, in the order of RULES.md. */
enum action_refusal {
    ACTION_GAME_CONCLUDED = 1,
    ACTION_PLAYER_NOT_FOUND,
    ACTION_PLAYER_ELIMINATED,
    ACTION_NO_POINTS,
    ACTION_ILLEGAL_MOVE,
    ACTION_TARGET_NOT_FOUND,
    ACTION_TARGET_OUT_OF_REACH,
};

/** What was registered, so that it can be taken back until the game is touched otherwise. */
struct registration {
    int64_t player_id;
    bool made_list;
};

/**
 * Register a move of the player of @user_id; @vector is any term.
 *
 * Errors: an enum action_refusal; -ENOMEM. The game is unchanged then.
 */
int actions_register_move(struct game *game, struct cn_term user_id, struct cn_term vector,
                          struct registration *ret_registration);
/**
 * Register an attack on the player with the id @target_id, any term. Errors: as
 * actions_register_move.
 */
int actions_register_attack(struct game *game, struct cn_term user_id, struct cn_term target_id,
                            struct registration *ret_registration);
/** Take back the action registered last. Cannot fail. */
void actions_take_back(struct game *game, const struct registration *registration);
/** Give the atom for an enum action_refusal. */
const char *actions_refusal_atom(int refusal);

#endif
