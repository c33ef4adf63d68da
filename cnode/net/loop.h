/*
 * The event loop: the only clock and the only sleep of the node. libuv stays behind this header.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/heap.h"

struct loop;
struct uv_loop_s;

/** Make a loop. Errors: -ENOMEM, -EMFILE. */
int loop_new(struct loop **ret_loop);
/** Close what is left in the loop and release it; returns NULL. */
struct loop *loop_free(struct loop *loop);
/** Run until loop_stop. */
void loop_run(struct loop *loop);
/** End loop_run after the present turn. */
void loop_stop(struct loop *loop);
/** Monotonic milliseconds, the same during one turn. */
uint64_t loop_now_ms(const struct loop *loop);
/** Monotonic microseconds, which pass during a turn too. */
uint64_t loop_clock_us(void);
/** Look at no input for @pause_us microseconds, so that more of it comes at once. */
void loop_pause(struct loop *loop, uint32_t pause_us);
/** Wall clock, milliseconds since 1970. */
int64_t loop_wall_ms(void);
/** The libuv loop, for files of net/ only. */
struct uv_loop_s *loop_uv(struct loop *loop);

/**
 * What the node does once in each turn, after all input of the turn was delivered and before
 * the loop sleeps: run the run queue, then flush output. Returns the monotonic millisecond at
 * which it wants the next turn at the latest (UINT64_MAX: never, 0: at once, because work is
 * left).
 */
typedef uint64_t (*loop_turn)(void *context, uint64_t now_ms);
/** Call @turn(context, now) in each turn; NULL: nothing. */
void loop_set_turn(struct loop *loop, loop_turn turn, void *context);

/**
 * Call @on_signal(context, signum) in the loop for SIGTERM, SIGINT and SIGHUP, SIGPIPE is
 * ignored.
 */
int loop_watch_signals(struct loop *loop, void (*on_signal)(void *context, int signum),
                       void *context);

/**
 * Call @on_end(context) once when standard input ends: whoever started the node over a pipe is
 * gone.
 */
int loop_watch_stdin(struct loop *loop, void (*on_end)(void *context), void *context);

/** A timer of a loop, embedded in what it belongs to. Private but for loop_timer_*. */
struct loop_timer {
    struct heap_item item;
    struct loop *loop;
    void (*expired)(void *context);
    void *context;
};

/** Make a timer that calls @expired(context) in @loop. Allocates nothing, needs no release. */
void loop_timer_init(struct loop_timer *timer, struct loop *loop, void (*expired)(void *context),
                     void *context);
/** Let @timer expire once in @delay_ms; one that runs already starts anew. */
void loop_timer_start(struct loop_timer *timer, uint64_t delay_ms);
/** Stop @timer; nothing happens when it does not run. Stop it before its memory goes. */
void loop_timer_stop(struct loop_timer *timer);
/** Tell whether @timer runs. */
bool loop_timer_running(const struct loop_timer *timer);

#endif
