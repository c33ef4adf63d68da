/*
 * Log lines on standard error, for people (text) or machines (json): time, level, event, detail.
 *
 * Only node/ logs; the layers below report events. An event has a stable dotted name
 * ("peer.up"), its detail is free text. Control characters are escaped, so that what a peer
 * sends cannot forge a line.
 */
#ifndef NODE_LOG_H
#define NODE_LOG_H

#include <stddef.h>

enum log_level {
    LOG_DEBUG,
    LOG_INFO,
    LOG_WARNING,
    LOG_ERROR
};
enum log_format {
    LOG_TEXT,
    LOG_JSON
};

/** Set what is shown and how; the default is info and text. */
void log_setup(enum log_level level, enum log_format format);
/** Write one line, when @level is shown. @detail may be NULL. */
void log_event(enum log_level level, const char *event, const char *detail);
/** As log_event with a printf format for the detail (cut at 1,000 bytes). */
void log_eventf(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/**
 * Render a line without writing it; returns its length, cut at @size - 1. @time_ms: wall clock
 * since 1970.
 */
size_t log_render(char *line, size_t size, enum log_format format, long long time_ms,
                  enum log_level level, const char *event, const char *detail);

#endif
