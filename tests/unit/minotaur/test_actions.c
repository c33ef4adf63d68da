/*
 * Registering moves and attacks: every refusal, in its order, and what a registration does.
 */
#include "support.h"

#include <errno.h>

#include "base/alloc.h"
#include "minotaur/actions.h"

static struct game *game;
static struct registration registration;

static int move(const char *user_id, const char *vector)
{
    return actions_register_move(game, term(user_id), term(vector), &registration);
}

static int attack(const char *user_id, const char *target)
{
    return actions_register_attack(game, term(user_id), term(target), &registration);
}

/* Begin with another game. */
static void begin(const char *game_text)
{
    game_free(game);
    game = imported(game_text);
}

static const char *with_characters(const char *characters)
{
    return with(plain_game,
                "%{1 => pc(1, (0,0), 3, 2), 2 => pc(2, (0,0), 3, 2), 3 => pc(3, (1,0), 3, 2)}",
                characters);
}

/* A move is appended to the player's list and takes an action point at once. */
START_TEST(move_is_registered)
{
    begin(plain_game);
    ck_assert_int_eq(move("\"u1\"", "<0,1>"), 0);
    ck_assert_int_eq(move("\"u1\"", "%Vector{q: 0, r: -1, speed: 3}"), 0);
    assert_term(exported(game),
                with(with(plain_game, "registered_actions: %{}",
                          "registered_actions: %{1 => [move(1, <0,1>), move(1, <0,-1>)]}"),
                     "pc(1, (0,0), 3, 2)", "pc(1, (0,0), 3, 0)"));
    game_free(game);
}
END_TEST

/* Each player has a list of its own, an attack joins the moves, positions stay. */
START_TEST(lists_by_player)
{
    begin(plain_game);
    ck_assert_int_eq(attack("\"u2\"", "1"), 0);
    ck_assert_int_eq(move("\"u3\"", "<-1,0>"), 0);
    ck_assert_int_eq(move("\"u1\"", "<0,1>"), 0);
    ck_assert_int_eq(attack("\"u1\"", "2"), 0);
    assert_term(at(exported(game), "registered_actions"),
                "%{1 => [move(1, <0,1>), attack(1, 2)], 2 => [attack(2, 1)],"
                " 3 => [move(3, <-1,0>)]}");
    assert_term(at(exported(game), "world/player_characters"),
                "%{1 => pc(1, (0,0), 3, 0), 2 => pc(2, (0,0), 3, 1), 3 => pc(3, (1,0), 3, 1)}");
    game_free(game);
}
END_TEST

/* 1: a concluded game comes before everything else. */
START_TEST(concluded_first)
{
    begin(with(plain_game, "status: :active, round: 3", "status: :concluded, round: 3"));
    ck_assert_int_eq(move("\"nobody\"", "nil"), ACTION_GAME_CONCLUDED);
    ck_assert_int_eq(attack("\"nobody\"", "nil"), ACTION_GAME_CONCLUDED);
    game_free(game);
}
END_TEST

/* 2: the user id is compared exactly, with terms of any kind. */
START_TEST(player_not_found)
{
    begin(with(plain_game, "\"u1\"", "{:id, 1}"));
    ck_assert_int_eq(move("\"nobody\"", "nil"), ACTION_PLAYER_NOT_FOUND);
    ck_assert_int_eq(move("{:id, 1.0}", "<0,1>"), ACTION_PLAYER_NOT_FOUND);
    ck_assert_int_eq(move("1", "<0,1>"), ACTION_PLAYER_NOT_FOUND);
    ck_assert_int_eq(attack("\"u\"", "1"), ACTION_PLAYER_NOT_FOUND);
    ck_assert_int_eq(move("{:id, 1}", "<0,1>"), 0);
    game_free(game);
}
END_TEST

/* 2: of several players of one user the lowest id counts, even if only another could act. */
START_TEST(lowest_player_of_a_user)
{
    begin(with(with(plain_game, "\"u3\"", "\"u2\""), "player(2, \"u2\", :active",
               "player(2, \"u2\", :eliminated"));
    ck_assert_int_eq(move("\"u2\"", "<0,1>"), ACTION_PLAYER_ELIMINATED);
    game_free(game);
}
END_TEST

/* 3: an eliminated player, and one without a living character. */
START_TEST(player_eliminated)
{
    begin(with(plain_game, "player(1, \"u1\", :active", "player(1, \"u1\", :eliminated"));
    ck_assert_int_eq(move("\"u1\"", "nil"), ACTION_PLAYER_ELIMINATED);
    begin(with_characters("%{2 => pc(2, (0,0), 3, 2), 3 => pc(3, (1,0), 3, 2)}"));
    ck_assert_int_eq(attack("\"u1\"", "nil"), ACTION_PLAYER_ELIMINATED);
    game_free(game);
}
END_TEST

