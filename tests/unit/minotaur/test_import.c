/*
 * The import of a game as a whole, its own fields and its players.
 */
#include "support.h"

#include <errno.h>

#include "base/alloc.h"

/* A game without oddities is exported as it came. */
START_TEST(plain_game_comes_back)
{
    struct game *game = imported(plain_game);

    assert_term(exported(game), plain_game);
    game_free(game);
}
END_TEST

/* Unknown fields of every struct, odd keys, extra lists: all comes back with the struct it came in.
 */
START_TEST(everything_unknown_comes_back)
{
    struct game *game = imported(rich_game);

    assert_term(exported(game), rich_game);
    game_free(game);
}
END_TEST

/* What was exported once is exported in the same bytes ever after. */
START_TEST(export_is_stable)
{
    struct game *game = imported(rich_game);
    struct cn_term first = exported(game);
    struct cn_writer error;
    struct cn_term second;

    game_free(game);
    cn_writer_init(&error, 0);
    ck_assert_int_eq(game_import(first, &game, &error), 0);
    second = exported(game);
    ck_assert_uint_eq(first.size, second.size);
    ck_assert_mem_eq(first.data, second.data, first.size);
    game_free(game);
}
END_TEST

/* What is no Game struct is said so at the empty path, whatever it is. */
START_TEST(no_game)
{
    static const char *const others[] = {
        ":nil",  "[]", "{1, 2}", "%{}", "%World{grid: 1}", "12", "\"game\"", "%{__struct__: :game}",
        "[1, 2]"};

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_refused(term(others[i]), "[], {:expected, {:struct, Game}}");
}
END_TEST

/* Versions 1 to 4 are known; any other, any other type and none are the same error. */
START_TEST(unknown_versions)
{
    static const char *const versions[] = {
        "0", "5", "-1", "4.0", ":four", "\"4\"", "18446744073709551615", "nil", NULL};

    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        assert_term(import_error(edited(term(rich_game), "version", versions[i])),
                    "{:error, :invalid_game_version}");
}
END_TEST

/* The version is looked at before any field. */
START_TEST(version_comes_first)
{
    struct cn_term game = edited(term(rich_game), "version", "9");

    assert_term(import_error(edited(game, "id", "1")), "{:error, :invalid_game_version}");
}
END_TEST

/* Each field of the game and of a player, missing and of a wrong type. */
START_TEST(fields_of_game_and_player)
{
    static const struct field_case cases[] = {
        {"id", "[:id]", ":uuid"},
        {"status", "[:status]", "{:one_of, [:active, :concluded]}"},
        {"round", "[:round]", ":positive_integer"},
        {"round_end_time", "[:round_end_time]", ":datetime_or_nil"},
        {"players", "[:players]", ":map"},
        {"players/1", "[:players, 1]", "{:struct, Player}"},
        {"players/1/id", "[:players, 1, :id]", ":integer"},
        {"players/1/user_id", "[:players, 1, :user_id]", NULL},
        {"players/1/display_name", "[:players, 1, :display_name]", ":binary"},
        {"players/1/status", "[:players, 1, :status]", "{:one_of, [:active, :eliminated, :won]}"},
        {"registered_actions", "[:registered_actions]", ":map"},
        {"events_log", "[:events_log]", "{:struct, EventsLog}"},
        {"world", "[:world]", "{:struct, World}"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (strcmp(cases[i].path, "players/1") == 0)
            assert_refused(edited(term(rich_game), "players/1", ":wrong"),
                           "[:players, 1], {:expected, {:struct, Player}}");
        else
            check_fields(&cases[i], 1);
    }
}
END_TEST

/* Of several faults the first in the order of the fields is named. */
START_TEST(first_fault_is_named)
{
    static const char *const fields[] = {
        "world",  "events_log", "registered_actions", "players", "round_end_time", "round",
        "status", "id"};
    struct cn_term game = term(rich_game);

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        game = edited(game, fields[i], NULL);
        assert_refused(game, text("[:%s], :missing", fields[i]));
    }
}
END_TEST

/* A field is read to its end before the next: a fault deep in the players hides one in the world.
 */
START_TEST(depth_before_breadth)
{
    struct cn_term game = edited(term(rich_game), "world", "1");

    assert_refused(edited(game, "players/-5/status", "1"),
                   "[:players, -5, :status], {:expected, {:one_of, [:active, :eliminated, :won]}}");
}
END_TEST

