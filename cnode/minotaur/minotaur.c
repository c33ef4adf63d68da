/*
 * The game as the node sees it: one table of functions.
 *
 * A request is answered with the state that it leads to, and the state changes only when that
 * answer has been written: a new round is a fork that the game becomes at the end, a registered
 * action is taken back if its answer finds no memory.
 */
#include <cnode/game.h>

#include "actions.h"
#include "create.h"
#include "export.h"
#include "import.h"
#include "round.h"
#include "shapes.h"
#include "upgrade.h"

static int create(const struct cn_game_env *env, struct cn_term argument, void **ret_state,
                  struct cn_writer *error)
{
    struct game *game;
    int result = game_create(env, argument, &game, error);

    if (result == 0)
        *ret_state = game;
    return result;
}

static int import(const struct cn_game_env *env, struct cn_term term, void **ret_state,
                  struct cn_writer *error)
{
    struct game *game;
    int result = game_import(term, &game, error);

    if (result != 0)
        return result;
    game->timed = env->round_seconds > 0;
    *ret_state = game;
    return 0;
}

static int export(const void *state, struct cn_writer *writer)
{
    game_export(state, writer);
    return cn_writer_error(writer);
}

static struct cn_bytes id(const void *state)
{
    const struct game *game = state;

    return (struct cn_bytes){(const uint8_t *)game->id, sizeof game->id};
}

/* The outcome @outcome, unless the answer could not be written. */
static int answered(const struct cn_writer *reply, enum cn_game_outcome outcome)
{
    int error = cn_writer_error(reply);

    return error != 0 ? error : (int)outcome;
}

static int answer_refusal(struct cn_writer *reply, int refusal)
{
    cn_write_tuple(reply, 2);
    cn_write_atom(reply, "error");
    cn_write_atom(reply, actions_refusal_atom(refusal));
    return answered(reply, CN_GAME_UNCHANGED);
}

/* End the round, writing the game to @reply unless that is NULL. */
static int end_round(const struct cn_game_env *env, struct game *game, struct cn_writer *reply)
{
    struct game next;
    int error = round_end(env, game, &next);

    if (error != 0)
        return error;
    if (reply != NULL) {
        game_export(&next, reply);
        error = cn_writer_error(reply);
    }
    if (error != 0) {
        game_drop_fork(&next);
        return error;
    }
    game_adopt(game, &next);
    return CN_GAME_CHANGED;
}

typedef int (*register_fn)(struct game *game, struct cn_term user_id, struct cn_term argument,
                           struct registration *ret_registration);

/* Answer {register_move | register_attack, UserId, Argument}; @reader stands behind the tag. */
static int register_action(struct game *game, struct cn_reader *reader, register_fn register_it,
                           struct cn_writer *reply)
{
    struct registration registration;
    struct cn_term user_id;
    struct cn_term argument;
    int result;

    if (!cn_read_term(reader, &user_id) || !cn_read_term(reader, &argument))
        return CN_GAME_UNKNOWN;
    result = register_it(game, user_id, argument, &registration);
    if (result != 0)
        return result > 0 ? answer_refusal(reply, result) : result;
    cn_write_tuple(reply, 2);
    write_atom(reply, ATOM_OK);
    game_export(game, reply);
    if (cn_writer_error(reply) != 0)
        actions_take_back(game, &registration);
    return answered(reply, CN_GAME_CHANGED);
}

static int call_tuple(struct game *game, struct cn_term request, struct cn_writer *reply)
{
    struct cn_reader reader;
    struct cn_bytes tag;

    cn_reader_init(&reader, request);
    if (!cn_read_this_tuple(&reader, 3) || !cn_read_atom(&reader, &tag))
        return CN_GAME_UNKNOWN;
    if (cn_bytes_equal(tag, "register_move"))
        return register_action(game, &reader, actions_register_move, reply);
    if (cn_bytes_equal(tag, "register_attack"))
        return register_action(game, &reader, actions_register_attack, reply);
    return CN_GAME_UNKNOWN;
}

static int call(const struct cn_game_env *env, void *state, struct cn_term request,
                struct cn_writer *reply)
{
    struct game *game = state;
    bool ends_round = cn_term_is_atom(request, "end_round");

    if (ends_round && game->status == GAME_ACTIVE)
        return end_round(env, game, reply);
    if (ends_round || cn_term_is_atom(request, "get_game"))
        return CN_GAME_STATE;
    return call_tuple(game, request, reply);
}