/* 3: living is who is in player_characters, also with health 0; a winner may act. */
START_TEST(living_with_health_0)
{
    begin(with(with_characters("%{1 => pc(1, (0,0), 0, 2), 2 => pc(2, (0,0), 0, 1)}"),
               "player(1, \"u1\", :active", "player(1, \"u1\", :won"));
    ck_assert_int_eq(attack("\"u1\"", "2"), 0);
    ck_assert_int_eq(move("\"u2\"", "<0,1>"), 0);
    game_free(game);
}
END_TEST

/* 4: what is no direction is illegal even without an action point left. */
START_TEST(no_direction)
{
    static const char *const vectors[] = {"<0,0>",   "<1,1>",         "<2,0>",
                                          "(0,1)",   "%{q: 0, r: 1}", "%Vector{q: 0}",
                                          "<1.0,0>", "nil",           "%Vector{q: 0, r: :x}",
                                          "[0, 1]",  "{0, 1}",        "<9223372036854775808,0>"};

    begin(with_characters("%{1 => pc(1, (0,0), 3, 0)}"));
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
        ck_assert_msg(move("\"u1\"", vectors[i]) == ACTION_ILLEGAL_MOVE, "%s", vectors[i]);
    ck_assert_int_eq(move("\"u1\"", "<0,1>"), ACTION_NO_POINTS);
    game_free(game);
}
END_TEST

/* 5: without a point nothing can be registered, whatever the target or destination. */
START_TEST(no_action_points)
{
    begin(plain_game);
    ck_assert_int_eq(attack("\"u1\"", "2"), 0);
    ck_assert_int_eq(attack("\"u1\"", "2"), 0);
    ck_assert_int_eq(attack("\"u1\"", "99"), ACTION_NO_POINTS);
    ck_assert_int_eq(attack("\"u1\"", "2"), ACTION_NO_POINTS);
    ck_assert_int_eq(move("\"u1\"", "<0,1>"), ACTION_NO_POINTS);
    game_free(game);
}
END_TEST

/* 6: walls and the edge of the grid cannot be entered. */
START_TEST(illegal_destination)
{
    begin(with_characters("%{1 => pc(1, (1,0), 3, 2), 2 => pc(2, (3,0), 3, 2)}"));
    ck_assert_int_eq(move("\"u1\"", "<1,0>"), ACTION_ILLEGAL_MOVE);
    ck_assert_int_eq(move("\"u2\"", "<1,0>"), ACTION_ILLEGAL_MOVE);
    ck_assert_int_eq(move("\"u2\"", "<-1,1>"), 0);
    game_free(game);
}
END_TEST

/* 6: a move counts from where the registered moves lead, not from where the character stands. */
START_TEST(destination_after_moves)
{
    begin(with_characters("%{1 => pc(1, (0,0), 3, 3)}"));
    ck_assert_int_eq(move("\"u1\"", "<1,0>"), 0);
    ck_assert_int_eq(move("\"u1\"", "<1,0>"), ACTION_ILLEGAL_MOVE);
    ck_assert_int_eq(move("\"u1\"", "<0,1>"), 0);
    ck_assert_int_eq(move("\"u1\"", "<1,0>"), 0);
    game_free(game);
}
END_TEST

/* 6: only its own moves count, and of them only those that will be made. */
START_TEST(only_moves_that_will_be_made)
{
    begin(with(with_characters("%{1 => pc(1, (0,0), 3, 3), 2 => pc(2, (0,0), 3, 3)}"),
               "registered_actions: %{}",
               "registered_actions: %{1 => [move(2, <1,0>), attack(1, 2), move(1, <9,9>),"
               " move(1, <2,0>), move(1, <0,1>)], 2 => [move(1, <1,0>)]}"));
    ck_assert_int_eq(move("\"u1\"", "<0,1>"), ACTION_ILLEGAL_MOVE); /* (0,2) is a wall */
    ck_assert_int_eq(move("\"u1\"", "<1,0>"), 0);                   /* (1,1) is not */
    game_free(game);
}
END_TEST

/* 6: an imported move whose sum leaves 64 bits leads nowhere. */
START_TEST(overflowing_move)
{
    begin(with(with_characters("%{1 => pc(1, (1,0), 3, 3)}"), "registered_actions: %{}",
               "registered_actions: %{1 => [move(1, <9223372036854775807,0>)]}"));
    ck_assert_int_eq(move("\"u1\"", "<-1,0>"), 0);
    game_free(game);
}
END_TEST

