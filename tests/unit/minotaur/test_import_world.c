/*
 * The import of the world: grid and characters, and what is wrong with them.
 *
 * Most cases are rich_game with one edit; the error must be exactly the one of RULES.md.
 */
#include "support.h"

#include "minotaur/board.h"

/* Each field of the world, of a hex and of a character, missing and of a wrong type. */
START_TEST(fields_of_the_world)
{
#define LIVING "world/player_characters/1/"
#define PATH   "[:world, :player_characters, 1, "
    static const struct field_case cases[] = {
        {"world/grid", "[:world, :grid]", ":map"},
        {"world/player_characters", "[:world, :player_characters]", ":map"},
        {"world/dead_characters", "[:world, :dead_characters]", ":map"},
        {"world/grid/(1,0)/coord", "[:world, :grid, (1,0), :coord]", "{:struct, Coord}"},
        {"world/grid/(1,0)/coord/q", "[:world, :grid, (1,0), :coord, :q]", ":integer"},
        {"world/grid/(1,0)/coord/r", "[:world, :grid, (1,0), :coord, :r]", ":integer"},
        {"world/grid/(1,0)/terrain", "[:world, :grid, (1,0), :terrain]",
         "{:one_of, [:floor, :wall]}"},
        {LIVING "player_id", PATH ":player_id]", ":integer"},
        {LIVING "position", PATH ":position]", "{:struct, Coord}"},
        {LIVING "position/q", PATH ":position, :q]", ":integer"},
        {LIVING "position/r", PATH ":position, :r]", ":integer"},
        {LIVING "health", PATH ":health]", ":non_neg_integer"},
        {LIVING "action_points", PATH ":action_points]", ":non_neg_integer"},
        {"world/dead_characters/-5/health", "[:world, :dead_characters, -5, :health]",
         ":non_neg_integer"},
    };

    check_fields(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

/* Maps by id hold their structs, and health and points do not go below 0. */
START_TEST(characters_out_of_range)
{
    struct cn_term game = term(rich_game);

    assert_refused(edited(game, "world/dead_characters/-5", "1"),
                   "[:world, :dead_characters, -5], {:expected, {:struct, PlayerCharacter}}");
    assert_refused(edited(game, LIVING "health", "-1"),
                   PATH ":health], {:expected, :non_neg_integer}");
    assert_refused(edited(game, LIVING "action_points", "9223372036854775808"),
                   PATH ":action_points], {:expected, :non_neg_integer}");
    assert_refused(edited(game, LIVING "player_id", "2"),
                   PATH ":player_id], {:expected, {:equal, 1}}");
    assert_refused(edited(game, "world/player_characters/[]", "1"),
                   "[:world, :player_characters, []], {:expected, :integer}");
}
END_TEST

/* A key of the grid is a Coord of two integers; what is wrong inside is said of the key. */
START_TEST(keys_of_the_grid)
{
    static const char *const keys[] = {"{0, 0}",        "<0,0>",
                                       "%Coord{q: 1}",  "%Coord{q: 1, r: :x}",
                                       "%{q: 1, r: 2}", "%Coord{q: 1, r: 9223372036854775808}"};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        assert_refused(edited(term(rich_game), text("world/grid/%s", keys[i]), "1"),
                       text("[:world, :grid, %s], {:expected, {:struct, Coord}}", keys[i]));
}
END_TEST

/* A hex is under its own coordinate; fields that we do not know may differ. */
START_TEST(hex_under_another_key)
{
    struct cn_term game = term(rich_game);

    assert_refused(edited(game, "world/grid/(1,0)/coord", "(1,1)"),
                   "[:world, :grid, (1,0), :coord], {:expected, {:equal, (1,0)}}");
    assert_refused(edited(game, "world/grid/%Coord{q: 0, r: 0, z: 0}/coord/q", "5"),
                   "[:world, :grid, %Coord{q: 0, r: 0, z: 0}, :coord],"
                   " {:expected, {:equal, %Coord{q: 0, r: 0, z: 0}}}");
    assert_refused(edited(game, "world/grid/(1,0)", "(1,0)"),
                   "[:world, :grid, (1,0)], {:expected, {:struct, GridHex}}");
}
END_TEST

/* The grid of new games is shared; any other belongs to its game, however small the difference. */
START_TEST(board_is_shared)
{
    struct game *game = imported(plain_game);

    ck_assert_ptr_eq(game->hexes, board_hexes);
    game_free(game);

    game = imported(with(plain_game, "board()", "%{}"));
    ck_assert_uint_eq(game->hex_count, 0);
    game_free(game);
}
END_TEST

/* A board with another terrain, an unknown field, or a hex less is not the shared one. */
START_TEST(board_with_a_difference)
{
    static const struct {
        const char *path;
        const char *value;
    } edits[] = {
        {"world/grid/(0,0)/terrain", ":wall"},      {"world/grid/(0,0)/lit", "true"},
        {"world/grid/(3,0)/coord/z", "0"},          {"world/grid/(3,0)", NULL},
        {"world/grid/(4,0)", "hex((4,0), :floor)"},
    };

    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        struct cn_term game_term = edited(term(plain_game), edits[i].path, edits[i].value);
        struct cn_writer error;
        struct game *game;

        cn_writer_init(&error, 0);
        ck_assert_int_eq(game_import(game_term, &game, &error), 0);
        ck_assert_ptr_ne(game->hexes, board_hexes);
        assert_same(exported(game), game_term);
        game_free(game);
    }
}
END_TEST

/* Of keys that are the same hex a plain one counts, else a floor; all of them come back. */
START_TEST(several_keys_for_one_hex)
{
    const char *game_text = with(
        plain_game, "board()",
        "%{%Coord{q: 0, r: 0, z: 1} => hex((0,0), :floor), (0,0) => hex((0,0), :wall),"
        " %Coord{q: 1, r: 0, z: 1} => hex((1,0), :wall),"
        " %Coord{q: 1, r: 0, z: 2} => hex((1,0), :floor)}");
    struct game *game = imported(game_text);

    assert_term(exported(game), game_text);
    ck_assert_uint_eq(board_hex(game, (struct coord){0, 0})->terrain, TERRAIN_WALL);
    ck_assert_uint_eq(board_hex(game, (struct coord){1, 0})->terrain, TERRAIN_FLOOR);
    game_free(game);
}
END_TEST

/* The same plain key twice is no map of Erlang's. */
START_TEST(same_key_twice)
{
    assert_refused(term(with(plain_game, "board()",
                             "%{(0,0) => hex((0,0), :floor), (0,0) => hex((0,0), :wall)}")),
                   "[:world, :grid], {:expected, :map}");
}
END_TEST

TEST_MAIN("import_world", fields_of_the_world, characters_out_of_range, keys_of_the_grid,
          hex_under_another_key, board_is_shared, board_with_a_difference, several_keys_for_one_hex,
          same_key_twice)
