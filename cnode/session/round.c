/*
 * The timer of a session's round.
 *
 * The game says until when a round lasts, by the wall clock, and what message ends it. The message
 * goes straight to the game, as any other would.
 *
 * How it fails: nobody else would end the round, so one whose end failed is ended again after 1 s,
 * then 2, 4, up to 32 s. Without memory for a timer the next word to the session sets it.
 */
#include "session/round.h"

#include "session/dropped.h"

#define AGAIN_MS    UINT64_C(1000) /* after the first end that failed */
#define DOUBLED_MAX 5

void round_off(struct session *session)
{
    if (session->timer != 0)
        process_cancel_timer(gen_server_process(session->server), session->timer);
    session->timer = 0;
    session->deadline_s = 0;
    session->rounds_failed = 0;
}

void round_arm(struct session *session)
{
    struct hosts *hosts = session->hosts;
    int64_t deadline_s = hosts->game->deadline_s(session->game);
    int64_t wait_ms;

    if (deadline_s == session->deadline_s)
        return;
    round_off(session);
    if (deadline_s == 0)
        return;
    wait_ms = deadline_s * 1000 - hosts->config.wall_ms(hosts->config.context);
    if (wait_ms < 0)
        wait_ms = 0;
    if (process_start_timer(gen_server_process(session->server), (uint64_t)wait_ms,
                            &session->timer) != 0)
        host_log(hosts, HOSTS_LOG_ERROR, "session %.*s: no memory for its timer",
                 (int)session->id_size, (const char *)session->text);
    else
        session->deadline_s = deadline_s;
}

/* The round is not over, although its time is: nobody else would end it. */
static void try_again_later(struct session *session)
{
    uint64_t wait_ms = AGAIN_MS << session->rounds_failed;

    if (session->rounds_failed < DOUBLED_MAX)
        session->rounds_failed++;
    if (process_start_timer(gen_server_process(session->server), wait_ms, &session->timer) != 0) {
        session->timer = 0;
        session->deadline_s = 0; /* set again by the next word to the session */
    }
}

void round_is_over(struct session *session)
{
    const struct cn_game *game = session->hosts->game;
    struct cn_game_env env = host_env(session->hosts);
    struct cn_writer message;
    int outcome;

    session->timer = 0;
    cn_writer_init(&message, 0);
    outcome = game->timer_message(session->game, &message);
    if (outcome == 0)
        outcome = game->info(&env, session->game, cn_writer_term(&message));
    cn_writer_free(&message);
    dropped_outcome(session, "the end of a round", outcome);
    if (outcome < 0) {
        try_again_later(session);
        return;
    }
    session->rounds_failed = 0;
    session_take_outcome(session, outcome);
}
