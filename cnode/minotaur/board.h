/*
 * The grid: the one that new games are played on, and steps on any.
 *
 * A hex is found by binary search; a place that is not on the grid is no error, just no hex.
 */
#ifndef CNODE_MINOTAUR_BOARD_H
#define CNODE_MINOTAUR_BOARD_H

#include "state.h"

enum {
    BOARD_HEXES = 37,
    BOARD_PLAYERS_MAX = 18,
};

/** The grid of new games, sorted by q, then r. Shared by all games that have it. */
extern const struct hex board_hexes[BOARD_HEXES];

/** Give the hex on which the player at @index (from 0) of @count starts. */
struct coord board_start(uint32_t index, uint32_t count);
/** Tell whether @vector is one of the six directions. */
bool board_is_direction(struct coord vector);
/** Find a hex of the game's grid, or NULL. */
const struct hex *board_hex(const struct game *game, struct coord coord);
/**
 * Go one step: true, with the hex it leads to, when that is a floor hex of the game's grid.
 *
 * A sum beyond 64 bits is no hex.
 */
bool board_step(const struct game *game, struct coord from, struct coord vector,
                struct coord *ret_to);
/** Compare two places by q, then r: negative, 0 or positive. */
int board_compare(struct coord a, struct coord b);

#endif
