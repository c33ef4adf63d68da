/*
 * Moving one session away: an offer to each host of its ranking until one takes it.
 *
 * A refusal costs the session nothing, it runs on; at most once around the ranking.
 *
 *                  accept                      moved
 *    ┌──────────┐         ┌─────────────┐
 *    │ offering ├────────►│ handing off ├──────────────► done (true)
 *    └──▲────┬──┘         └──────┬──────┘
 *       │    │ refuse, down, 5 s │ failed
 *       └────┴───────────────────┘ next of the ranking ──► none left: done (false)
 *
 * What is sent to a target waits in the outbox of its connection, which has an end. So the bytes of
 * all states that are offered or sent and not yet taken (`ready`) or given up are counted, and a
 * move begins only when there is room for it; a state larger than that moves alone. Nor does one
 * begin before the bandwidth that the operator has set allows it (bandwidth.h).
 *
 * How it fails: out of memory counts as a refusal.
 */
#ifndef SESSION_MOVE_H
#define SESSION_MOVE_H

#include "session/session.h"

/** What came of a move. */
enum move_result {
    MOVE_MOVED, /* the session is a forwarder now */
    MOVE_LOST,  /* nobody took it: it runs on here */
    MOVE_ENDED, /* the session has ended by itself */
};

/** What came of it, and of which session; valid during the call. */
struct move_outcome {
    enum move_result result;
    struct session *session;
    const char *reason; /* lost: what the last host that was asked said, or why none was */
};

/** Called exactly once, unless move_start fails. */
typedef void (*move_done)(void *context, const struct move_outcome *outcome);

/** Bytes of states on their way at a time, to all targets together. */
#define MOVE_BYTES_MAX (16u << 20)

/**
 * Write the state of @session, which has one. Ownership: the caller's, on errors too, for
 * move_start or cn_writer_free. Errors: -ENOMEM, or as the game's export.
 */
int move_export(const struct session *session, struct cn_writer *ret_state);
/** Measure the state of @session, which has one. Errors: as move_export. */
int move_measure(const struct session *session, size_t *ret_bytes);
/** Tell whether the bandwidth allows a move now; if not, the drain and the conductor go on then. */
bool move_is_due(struct hosts *hosts);
/** Tell whether there is room for a move of @bytes. */
bool move_has_room(const struct hosts *hosts, size_t bytes);
/**
 * Begin to move the running @session, whose state is now @state. Ownership: @state is taken, on
 * errors too. Errors: -ENOMEM; then @done is not called.
 */
int move_start(struct session *session, struct cn_writer *state, move_done done, void *context);
/** The same to the known host @node alone, whatever it said of itself; it may refuse. */
int move_start_to(struct session *session, const char *node, struct cn_writer *state,
                  move_done done, void *context);
/** View the state that @session moves with, if it has not changed since; false: write it anew. */
bool move_state(const struct session *session, struct cn_term *ret_state);
/** Let moves whose target failed go on to the next one, while there is room. */
void move_resume(struct hosts *hosts);
/** The target has taken the state: its bytes are not on their way any more. */
void move_state_taken(struct session *session);
/** The session ends while `session->move` is at work. */
void move_session_ends(struct session *session);

#endif
