/*
 * The toy game of tests: see toy.h.
 *
 * It allocates through the seam, so that sweeps fail its allocations too.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "unit/session/toy.h"

#define ADDS_MAX 64

struct toy {
    char id[64];
    size_t id_size;
    int64_t deadline;
    int64_t adds[ADDS_MAX];
    size_t count;
    size_t ballast;
};

static int refuse(struct cn_writer *error, const char *reason)
{
    cn_write_tuple(error, 2);
    cn_write_atom(error, "error");
    cn_write_atom(error, reason);
    return cn_writer_error(error) != 0 ? -ENOMEM : 1;
}

static struct toy *toy_new(struct cn_bytes id)
{
    struct toy *toy = mem_zalloc(sizeof(*toy));

    if (toy == NULL)
        return NULL;
    memcpy(toy->id, id.data, id.size);
    toy->id_size = id.size;
    return toy;
}

static int toy_create(const struct cn_game_env *env, struct cn_term argument, void **ret_state,
                      struct cn_writer *error)
{
    struct cn_reader reader;
    struct cn_bytes id;

    cn_reader_init(&reader, argument);
    if (!cn_read_binary(&reader, &id) || id.size == 0 || id.size > 64)
        return refuse(error, "invalid_argument");
    *ret_state = toy_new(id);
    return *ret_state == NULL ? -ENOMEM : 0;
}

static bool read_adds(struct cn_term term, struct toy *toy)
{
    struct cn_reader reader;
    uint32_t count;

    cn_reader_init(&reader, term);
    if (!cn_read_list(&reader, &count) || count > ADDS_MAX)
        return false;
    for (toy->count = 0; toy->count < count; toy->count++)
        if (!cn_read_integer(&reader, &toy->adds[toy->count]))
            return false;
    return true;
}

static bool read_number(struct cn_term map, const char *key, int64_t *ret_number)
{
    struct cn_reader reader;
    struct cn_term value;

    if (!cn_map_get(map, key, &value))
        return false;
    cn_reader_init(&reader, value);
    return cn_read_integer(&reader, ret_number);
}

static bool read_toy(struct cn_term term, struct toy *toy)
{
    struct cn_term adds, ballast;
    struct cn_reader reader;
    struct cn_bytes bytes;

    if (!read_number(term, "deadline", &toy->deadline) || !cn_map_get(term, "adds", &adds) ||
        !read_adds(adds, toy) || !cn_map_get(term, "ballast", &ballast))
        return false;
    cn_reader_init(&reader, ballast);
    if (!cn_read_binary(&reader, &bytes))
        return false;
    toy->ballast = bytes.size;
    return true;
}

static int toy_import(const struct cn_game_env *env, struct cn_term term, void **ret_state,
                      struct cn_writer *error)
{
    struct cn_term id;
    void *state;
    int result;

    if (!cn_map_get(term, "id", &id))
        return refuse(error, "invalid_toy");
    result = toy_create(env, id, &state, error);
    if (result != 0)
        return result;
    if (!read_toy(term, state)) {
        mem_free(state);
        return refuse(error, "invalid_toy");
    }
    *ret_state = state;
    return 0;
}

static void write_adds(const struct toy *toy, struct cn_writer *writer)
{
    if (toy->count > 0)
        cn_write_list(writer, (uint32_t)toy->count);
    for (size_t i = 0; i < toy->count; i++)
        cn_write_integer(writer, toy->adds[i]);
    cn_write_nil(writer);
}

unsigned toy_exports;
unsigned toy_rounds_fail;
int toy_export_fails;

static int toy_export(const void *state, struct cn_writer *writer)
{
    const struct toy *toy = state;
    uint8_t *ballast = mem_zalloc(toy->ballast + 1);

    toy_exports++;
    if (ballast == NULL)
        return -ENOMEM;
    if (toy_export_fails != 0) {
        mem_free(ballast);
        return toy_export_fails;
    }
    cn_write_map(writer, 4);
    cn_write_atom(writer, "id");
    cn_write_binary(writer, (struct cn_bytes){(const uint8_t *)toy->id, toy->id_size});
    cn_write_atom(writer, "deadline");
    cn_write_integer(writer, toy->deadline);
    cn_write_atom(writer, "adds");
    write_adds(toy, writer);
    cn_write_atom(writer, "ballast");
    cn_write_binary(writer, (struct cn_bytes){ballast, toy->ballast});
    mem_free(ballast);
    return cn_writer_error(writer);
}

static struct cn_bytes toy_id(const void *state)
{
    const struct toy *toy = state;

    return (struct cn_bytes){(const uint8_t *)toy->id, toy->id_size};
}

static bool is_pair(struct cn_term term, const char *tag, int64_t *ret_number)
{
    struct cn_reader reader;

    cn_reader_init(&reader, term);
    return cn_read_this_tuple(&reader, 2) && cn_read_this_atom(&reader, tag) &&
           cn_read_integer(&reader, ret_number);
}

static int toy_add(struct toy *toy, struct cn_term message)
{
    int64_t number;

    if (!is_pair(message, "add", &number) || toy->count == ADDS_MAX)
        return CN_GAME_UNKNOWN;
    toy->adds[toy->count++] = number;
    return CN_GAME_CHANGED;
}

static int toy_set(struct toy *toy, struct cn_term request)
{
    int64_t number;

    if (is_pair(request, "deadline", &number))
        toy->deadline = number;
    else if (is_pair(request, "ballast", &number))
        toy->ballast = (size_t)number;
    else
        return toy_add(toy, request);
    return CN_GAME_CHANGED;
}

static int toy_call(const struct cn_game_env *env, void *state, struct cn_term request,
                    struct cn_writer *reply)
{
    struct toy *toy = state;
    int outcome;

    if (cn_term_is_atom(request, "get")) {
        write_adds(toy, reply);
        return CN_GAME_UNCHANGED;
    }
    if (cn_term_is_atom(request, "state"))
        return CN_GAME_STATE;
    if (cn_term_is_atom(request, "too_large"))
        return -E2BIG;
    if (cn_term_is_atom(request, "stop")) {
        cn_write_atom(reply, "stopped");
        return CN_GAME_ENDED;
    }
    outcome = toy_set(toy, request);
    if (outcome != CN_GAME_CHANGED)
        return outcome;
    cn_write_tuple(reply, 2);
    cn_write_atom(reply, "ok");
    cn_write_integer(reply, (int64_t)toy->count);
    return outcome;
}

static int toy_cast(const struct cn_game_env *env, void *state, struct cn_term message)
{
    return toy_add(state, message);
}

static int toy_info(const struct cn_game_env *env, void *state, struct cn_term message)
{
    struct toy *toy = state;

    if (cn_term_is_atom(message, "end_session"))
        return CN_GAME_ENDED;
    if (cn_term_is_atom(message, "too_large"))
        return -E2BIG;
    if (cn_term_is_atom(message, "tick") && toy_rounds_fail > 0) {
        toy_rounds_fail--;
        return -ENOMEM;
    }
    if (!cn_term_is_atom(message, "tick") || toy->count == ADDS_MAX)
        return toy_add(toy, message);
    toy->adds[toy->count++] = 1000;
    toy->deadline = 0;
    return CN_GAME_CHANGED;
}

static int64_t toy_deadline_s(const void *state)
{
    return ((const struct toy *)state)->deadline;
}

static int toy_timer_message(const void *state, struct cn_writer *writer)
{
    cn_write_atom(writer, "tick");
    return cn_writer_error(writer);
}

static uint64_t toy_round(const void *state)
{
    return ((const struct toy *)state)->count;
}

static int toy_pure(const struct cn_term *arguments, struct cn_writer *reply)
{
    cn_write_tuple(reply, 2);
    cn_write_atom(reply, "pure");
    cn_write_term(reply, arguments[0]);
    return cn_writer_error(reply);
}

static const struct cn_game_function functions[] = {
    {.name = "create", .arity = 2, .kind = CN_GAME_FUNCTION_CREATE},
    {.name = "create_many", .arity = 1, .kind = CN_GAME_FUNCTION_CREATE_MANY},
    {.name = "continue", .arity = 1, .kind = CN_GAME_FUNCTION_CONTINUE},
    {.name = "continue", .arity = 2, .kind = CN_GAME_FUNCTION_CONTINUE},
    {.name = "get",
     .arity = 1,
     .kind = CN_GAME_FUNCTION_CALL,
     .request = "get",
     .reads = true,
     .wrap_ok = true},
    {.name = "state", .arity = 1, .kind = CN_GAME_FUNCTION_CALL, .request = "state"},
    {.name = "add", .arity = 2, .kind = CN_GAME_FUNCTION_CALL, .request = "add"},
    {.name = "by_code", .arity = 1, .kind = CN_GAME_FUNCTION_CALL_BY_CODE, .request = "get"},
    {.name = "whereis", .arity = 1, .kind = CN_GAME_FUNCTION_WHEREIS},
    {.name = "resume", .arity = 0, .kind = CN_GAME_FUNCTION_RESUME},
    {.name = "pure", .arity = 1, .kind = CN_GAME_FUNCTION_PURE, .pure = toy_pure},
    {.name = NULL},
};
static const uint32_t versions[] = {1, 2, 0};
static const uint32_t old_versions[] = {1, 0};

#define TOY(written, read)                                                                        \
    {                                                                                             \
        .module = "Elixir.Toy", .server_module = "Elixir.Toy.Server",                             \
        .id_registry = "Elixir.Toy.Ids", .join_code_registry = "Elixir.Toy.Codes",                \
        .not_alive = "toy_not_alive", .state_version = (written), .state_versions = (read),       \
        .functions = functions, .create = toy_create, .import = toy_import, .export = toy_export, \
        .id = toy_id, .call = toy_call, .cast = toy_cast, .info = toy_info,                       \
        .deadline_s = toy_deadline_s, .timer_message = toy_timer_message,                         \
        .round_event = "toy_round", .round = toy_round, .free = mem_free,                         \
    }

const struct cn_game toy_game = TOY(2, versions);
const struct cn_game toy_old_game = TOY(1, old_versions);
