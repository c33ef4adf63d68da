/*
 * The end of a round, one sentence of RULES.md after the other.
 */
#include "support.h"

#include <errno.h>

#include "base/alloc.h"
#include "minotaur/round.h"

/* A game of three with these characters and registered actions, in round 3. */
static const char *scene(const char *characters, const char *actions)
{
    return with(with(plain_game,
                     "%{1 => pc(1, (0,0), 3, 2), 2 => pc(2, (0,0), 3, 2), 3 => pc(3, (1,0), 3, 2)}",
                     characters),
                "registered_actions: %{}", text("registered_actions: %s", actions));
}

/* Play the end of the round and give the game after it. */
static struct cn_term after(const struct cn_game_env *env, const char *game_text)
{
    struct game *game = imported(game_text);
    struct game next;
    struct cn_term before = exported(game);
    struct cn_term result;

    ck_assert_int_eq(round_end(env, game, &next), 0);
    assert_same(exported(game), before); /* a fork leaves its game alone */
    game_adopt(game, &next);
    result = exported(game);
    game_free(game);
    return result;
}

static struct cn_term played(const char *characters, const char *actions)
{
    return after(&untimed_env, scene(characters, actions));
}

#define EVENTS  "events_log/events"
#define VISIBLE "events_log/events_visible_by_player"
#define LIVING  "world/player_characters"
#define DEAD    "world/dead_characters"

/* A round in which nobody acts: the number rises, everybody gets a point. */
START_TEST(quiet_round)
{
    struct cn_term game = played(
        "%{1 => pc(1, (0,0), 3, 0), 2 => pc(2, (0,0), 3, 2), 3 => pc(3, (1,0), 3, 3)}", "%{}");

    assert_term(game, with(scene("%{1 => pc(1, (0,0), 3, 1), 2 => pc(2, (0,0), 3, 3),"
                                 " 3 => pc(3, (1,0), 3, 3)}",
                                 "%{}"),
                           "round: 3", "round: 4"));
}
END_TEST

/* 1: the next round ends a round's length from now; without timers it has no end. */
START_TEST(end_of_the_next_round)
{
    assert_term(at(after(&still_env, plain_game), "round_end_time"), "utc(2026,11,23,1,3,3)");
    assert_term(at(after(&untimed_env, plain_game), "round_end_time"), "nil");
    assert_term(at(after(&untimed_env, rich_game), "round_end_time"), "nil");
}
END_TEST

/* 2: an attack takes 1 health and is seen by everyone in the attacker's hex. */
START_TEST(attack)
{
    struct cn_term game = played(
        "%{1 => pc(1, (0,0), 3, 1), 2 => pc(2, (0,0), 3, 2), 3 => pc(3, (0,0), 3, 2)}",
        "%{1 => [attack(1, 2)]}");

    assert_term(at(game, EVENTS), "%{0 => attacked(0, 1, 2, 3)}");
    assert_term(at(game, VISIBLE), "%{1 => [0], 2 => [0], 3 => [0]}");
    assert_term(at(game, "world/player_characters/2"), "pc(2, (0,0), 2, 3)");
}
END_TEST

/* 2: attacks go by player id, then in the order of registration; newest ids come first in lists. */
START_TEST(order_of_attacks)
{
    struct cn_term game = played(
        "%{1 => pc(1, (0,0), 3, 0), 2 => pc(2, (0,0), 3, 0), 3 => pc(3, (1,0), 3, 0)}",
        "%{2 => [attack(2, 1)], 1 => [attack(1, 2), attack(1, 2)]}");

    assert_term(at(game, EVENTS), "%{0 => attacked(0, 1, 2, 3), 1 => attacked(1, 1, 2, 3),"
                                  " 2 => attacked(2, 2, 1, 3)}");
    assert_term(at(game, VISIBLE), "%{1 => [2, 1, 0], 2 => [2, 1, 0], 3 => []}");
}
END_TEST

