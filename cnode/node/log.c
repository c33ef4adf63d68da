/*
 * Log lines on standard error.
 *
 * A line is rendered whole into a buffer and written with one write(2), so that lines of
 * several threads or processes never mix. A line that does not fit is cut; a write that fails
 * is given up, for there is nowhere to report it.
 */
#include "node/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES_MAX   4096
#define DETAIL_BYTES_MAX 1000

static enum log_level shown = LOG_INFO;
static enum log_format shown_as = LOG_TEXT;

static const char *const level_names[] = {"debug", "info", "warning", "error"};

struct line {
    char *data;
    size_t size;
    size_t used;
};

static void put_char(struct line *line, char character)
{
    if (line->used + 1 < line->size)
        line->data[line->used++] = character;
}

static void put(struct line *line, const char *text)
{
    for (; *text; text++)
        put_char(line, *text);
}

static void put_escaped(struct line *line, const char *text, bool json)
{
    static const char hex[] = "0123456789abcdef";

    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < 0x20 || byte == 0x7f) {
            put(line, "\\u00");
            put_char(line, hex[byte >> 4]);
            put_char(line, hex[byte & 15]);
        } else {
            if (json && (byte == '"' || byte == '\\'))
                put_char(line, '\\');
            put_char(line, *text);
        }
    }
}

static void put_time(struct line *line, long long time_ms)
{
    char text[64];
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;

    gmtime_r(&seconds, &parts);
    size_t used = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + used, sizeof text - used, ".%03dZ", (int)(time_ms % 1000));
    put(line, text);
}

static void put_json_field(struct line *line, const char *name, const char *value)
{
    put(line, ",\"");
    put(line, name);
    put(line, "\":\"");
    put_escaped(line, value, true);
    put_char(line, '"');
}

static void render_json(struct line *line, long long time_ms, enum log_level level,
                        const char *event, const char *detail)
{
    put(line, "{\"time\":\"");
    put_time(line, time_ms);
    put_char(line, '"');
    put_json_field(line, "level", level_names[level]);
    put_json_field(line, "event", event);
    if (detail)
        put_json_field(line, "detail", detail);
    put_char(line, '}');
}

static void render_text(struct line *line, long long time_ms, enum log_level level,
                        const char *event, const char *detail)
{
    put_time(line, time_ms);
    put_char(line, ' ');
    put(line, level_names[level]);
    put_char(line, ' ');
    put_escaped(line, event, false);
    if (detail) {
        put(line, ": ");
        put_escaped(line, detail, false);
    }
}

size_t log_render(char *data, size_t size, enum log_format format, long long time_ms,
                  enum log_level level, const char *event, const char *detail)
{
    struct line line = {.data = data, .size = size};

    if (format == LOG_JSON)
        render_json(&line, time_ms, level, event, detail);
    else
        render_text(&line, time_ms, level, event, detail);
    data[line.used] = '\0';
    return line.used;
}

void log_setup(enum log_level level, enum log_format format)
{
    shown = level;
    shown_as = format;
}

void log_event(enum log_level level, const char *event, const char *detail)
{
    char text[LINE_BYTES_MAX];
    struct timespec now;

    if (level < shown)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    long long time_ms = (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    size_t used = log_render(text, sizeof text - 1, shown_as, time_ms, level, event, detail);
    text[used++] = '\n';
    if (write(STDERR_FILENO, text, used) < 0)
        return; /* nowhere to report it */
}

void log_eventf(enum log_level level, const char *event, const char *format, ...)
{
    char detail[DETAIL_BYTES_MAX];
    va_list arguments;

    if (level < shown)
        return;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    log_event(level, event, detail);
}
