/*
 * Starting sessions for callers of the engine. One structure per start that must wait.
 */
#include "session/engine_start.h"

#include <string.h>

#include "base/alloc.h"
#include "session/engine_many.h"
#include "session/locate.h"
#include "session/members.h"
#include "session/ranking.h"
#include "session/start.h"
#include "session/words.h"

#define START_MS 10000

struct engine_start {
    struct operation operation;
    struct hosts *hosts;
    struct engine_asker asker;
    void *game; /* the state; NULL when it was given away */
    struct ranking ranking;
    size_t code_size;
    uint8_t code[WORDS_CODE_BYTES_MAX];
};

static void walk(struct engine_start *start);

static void start_free(struct engine_start *start)
{
    operation_end(&start->operation);
    ranking_deinit(&start->ranking);
    start->hosts->game->free(start->game);
    mem_free(start);
}

static void start_release(struct operation *operation)
{
    start_free(container_of(operation, struct engine_start, operation));
}

static void answer(const struct engine_asker *asker, struct cn_term term)
{
    if (asker->apply != NULL)
        apply_return(asker->apply, term);
    else
        many_answer(asker->many, asker->index, term);
}

static void answer_error(const struct engine_asker *asker, const char *reason)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    words_error(&writer, reason);
    answer(asker, words_answer(&writer));
    cn_writer_free(&writer);
}

/* Answer the caller and forget it. */
static void finish(struct engine_start *start, struct cn_term term)
{
    answer(&start->asker, term);
    start_free(start);
}

static void finish_error(struct engine_start *start, const char *reason)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    words_error(&writer, reason);
    finish(start, words_answer(&writer));
    cn_writer_free(&writer);
}

static struct cn_bytes start_code(const struct engine_start *start)
{
    return (struct cn_bytes){.data = start->code, .size = start->code_size};
}

static void started_here(void *context, struct cn_term term)
{
    finish(context, term);
}

static void start_here(struct engine_start *start)
{
    void *game = start->game;

    start->game = NULL;
    start_session(start->hosts, start_code(start), game, started_here, start);
}

static void write_started(struct cn_writer *writer, const struct cn_pid *pid)
{
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "ok");
    cn_write_pid(writer, pid);
}

/* The host did not answer in time: it may have started the session all the same. */
static void looked_late(void *context, const struct cn_pid *pid)
{
    struct engine_start *start = context;
    struct cn_writer writer;

    if (pid == NULL) {
        finish_error(start, "timeout");
        return;
    }
    cn_writer_init(&writer, 0);
    write_started(&writer, pid);
    finish(start, words_answer(&writer));
    cn_writer_free(&writer);
}

static void started_there(struct gen_server *self, void *context, enum call_outcome outcome,
                          struct cn_term term)
{
    struct engine_start *start = context;

    if (outcome == CALL_TIMEOUT)
        locate_session(start->hosts, LOCATE_BY_ID, start->hosts->game->id(start->game), looked_late,
                       start);
    else if (outcome == CALL_DOWN || words_is_error(term, "draining") ||
             words_is_error(term, "full"))
        walk(start);
    else
        finish(start, term);
}

static int start_there(struct engine_start *start, const char *node)
{
    struct hosts *hosts = start->hosts;
    struct dest dest = words_to_pid(&members_find(hosts, node)->pid);
    struct cn_writer request;
    int error;

    cn_writer_init(&request, 0);
    cn_write_tuple(&request, 3);
    cn_write_atom(&request, "start_session");
    words_code(&request, start_code(start));
    error = hosts->game->export(start->game, &request);
    if (error == 0)
        error = cn_writer_error(&request);
    if (error == 0)
        error = host_call(hosts, &dest, cn_writer_term(&request), START_MS, started_there, start,
                          NULL);
    cn_writer_free(&request);
    return error;
}

