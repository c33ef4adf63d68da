/*
 * The import of the events log: each field, list and key, and what is wrong with it.
 *
 * Most cases are rich_game with one edit; the error must be exactly the one of RULES.md.
 */
#include "support.h"

/* Each field of the log and of the three kinds of event, missing and of a wrong type. */
START_TEST(fields_of_the_log)
{
#define EVENTS "events_log/events/"
#define PATH   "[:events_log, :events, "
    static const struct field_case cases[] = {
        {"events_log/events", "[:events_log, :events]", ":map"},
        {"events_log/events_visible_by_player", "[:events_log, :events_visible_by_player]", ":map"},
        {EVENTS "0/id", PATH "0, :id]", ":non_neg_integer"},
        {EVENTS "0/player_id", PATH "0, :player_id]", ":integer"},
        {EVENTS "0/to", PATH "0, :to]", "{:struct, Coord}"},
        {EVENTS "0/to/q", PATH "0, :to, :q]", ":integer"},
        {EVENTS "0/from", PATH "0, :from]", "{:struct, Coord}"},
        {EVENTS "0/from/r", PATH "0, :from, :r]", ":integer"},
        {EVENTS "0/round", PATH "0, :round]", ":non_neg_integer"},
        {EVENTS "1/id", PATH "1, :id]", ":non_neg_integer"},
        {EVENTS "1/player_id", PATH "1, :player_id]", ":integer"},
        {EVENTS "1/to", PATH "1, :to]", "{:struct, Coord}"},
        {EVENTS "1/from", PATH "1, :from]", "{:struct, Coord}"},
        {EVENTS "1/round", PATH "1, :round]", ":non_neg_integer"},
        {EVENTS "300/id", PATH "300, :id]", ":non_neg_integer"},
        {EVENTS "300/player_id", PATH "300, :player_id]", ":integer"},
        {EVENTS "300/target_id", PATH "300, :target_id]", ":integer"},
        {EVENTS "300/round", PATH "300, :round]", ":non_neg_integer"},
    };

    check_fields(cases, sizeof cases / sizeof cases[0]);
}
END_TEST

/* An event's key and id are the same number, not below 0. */
START_TEST(keys_of_events)
{
    struct cn_term game = term(rich_game);

    assert_refused(edited(game, EVENTS "0/id", "1"), PATH "0, :id], {:expected, {:equal, 0}}");
    assert_refused(edited(game, EVENTS "0/id", "-1"),
                   PATH "0, :id], {:expected, :non_neg_integer}");
    assert_refused(edited(game, EVENTS "-1", ":none"), PATH "-1], {:expected, :non_neg_integer}");
    assert_refused(edited(game, EVENTS ":none", "1"), PATH ":none], {:expected, :non_neg_integer}");
    assert_refused(edited(game, EVENTS "0/round", "-1"),
                   PATH "0, :round], {:expected, :non_neg_integer}");
}
END_TEST

/* What is no event struct is named as {struct, event}. */
START_TEST(others_are_no_events)
{
    static const char *const others[] = {"1", "%{}", "%MoveAction{}", "[]", "%{__struct__: 1}"};

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_refused(edited(term(rich_game), EVENTS "1", others[i]),
                       PATH "1], {:expected, {:struct, :event}}");
}
END_TEST

/* Lists of seen events: proper lists of event ids by player id. */
START_TEST(visible_lists)
{
#define VISIBLE "events_log/events_visible_by_player/"
#define SEEN    "[:events_log, :events_visible_by_player, "
    struct cn_term game = term(rich_game);

    assert_refused(edited(game, VISIBLE "1", ":all"), SEEN "1], {:expected, :list}");
    assert_refused(edited(game, VISIBLE "1", "[1 | 0]"), SEEN "1], {:expected, :list}");
    assert_refused(edited(game, VISIBLE "1/2", "-1"), SEEN "1, 2], {:expected, :non_neg_integer}");
    assert_refused(edited(game, VISIBLE "1/0", ":x"), SEEN "1, 0], {:expected, :non_neg_integer}");
    assert_refused(edited(game, VISIBLE "1/1", "9223372036854775808"),
                   SEEN "1, 1], {:expected, :non_neg_integer}");
    assert_refused(edited(game, VISIBLE ":x", "[]"), SEEN ":x], {:expected, :integer}");
}
END_TEST

/* Ids in lists need not be events, nor be in any order, nor be small. */
START_TEST(any_ids_are_kept)
{
    const char *game_text = with(plain_game, "1 => [],", "1 => [5, 9223372036854775807, 5, 0],");
    struct game *game = imported(game_text);

    assert_term(exported(game), game_text);
    ck_assert(game->visible[0].ids[0] == 0);
    ck_assert(game->visible[0].ids[2] == INT64_MAX);
    game_free(game);
}
END_TEST

TEST_MAIN("import_log", fields_of_the_log, keys_of_events, others_are_no_events, visible_lists,
          any_ids_are_kept)
