/*
 * The game's table of functions, as the node uses it.
 *
 * Requests and messages go in as terms and answers come out; each allocation of a request is failed
 * in turn, after which the state must be what it was.
 */
#include "support.h"

#include <errno.h>

#include "base/alloc.h"

static const struct cn_game *const minotaur = &cn_minotaur_game;
static void *state;
static struct cn_writer reply;

/* Begin with a session of @game_text. */
static void begin(const struct cn_game_env *env, const char *game_text)
{
    struct cn_writer error;

    minotaur->free(state);
    state = NULL;
    cn_writer_init(&error, 0);
    cn_writer_init(&reply, 0);
    ck_assert_int_eq(minotaur->import(env, term(game_text), &state, &error), 0);
    cn_writer_free(&error);
}

static void end(void)
{
    minotaur->free(state);
    state = NULL;
    cn_writer_free(&reply);
}

static int call(const char *request)
{
    int outcome;

    cn_writer_reset(&reply);
    outcome = minotaur->call(&still_env, state, term(request), &reply);
    if (outcome != CN_GAME_STATE)
        return outcome;
    ck_assert_uint_eq(reply.size, 0);
    outcome = minotaur->export(state, &reply); /* as the session does */
    return outcome < 0 ? outcome : CN_GAME_STATE;
}

static int info(const char *message)
{
    return minotaur->info(&still_env, state, term(message));
}

/* The state as it would be exported. */
static struct cn_term current(void)
{
    struct cn_writer writer;
    struct cn_term game;

    cn_writer_init(&writer, 0);
    ck_assert_int_eq(minotaur->export(state, &writer), 0);
    game = keep(cn_writer_term(&writer));
    cn_writer_free(&writer);
    return game;
}

/* The node finds sessions and modules under the names that Elixir uses. */
START_TEST(names)
{
    ck_assert_str_eq(minotaur->module, "Elixir.Minotaur.GameEngine");
    ck_assert_str_eq(minotaur->server_module, "Elixir.Minotaur.GameEngine.SessionServer");
    ck_assert_str_eq(minotaur->id_registry, "Elixir.Minotaur.GameEngine.SessionRegistry");
    ck_assert_str_eq(minotaur->join_code_registry,
                     "Elixir.Minotaur.GameEngine.SessionJoinCodeRegistry");
    ck_assert_str_eq(minotaur->not_alive, "game_not_alive");
    ck_assert_uint_eq(minotaur->state_version, 4);
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_uint_eq(minotaur->state_versions[i], i + 1);
    ck_assert_uint_eq(minotaur->state_versions[4], 0);
}
END_TEST

/* Every function of the Elixir module is there with its arity, kind and request. */
START_TEST(functions)
{
    static const struct {
        const char *name;
        uint32_t arity;
        enum cn_game_function_kind kind;
        const char *request;
        bool wrap_ok;
    } expected[] = {
        {"create_game", 2, CN_GAME_FUNCTION_CREATE, NULL, false},
        {"create_games", 1, CN_GAME_FUNCTION_CREATE_MANY, NULL, false},
        {"continue_game", 1, CN_GAME_FUNCTION_CONTINUE, NULL, false},
        {"continue_game", 2, CN_GAME_FUNCTION_CONTINUE, NULL, false},
        {"get_game", 1, CN_GAME_FUNCTION_CALL, "get_game", true},
        {"get_game_by_join_code", 1, CN_GAME_FUNCTION_CALL_BY_CODE, "get_game", true},
        {"register_move", 3, CN_GAME_FUNCTION_CALL, "register_move", false},
        {"register_attack", 3, CN_GAME_FUNCTION_CALL, "register_attack", false},
        {"end_round", 1, CN_GAME_FUNCTION_CALL, "end_round", true},
        {"get_player_status", 2, CN_GAME_FUNCTION_PURE, NULL, false},
        {"resume_active_sessions", 0, CN_GAME_FUNCTION_RESUME, NULL, false},
        {"whereis", 1, CN_GAME_FUNCTION_WHEREIS, NULL, false},
    };
    const struct cn_game_function *it = minotaur->functions;

    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++, it++) {
        ck_assert_str_eq(it->name, expected[i].name);
        ck_assert_uint_eq(it->arity, expected[i].arity);
        ck_assert_int_eq(it->kind, expected[i].kind);
        ck_assert_pstr_eq(it->request, expected[i].request);
        ck_assert(it->wrap_ok == expected[i].wrap_ok);
        ck_assert((it->pure != NULL) == (it->kind == CN_GAME_FUNCTION_PURE));
    }
    ck_assert_ptr_null(it->name);
}
END_TEST

