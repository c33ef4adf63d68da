/*
 * New games: all that RULES.md says of them, and every fault that users can have.
 *
 * Time stands still and randomness counts up (still_env), so a new game is one known term.
 */
#include "support.h"

#include <errno.h>

#include "base/alloc.h"
#include "minotaur/board.h"
#include "minotaur/create.h"
#include "minotaur/datetime.h"

static struct game *created(const struct cn_game_env *env, const char *users)
{
    struct cn_writer error;
    struct game *game = NULL;

    cn_writer_init(&error, 0);
    ck_assert_int_eq(game_create(env, term(users), &game, &error), 0);
    return game;
}

/* A list of @count users. */
static const char *users(int count)
{
    const char *list = "[";

    for (int i = 0; i < count; i++)
        list = text("%s%s%%{id: %d, display_name: \"P%d\"}", list, i > 0 ? ", " : "", i, i);
    return text("%s]", list);
}

/* Two players: everything that RULES.md says of a new game. */
START_TEST(two_players)
{
    struct game *game = created(&still_env, "[%{id: {:u, 1}, display_name: \"Ann\", age: 7},"
                                            " %User{id: nil, display_name: \"\"}]");

    assert_term(
        exported(game),
        "%Game{id: \"00112233-4455-4677-8899-aabbccddeeff\", status: :active, round: 1,"
        " round_end_time: utc(2026,11,23,1,3,3),"
        " players: %{1 => player(1, {:u, 1}, :active, \"Ann\"),"
        " 2 => player(2, nil, :active, \"\")},"
        " registered_actions: %{}, version: 4,"
        " events_log: %EventsLog{events: %{}, events_visible_by_player: %{1 => [], 2 => []}},"
        " world: %World{grid: board(), player_characters: %{1 => pc(1, (3,-3), 3, 2),"
        " 2 => pc(2, (-3,3), 3, 2)}, dead_characters: %{}}}");
    game_free(game);
}
END_TEST

/* One player starts at (3,-3), four are spread over the ring, eighteen fill it. */
START_TEST(starting_places)
{
    struct game *game = created(&still_env, users(1));

    assert_term(at(exported(game), "world/player_characters"), "%{1 => pc(1, (3,-3), 3, 2)}");
    game_free(game);

    game = created(&still_env, users(4));
    assert_term(at(exported(game), "world/player_characters"),
                "%{1 => pc(1, (3,-3), 3, 2), 2 => pc(2, (2,1), 3, 2), 3 => pc(3, (-3,3), 3, 2),"
                " 4 => pc(4, (-2,-1), 3, 2)}");
    game_free(game);

    game = created(&still_env, users(18));
    for (uint32_t i = 0; i < 18; i++) {
        const struct hex *hex = board_hex(game, game->living[i].position);

        ck_assert(hex != NULL && hex->terrain == TERRAIN_FLOOR);
        for (uint32_t j = 0; j < i; j++)
            ck_assert(!coord_equal(game->living[i].position, game->living[j].position));
    }
    game_free(game);
}
END_TEST

/* A new game is a game that can be imported. */
START_TEST(new_game_is_importable)
{
    struct game *game = created(&still_env, users(7));
    struct cn_term first = exported(game);
    struct cn_writer error;

    game_free(game);
    cn_writer_init(&error, 0);
    ck_assert_int_eq(game_import(first, &game, &error), 0);
    assert_same(exported(game), first);
    game_free(game);
}
END_TEST

/* Without timers a round has no end. */
START_TEST(no_timer)
{
    struct game *game = created(&untimed_env, users(2));

    assert_term(at(exported(game), "round_end_time"), "nil");
    ck_assert(!game->timed);
    game_free(game);
}
END_TEST

/* A clock that is far off does not lead out of the years that can be written. */
START_TEST(odd_clocks)
{
    struct cn_game_env env = still_env;

    env.now_s = -5;
    ck_assert_int_eq(game_round_end(&env), 60);
    env.now_s = INT64_MAX;
    ck_assert_int_eq(game_round_end(&env), DATETIME_SECONDS_MAX);
    env.now_s = 0;
    env.round_seconds = UINT32_MAX;
    ck_assert_int_eq(game_round_end(&env), UINT32_MAX);
}
END_TEST

/* What is wrong with the users is named with its path from the list. */
START_TEST(invalid_users)
{
    static const struct {
        const char *users;
        const char *error;
    } cases[] = {
        {":none", "[], {:expected, :list}"},
        {"%{}", "[], {:expected, :list}"},
        {"[%{id: 1, display_name: \"A\"} | :tail]", "[], {:expected, :list}"},
        {"[]", "[], {:expected, {:length, 1, 18}}"},
        {"[1, 2]", "[0], {:expected, :map}"},
        {"[%{id: 1, display_name: \"A\"}, nil]", "[1], {:expected, :map}"},
        {"[%{id: 1, display_name: \"A\"}, %{display_name: \"B\"}]", "[1, :id], :missing"},
        {"[%{id: 1}]", "[0, :display_name], :missing"},
        {"[%{}]", "[0, :id], :missing"},
        {"[%{id: 1, display_name: :ann}]", "[0, :display_name], {:expected, :binary}"},
        {"[%{id: 1, display_name: nil}, 7]", "[0, :display_name], {:expected, :binary}"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cn_writer error;
        struct game *game;

        cn_writer_init(&error, 0);
        ck_assert_int_eq(game_create(&still_env, term(cases[i].users), &game, &error), 1);
        assert_term(cn_writer_term(&error), text("{:error, {:invalid_users, %s}}", cases[i].error));
        cn_writer_free(&error);
    }
}
END_TEST

/* Nineteen are too many, even if they are nothing but numbers; a long improper list is no list. */
START_TEST(too_many_users)
{
    struct cn_writer error;
    struct game *game;

    cn_writer_init(&error, 0);
    ck_assert_int_eq(game_create(&still_env, term(users(19)), &game, &error), 1);
    assert_term(cn_writer_term(&error),
                "{:error, {:invalid_users, [], {:expected, {:length, 1, 18}}}}");
    cn_writer_reset(&error);
    ck_assert_int_eq(game_create(&still_env,
                                 term("[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19 | 20]"),
                                 &game, &error),
                     1);
    assert_term(cn_writer_term(&error), "{:error, {:invalid_users, [], {:expected, :list}}}");
    cn_writer_free(&error);
}
END_TEST

/* Without memory there is no game and nothing is left behind. */
START_TEST(every_allocation_fails)
{
    struct cn_term list = term(users(3));
    int failures = 0;

    begin_counting();
    for (size_t nth = 1;; nth++) {
        struct cn_writer error;
        struct game *game;
        int result;

        cn_writer_init(&error, 0);
        mem_test_fail(nth);
        result = game_create(&still_env, list, &game, &error);
        if (result == 0) {
            game_free(game);
            break;
        }
        ck_assert_int_eq(result, -ENOMEM);
        ck_assert_int_eq(mem_test_live(), 0);
        failures++;
    }
    ck_assert_int_eq(failures, 5);
    end_counting();
}
END_TEST

TEST_MAIN("create", two_players, starting_places, new_game_is_importable, no_timer, odd_clocks,
          invalid_users, too_many_users, every_allocation_fails)