/* 2: health stays at 0, and who falls still strikes and still sees. */
START_TEST(falling_together)
{
    struct cn_term game = played(
        "%{1 => pc(1, (0,0), 1, 0), 2 => pc(2, (0,0), 1, 0), 3 => pc(3, (0,0), 3, 0)}",
        "%{1 => [attack(1, 2)], 3 => [attack(3, 2)], 2 => [attack(2, 1)]}");

    assert_term(at(game, EVENTS), "%{0 => attacked(0, 1, 2, 3), 1 => attacked(1, 2, 1, 3),"
                                  " 2 => attacked(2, 3, 2, 3)}");
    assert_term(at(game, VISIBLE), "%{1 => [2, 1, 0], 2 => [2, 1, 0], 3 => [2, 1, 0]}");
    assert_term(at(game, DEAD), "%{1 => pc(1, (0,0), 0, 1), 2 => pc(2, (0,0), 0, 1)}");
    assert_term(at(game, LIVING), "%{3 => pc(3, (0,0), 3, 1)}");
}
END_TEST

/* 2: an imported attack without a living attacker or target is dropped; one from afar is not. */
START_TEST(imported_attacks)
{
    struct cn_term game = played(
        "%{1 => pc(1, (0,0), 3, 0), 3 => pc(3, (1,0), 3, 0)}",
        "%{1 => [attack(1, 2), attack(2, 1), attack(9, 9), attack(1, 3), attack(1, 1)]}");

    assert_term(at(game, EVENTS), "%{0 => attacked(0, 1, 3, 3), 1 => attacked(1, 1, 1, 3)}");
    assert_term(at(game, VISIBLE), "%{1 => [1, 0], 2 => [], 3 => []}");
    assert_term(at(game, LIVING), "%{1 => pc(1, (0,0), 2, 1), 3 => pc(3, (1,0), 2, 1)}");
}
END_TEST

/* 2: the player of an action is the one it names, in whichever list it is. */
START_TEST(action_in_another_list)
{
    struct cn_term game = played("%{1 => pc(1, (0,0), 3, 0), 2 => pc(2, (0,0), 3, 0)}",
                                 "%{2 => [attack(1, 2)], 1 => [move(2, <0,1>)]}");

    assert_term(at(game, LIVING), "%{1 => pc(1, (0,0), 3, 1), 2 => pc(2, (0,1), 2, 1)}");
}
END_TEST

/* 3: left is seen by those who stay behind, entered by those who are there and the mover. */
START_TEST(one_move)
{
    struct cn_term game = played(
        "%{1 => pc(1, (0,0), 3, 1), 2 => pc(2, (0,0), 3, 2), 3 => pc(3, (1,0), 3, 2)}",
        "%{1 => [move(1, <1,0>)]}");

    assert_term(at(game, EVENTS),
                "%{0 => left(0, 1, (1,0), (0,0), 3), 1 => entered(1, 1, (1,0), (0,0), 3)}");
    assert_term(at(game, VISIBLE), "%{1 => [1], 2 => [0], 3 => [1]}");
    assert_term(at(game, "world/player_characters/1/position"), "(1,0)");
}
END_TEST

/* 3: a left event that nobody would see is not made; its id goes to the next event. */
START_TEST(nobody_left_behind)
{
    struct cn_term game = played("%{1 => pc(1, (0,0), 3, 1), 3 => pc(3, (1,0), 3, 2)}",
                                 "%{1 => [move(1, <0,1>)]}");

    assert_term(at(game, EVENTS), "%{0 => entered(0, 1, (0,1), (0,0), 3)}");
    assert_term(at(game, VISIBLE), "%{1 => [0], 2 => [], 3 => []}");
}
END_TEST