/* A session is made from users or from a state, and has the game's id. */
START_TEST(create_and_import)
{
    struct cn_writer error;
    struct cn_bytes id;

    cn_writer_init(&error, 0);
    ck_assert_int_eq(
        minotaur->create(&still_env, term("[%{id: 1, display_name: \"Ann\"}]"), &state, &error), 0);
    id = minotaur->id(state);
    ck_assert(cn_bytes_equal(id, "00112233-4455-4677-8899-aabbccddeeff"));
    minotaur->free(state);
    state = NULL;
    ck_assert_int_eq(minotaur->create(&still_env, term("[]"), &state, &error), 1);
    ck_assert_ptr_null(state);
    cn_writer_reset(&error);
    ck_assert_int_eq(minotaur->import(&still_env, term("[]"), &state, &error), 1);
    assert_term(cn_writer_term(&error),
                "{:error, {:invalid_game, [], {:expected, {:struct, Game}}}}");
    ck_assert_ptr_null(state);
    cn_writer_free(&error);
    begin(&still_env, plain_game);
    ck_assert(cn_bytes_equal(minotaur->id(state), "0b5e0f3c-17a2-4c5d-8e9f-00112233aabb"));
    end();
}
END_TEST

/* get_game answers the game and changes nothing. */
START_TEST(get_game)
{
    begin(&still_env, rich_game);
    ck_assert_int_eq(call(":get_game"), CN_GAME_STATE);
    assert_term(cn_writer_term(&reply), rich_game);
    assert_term(current(), rich_game);
    end();
}
END_TEST

/* A registered action answers {ok, Game} with the game as it is now. */
START_TEST(register_ok)
{
    begin(&still_env, plain_game);
    ck_assert_int_eq(call("{:register_move, \"u1\", <0,1>}"), CN_GAME_CHANGED);
    assert_term(at(current(), "registered_actions"), "%{1 => [move(1, <0,1>)]}");
    ck_assert_int_eq(call("{:register_attack, \"u2\", 1}"), CN_GAME_CHANGED);
    assert_term(at(current(), "registered_actions"),
                "%{1 => [move(1, <0,1>)], 2 => [attack(2, 1)]}");
    cn_writer_reset(&reply);
    ck_assert_int_eq(minotaur->call(&still_env, state, term("{:register_move, \"u3\", <0,1>}"),
                                    &reply),
                     CN_GAME_CHANGED);
    {
        struct cn_writer expected;

        cn_writer_init(&expected, 0);
        cn_write_tuple(&expected, 2);
        cn_write_atom(&expected, "ok");
        cn_write_term(&expected, current());
        assert_same(cn_writer_term(&reply), cn_writer_term(&expected));
        cn_writer_free(&expected);
    }
    end();
}
END_TEST

/* A refusal answers {error, Reason} and changes nothing. */
START_TEST(register_refused)
{
    begin(&still_env, plain_game);
    ck_assert_int_eq(call("{:register_move, \"nobody\", <0,1>}"), CN_GAME_UNCHANGED);
    assert_term(cn_writer_term(&reply), "{:error, :player_not_found}");
    ck_assert_int_eq(call("{:register_attack, \"u1\", 3}"), CN_GAME_UNCHANGED);
    assert_term(cn_writer_term(&reply), "{:error, :target_out_of_reach}");
    assert_term(current(), plain_game);
    end();
}
END_TEST

