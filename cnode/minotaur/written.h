/*
 * What of a game's term need not be written again: the pairs of maps that only grow.
 *
 * The grid never changes, and an event that is in the log stays as it is, so each is written once,
 * when the state is exported first with it, and copied from then on. A game and its forks share
 * one of these: what a fork has added is forgotten when it is dropped.
 */
#ifndef CNODE_MINOTAUR_WRITTEN_H
#define CNODE_MINOTAUR_WRITTEN_H

#include <cnode/term.h>

enum {
    WRITTEN_PAIRS_MAX = 4096, /* of one map; those behind them are written each time */
};

/** The first pairs of a map. Zeros: none yet. */
struct written_pairs {
    struct cn_writer bytes;
    uint32_t count;
};

/** Of a game. */
struct written {
    struct written_pairs grid;
    struct written_pairs events;
};

/** Write pair number @index of the map of @game. */
typedef void (*written_pair_fn)(const void *game, struct cn_writer *writer, uint32_t index);

/** Write the @count pairs of a map to @writer, those in @pairs from there. Errors: the writer's. */
void written_write(struct written_pairs *pairs, const void *game, written_pair_fn write_pair,
                   uint32_t count, struct cn_writer *writer);
/** Forget all pairs. */
void written_forget(struct written_pairs *pairs);

#endif
