/*
 * Calls that are made again: carried out once, whichever comes first, and known as such wherever
 * the session has moved to.
 */
#include "session/repeat.h"

#include <stdio.h>
#include <string.h>

#include "session/carried_out.h"
#include "unit/session/main.h"

static struct session *toy;
static struct cn_pid toy_pid;
static struct cn_ref tag;

static void begin(void)
{
    cluster_host(&cluster, 0);
    toy = cluster_start(&cluster, 0, "t", NULL);
    toy_pid = *session_pid(toy);
    procs_make_ref(world_procs(&cluster.world, 2), &tag);
}

/* Make the call whose tag is `tag`; nobody waits for its answer. */
static void first_call(const char *request)
{
    char text[200];

    (void)snprintf(text, sizeof(text), "{$gen_call,{%%p,[alias|%%r]},%s}", request);
    cluster_send(&cluster, 2, &toy_pid,
                 parse_with(text, gen_server_pid(cluster.nodes[2].client), &tag));
    cluster_settle(&cluster);
}

static const char *again(const char *request)
{
    char text[200];

    (void)snprintf(text, sizeof(text), "{repeat,%%r,10,%s}", request);
    return cluster_call(&cluster, 2, &toy_pid, parse_with(text, &tag));
}

static const char *numbers(void)
{
    return cluster_call(&cluster, 2, &toy_pid, parse("get"));
}

/* What was carried out is not done again: the caller gets the state. */
START_TEST(carried_out_once)
{
    begin();
    first_call("{add,7}");
    ck_assert_ptr_nonnull(strstr(again("{add,7}"), "reply {carried_out,#{"));
    ck_assert_str_eq(numbers(), "reply [7]");
    ck_assert_uint_eq(toy->version, 2);
}
END_TEST

/* What was lost on its way is carried out now, once, whatever it is. */
START_TEST(carried_out_now)
{
    begin();
    ck_assert_str_eq(again("{add,7}"), "reply {now,{ok,1}}");
    ck_assert_ptr_nonnull(strstr(again("{add,7}"), "reply {carried_out,#{"));
    ck_assert_ptr_nonnull(strstr(again("nonsense"), "reply {carried_out,#{"));
    procs_make_ref(world_procs(&cluster.world, 2), &tag);
    ck_assert_str_eq(again("get"), "reply {now,[7]}");
    ck_assert_str_eq(again("nonsense"), "reply {now,{error,unknown_request}}");
    ck_assert_str_eq(numbers(), "reply [7]");
}
END_TEST

/* The first call that comes after its repetition, by a longer way, is dropped; others are not. */
START_TEST(the_first_comes_late)
{
    begin();
    ck_assert_str_eq(again("{add,7}"), "reply {now,{ok,1}}");
    first_call("{add,7}");
    ck_assert_str_eq(numbers(), "reply [7]");
    procs_make_ref(world_procs(&cluster.world, 2), &tag);
    first_call("{add,8}");
    ck_assert_str_eq(numbers(), "reply [7,8]");
}
END_TEST

/* A session that has moved knows what it did before. */
START_TEST(known_after_a_move)
{
    begin();
    first_call("{add,7}");
    cluster_host(&cluster, 1);
    hosts_drain(cluster.nodes[0].hosts);
    cluster_pass(&cluster, 1000);
    toy_pid = *session_pid(cluster_find(&cluster, 1, "t"));
    ck_assert_ptr_nonnull(strstr(again("{add,7}"), "reply {carried_out,#{"));
    ck_assert_str_eq(numbers(), "reply [7]");
}
END_TEST

/* After more updates than it remembers a session says that it does not know, also when the
 * repetition was on its way for longer than it says. */
START_TEST(in_doubt)
{
    begin();
    first_call("{add,7}");
    for (int i = 0; i < 300; i++) {
        struct cn_ref other;

        procs_make_ref(world_procs(&cluster.world, 2), &other);
        carried_out_add(&toy->done, &other, cluster.world.now_ms);
    }
    ck_assert_str_eq(again("{add,7}"), "reply in_doubt");
    cluster_pass(&cluster, 4000);
    ck_assert_str_eq(again("{add,7}"), "reply in_doubt");
    ck_assert_str_eq(numbers(), "reply [7]");
}
END_TEST

/* A repetition that is written wrongly is no request. */
START_TEST(malformed)
{
    begin();
    ck_assert_str_eq(cluster_call(&cluster, 2, &toy_pid, parse("{repeat,tag,10,get}")),
                     "reply {error,unknown_request}");
    ck_assert_str_eq(cluster_call(&cluster, 2, &toy_pid, parse_with("{repeat,%r,-1,get}", &tag)),
                     "reply {error,unknown_request}");
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("repeat", &tests);

    tcase_add_test(tests, carried_out_once);
    tcase_add_test(tests, carried_out_now);
    tcase_add_test(tests, the_first_comes_late);
    tcase_add_test(tests, known_after_a_move);
    tcase_add_test(tests, in_doubt);
    tcase_add_test(tests, malformed);
    return run_suite(suite);
}
