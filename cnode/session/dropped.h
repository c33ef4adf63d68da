/*
 * Log lines about casts and messages that were not carried out.
 *
 * Whoever can reach a session can send it what nobody knows, as often as he likes. The first
 * DROPPED_LINES_MAX such lines of a node in DROPPED_WINDOW_MS are written, the others counted, and
 * their number is told when that time is over: a log says what happens and cannot be filled.
 *
 * How it fails: without memory for the timer the count goes on, and is told by a later one.
 */
#ifndef SESSION_DROPPED_H
#define SESSION_DROPPED_H

#include "session/host.h"

/** So many lines are written in one window. */
#define DROPPED_LINES_MAX 32
/** How long a window lasts, from its first line on. */
#define DROPPED_WINDOW_MS 10000

/** Log that something was dropped, printf style. */
void dropped_log(struct hosts *hosts, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** Log that @what was not carried out, when the game's @outcome says so. */
void dropped_outcome(const struct session *session, const char *what, int outcome);

#endif
