/*
 * create_games: many starts in one call, answered together and in order.
 *
 * A call, its process and its answer cost more than a start does; who has many to make, asks for
 * them at once. The list is read whole before the first start; from then on each start stands for
 * itself, as if it had been asked for alone, and its answer takes its place in the list. How it
 * fails: without memory to keep an answer that one is {error, no_memory}, though the session may
 * run.
 */
#ifndef SESSION_ENGINE_MANY_H
#define SESSION_ENGINE_MANY_H

#include "session/host.h"

/** The most starts in one call: they are begun in one turn of the node. */
#define ENGINE_MANY_MAX 256

struct many;

/**
 * Carry out a function of kind CREATE_MANY, whose argument is a list of {JoinCode | nil, Arg}.
 * Ownership: @apply is consumed, now or later. Answers {error, {invalid_games, Path, {expected,
 * What}}} with nothing started when the list is none.
 */
void engine_many_run(struct hosts *hosts, struct apply *apply, struct cn_term games);
/** Keep the answer to start @index; once for each. The last one answers the call. */
void many_answer(struct many *many, uint32_t index, struct cn_term answer);

#endif
