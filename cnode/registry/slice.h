/*
 * Slices: how many names may be told under a lock, so that it is given back in time.
 *
 * A slice is the time from taking lock `global` to giving it back. Names are told in bundles, three
 * of them at a time, so that servers have the next when they have done with one; how long a bundle
 * took since the one before was answered says how long the slowest server needs for a name. That
 * changes all the time: a BEAM node's server needs ever longer the more names the processes of one
 * node have (its book about a node's monitors is copied for each), tens of microseconds for the
 * first, milliseconds for the ten thousandth, and longer again when its machine is busy. So bundles
 * are small. When those under way are expected to take the rest of the slice it is over: what gives
 * the lock back goes right behind them, so servers do it as soon as they have done with the names.
 *
 * Nothing here asks the time or sends anything. The same rule, with the same numbers, is in
 * Minotaur.GameEngine.Names.Batch, for BEAM hosts.
 */
#ifndef REGISTRY_SLICE_H
#define REGISTRY_SLICE_H

#include <stdbool.h>
#include <stdint.h>

/** Bundles that servers have and have not answered, at most. */
#define SLICE_BUNDLES 3u

/** A slice, and what former ones have shown. */
struct slice {
    uint64_t began_ms;    /* the greatest node has given the lock */
    uint64_t answer_ms;   /* how long servers took for an answer about it */
    uint64_t answered_ms; /* the latest bundle was answered, or all have given the lock */
    uint32_t open;        /* names told and not answered yet */
    bool told;            /* any in this slice */
    bool answered;        /* the same */
    bool known;           /* any since slice_forget */
    bool idle;            /* servers had nothing to do when the next to be answered was told */
    uint32_t name_us;     /* for a name, at the slowest server */
    uint64_t busy_us;     /* how long servers lately worked, */
    uint32_t names;       /* on so many */
};

/** Nothing is known yet. */
void slice_init(struct slice *slice);
/** The lock was asked for at @asked_ms and is held now. */
void slice_begin(struct slice *slice, uint64_t asked_ms, uint64_t now_ms);
/** Another server may be the slowest from now on. */
void slice_forget(struct slice *slice);
/** How many names the next bundle may have, always one in a slice; 0: none now, or it is over. */
uint32_t slice_room(const struct slice *slice, uint64_t now_ms);
/** Tell whether what was told takes the rest of the slice: the lock is given back behind it. */
bool slice_is_over(const struct slice *slice, uint64_t now_ms);
/** A bundle of @names > 0 is on its way. */
void slice_told(struct slice *slice, uint32_t names);
/** A bundle of @names, told at @told_ms, has been answered by all. */
void slice_answered(struct slice *slice, uint32_t names, uint64_t told_ms, uint64_t now_ms);

#endif