/* Values just outside of what a field may hold. */
START_TEST(values_out_of_range)
{
    struct cn_term game = term(rich_game);
    static const char *const ids[] = {"\"0b5e0f3c-17a2-4c5d-8e9f-00112233AABB\"", "\"x\"", "\"\"",
                                      "\"0b5e0f3c-17a2-4c5d-8e9f-00112233aabbc\"", ":id"};
    static const char *const rounds[] = {"0", "-1", "1.0", "9223372036854775808"};

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        assert_refused(edited(game, "id", ids[i]), "[:id], {:expected, :uuid}");
    for (size_t i = 0; i < sizeof rounds / sizeof rounds[0]; i++)
        assert_refused(edited(game, "round", rounds[i]),
                       "[:round], {:expected, :positive_integer}");
    assert_refused(edited(game, "round_end_time", "1795395723"),
                   "[:round_end_time], {:expected, :datetime_or_nil}");
}
END_TEST

/* A player's key and id are the same integer; a bad key is named before its value is looked at. */
START_TEST(keys_of_players)
{
    struct cn_term game = term(rich_game);

    assert_refused(edited(game, "players/1/id", "2"),
                   "[:players, 1, :id], {:expected, {:equal, 1}}");
    assert_refused(edited(game, "players/\"1\"", ":no_player"),
                   "[:players, \"1\"], {:expected, :integer}");
    assert_refused(edited(game, "players/1.0", ":no_player"),
                   "[:players, 1.0], {:expected, :integer}");
    assert_refused(edited(game, "players/9223372036854775808", ":no_player"),
                   "[:players, 9223372036854775808], {:expected, :integer}");
}
END_TEST

/* The greatest and smallest integers of 64 bits are ids like others. */
START_TEST(widest_integers)
{
    const char *game_text = with(
        plain_game, "players: %{",
        "players: %{9223372036854775807 => player(9223372036854775807, 1, :won, \"\"),"
        " -9223372036854775808 => player(-9223372036854775808, 2, :active, \"\"), ");
    struct game *game = imported(game_text);

    assert_term(exported(game), game_text);
    ck_assert_uint_eq(game->player_count, 5);
    ck_assert(game->players[0].id == INT64_MIN);
    game_free(game);
}
END_TEST

/* Parts of a second and unknown fields of the time are cut off, as is another abbreviation. */
START_TEST(time_is_normalised)
{
    struct cn_term game_term = term(rich_game);
    struct cn_writer error;
    struct game *game;

    game_term = edited(game_term, "round_end_time/microsecond", "{999999, 6}");
    game_term = edited(game_term, "round_end_time/extra", "1");
    game_term = edited(game_term, "round_end_time/zone_abbr", "\"Z\"");
    cn_writer_init(&error, 0);
    ck_assert_int_eq(game_import(game_term, &game, &error), 0);
    assert_term(exported(game), rich_game);
    game_free(game);
}
END_TEST

/* A struct that says a field twice is not that struct: nobody could tell which one counts. */
START_TEST(field_said_twice)
{
    assert_refused(term(with(plain_game, "round: 3,", "round: 3, round: 4,")),
                   "[], {:expected, {:struct, Game}}");
}
END_TEST

/* Running out of memory at any moment of an import leaves nothing behind. */
START_TEST(every_allocation_fails)
{
    struct cn_term game_term = term(rich_game);
    size_t failures = 0;

    begin_counting();
    for (size_t nth = 1;; nth++) {
        struct cn_writer error;
        struct game *game = NULL;
        int result;

        cn_writer_init(&error, 0);
        mem_test_fail(nth);
        result = game_import(game_term, &game, &error);
        cn_writer_free(&error);
        if (result == 0) {
            game_free(game);
            break;
        }
        ck_assert_int_eq(result, -ENOMEM);
        ck_assert_int_eq(mem_test_live(), 0);
        failures++;
    }
    ck_assert_uint_ge(failures, 20);
    end_counting();
}
END_TEST

TEST_MAIN("import", plain_game_comes_back, everything_unknown_comes_back, export_is_stable, no_game,
          unknown_versions, version_comes_first, fields_of_game_and_player, first_fault_is_named,
          depth_before_breadth, values_out_of_range, keys_of_players, widest_integers,
          time_is_normalised, field_said_twice, every_allocation_fails)