static int cast(const struct cn_game_env *env, void *state, struct cn_term message)
{
    (void)env;
    (void)state;
    (void)message;
    return CN_GAME_UNKNOWN;
}

static int info(const struct cn_game_env *env, void *state, struct cn_term message)
{
    struct game *game = state;
    struct cn_reader reader;
    int64_t round;

    if (cn_term_is_atom(message, "end_session"))
        return CN_GAME_ENDED;
    cn_reader_init(&reader, message);
    if (!cn_read_this_tuple(&reader, 2) || !cn_read_this_atom(&reader, "round_timer_expired"))
        return CN_GAME_UNKNOWN;
    if (!cn_read_integer(&reader, &round) || round != game->round || game->status != GAME_ACTIVE)
        return CN_GAME_UNCHANGED;
    return end_round(env, game, NULL);
}

static uint64_t round_number(const void *state)
{
    return (uint64_t)((const struct game *)state)->round;
}

static int64_t deadline_s(const void *state)
{
    const struct game *game = state;

    if (!game->timed || game->status != GAME_ACTIVE || game->round_end_s == GAME_NO_ROUND_END)
        return 0;
    return game->round_end_s > 0 ? game->round_end_s : 1;
}

static int timer_message(const void *state, struct cn_writer *writer)
{
    const struct game *game = state;

    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "round_timer_expired");
    cn_write_integer(writer, game->round);
    return cn_writer_error(writer);
}

static void release(void *state)
{
    game_free(state);
}

/* get_player_status(game, user_id) */
static int get_player_status(const struct cn_term *arguments, struct cn_writer *reply)
{
    const struct player *player;
    struct game *game;
    int result = game_import(arguments[0], &game, reply);

    if (result != 0)
        return result < 0 ? result : 0;
    player = game_player_of_user(game, arguments[1]);
    if (player != NULL)
        cn_write_atom(reply, player_statuses[player->status]);
    else
        answer_refusal(reply, ACTION_PLAYER_NOT_FOUND);
    game_free(game);
    return cn_writer_error(reply);
}

static const struct cn_game_function functions[] = {
    {.name = "create_game", .arity = 2, .kind = CN_GAME_FUNCTION_CREATE},
    {.name = "create_games", .arity = 1, .kind = CN_GAME_FUNCTION_CREATE_MANY},
    {.name = "continue_game", .arity = 1, .kind = CN_GAME_FUNCTION_CONTINUE},
    {.name = "continue_game", .arity = 2, .kind = CN_GAME_FUNCTION_CONTINUE},
    {.name = "get_game",
     .arity = 1,
     .kind = CN_GAME_FUNCTION_CALL,
     .request = "get_game",
     .reads = true,
     .wrap_ok = true},
    {.name = "get_game_by_join_code",
     .arity = 1,
     .kind = CN_GAME_FUNCTION_CALL_BY_CODE,
     .request = "get_game",
     .reads = true,
     .wrap_ok = true},
    {.name = "register_move",
     .arity = 3,
     .kind = CN_GAME_FUNCTION_CALL,
     .request = "register_move"},
    {.name = "register_attack",
     .arity = 3,
     .kind = CN_GAME_FUNCTION_CALL,
     .request = "register_attack"},
    {.name = "end_round",
     .arity = 1,
     .kind = CN_GAME_FUNCTION_CALL,
     .request = "end_round",
     .wrap_ok = true},
    {.name = "get_player_status",
     .arity = 2,
     .kind = CN_GAME_FUNCTION_PURE,
     .pure = get_player_status},
    {.name = "resume_active_sessions", .arity = 0, .kind = CN_GAME_FUNCTION_RESUME},
    {.name = "whereis", .arity = 1, .kind = CN_GAME_FUNCTION_WHEREIS},
    {.name = NULL},
};

const struct cn_game cn_minotaur_game = {
    .module = "Elixir.Minotaur.GameEngine",
    .server_module = "Elixir.Minotaur.GameEngine.SessionServer",
    .id_registry = "Elixir.Minotaur.GameEngine.SessionRegistry",
    .join_code_registry = "Elixir.Minotaur.GameEngine.SessionJoinCodeRegistry",
    .not_alive = "game_not_alive",
    .state_version = GAME_STATE_VERSION,
    .state_versions = upgrade_versions,
    .words = &game_atoms,
    .round_event = "next_round_started",
    .functions = functions,
    .create = create,
    .import = import,
    .export = export,
    .id = id,
    .call = call,
    .cast = cast,
    .info = info,
    .deadline_s = deadline_s,
    .timer_message = timer_message,
    .round = round_number,
    .free = release,
};
