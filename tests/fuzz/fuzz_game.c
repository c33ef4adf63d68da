/*
 * A game from any term, then requests to it.
 *
 * The first byte tells whether the term is an exported game or the users of a new one, and whether
 * the clock stands; the term follows, and behind it the requests, one term each. A game that was
 * taken can be exported, and its export is taken again as the same game. Nothing takes a second.
 */
#include <stdlib.h>
#include <string.h>

#include <cnode/game.h>

#include "fuzz.h"

#include "base/assert.h"
#include "etf/walk.h"

#define REQUESTS_MAX 32

static void count_up(void *context, uint8_t *data, size_t size)
{
    uint8_t *next = context;

    for (size_t i = 0; i < size; i++)
        data[i] = (*next)++;
}

static void export_game(const void *state, struct cn_writer *writer)
{
    struct cn_term checked;

    cn_writer_init(writer, 0);
    cn_assert(cn_minotaur_game.export(state, writer) == 0);
    cn_assert(etf_check(writer->data, writer->size, NULL, &checked) == 0);
}

/* What is exported is taken again, and is then exported to the byte. */
static void check_export(const struct cn_game_env *env, const void *state)
{
    struct cn_writer once, twice, error;
    void *again = NULL;

    export_game(state, &once);
    cn_writer_init(&error, 0);
    cn_assert(cn_minotaur_game.import(env, cn_writer_term(&once), &again, &error) == 0);
    export_game(again, &twice);
    cn_assert(cn_term_equal(cn_writer_term(&once), cn_writer_term(&twice)));
    cn_assert(cn_minotaur_game.id(again).size == cn_minotaur_game.id(state).size);
    cn_assert(cn_minotaur_game.deadline_s(again) == cn_minotaur_game.deadline_s(state));
    cn_minotaur_game.free(again);
    cn_writer_free(&error);
    cn_writer_free(&once);
    cn_writer_free(&twice);
}

static void request(const struct cn_game_env *env, void *state, struct cn_term term)
{
    struct cn_writer reply;
    struct cn_term checked;
    int outcome;

    cn_writer_init(&reply, 0);
    outcome = cn_minotaur_game.call(env, state, term, &reply);
    if (outcome >= 0 && outcome != CN_GAME_UNKNOWN && outcome != CN_GAME_STATE)
        cn_assert(etf_check(reply.data, reply.size, NULL, &checked) == 0);
    cn_writer_free(&reply);
    (void)cn_minotaur_game.info(env, state, term);
    (void)cn_minotaur_game.cast(env, state, term);
}

/* The timer's own message, as a session sends it. */
static void timer(const struct cn_game_env *env, void *state)
{
    struct cn_writer message;

    if (cn_minotaur_game.deadline_s(state) == 0)
        return;
    cn_writer_init(&message, 0);
    cn_assert(cn_minotaur_game.timer_message(state, &message) == 0);
    (void)cn_minotaur_game.info(env, state, cn_writer_term(&message));
    cn_writer_free(&message);
}

static void play(const struct cn_game_env *env, void *state, struct input *input)
{
    size_t size = 0;

    check_export(env, state);
    for (int i = 0; i < REQUESTS_MAX && etf_walk(input->data, input->size, NULL, &size) == 0; i++) {
        struct cn_bytes bytes = input_bytes(input, size);

        request(env, state, (struct cn_term){bytes.data, bytes.size});
    }
    timer(env, state);
    check_export(env, state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t from_ms = fuzz_cpu_ms();
    struct input input = {data, size};
    uint8_t choice = input_u8(&input);
    uint8_t next = 0;
    struct cn_game_env env = {.now_s = 1795395723,
                              .round_seconds = (choice & 2) != 0 ? 60 : 0,
                              .random_context = &next,
                              .random = count_up};
    struct cn_writer error;
    struct cn_term term, checked;
    void *state = NULL;
    size_t used = 0;
    int r;

    if (etf_walk(input.data, input.size, NULL, &used) != 0)
        return 0;
    term = fuzz_exact((struct cn_term){input.data, used});
    (void)input_bytes(&input, used);
    cn_writer_init(&error, 0);
    r = (choice & 1) != 0 ? cn_minotaur_game.create(&env, term, &state, &error)
                          : cn_minotaur_game.import(&env, term, &state, &error);
    cn_assert(r == 0 || r == 1);
    free((void *)(uintptr_t)term.data);
    if (r == 1)
        cn_assert(etf_check(error.data, error.size, NULL, &checked) == 0);
    cn_writer_free(&error);
    if (r == 0) {
        play(&env, state, &input);
        cn_minotaur_game.free(state);
    }
    fuzz_check_time(from_ms, 1000);
    return 0;
}
