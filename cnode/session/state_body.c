/*
 * The encoded state of a session.
 *
 * A timer looks whether it was read since it looked last. Without memory for the timer the state is
 * kept until the next change.
 */
#include "session/state_body.h"

#include "session/host.h"

static void watch(struct session *session)
{
    session->body_read = false;
    if (process_start_timer(gen_server_process(session->server), STATE_BODY_QUIET_MS,
                            &session->body_timer) != 0)
        session->body_timer = 0;
}

int state_body_get(struct session *session, struct etf_body **ret_body)
{
    struct cn_writer writer;
    int error;

    if (session->body == NULL) {
        cn_writer_init(&writer, 0);
        cn_writer_use_words(&writer, session->hosts->game->words);
        error = session->hosts->game->export(session->game, &writer);
        if (error == 0)
            error = etf_body_new(&writer, &session->body);
        cn_writer_free(&writer);
        if (error != 0)
            return error;
        if (session->body_timer == 0)
            watch(session);
    }
    session->body_read = true;
    *ret_body = session->body;
    return 0;
}

void state_body_drop(struct session *session)
{
    session->body = etf_body_put(session->body);
}

bool state_body_timer(struct session *session, uint64_t timer)
{
    if (timer != session->body_timer)
        return false;
    session->body_timer = 0;
    if (!session->body_read)
        state_body_drop(session);
    if (session->body != NULL)
        watch(session);
    return true;
}
