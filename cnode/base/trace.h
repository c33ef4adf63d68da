/*
 * Trace lines: what the layers tell about themselves.
 *
 * Library layers trace, only node/ logs. A trace line is a stable output: simulated tests compare
 * it with a golden one, so it names things, and holds no addresses, times or random numbers. One
 * hook receives all lines; without it a trace costs one comparison and formats nothing.
 */
#ifndef CNODE_BASE_TRACE_H
#define CNODE_BASE_TRACE_H

/** How much to tell. */
enum trace_level {
    TRACE_OFF,
    TRACE_EVENT,  /* what happened: moves, connections, names */
    TRACE_DETAIL, /* every message too */
};

/** Longest trace line in bytes; a longer one is cut. */
#define TRACE_LINE_MAX 1024

/** Receives one line without a newline; @layer and @line are valid during the call. */
typedef void (*trace_hook)(void *context, enum trace_level level, const char *layer,
                           const char *line);

/** The highest level that the hook wants. Private: see trace(). */
extern enum trace_level trace_wanted;

/** Send lines up to @level to @hook from now on; NULL switches tracing off. Set before threads. */
void trace_set_hook(trace_hook hook, void *context, enum trace_level level);

/** Format one line and hand it to the hook. Use trace() and trace_detail(). */
void trace_line(enum trace_level level, const char *layer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Trace an event of @layer, printf style. The arguments are not evaluated when off. */
#define trace(layer, ...)                                     \
    do {                                                      \
        if (__builtin_expect(trace_wanted >= TRACE_EVENT, 0)) \
            trace_line(TRACE_EVENT, layer, __VA_ARGS__);      \
    } while (0)

/** Trace a detail of @layer, printf style. The arguments are not evaluated when off. */
#define trace_detail(layer, ...)                               \
    do {                                                       \
        if (__builtin_expect(trace_wanted >= TRACE_DETAIL, 0)) \
            trace_line(TRACE_DETAIL, layer, __VA_ARGS__);      \
    } while (0)

#endif