/* 6: the target must be somebody else who lives, then stand in the same hex. */
START_TEST(targets)
{
    static const char *const others[] = {
        "1", "99", ":two", "2.0", "\"u2\"", "nil", "9223372036854775808"};

    begin(plain_game);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        ck_assert_msg(attack("\"u1\"", others[i]) == ACTION_TARGET_NOT_FOUND, "%s", others[i]);
    ck_assert_int_eq(attack("\"u1\"", "3"), ACTION_TARGET_OUT_OF_REACH);
    ck_assert_int_eq(attack("\"u1\"", "2"), 0);
    game_free(game);
}
END_TEST

/* 6: a dead character is no target; registered moves do not bring a target into reach. */
START_TEST(targets_now)
{
    begin(with(with_characters("%{1 => pc(1, (0,0), 3, 2), 3 => pc(3, (1,0), 3, 2)}"),
               "dead_characters: %{}", "dead_characters: %{2 => pc(2, (0,0), 0, 2)}"));
    ck_assert_int_eq(attack("\"u1\"", "2"), ACTION_TARGET_NOT_FOUND);
    ck_assert_int_eq(move("\"u1\"", "<1,0>"), 0);
    ck_assert_int_eq(attack("\"u1\"", "3"), ACTION_TARGET_OUT_OF_REACH);
    game_free(game);
}
END_TEST

/* The same hex is the same q and r, whatever else the positions carry. */
START_TEST(reach_ignores_unknown_fields)
{
    begin(with_characters("%{1 => pc(1, %Coord{q: 0, r: 0, z: 1}, 3, 2),"
                          " 2 => pc(2, %Coord{q: 0, r: 0, z: 2}, 3, 2)}"));
    ck_assert_int_eq(attack("\"u1\"", "2"), 0);
    game_free(game);
}
END_TEST

/* A refusal changes nothing at all. */
START_TEST(refusals_change_nothing)
{
    begin(plain_game);
    ck_assert_int_ne(move("\"u1\"", "<1,1>"), 0);
    ck_assert_int_ne(move("\"u3\"", "<1,0>"), 0);
    ck_assert_int_ne(attack("\"u1\"", "3"), 0);
    assert_term(exported(game), plain_game);
    game_free(game);
}
END_TEST

/* What was registered last can be taken back, list and all. */
START_TEST(taken_back)
{
    struct cn_term before;

    begin(plain_game);
    ck_assert_int_eq(move("\"u2\"", "<0,1>"), 0);
    actions_take_back(game, &registration);
    assert_term(exported(game), plain_game);

    ck_assert_int_eq(move("\"u2\"", "<0,1>"), 0);
    before = exported(game);
    ck_assert_int_eq(move("\"u2\"", "<0,-1>"), 0);
    actions_take_back(game, &registration);
    assert_same(exported(game), before);
    game_free(game);
}
END_TEST

/* Each refusal has its atom. */
START_TEST(atoms)
{
    ck_assert_str_eq(actions_refusal_atom(ACTION_GAME_CONCLUDED), "game_concluded");
    ck_assert_str_eq(actions_refusal_atom(ACTION_PLAYER_NOT_FOUND), "player_not_found");
    ck_assert_str_eq(actions_refusal_atom(ACTION_PLAYER_ELIMINATED), "player_eliminated");
    ck_assert_str_eq(actions_refusal_atom(ACTION_NO_POINTS), "not_enough_action_points");
    ck_assert_str_eq(actions_refusal_atom(ACTION_ILLEGAL_MOVE), "illegal_move");
    ck_assert_str_eq(actions_refusal_atom(ACTION_TARGET_NOT_FOUND), "target_not_found");
    ck_assert_str_eq(actions_refusal_atom(ACTION_TARGET_OUT_OF_REACH), "target_out_of_reach");
}
END_TEST

/* Without memory the game is as it was, whichever allocation fails. */
START_TEST(every_allocation_fails)
{
    struct cn_term user = term("\"u2\"");
    struct cn_term vector = term("<0,1>");
    int failures = 0;

    begin_counting();
    game = imported(plain_game);
    for (size_t nth = 1;; nth++) {
        int result;

        mem_test_fail(nth);
        result = actions_register_move(game, user, vector, &registration);
        mem_test_fail(0);
        if (result == 0)
            break;
        ck_assert_int_eq(result, -ENOMEM);
        assert_term(exported(game), plain_game);
        failures++;
    }
    ck_assert_int_eq(failures, 2);
    game_free(game);
    end_counting();
}
END_TEST

TEST_MAIN("actions", move_is_registered, lists_by_player, concluded_first, player_not_found,
          lowest_player_of_a_user, player_eliminated, living_with_health_0, no_direction,
          no_action_points, illegal_destination, destination_after_moves,
          only_moves_that_will_be_made, overflowing_move, targets, targets_now,
          reach_ignores_unknown_fields, refusals_change_nothing, taken_back, atoms,
          every_allocation_fails)