/* 3: who goes along does not see the other leave, but sees both arrive. */
START_TEST(going_together)
{
    struct cn_term game = played(
        "%{1 => pc(1, (0,0), 3, 1), 2 => pc(2, (0,0), 3, 1), 3 => pc(3, (0,0), 3, 1)}",
        "%{1 => [move(1, <1,0>)], 2 => [move(2, <1,0>)]}");

    assert_term(at(game, EVENTS),
                "%{0 => left(0, 1, (1,0), (0,0), 3), 1 => left(1, 2, (1,0), (0,0), 3),"
                " 2 => entered(2, 1, (1,0), (0,0), 3), 3 => entered(3, 2, (1,0), (0,0), 3)}");
    assert_term(at(game, VISIBLE), "%{1 => [3, 2], 2 => [3, 2], 3 => [1, 0]}");
}
END_TEST

/* 3: two who change places see each other leave no hex and enter none but their own. */
START_TEST(changing_places)
{
    struct cn_term game = played("%{1 => pc(1, (0,0), 3, 1), 2 => pc(2, (1,0), 3, 1)}",
                                 "%{1 => [move(1, <1,0>)], 2 => [move(2, <-1,0>)]}");

    assert_term(at(game, EVENTS),
                "%{0 => entered(0, 1, (1,0), (0,0), 3), 1 => entered(1, 2, (0,0), (1,0), 3)}");
    assert_term(at(game, VISIBLE), "%{1 => [0], 2 => [1], 3 => []}");
}
END_TEST

/* 3: of two steps the mover sees itself leave its first hex; a hex passed through is told too. */
START_TEST(two_steps)
{
    struct cn_term game = played(
        "%{1 => pc(1, (0,0), 3, 0), 2 => pc(2, (0,1), 3, 1), 3 => pc(3, (1,1), 3, 1)}",
        "%{1 => [move(1, <0,1>), move(1, <1,0>)]}");

    assert_term(at(game, EVENTS),
                "%{0 => left(0, 1, (0,1), (0,0), 3), 1 => left(1, 1, (1,1), (0,1), 3),"
                " 2 => entered(2, 1, (0,1), (0,0), 3), 3 => entered(3, 1, (1,1), (0,1), 3)}");
    assert_term(at(game, VISIBLE), "%{1 => [3, 0], 2 => [2, 1], 3 => [3]}");
}
END_TEST

/* 3: an entered event is made even if nobody stands there in the end. */
START_TEST(entered_unseen)
{
    struct cn_term game = played("%{1 => pc(1, (0,0), 3, 0), 2 => pc(2, (3,0), 3, 1)}",
                                 "%{1 => [move(1, <0,1>), move(1, <1,0>)]}");

    assert_term(at(game, EVENTS),
                "%{0 => left(0, 1, (0,1), (0,0), 3), 1 => entered(1, 1, (0,1), (0,0), 3),"
                " 2 => entered(2, 1, (1,1), (0,1), 3)}");
    assert_term(at(game, VISIBLE), "%{1 => [2, 0], 2 => [], 3 => []}");
}
END_TEST

/* 3: an imported move to a wall, off the grid, beyond 64 bits or of nobody is dropped; others lead
 * on. */
START_TEST(imported_moves)
{
    struct cn_term game = played(
        "%{1 => pc(1, (0,0), 3, 0), 2 => pc(2, (3,0), 3, 1)}",
        "%{1 => [move(1, <2,0>), move(1, <9,9>), move(1, <-9223372036854775808,0>),"
        " move(7, <0,1>), move(1, <1,2>), move(1, <0,0>)]}");

    assert_term(at(game, EVENTS),
                "%{0 => entered(0, 1, (1,2), (0,0), 3), 1 => entered(1, 1, (1,2), (1,2), 3)}");
    assert_term(at(game, "world/player_characters/1/position"), "(1,2)");
}
END_TEST

/* 2 before 3: attacks strike where everybody stands before the moves. */
START_TEST(attacks_before_moves)
{
    struct cn_term game = played(
        "%{1 => pc(1, (0,0), 3, 0), 2 => pc(2, (0,0), 3, 0), 3 => pc(3, (1,0), 3, 0)}",
        "%{1 => [move(1, <1,0>), attack(1, 2)], 2 => [attack(2, 1)]}");

    assert_term(at(game, EVENTS),
                "%{0 => attacked(0, 1, 2, 3), 1 => attacked(1, 2, 1, 3),"
                " 2 => left(2, 1, (1,0), (0,0), 3), 3 => entered(3, 1, (1,0), (0,0), 3)}");
    assert_term(at(game, VISIBLE), "%{1 => [3, 1, 0], 2 => [2, 1, 0], 3 => [3]}");
}
END_TEST

