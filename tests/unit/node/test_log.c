/* The form of log lines: text and JSON, and what of them a peer can never forge. */
#include "node/log.h"

#include <stdlib.h>
#include <string.h>
#include "unit/proc/world.h"

static char line[256];

/* A text line reads: time, level, event, detail. */
START_TEST(text_line)
{
    log_render(line, sizeof line, LOG_TEXT, 1700000000123, LOG_WARNING, "peer.down", "a@host");
    ck_assert_str_eq(line, "2023-11-14T22:13:20.123Z warning peer.down: a@host");
    log_render(line, sizeof line, LOG_TEXT, 0, LOG_INFO, "ready", NULL);
    ck_assert_str_eq(line, "1970-01-01T00:00:00.000Z info ready");
}
END_TEST

/* A JSON line is one object, quotes and backslashes escaped. */
START_TEST(json_line)
{
    log_render(line, sizeof line, LOG_JSON, 0, LOG_ERROR, "x", "say \"no\\\"");
    ck_assert_str_eq(line, "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"error\","
                           "\"event\":\"x\",\"detail\":\"say \\\"no\\\\\\\"\"}");
}
END_TEST

/* What a peer sends cannot begin a new line. */
START_TEST(control_characters_are_escaped)
{
    log_render(line, sizeof line, LOG_TEXT, 0, LOG_INFO, "e", "a\nb\x7f\x1b[0m");
    ck_assert_str_eq(line, "1970-01-01T00:00:00.000Z info e: a\\u000ab\\u007f\\u001b[0m");
}
END_TEST

/* A line too long for its buffer is cut and still ended. */
START_TEST(long_lines_are_cut)
{
    char small[40];
    char text[200];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    size_t used = log_render(small, sizeof small, LOG_TEXT, 0, LOG_INFO, "e", text);
    ck_assert_uint_eq(used, sizeof small - 1);
    ck_assert_uint_eq(strlen(small), used);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, text_line);
    tcase_add_test(tcase, json_line);
    tcase_add_test(tcase, control_characters_are_escaped);
    tcase_add_test(tcase, long_lines_are_cut);
}

int main(void)
{
    return run_tests("node/log", add, NULL, NULL);
}
