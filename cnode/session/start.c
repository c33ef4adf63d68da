/*
 * Starting a session here.
 *
 * All failures are answers. The state is consumed in every case, so that callers have one path. How
 * it fails: a session whose names are taken ends with reason normal and nobody has seen it.
 */
#include "session/start.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"
#include "session/drain.h"
#include "session/forward.h"
#include "session/host.h"
#include "session/naming.h"
#include "session/words.h"

struct start {
    start_done done;
    void *context;
};

static void answer(start_done done, void *context, struct cn_writer *writer)
{
    done(context, words_answer(writer));
    cn_writer_free(writer);
}

static void answer_error(start_done done, void *context, const char *reason)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    words_error(&writer, reason);
    answer(done, context, &writer);
}

/* The start is over: tell whoever asked, who may then be gone. */
static void finish(struct session *session, struct cn_writer *writer)
{
    struct start start = *session->start;

    mem_free(session->start);
    session->start = NULL;
    answer(start.done, start.context, writer);
}

static void write_naming_error(struct cn_writer *writer, const struct naming_result *result)
{
    if (result->error == CN_E_TAKEN && result->of_code)
        words_error(writer, "join_code_taken");
    else if (result->error == CN_E_TAKEN && result->holder != NULL)
        words_already_started(writer, result->holder);
    else
        words_error(writer, result->error == -ENOMEM ? "no_memory" : "names_failed");
}

static void named(struct session *session, const struct naming_result *result)
{
    struct hosts *hosts = session->hosts;
    struct cn_writer writer;

    if (session->start == NULL)
        return;
    cn_writer_init(&writer, 0);
    if (result->error != 0) {
        write_naming_error(&writer, result);
        finish(session, &writer);
        session_stop_atom(session, "normal");
        return;
    }
    words_pid(&writer, "ok", session_pid(session));
    session->owns_names = true;
    if (cn_writer_error(&writer) != 0) { /* whoever asked cannot be told: it shall not run */
        finish(session, &writer);
        session_stop_atom(session, "normal");
        return;
    }
    finish(session, &writer);
    session_run(session);
    drain_session_runs(hosts, session);
}

void start_session_ends(struct session *session, struct cn_term reason)
{
    struct cn_writer writer;

    if (session->start == NULL)
        return;
    if (session->hosts->closing) {
        mem_free(session->start);
        return;
    }
    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "error");
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "session_ended");
    cn_write_term(&writer, reason);
    finish(session, &writer);
}

bool start_write_already(struct hosts *hosts, struct cn_bytes id, struct cn_writer *writer)
{
    const struct session *session = session_table_by_id(&hosts->table, id);

    if (session == NULL)
        return false;
    if (session_state(session) == SESSION_FORWARDING)
        words_already_started(writer, forward_target(session));
    else
        words_already_started(writer, session_pid(session));
    return true;
}

/* Write why a session of @id and @code cannot start here; false when it can. */
static bool write_refusal(struct hosts *hosts, struct cn_bytes id, struct cn_bytes code,
                          struct cn_writer *writer)
{
    if (host_draining(hosts))
        words_error(writer, "draining");
    else if (start_write_already(hosts, id, writer))
        return true;
    else if (session_table_by_code(&hosts->table, code) != NULL)
        words_error(writer, "join_code_taken");
    else if (host_full(hosts))
        words_error(writer, "full");
    else
        return false;
    return true;
}

/* Make the process. Ownership: @game is consumed on success only. */
static int start_process(struct hosts *hosts, const struct session_seed *seed, start_done done,
                         void *context, struct session **ret_session)
{
    struct start *start = mem_zalloc(sizeof(*start));
    int error;

    if (start == NULL)
        return -ENOMEM;
    error = session_new(hosts, seed, ret_session);
    if (error != 0) {
        mem_free(start);
        return error;
    }
    start->done = done;
    start->context = context;
    (*ret_session)->start = start;
    return 0;
}

void start_session(struct hosts *hosts, struct cn_bytes code, void *game, start_done done,
                   void *context)
{
    struct session_seed seed = {.id = hosts->game->id(game),
                                .code = code,
                                .game = game,
                                .epoch = 1,
                                .version = 1,
                                .state = SESSION_STARTING};
    struct session *session;
    struct cn_writer writer;
    int error;

    cn_writer_init(&writer, 0);
    if (write_refusal(hosts, seed.id, code, &writer)) {
        hosts->game->free(game);
        answer(done, context, &writer);
        return;
    }
    error = start_process(hosts, &seed, done, context, &session);
    if (error != 0) {
        hosts->game->free(game);
        answer_error(done, context, error == -ENOMEM ? "no_memory" : "full");
        return;
    }
    error = naming_wish(session, NAMING_REGISTER, session_pid(session), named);
    if (error != 0)
        named(session, &(struct naming_result){.error = error});
}