/* 3: who has fallen to health 0 in this round still moves and sees. */
START_TEST(the_fallen_move)
{
    struct cn_term game = played("%{1 => pc(1, (0,0), 3, 0), 2 => pc(2, (0,0), 1, 0)}",
                                 "%{1 => [attack(1, 2)], 2 => [move(2, <0,1>)]}");

    assert_term(at(game, EVENTS), "%{0 => attacked(0, 1, 2, 3), 1 => left(1, 2, (0,1), (0,0), 3),"
                                  " 2 => entered(2, 2, (0,1), (0,0), 3)}");
    assert_term(at(game, VISIBLE), "%{1 => [1, 0], 2 => [2, 0], 3 => []}");
    assert_term(at(game, DEAD), "%{2 => pc(2, (0,1), 0, 1)}");
}
END_TEST

/* 4: points rise to 3 at most; imported ones above come down to 3. The dead get none. */
START_TEST(action_points)
{
    struct cn_term game = after(
        &untimed_env,
        with(scene("%{1 => pc(1, (0,0), 3, 9223372036854775807), 2 => pc(2, (0,0), 3, 2)}", "%{}"),
             "dead_characters: %{}", "dead_characters: %{3 => pc(3, (0,0), 0, 1)}"));

    assert_term(at(game, LIVING), "%{1 => pc(1, (0,0), 3, 3), 2 => pc(2, (0,0), 3, 3)}");
    assert_term(at(game, DEAD), "%{3 => pc(3, (0,0), 0, 1)}");
}
END_TEST

/* 5: imported characters with health 0 die too; their players are eliminated, if there are any. */
START_TEST(the_dead_are_put_aside)
{
    struct cn_term game = after(
        &untimed_env,
        with(scene("%{1 => pc(1, (0,0), 0, 0), 2 => pc(2, (0,0), 3, 2), 9 => pc(9, (0,0), 0, 1),"
                   " 3 => pc(3, (0,0), 3, 2)}",
                   "%{}"),
             "dead_characters: %{}",
             "dead_characters: %{1 => pc(1, (3,0), 7, 7), 5 => pc(5, (0,0), 0, 1)}"));

    assert_term(at(game, DEAD), "%{1 => pc(1, (0,0), 0, 1), 5 => pc(5, (0,0), 0, 1),"
                                " 9 => pc(9, (0,0), 0, 2)}");
    assert_term(at(game, LIVING), "%{2 => pc(2, (0,0), 3, 3), 3 => pc(3, (0,0), 3, 3)}");
    assert_term(at(game, "players/1/status"), ":eliminated");
    assert_term(at(game, "players/2/status"), ":active");
    assert_term(at(game, "status"), ":active");
}
END_TEST

/* 7 and 8: the last one living has won, and the game is over. */
START_TEST(winner)
{
    struct cn_term game = after(&still_env,
                                scene("%{1 => pc(1, (0,0), 3, 0), 2 => pc(2, (0,0), 1, 0)}",
                                      "%{1 => [attack(1, 2)]}"));

    assert_term(at(game, "players/1/status"), ":won");
    assert_term(at(game, "players/2/status"), ":eliminated");
    assert_term(at(game, "players/3/status"), ":active");
    assert_term(at(game, "status"), ":concluded");
    assert_term(at(game, "round_end_time"), "nil");
    assert_term(at(game, "round"), "4");
}
END_TEST