/* end_round answers the game after it; a concluded game is answered as it is. */
START_TEST(end_round)
{
    begin(&still_env, with(plain_game, "3 => pc(3, (1,0), 3, 2)", "3 => pc(3, (1,0), 0, 2)"));
    ck_assert_int_eq(call(":end_round"), CN_GAME_CHANGED);
    assert_term(at(cn_writer_term(&reply), "round"), "4");
    assert_same(cn_writer_term(&reply), current());
    end();

    begin(&still_env,
          with(plain_game, "status: :active, round: 3", "status: :concluded, round: 3"));
    ck_assert_int_eq(call(":end_round"), CN_GAME_STATE);
    assert_same(cn_writer_term(&reply), current());
    assert_term(at(current(), "round"), "3");
    end();
}
END_TEST

/* What is no request of the game is unknown, and nothing is written. */
START_TEST(unknown_requests)
{
    static const char *const requests[] = {
        ":end_session",
        ":get",
        "1",
        "nil",
        "[]",
        "{}",
        "{:get_game}",
        "{:register_move}",
        "{:register_move, \"u1\"}",
        "{:register_move, \"u1\", <0,1>, 1}",
        "{\"register_move\", \"u1\", <0,1>}",
        "{:register_dance, \"u1\", <0,1>}",
        "%{register_move: 1}",
        "{{:register_move}, 1, 2}",
    };

    begin(&still_env, plain_game);
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        ck_assert_msg(call(requests[i]) == CN_GAME_UNKNOWN, "%s", requests[i]);
        ck_assert_uint_eq(cn_writer_term(&reply).size, 0);
    }
    ck_assert_int_eq(minotaur->cast(&still_env, state, term(":end_round")), CN_GAME_UNKNOWN);
    assert_term(current(), plain_game);
    end();
}
END_TEST

/* The timer of the current round ends it; any other, or of a concluded game, is ignored. */
START_TEST(timer_expires)
{
    begin(&still_env, plain_game);
    ck_assert_int_eq(info("{:round_timer_expired, 2}"), CN_GAME_UNCHANGED);
    ck_assert_int_eq(info("{:round_timer_expired, 4}"), CN_GAME_UNCHANGED);
    ck_assert_int_eq(info("{:round_timer_expired, 3.0}"), CN_GAME_UNCHANGED);
    ck_assert_int_eq(info("{:round_timer_expired, :now}"), CN_GAME_UNCHANGED);
    assert_term(current(), plain_game);
    ck_assert_int_eq(info("{:round_timer_expired, 3}"), CN_GAME_CHANGED);
    assert_term(at(current(), "round"), "4");
    ck_assert_int_eq(info("{:round_timer_expired, 3}"), CN_GAME_UNCHANGED);
    end();

    begin(&still_env,
          with(plain_game, "status: :active, round: 3", "status: :concluded, round: 3"));
    ck_assert_int_eq(info("{:round_timer_expired, 3}"), CN_GAME_UNCHANGED);
    end();
}
END_TEST

/* end_session ends the session; other messages are unknown. */
START_TEST(infos)
{
    begin(&still_env, plain_game);
    ck_assert_int_eq(info(":end_session"), CN_GAME_ENDED);
    ck_assert_int_eq(info(":end_round"), CN_GAME_UNKNOWN);
    ck_assert_int_eq(info("{:round_timer_expired, 3, 4}"), CN_GAME_UNKNOWN);
    ck_assert_int_eq(info("{:timer, 3}"), CN_GAME_UNKNOWN);
    ck_assert_int_eq(info("%{}"), CN_GAME_UNKNOWN);
    assert_term(current(), plain_game);
    end();
}
END_TEST

