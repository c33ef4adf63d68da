/*
 * How many sessions move at a time: more while none stands still for longer than is good.
 *
 * What is frozen waits for what was frozen before it: so the number of moves at a time decides
 * about the stalls, and how many are right is known only from these. Pure; nothing fails.
 */
#ifndef SESSION_WINDOW_H
#define SESSION_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bounds of the window, and what it begins with. */
#define WINDOW_MAX   64
#define WINDOW_MIN   8
#define WINDOW_FIRST 16

/** Moves that are under way, and how many may be. */
struct window {
    size_t moving;
    size_t moving_max;   /* the present bound */
    size_t since_change; /* moves that have succeeded since it changed */
    uint64_t worst_ms;   /* the longest stall of these */
};

/** Begin with the first bound, nothing under way. */
void window_init(struct window *window);
/** Tell whether one more may begin. */
bool window_is_open(const struct window *window);
/** A move has succeeded, and its session stood still for @stall_ms. */
void window_take_stall(struct window *window, uint64_t stall_ms);

#endif
