/*
 * create_game and continue_game: make a state here, start the session where placement says.
 *
 *    check join code ──► create or import ──► look for a live session (continue) ──► walk the
 * ranking │                    │                    │                                 │
 *    invalid_join_code    the game's error    already_started            the first host that
 * carries it out
 *
 * The state is made first, so bad input costs no message; it travels only when another host carries
 * the start out. How it fails: hosts that are draining, full or not reachable are passed over; a
 * host that does not answer in 10 s may have started the session: it is looked for, and when nobody
 * has it the answer is {error, timeout}, and nobody else is asked to start it.
 */
#ifndef SESSION_ENGINE_START_H
#define SESSION_ENGINE_START_H

#include "session/host.h"

/** Who gets the answer to a start: a call of its own, or place @index of many. */
struct engine_asker {
    struct apply *apply; /* NULL: `many` */
    struct many *many;
    uint32_t index;
};

/** Carry out a function of kind CREATE or CONTINUE. Ownership: @apply is consumed, now or later. */
void engine_start_run(struct hosts *hosts, const struct cn_game_function *function,
                      struct apply *apply, const struct cn_term *arguments);
/** Create a session of @argument with the join code @code and answer @asker, now or later. */
void engine_start_create(struct hosts *hosts, const struct engine_asker *asker, struct cn_term code,
                         struct cn_term argument);

#endif