/* The deadline is the end of the round, while the game is active and rounds have timers. */
START_TEST(deadlines)
{
    const char *timed = with(plain_game, "round_end_time: nil",
                             "round_end_time: utc(2026,11,23,1,2,3)");

    begin(&still_env, timed);
    ck_assert_int_eq(minotaur->deadline_s(state), 1795395723);
    ck_assert_int_eq(call(":end_round"), CN_GAME_CHANGED);
    ck_assert_int_eq(minotaur->deadline_s(state), 1795395783);
    ck_assert_int_eq(minotaur->timer_message(state, (cn_writer_reset(&reply), &reply)), 0);
    assert_term(cn_writer_term(&reply), "{:round_timer_expired, 4}");
    end();

    begin(&untimed_env, timed);
    ck_assert_int_eq(minotaur->deadline_s(state), 0);
    end();
    begin(&still_env, plain_game);
    ck_assert_int_eq(minotaur->deadline_s(state), 0);
    end();
    begin(&still_env, with(timed, "status: :active, round: 3", "status: :concluded, round: 3"));
    ck_assert_int_eq(minotaur->deadline_s(state), 0);
    end();
    begin(&still_env,
          with(plain_game, "round_end_time: nil", "round_end_time: utc(1970,1,1,0,0,0)"));
    ck_assert_int_eq(minotaur->deadline_s(state), 1);
    end();
}
END_TEST

static struct cn_term player_status(struct cn_term game, const char *user_id)
{
    const struct cn_term arguments[] = {game, term(user_id)};
    const struct cn_game_function *it = minotaur->functions;
    struct cn_writer answer;
    struct cn_term copy;

    while (it->pure == NULL)
        it++;
    cn_writer_init(&answer, 0);
    ck_assert_int_eq(it->pure(arguments, &answer), 0);
    copy = keep(cn_writer_term(&answer));
    cn_writer_free(&answer);
    return copy;
}

/* get_player_status tells the status of a user's player in any game that can be imported. */
START_TEST(player_statuses_)
{
    struct cn_term game = term(rich_game);

    assert_term(player_status(game, "{:id, 1.5}"), ":active");
    assert_term(player_status(edited(game, "version", "2"), "\"u5\""), ":eliminated");
    assert_term(player_status(game, "\"u6\""), "{:error, :player_not_found}");
    assert_term(player_status(edited(game, "players/1/status", ":won"), "{:id, 1.5}"), ":won");
    assert_term(player_status(edited(game, "version", "7"), "\"u5\""),
                "{:error, :invalid_game_version}");
    assert_term(player_status(edited(game, "round", "0"), "\"u5\""),
                "{:error, {:invalid_game, [:round], {:expected, :positive_integer}}}");
}
END_TEST

/* Fail each allocation of a request in turn: the state is as it was until it succeeds. */
static void sweep(const char *request)
{
    struct cn_term request_term = term(request);
    struct cn_term before;
    int failures = 0;

    begin_counting();
    begin(&still_env, plain_game);
    before = current();
    for (size_t nth = 1;; nth++) {
        int result;

        cn_writer_free(&reply);
        mem_test_fail(nth);
        result = minotaur->call(&still_env, state, request_term, &reply);
        mem_test_fail(0);
        if (result >= 0)
            break;
        ck_assert_int_eq(result, -ENOMEM);
        assert_same(current(), before);
        failures++;
    }
    ck_assert_int_gt(failures, 3);
    assert_term(at(current(), "round"), strcmp(request, ":end_round") == 0 ? "4" : "3");
    end();
    end_counting();
}

/* Running out of memory anywhere in a request, its answer included, changes nothing. */
START_TEST(every_allocation_fails)
{
    sweep(":end_round");
    sweep("{:register_move, \"u1\", <0,1>}");
    sweep("{:register_attack, \"u1\", 2}");
}
END_TEST

/* An answer beyond the writer's limit changes nothing either. */
START_TEST(answer_too_big)
{
    begin(&still_env, plain_game);
    cn_writer_free(&reply);
    cn_writer_init(&reply, 500);
    ck_assert_int_eq(call(":end_round"), -E2BIG);
    ck_assert_int_eq(call(":get_game"), -E2BIG);
    ck_assert_int_eq(call("{:register_move, \"u1\", <0,1>}"), -E2BIG);
    assert_term(current(), plain_game);
    end();
}
END_TEST

TEST_MAIN("minotaur", names, functions, create_and_import, get_game, register_ok, register_refused,
          end_round, unknown_requests, timer_expires, infos, deadlines, player_statuses_,
          every_allocation_fails, answer_too_big)
