/*
 * The timer of a session's round: when it fires, and that no failure loses it.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
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

/* Set the toy's timer to @s seconds from now. */
static void set_deadline(int s)
{
    int64_t now_s = (int64_t)(cluster.world.now_ms + (uint64_t)cluster.wall_offset_ms) / 1000;
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "deadline");
    cn_write_integer(&writer, now_s + s);
    cluster_call(&cluster, 0, &toy_pid, cn_writer_term(&writer));
    cn_writer_free(&writer);
}

/* The game's timer message comes at its deadline of the wall clock, once. */
START_TEST(fires_at_the_deadline)
{
    start();
    set_deadline(3);
    cluster_pass(&cluster, 2990);
    ck_assert_str_eq(cluster_call(&cluster, 0, &toy_pid, parse("get")), "reply []");
    cluster_pass(&cluster, 10);
    ck_assert_str_eq(cluster_call(&cluster, 0, &toy_pid, parse("get")), "reply [1000]");
    cluster_pass(&cluster, 10000);
    ck_assert_str_eq(cluster_call(&cluster, 0, &toy_pid, parse("get")), "reply [1000]");
}
END_TEST

/* A new deadline replaces the old one; one in the past fires at once. */
START_TEST(follows_the_deadline)
{
    start();
    set_deadline(3);
    set_deadline(30);
    cluster_pass(&cluster, 5000);
    ck_assert_str_eq(cluster_call(&cluster, 0, &toy_pid, parse("get")), "reply []");
    set_deadline(-5);
    ck_assert_str_eq(cluster_call(&cluster, 0, &toy_pid, parse("get")), "reply [1000]");
}
END_TEST

/* While a session is frozen its timer is held, and fires when it runs again. */
START_TEST(is_held_while_frozen)
{
    start();
    set_deadline(3);
    session_freeze(toy);
    cluster_pass(&cluster, 5000);
    session_run(toy);
    cluster_settle(&cluster);
    ck_assert_str_eq(cluster_call(&cluster, 0, &toy_pid, parse("get")), "reply [1000]");
}
END_TEST

/* The end of a round that finds no memory comes later, whichever allocation fails. */
START_TEST(survives_no_memory)
{
    bool failed = true;

    for (size_t i = 1; failed; i++) {
        char answer[64];

        start();
        set_deadline(3);
        cluster_pass(&cluster, 2990);
        mem_test_begin();
        mem_test_fail(i);
        cluster_pass(&cluster, 10);
        failed = mem_test_failed();
        mem_test_end();
        cluster_pass(&cluster, 2000);
        (void)snprintf(answer, sizeof(answer), "%s",
                       cluster_call(&cluster, 0, &toy_pid, parse("get")));
        ck_assert_msg(strcmp(answer, "reply [1000]") == 0, "allocation %zu: %s", i, answer);
        teardown();
        setup();
    }
}
END_TEST

/* One that fails again and again is tried ever less often, and succeeds when it can. */
START_TEST(tries_again_less_often)
{
    start();
    set_deadline(3);
    toy_rounds_fail = 5;
    cluster_pass(&cluster, 3000 + 1000 + 2000 + 4000 + 8000);
    ck_assert_uint_eq(toy_rounds_fail, 0);
    ck_assert(cluster_logged(&cluster, 0, "session t: the end of a round dropped (no memory)"));
    ck_assert_str_eq(cluster_call(&cluster, 0, &toy_pid, parse("get")), "reply []");
    cluster_pass(&cluster, 15990);
    ck_assert_str_eq(cluster_call(&cluster, 0, &toy_pid, parse("get")), "reply []");
    cluster_pass(&cluster, 20);
    ck_assert_str_eq(cluster_call(&cluster, 0, &toy_pid, parse("get")), "reply [1000]");
    ck_assert_uint_eq(toy->rounds_failed, 0);
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("round", &tests);

    tcase_add_test(tests, fires_at_the_deadline);
    tcase_add_test(tests, follows_the_deadline);
    tcase_add_test(tests, is_held_while_frozen);
    tcase_add_test(tests, survives_no_memory);
    tcase_add_test(tests, tries_again_less_often);
    return run_suite(suite);
}