/* 8: with nobody living the game is over and nobody has won. */
START_TEST(nobody_wins)
{
    struct cn_term game = after(&still_env,
                                scene("%{1 => pc(1, (0,0), 1, 0), 2 => pc(2, (0,0), 1, 0)}",
                                      "%{1 => [attack(1, 2)], 2 => [attack(2, 1)]}"));

    assert_term(at(game, "players/1/status"), ":eliminated");
    assert_term(at(game, "players/2/status"), ":eliminated");
    assert_term(at(game, LIVING), "%{}");
    assert_term(at(game, "status"), ":concluded");
}
END_TEST

/* 7: a lonely character without a player wins for nobody; an empty world just ends. */
START_TEST(odd_ends)
{
    assert_term(at(played("%{9 => pc(9, (0,0), 3, 0)}", "%{}"), "status"), ":concluded");
    assert_term(at(played("%{}", "%{}"), "status"), ":concluded");
    assert_term(at(played("%{}", "%{}"), "players/1/status"), ":active");
}
END_TEST

/* Unknown fields stay: of characters who move and die, of players, of the game, world and log. */
START_TEST(unknown_fields_stay)
{
    struct cn_term old = edited(term(rich_game), "players/9",
                                "%Player{id: 9, user_id: 9, display_name: \"\", status: :active}");
    struct cn_writer error;
    struct game *game;
    struct game next;

    old = edited(old, "world/player_characters/9", "pc(9, (1,0), 2, 0)");
    cn_writer_init(&error, 0);
    ck_assert_int_eq(game_import(old, &game, &error), 0);
    ck_assert_int_eq(round_end(&untimed_env, game, &next), 0);
    game_adopt(game, &next);
    assert_term(at(exported(game), "world/player_characters/1"),
                "%PlayerCharacter{player_id: 1, position: %Coord{q: 1, r: 0, z: 4}, health: 3,"
                " action_points: 3, bag: [:rope]}");
    assert_term(at(exported(game), EVENTS "/3"), "entered(3, 1, (1,0), (0,0), 7)");
    assert_term(at(exported(game), "players/1/hat"), "[1, 2]");
    assert_term(at(exported(game), "world/light"), ":dim");
    assert_term(at(exported(game), "events_log/pages"), "3");
    assert_term(at(exported(game), "mood"), ":grim");
    game_free(game);
}
END_TEST

/* A round beyond all numbers stays where it is. */
START_TEST(last_round_of_all)
{
    assert_term(at(after(&untimed_env, with(plain_game, "round: 3", "round: 9223372036854775807")),
                   "round"),
                "9223372036854775807");
}
END_TEST

/* Without memory the game is as it was, whichever allocation fails. */
START_TEST(every_allocation_fails)
{
    const char *game_text = scene(
        "%{1 => pc(1, (0,0), 3, 0), 2 => pc(2, (0,0), 1, 0), 3 => pc(3, (1,0), 3, 0)}",
        "%{1 => [attack(1, 2), move(1, <1,0>)], 3 => [move(3, <0,1>)]}");
    struct game *game;
    struct game next;
    long live;
    int failures = 0;

    begin_counting();
    game = imported(game_text);
    live = mem_test_live();
    for (size_t nth = 1;; nth++) {
        int result;

        mem_test_fail(nth);
        result = round_end(&still_env, game, &next);
        mem_test_fail(0);
        if (result == 0)
            break;
        ck_assert_int_eq(result, -ENOMEM);
        ck_assert_int_eq(mem_test_live(), live);
        failures++;
    }
    ck_assert_int_gt(failures, 8);
    game_drop_fork(&next);
    assert_term(exported(game), game_text);
    game_free(game);
    end_counting();
}
END_TEST

TEST_MAIN("round", quiet_round, end_of_the_next_round, attack, order_of_attacks, falling_together,
          imported_attacks, action_in_another_list, one_move, nobody_left_behind, going_together,
          changing_places, two_steps, entered_unseen, imported_moves, attacks_before_moves,
          the_fallen_move, action_points, the_dead_are_put_aside, winner, nobody_wins, odd_ends,
          unknown_fields_stay, last_round_of_all, every_allocation_fails)
