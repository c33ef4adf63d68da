/*
 * Log lines about what was dropped: the first of a window, then their number.
 */
#include "session/dropped.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/list.h"

#define LINE_MAX 256

static void window_ends(struct host_timer *timer)
{
    struct hosts *hosts = container_of(timer, struct hosts, dropped_timer);

    if (hosts->dropped > DROPPED_LINES_MAX)
        host_log(hosts, HOSTS_LOG_WARNING, "%" PRIu64 " more casts and messages dropped in %d s",
                 hosts->dropped - DROPPED_LINES_MAX, DROPPED_WINDOW_MS / 1000);
    hosts->dropped = 0;
}

void dropped_log(struct hosts *hosts, const char *format, ...)
{
    char line[LINE_MAX];
    va_list arguments;

    if (hosts->dropped_timer.id == 0)
        (void)host_timer_start(hosts, &hosts->dropped_timer, DROPPED_WINDOW_MS, window_ends);
    if (++hosts->dropped > DROPPED_LINES_MAX)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    host_log(hosts, HOSTS_LOG_INFO, "%s", line);
}

void dropped_outcome(const struct session *session, const char *what, int outcome)
{
    const char *why = outcome == -E2BIG ? "system limit" : outcome < 0 ? "no memory" : "unknown";

    if (outcome == CN_GAME_UNKNOWN || outcome < 0)
        dropped_log(session->hosts, "session %.*s: %s dropped (%s)", (int)session->id_size,
                    (const char *)session->text, what, why);
}
