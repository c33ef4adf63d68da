/*
 * The functions of the game's module: one entry each, dispatched by kind.
 */
#include "session/engine.h"

#include <errno.h>

#include "base/alloc.h"
#include "session/engine_call.h"
#include "session/engine_many.h"
#include "session/engine_start.h"
#include "session/words.h"

/** The context of one function. */
struct engine_function {
    struct hosts *hosts;
    const struct cn_game_function *function;
};

static void run_pure(const struct cn_game_function *function, struct apply *apply,
                     const struct cn_term *arguments)
{
    struct cn_writer reply;
    int error;

    cn_writer_init(&reply, 0);
    error = function->pure(arguments, &reply);
    apply_return(apply, error < 0 ? words_failure(error) : words_answer(&reply));
    cn_writer_free(&reply);
}

static void run_resume(struct apply *apply)
{
    struct cn_writer reply;

    cn_writer_init(&reply, 0);
    cn_write_atom(&reply, "ok");
    apply_return(apply, words_answer(&reply));
    cn_writer_free(&reply);
}

static void run(void *context, struct apply *apply, const struct cn_term *arguments)
{
    const struct engine_function *engine = context;

    switch (engine->function->kind) {
    case CN_GAME_FUNCTION_CREATE:
    case CN_GAME_FUNCTION_CONTINUE:
        engine_start_run(engine->hosts, engine->function, apply, arguments);
        break;
    case CN_GAME_FUNCTION_CREATE_MANY:
        engine_many_run(engine->hosts, apply, arguments[0]);
        break;
    case CN_GAME_FUNCTION_CALL:
    case CN_GAME_FUNCTION_CALL_BY_CODE:
    case CN_GAME_FUNCTION_WHEREIS:
        engine_call_run(engine->hosts, engine->function, apply, arguments);
        break;
    case CN_GAME_FUNCTION_RESUME:
        run_resume(apply);
        break;
    case CN_GAME_FUNCTION_PURE:
        run_pure(engine->function, apply, arguments);
        break;
    }
}

static size_t count_functions(const struct cn_game *game)
{
    size_t count = 0;

    while (game->functions[count].name != NULL)
        count++;
    return count;
}

static int add_functions(struct hosts *hosts, struct functions *functions, size_t count)
{
    const struct cn_game *game = hosts->game;
    struct function *table = mem_zalloc_array(count, sizeof(*table));
    int error;

    if (table == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        hosts->engine[i] = (struct engine_function){.hosts = hosts,
                                                    .function = &game->functions[i]};
        table[i] = (struct function){
            .module = game->module,
            .name = game->functions[i].name,
            .arity = game->functions[i].arity,
            .run = run,
            .context = &hosts->engine[i],
        };
    }
    error = functions_add(functions, table, count);
    mem_free(table);
    return error;
}

int engine_start(struct hosts *hosts, struct functions *functions)
{
    size_t count = count_functions(hosts->game);
    int error;

    hosts->engine = mem_zalloc_array(count, sizeof(*hosts->engine));
    if (hosts->engine == NULL)
        return -ENOMEM;
    error = add_functions(hosts, functions, count);
    if (error != 0)
        engine_free(hosts);
    return error;
}

void engine_free(struct hosts *hosts)
{
    mem_free(hosts->engine);
    hosts->engine = NULL;
}
