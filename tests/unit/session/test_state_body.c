/*
 * The encoded state of a session: one and the same for all readers, another after a change, gone
 * when nobody reads for a while.
 */
#include "session/state_body.h"

#include <string.h>

#include "unit/session/main.h"

static struct session *toy;
static struct cn_pid toy_pid;

static void start(void)
{
    cluster_host(&cluster, 0);
    toy = cluster_start(&cluster, 0, "t", "code");
    ck_assert_ptr_nonnull(toy);
    toy_pid = *session_pid(toy);
}

static const char *read_state(int node)
{
    return cluster_call(&cluster, node, &toy_pid, parse("state"));
}

/* Local and remote readers get the state as it is, before and after a change. */
START_TEST(readers_get_the_present_state)
{
    struct etf_body *body;
    struct etf_body *later;

    start();
    ck_assert_ptr_null(toy->body);
    ck_assert_ptr_nonnull(strstr(read_state(1), "adds=>[]"));
    ck_assert_ptr_nonnull(strstr(read_state(0), "adds=>[]"));
    ck_assert_int_eq(state_body_get(toy, &body), 0);
    ck_assert_ptr_eq(toy->body, body);
    shared_take(&body->shared);
    ck_assert_str_eq(cluster_call(&cluster, 1, &toy_pid, parse("{add,5}")), "reply {ok,1}");
    ck_assert_ptr_null(toy->body);
    ck_assert_ptr_nonnull(strstr(read_state(2), "adds=>[5]"));
    ck_assert_int_eq(state_body_get(toy, &later), 0);
    ck_assert_ptr_ne(body, later);
    etf_body_put(body);
}
END_TEST

/* While it is read it stays; a quiet time ends it, and the next reader gets it all the same. */
START_TEST(a_quiet_time_ends_it)
{
    start();
    read_state(1);
    for (int i = 0; i < 3; i++) {
        cluster_pass(&cluster, STATE_BODY_QUIET_MS);
        ck_assert_ptr_nonnull(toy->body);
        read_state(1);
    }
    cluster_pass(&cluster, 2 * STATE_BODY_QUIET_MS);
    ck_assert_ptr_null(toy->body);
    ck_assert_uint_eq(toy->body_timer, 0);
    ck_assert_ptr_nonnull(strstr(read_state(1), "adds=>[]"));
}
END_TEST

/* A session that moves away keeps nothing of it. */
START_TEST(standing_still_drops_it)
{
    start();
    read_state(1);
    ck_assert_ptr_nonnull(toy->body);
    session_freeze(toy);
    ck_assert_ptr_null(toy->body);
    session_run(toy);
    ck_assert_ptr_nonnull(strstr(read_state(1), "adds=>[]"));
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("state_body", &tests);

    tcase_add_test(tests, readers_get_the_present_state);
    tcase_add_test(tests, a_quiet_time_ends_it);
    tcase_add_test(tests, standing_still_drops_it);
    return run_suite(suite);
}
