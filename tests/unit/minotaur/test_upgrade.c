/*
 * Upgrades of older versions of the state, one after the other.
 *
 * Old games are made from new ones by taking away what their version did not have.
 */
#include "support.h"

#include "minotaur/upgrade.h"

/* A version 1 game, as it was before there was a log. */
static struct cn_term version_1(void)
{
    return edited(edited(term(plain_game), "version", "1"), "events_log", NULL);
}

static struct cn_term upgraded(struct cn_term old)
{
    struct cn_writer error;
    struct game *game;
    struct cn_term new;

    cn_writer_init(&error, 0);
    ck_assert_int_eq(game_import(old, &game, &error), 0);
    new = exported(game);
    game_free(game);
    return new;
}

/* Version 1 gets a log with an empty list for each player, and nothing else changes. */
START_TEST(one_gets_a_log)
{
    assert_same(upgraded(version_1()), term(plain_game));
}
END_TEST

/* A log that a version 1 game has is kept, and checked. */
START_TEST(log_of_version_1_is_kept)
{
    struct cn_term game = edited(term(rich_game), "version", "1");

    assert_term(at(upgraded(game), "events_log/pages"), "3");
    assert_refused(edited(game, "events_log", "nil"),
                   "[:events_log], {:expected, {:struct, EventsLog}}");
}
END_TEST

/* Version 2 must have a log. */
START_TEST(log_of_version_2_is_needed)
{
    assert_refused(edited(version_1(), "version", "2"), "[:events_log], :missing");
}
END_TEST

/* Version 2 gets lists for the players without one; lists of others stay. */
START_TEST(two_gets_missing_lists)
{
    static const struct {
        const char *before;
        const char *after;
    } cases[] = {
        {"%{}", "%{1 => [], 2 => [], 3 => []}"},
        {"%{2 => [4]}", "%{1 => [], 2 => [4], 3 => []}"},
        {"%{1 => [4], 3 => [5]}", "%{1 => [4], 2 => [], 3 => [5]}"},
        {"%{-7 => [1], 9 => [2]}", "%{-7 => [1], 1 => [], 2 => [], 3 => [], 9 => [2]}"},
        {"%{-7 => [1], 2 => [], 9 => [2]}", "%{-7 => [1], 1 => [], 2 => [], 3 => [], 9 => [2]}"},
        {"%{1 => [1], 2 => [2], 3 => [3]}", "%{1 => [1], 2 => [2], 3 => [3]}"},
    };
    const char *seen = "events_log/events_visible_by_player";

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cn_term game = edited(edited(term(plain_game), "version", "2"), seen,
                                     cases[i].before);

        assert_term(at(upgraded(game), seen), cases[i].after);
        assert_term(at(upgraded(game), "version"), "4");
    }
}
END_TEST

/* Version 3 gets no lists. */
START_TEST(three_gets_no_lists)
{
    const char *seen = "events_log/events_visible_by_player";
    struct cn_term game = edited(edited(term(plain_game), "version", "3"), seen, "%{2 => []}");

    assert_term(at(upgraded(game), seen), "%{2 => []}");
}
END_TEST

/* Versions before 4 said in an event the round that began; without one it was the last round. */
START_TEST(rounds_of_events)
{
    for (int version = 2; version <= 3; version++) {
        struct cn_term game = edited(term(rich_game), "version", text("%d", version));

        game = edited(game, "events_log/events/300/round", NULL);
        game = edited(game, "events_log/events/1/round", "7");
        game = upgraded(game);
        assert_term(at(game, "events_log/events/0/round"), "0");
        assert_term(at(game, "events_log/events/1/round"), "6");
        assert_term(at(game, "events_log/events/300/round"), "6");
    }
}
END_TEST

/* A round that cannot be upgraded is left for the check to name. */
START_TEST(malformed_rounds)
{
    static const char *const rounds[] = {"0", "-3", ":x", "1.0", "9223372036854775808"};

    for (size_t i = 0; i < sizeof rounds / sizeof rounds[0]; i++) {
        struct cn_term game = edited(term(rich_game), "version", "3");

        assert_refused(edited(game, "events_log/events/1/round", rounds[i]),
                       "[:events_log, :events, 1, :round], {:expected, :non_neg_integer}");
    }
}
END_TEST

/* Version 4 must have a round in each event, and it stays. */
START_TEST(four_stays)
{
    assert_same(upgraded(term(rich_game)), term(rich_game));
    assert_refused(edited(term(rich_game), "events_log/events/1/round", NULL),
                   "[:events_log, :events, 1, :round], :missing");
}
END_TEST

/* The list of versions is what is known. */
START_TEST(versions)
{
    for (int64_t version = -2; version < 10; version++)
        ck_assert(upgrade_knows(version) == (version >= 1 && version <= 4));
    ck_assert(!upgrade_knows(INT64_MAX));
}
END_TEST

TEST_MAIN("upgrade", one_gets_a_log, log_of_version_1_is_kept, log_of_version_2_is_needed,
          two_gets_missing_lists, three_gets_no_lists, rounds_of_events, malformed_rounds,
          four_stays, versions)
