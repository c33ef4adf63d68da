/*
 * The grid of 37 hexes, drawn column by column, and steps on a grid.
 *
 * All games that are played on it share this one table; a game that came in with another grid owns
 * its own.
 */
#include "board.h"

#define FLOOR(q, r)                    \
    {                                  \
        {q, r}, 0, 0, 0, TERRAIN_FLOOR \
    }
#define WALL(q, r)                    \
    {                                 \
        {q, r}, 0, 0, 0, TERRAIN_WALL \
    }

/* clang-format off */
const struct hex board_hexes[BOARD_HEXES] = {
    FLOOR(-3, 0), FLOOR(-3, 1), FLOOR(-3, 2), FLOOR(-3, 3),
    FLOOR(-2, -1), WALL(-2, 0), FLOOR(-2, 1), WALL(-2, 2), FLOOR(-2, 3),
    FLOOR(-1, -2), FLOOR(-1, -1), FLOOR(-1, 0), FLOOR(-1, 1), FLOOR(-1, 2), FLOOR(-1, 3),
    FLOOR(0, -3), WALL(0, -2), FLOOR(0, -1), FLOOR(0, 0), FLOOR(0, 1), WALL(0, 2), FLOOR(0, 3),
    FLOOR(1, -3), FLOOR(1, -2), FLOOR(1, -1), FLOOR(1, 0), FLOOR(1, 1), FLOOR(1, 2),
    FLOOR(2, -3), WALL(2, -2), FLOOR(2, -1), WALL(2, 0), FLOOR(2, 1),
    FLOOR(3, -3), FLOOR(3, -2), FLOOR(3, -1), FLOOR(3, 0),
};

/* SE, SW, W, NW, NE, E: the walk round ring 3, three steps of each. */
static const struct coord directions[6] = {
    {0, 1}, {-1, 1}, {-1, 0}, {0, -1}, {1, -1}, {1, 0},
};
/* clang-format on */

struct coord board_start(uint32_t index, uint32_t count)
{
    uint32_t steps = index * BOARD_PLAYERS_MAX / count;
    struct coord coord = {3, -3};

    for (uint32_t step = 0; step < steps; step++) {
        coord.q += directions[step / 3].q;
        coord.r += directions[step / 3].r;
    }
    return coord;
}

bool board_is_direction(struct coord vector)
{
    for (unsigned i = 0; i < 6; i++)
        if (coord_equal(directions[i], vector))
            return true;
    return false;
}

int board_compare(struct coord a, struct coord b)
{
    if (a.q != b.q)
        return a.q < b.q ? -1 : 1;
    return a.r < b.r ? -1 : a.r > b.r;
}

const struct hex *board_hex(const struct game *game, struct coord coord)
{
    uint32_t low = 0;
    uint32_t high = game->hex_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (board_compare(game->hexes[middle].coord, coord) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == game->hex_count || !coord_equal(game->hexes[low].coord, coord))
        return NULL;
    return &game->hexes[low];
}

bool board_step(const struct game *game, struct coord from, struct coord vector,
                struct coord *ret_to)
{
    const struct hex *hex;
    struct coord to;

    if (__builtin_add_overflow(from.q, vector.q, &to.q) ||
        __builtin_add_overflow(from.r, vector.r, &to.r))
        return false;
    hex = board_hex(game, to);
    if (hex == NULL || hex->terrain != TERRAIN_FLOOR)
        return false;
    *ret_to = to;
    return true;
}
