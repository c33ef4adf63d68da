/*
 * Starting a session here: checks, process, names, in this order.
 *
 * The process exists before it has its names and holds what comes until it has them; when somebody
 * else has one of them it ends, and whoever asked learns who that is.
 */
#ifndef SESSION_START_H
#define SESSION_START_H

#include "session/session.h"

/**
 * Called exactly once, now or later, unless the hosts are released before. @answer is {ok, Pid} or
 * {error, Reason} with draining, full, {already_started, Pid}, join_code_taken, no_memory,
 * names_failed or {session_ended, Reason}; valid during the call.
 */
typedef void (*start_done)(void *context, struct cn_term answer);

/**
 * Start a session of the state @game here, epoch 1, version 1. @code of size 0: no join code.
 * Ownership: @game is consumed, whatever the answer.
 */
void start_session(struct hosts *hosts, struct cn_bytes code, void *game, start_done done,
                   void *context);
/** The session of `session->start` ends before it ran. */
void start_session_ends(struct session *session, struct cn_term reason);
/**
 * Write {error, {already_started, Pid}} for the live session @id of this node, with the new owner's
 * pid when it has moved; false, and nothing written, when there is none.
 */
bool start_write_already(struct hosts *hosts, struct cn_bytes id, struct cn_writer *writer);

#endif