/* Ask the next host of the ranking. */
static void walk(struct engine_start *start)
{
    struct hosts *hosts = start->hosts;
    const char *node;

    do {
        node = ranking_next(&start->ranking, hosts);
        if (node != NULL && strcmp(node, procs_node(hosts->procs)) == 0) {
            start_here(start);
            return;
        }
    } while (node != NULL && start_there(start, node) != 0);
    if (node == NULL)
        finish_error(start,
                     hosts->members_count == 0 && host_draining(hosts) ? "draining" : "no_host");
}

/* Nobody has the session: place it. */
static void place(struct engine_start *start)
{
    struct cn_bytes id = start->hosts->game->id(start->game);

    if (ranking_init(&start->ranking, start->hosts, id) != 0)
        finish(start, words_no_memory());
    else
        walk(start);
}

static void looked_for(void *context, const struct cn_pid *pid)
{
    struct engine_start *start = context;
    struct cn_writer writer;

    if (pid == NULL) {
        place(start);
        return;
    }
    cn_writer_init(&writer, 0);
    words_already_started(&writer, pid);
    finish(start, words_answer(&writer));
    cn_writer_free(&writer);
}

/* Make the state. False: the caller has its answer. */
static bool make_state(struct hosts *hosts, bool create, struct cn_term argument,
                       const struct engine_asker *asker, void **ret_game)
{
    struct cn_game_env env = host_env(hosts);
    struct cn_writer error;
    void *game = NULL;
    int result;

    cn_writer_init(&error, 0);
    if (create)
        result = hosts->game->create(&env, argument, &game, &error);
    else
        result = hosts->game->import(&env, argument, &game, &error);
    if (result != 0)
        answer(asker, result < 0 ? words_failure(result) : words_answer(&error));
    else
        *ret_game = game;
    cn_writer_free(&error);
    return result == 0;
}

static struct engine_start *start_new(struct hosts *hosts, const struct engine_asker *asker,
                                      void *game, struct cn_bytes code)
{
    struct engine_start *start = mem_zalloc(sizeof(*start));

    if (start == NULL)
        return NULL;
    start->hosts = hosts;
    start->asker = *asker;
    start->game = game;
    start->code_size = code.size;
    if (code.size > 0)
        memcpy(start->code, code.data, code.size);
    operation_begin(hosts, &start->operation, start_release);
    return start;
}

/* Check the code and make the state; NULL: the caller has its answer. */
static struct engine_start *begin(struct hosts *hosts, const struct engine_asker *asker,
                                  const struct cn_term *code_term, bool create,
                                  struct cn_term argument)
{
    struct cn_bytes code = {.size = 0};
    struct engine_start *start;
    void *game = NULL;

    if (code_term != NULL && !words_read_code(*code_term, &code)) {
        answer_error(asker, "invalid_join_code");
        return NULL;
    }
    if (!make_state(hosts, create, argument, asker, &game))
        return NULL;
    start = start_new(hosts, asker, game, code);
    if (start == NULL) {
        hosts->game->free(game);
        answer(asker, words_no_memory());
    }
    return start;
}

void engine_start_create(struct hosts *hosts, const struct engine_asker *asker, struct cn_term code,
                         struct cn_term argument)
{
    struct engine_start *start = begin(hosts, asker, &code, true, argument);

    if (start != NULL) /* a fresh id: nobody can have it */
        place(start);
}

void engine_start_run(struct hosts *hosts, const struct cn_game_function *function,
                      struct apply *apply, const struct cn_term *arguments)
{
    struct engine_asker asker = {.apply = apply};
    const struct cn_term *code = function->arity > 1 ? &arguments[0] : NULL;
    struct cn_term argument = arguments[function->arity - 1];
    struct engine_start *start;

    if (function->kind == CN_GAME_FUNCTION_CREATE) {
        engine_start_create(hosts, &asker, arguments[0], argument);
        return;
    }
    start = begin(hosts, &asker, code, false, argument);
    if (start != NULL)
        locate_session(hosts, LOCATE_BY_ID, hosts->game->id(start->game), looked_for, start);
}
