/*
 * What is logged of casts and messages that nobody knows, and how much.
 */
#include <string.h>

#include "session/dropped.h"
#include "session/session.h"
#include "unit/session/main.h"

static struct session *session;

static void begin(void)
{
    cluster_host(&cluster, 0);
    session = cluster_start(&cluster, 0, "t", NULL);
    ck_assert_ptr_nonnull(session);
}

/* Send @count unknown messages to the session. */
static void flood(size_t count)
{
    for (size_t i = 0; i < count; i++)
        cluster_send(&cluster, 0, session_pid(session), atom("unknown"));
    cluster_settle(&cluster);
}

static size_t lines(void)
{
    size_t count = 0;

    for (size_t i = 0; i < cluster.nodes[0].logs_count; i++)
        count += strstr(cluster.nodes[0].logs[i], "session t: a message dropped") != NULL;
    return count;
}

/* The first are logged one by one, of the others only the number, when the window is over. */
START_TEST(flood_is_counted)
{
    begin();
    flood(1000);
    ck_assert_uint_eq(lines(), DROPPED_LINES_MAX);
    ck_assert(!cluster_logged(&cluster, 0, "more casts and messages"));
    cluster_pass(&cluster, DROPPED_WINDOW_MS);
    ck_assert(cluster_logged(&cluster, 0, "968 more casts and messages dropped in 10 s"));
}
END_TEST

/* Few are logged as they come, with nothing to count, and a new window begins with the next. */
START_TEST(few_are_logged)
{
    begin();
    flood(3);
    cluster_pass(&cluster, DROPPED_WINDOW_MS);
    ck_assert_uint_eq(lines(), 3);
    flood(DROPPED_LINES_MAX - 3);
    ck_assert_uint_eq(lines(), DROPPED_LINES_MAX);
    cluster_pass(&cluster, DROPPED_WINDOW_MS);
    ck_assert(!cluster_logged(&cluster, 0, "more casts and messages"));
}
END_TEST

/* Unknown messages to the host process count with those to sessions. */
START_TEST(host_process_counts)
{
    begin();
    flood(DROPPED_LINES_MAX);
    cluster_send(&cluster, 0, host_pid(cluster.nodes[0].hosts), atom("unknown"));
    cluster_settle(&cluster);
    ck_assert(!cluster_logged(&cluster, 0, "host process: unknown message dropped"));
    cluster_pass(&cluster, DROPPED_WINDOW_MS);
    ck_assert(cluster_logged(&cluster, 0, "1 more casts and messages dropped in 10 s"));
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("dropped", &tests);

    tcase_add_test(tests, flood_is_counted);
    tcase_add_test(tests, few_are_logged);
    tcase_add_test(tests, host_process_counts);
    return run_suite(suite);
}
