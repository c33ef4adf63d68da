/*
 * The grid: its table against the formula of RULES.md, and steps up to the edge of 64 bits.
 *
 * The grid of the notation is computed; equality with the table is what proves the table.
 */
#include "support.h"

#include "minotaur/board.h"

/* The table is the grid of the formula in RULES.md: that of the notation, which computes it. */
START_TEST(table_is_the_formula)
{
    struct game *game = imported(plain_game);

    ck_assert_ptr_eq(game->hexes, board_hexes);
    ck_assert_uint_eq(game->hex_count, 37);
    game_free(game);
    for (uint32_t i = 1; i < BOARD_HEXES; i++)
        ck_assert_int_lt(board_compare(board_hexes[i - 1].coord, board_hexes[i].coord), 0);
}
END_TEST

/* Eighteen players stand on the 18 hexes of ring 3 in the order of the walk; fewer are spread. */
START_TEST(starts)
{
    static const struct coord ring[18] = {
        {3, -3}, {3, -2}, {3, -1}, {3, 0},  {2, 1},   {1, 2},   {0, 3},  {-1, 3}, {-2, 3},
        {-3, 3}, {-3, 2}, {-3, 1}, {-3, 0}, {-2, -1}, {-1, -2}, {0, -3}, {1, -3}, {2, -3},
    };

    for (uint32_t count = 1; count <= 18; count++)
        for (uint32_t i = 0; i < count; i++)
            ck_assert(coord_equal(board_start(i, count), ring[i * 18 / count]));
}
END_TEST

/* Exactly six vectors are directions. */
START_TEST(directions)
{
    int found = 0;

    for (int64_t q = -2; q <= 2; q++)
        for (int64_t r = -2; r <= 2; r++)
            found += board_is_direction((struct coord){q, r});
    ck_assert_int_eq(found, 6);
    ck_assert(board_is_direction((struct coord){0, -1}));
    ck_assert(board_is_direction((struct coord){1, -1}));
    ck_assert(board_is_direction((struct coord){-1, 0}));
    ck_assert(board_is_direction((struct coord){1, 0}));
    ck_assert(board_is_direction((struct coord){-1, 1}));
    ck_assert(board_is_direction((struct coord){0, 1}));
    ck_assert(!board_is_direction((struct coord){INT64_MAX, INT64_MIN}));
}
END_TEST

/* A step leads to floor only: not to a wall, not off the grid, not beyond 64 bits. */
START_TEST(steps)
{
    struct game *game = imported(plain_game);
    struct coord to = {77, 77};

    ck_assert(!board_step(game, (struct coord){1, 0}, (struct coord){1, 0}, &to));
    ck_assert(!board_step(game, (struct coord){3, 0}, (struct coord){1, 0}, &to));
    ck_assert(!board_step(game, (struct coord){1, 0}, (struct coord){INT64_MAX, 0}, &to));
    ck_assert(!board_step(game, (struct coord){0, -1}, (struct coord){0, INT64_MIN}, &to));
    ck_assert_int_eq(to.q, 77);
    ck_assert(board_step(game, (struct coord){0, 0}, (struct coord){1, 0}, &to));
    ck_assert(coord_equal(to, (struct coord){1, 0}));
    ck_assert(board_step(game, (struct coord){INT64_MAX, 3}, (struct coord){-INT64_MAX, -3}, &to));
    ck_assert(coord_equal(to, (struct coord){0, 0}));
    game_free(game);
}
END_TEST

/* A grid may lie at the edge of what 64 bits can say; nobody walks over it to the other side. */
START_TEST(edge_of_64_bits)
{
    struct game *game = imported(with(plain_game, "board()",
                                      "%{(9223372036854775807,-9223372036854775808) =>"
                                      " hex((9223372036854775807,-9223372036854775808), :floor),"
                                      " (-9223372036854775808,-9223372036854775808) =>"
                                      " hex((-9223372036854775808,-9223372036854775808), :floor),"
                                      " (9223372036854775807,9223372036854775807) =>"
                                      " hex((9223372036854775807,9223372036854775807), :floor)}"));
    struct coord to;

    ck_assert(
        board_step(game, (struct coord){INT64_MAX - 1, INT64_MIN}, (struct coord){1, 0}, &to));
    ck_assert(!board_step(game, to, (struct coord){1, 0}, &to));
    ck_assert(!board_step(game, to, (struct coord){0, -1}, &to));
    ck_assert_ptr_null(board_hex(game, (struct coord){0, INT64_MAX}));
    game_free(game);
}
END_TEST

TEST_MAIN("board", table_is_the_formula, starts, directions, steps, edge_of_64_bits)
