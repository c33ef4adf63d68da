/*
 * Games as terms: equal games are equal bytes, and a writer without room says so.
 *
 * That everything comes back as it came is shown in test_import.c.
 */
#include "support.h"

#include <errno.h>

#include "base/alloc.h"
#include "minotaur/export.h"

/* The order of what comes in does not show in what goes out: equal games give equal bytes. */
START_TEST(equal_bytes)
{
    struct cn_term shuffled = term(with(plain_game,
                                        "1 => pc(1, (0,0), 3, 2), 2 => pc(2, (0,0), 3, 2), 3 =>",
                                        "2 => pc(2, (0,0), 3, 2), 1 => pc(1, (0,0), 3, 2), 3 =>"));
    struct game *a = imported(plain_game);
    struct cn_writer error;
    struct game *b;

    cn_writer_init(&error, 0);
    ck_assert_int_eq(game_import(shuffled, &b, &error), 0);
    ck_assert_uint_eq(exported(a).size, exported(b).size);
    ck_assert_mem_eq(exported(a).data, exported(b).data, exported(a).size);
    game_free(a);
    game_free(b);
}
END_TEST

/* A game without anything in it. */
START_TEST(empty_game)
{
    const char *game_text =
        "%Game{id: \"0b5e0f3c-17a2-4c5d-8e9f-00112233aabb\", status: :concluded, round: 1,"
        " round_end_time: nil, players: %{}, registered_actions: %{}, version: 4,"
        " events_log: %EventsLog{events: %{}, events_visible_by_player: %{}},"
        " world: %World{grid: %{}, player_characters: %{}, dead_characters: %{}}}";
    struct game *game = imported(game_text);

    assert_term(exported(game), game_text);
    game_free(game);
}
END_TEST

/* A writer that runs out says so. */
START_TEST(no_room)
{
    struct game *game = imported(rich_game);
    struct cn_writer writer;

    cn_writer_init(&writer, 100);
    game_export(game, &writer);
    ck_assert_int_eq(cn_writer_error(&writer), -E2BIG);
    cn_writer_free(&writer);

    begin_counting();
    cn_writer_init(&writer, 0);
    mem_test_fail(2);
    game_export(game, &writer);
    ck_assert_int_eq(cn_writer_error(&writer), -ENOMEM);
    cn_writer_free(&writer);
    end_counting();
    game_free(game);
}
END_TEST

TEST_MAIN("export", equal_bytes, empty_game, no_room)
