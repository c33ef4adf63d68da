/*
 * Repetitions are rare, so their answers are written anew instead of shared.
 *
 * How it fails: without memory the answer is {error, no_memory}, with the state as it was.
 */
#include "session/repeat.h"

#include <errno.h>

#include "session/carried_out.h"
#include "session/words.h"

/* A repetition may have been on its way, or have waited here, for as long as anybody waits for its
 * answer; its age does not say so. */
#define TRAVEL_MS 5000u

static uint64_t now_ms(const struct session *session)
{
    return procs_now_ms(session->hosts->procs);
}

static void answer(const struct session *session, const struct gen_from *from,
                   struct cn_writer *writer, int error)
{
    gen_reply(session->hosts->procs, from, error < 0 ? words_failure(error) : words_answer(writer));
    cn_writer_free(writer);
}

static void begin_answer(struct cn_writer *writer, const char *word)
{
    cn_writer_init(writer, 0);
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, word);
}

static void carry_out_now(struct session *session, const struct gen_from *from,
                          const struct cn_ref *tag, struct cn_term request)
{
    const struct cn_game *game = session->hosts->game;
    struct cn_game_env env = host_env(session->hosts);
    struct cn_writer writer;
    int outcome;
    int error;

    begin_answer(&writer, "now");
    outcome = game->call(&env, session->game, request, &writer);
    error = outcome < 0 ? outcome : 0;
    if (outcome == CN_GAME_UNKNOWN)
        words_error(&writer, "unknown_request");
    else if (outcome == CN_GAME_STATE)
        error = game->export(session->game, &writer);
    answer(session, from, &writer, error);
    if (outcome == CN_GAME_CHANGED)
        carried_out_add(&session->done, tag, now_ms(session));
    carried_out_repeated(&session->done);
    session_take_outcome(session, outcome);
}

static void answer_state(struct session *session, const struct gen_from *from)
{
    struct cn_writer writer;

    begin_answer(&writer, "carried_out");
    answer(session, from, &writer, session->hosts->game->export(session->game, &writer));
}

static void answer_in_doubt(struct session *session, const struct gen_from *from)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_atom(&writer, "in_doubt");
    answer(session, from, &writer, 0);
}

void repeat_note(struct session *session, const struct gen_from *from)
{
    struct cn_ref tag;

    if (gen_from_tag(from, &tag))
        carried_out_add(&session->done, &tag, now_ms(session));
}

bool repeat_call(struct session *session, const struct gen_from *from, struct cn_term request)
{
    struct cn_reader reader;
    struct cn_term again;
    struct cn_ref tag;
    int64_t age_ms;

    cn_reader_init(&reader, request);
    if (!cn_read_this_tuple(&reader, 4) || !cn_read_this_atom(&reader, "repeat") ||
        !cn_read_ref(&reader, &tag) || !cn_read_integer(&reader, &age_ms) || age_ms < 0 ||
        !cn_read_term(&reader, &again))
        return false;
    switch (carried_out_judge(session->done, &tag, (uint64_t)age_ms + TRAVEL_MS, now_ms(session))) {
    case CARRIED_OUT_NOT:
        carry_out_now(session, from, &tag, again);
        break;
    case CARRIED_OUT_DONE:
        answer_state(session, from);
        break;
    case CARRIED_OUT_IN_DOUBT:
        answer_in_doubt(session, from);
        break;
    }
    return true;
}

bool repeat_is_late(const struct session *session, const struct gen_from *from)
{
    struct cn_ref tag;

    return carried_out_repeats(session->done) && gen_from_tag(from, &tag) &&
           carried_out_judge(session->done, &tag, 0, now_ms(session)) == CARRIED_OUT_DONE;
}
