/*
 * A toy game: a list of numbers, for tests of the session layer.
 *
 * A state is %{id, deadline, adds, ballast}; `create` takes the id as a binary. Calls: `get`
 * answers the numbers, {add, N} appends one and answers {ok, Count}, {deadline, S} sets the timer,
 * {ballast, N} makes the state N bytes larger, `stop` answers `stopped` and ends. Casts: {add, N}.
 * Messages: {add, N}, `tick` (the timer's; appends 1000), `end_session`.
 */
#ifndef TESTS_SESSION_TOY_H
#define TESTS_SESSION_TOY_H

#include <cnode/game.h>

extern const struct cn_game toy_game;
/** So many of the next `tick`s find no memory. */
extern unsigned toy_rounds_fail;
/** What each export gives, unless it is 0. */
extern int toy_export_fails;
/** How often a state was exported. */
extern unsigned toy_exports;
/** The same game of a node that writes another state version, 1, and reads no other. */
extern const struct cn_game toy_old_game;

#endif
