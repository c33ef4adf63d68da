/*
 * A game in memory: finding, forking, releasing, and its size.
 *
 * Forks are what makes a round safe, so they are changed in every part to show that they are apart.
 */
#include "support.h"

#include "base/alloc.h"
#include "minotaur/export.h"

/* Players, characters and lists are found by id, users by their exact term. */
START_TEST(finding)
{
    struct game *game = imported(rich_game);

    ck_assert_int_eq(game_player(game, -5)->id, -5);
    ck_assert_ptr_null(game_player(game, 0));
    ck_assert_int_eq(game_living(game, 1)->player_id, 1);
    ck_assert_ptr_null(game_living(game, -5));
    ck_assert_uint_eq(game_actions(game, 1)->count, 2);
    ck_assert_uint_eq(game_actions(game, -5)->count, 0);
    ck_assert_ptr_null(game_actions(game, 2));
    ck_assert_int_eq(game_player_of_user(game, term("{:id, 1.5}"))->id, 1);
    ck_assert_ptr_null(game_player_of_user(game, term("{:id, 2}")));
    assert_term(game_kept_term(game, game_player(game, 1)->display_name), "\"Ann\"");
    game_free(game);
}
END_TEST

/* Of several players of one user the lowest id is found. */
START_TEST(lowest_player)
{
    struct game *game = imported(with(with(plain_game, "\"u2\"", "7"), "\"u3\"", "7"));

    ck_assert_int_eq(game_player_of_user(game, term("7"))->id, 2);
    game_free(game);
}
END_TEST

/* A fork is equal but for the registered actions, and apart. */
START_TEST(fork_is_apart)
{
    struct game *game = imported(rich_game);
    struct game fork;

    ck_assert_int_eq(game_fork(game, &fork), 0);
    assert_same(exported(&fork), edited(term(rich_game), "registered_actions", "%{}"));
    fork.players[0].status = PLAYER_WON;
    fork.living[0].health = 1;
    fork.dead[0].health = 1;
    fork.events[0].round = 99;
    fork.visible[0].ids[0] = 99;
    fork.round = 99;
    assert_term(exported(game), rich_game);
    game_drop_fork(&fork);
    assert_term(exported(game), rich_game);
    game_free(game);
}
END_TEST

/* A game that adopts its fork is the fork, and keeps what both share. */
START_TEST(adopting)
{
    struct game *game;
    struct game fork;

    begin_counting();
    game = imported(rich_game);
    ck_assert_int_eq(game_fork(game, &fork), 0);
    fork.round = 99;
    game_adopt(game, &fork);
    assert_same(exported(game),
                edited(edited(term(rich_game), "registered_actions", "%{}"), "round", "99"));
    game_free(game);
    end_counting();
}
END_TEST

/* Nothing and half a game can be released. */
START_TEST(releasing)
{
    ck_assert_ptr_null(game_free(NULL));
    begin_counting();
    ck_assert_ptr_null(game_free(game_new()));
    end_counting();
}
END_TEST

/* A game of four on the common grid takes less than 1.5 kB, so that a million fit. */
START_TEST(size_of_a_game)
{
    struct game *game = imported(plain_game);
    size_t bytes = sizeof *game + game->bytes_size + game->player_count * sizeof *game->players +
                   game->living_count * sizeof *game->living +
                   game->visible_count * sizeof *game->visible;

    ck_assert_uint_lt(bytes, 1000);
    game_free(game);
}
END_TEST

TEST_MAIN("state", finding, lowest_player, fork_is_apart, adopting, releasing, size_of_a_game)
