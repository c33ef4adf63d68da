/*
 * What a drain would do, told without doing it.
 *
 * The other hosts are played by the test, so that what they say of themselves is known.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "session/host.h"
#include "session/rehearse.h"
#include "unit/session/fake_host.h"
#include "unit/session/main.h"

static struct fake_host b, c;

static void begin(int sessions)
{
    char id[16];

    cluster_host(&cluster, 0);
    for (int i = 0; i < sessions; i++) {
        (void)snprintf(id, sizeof(id), "t%d", i);
        ck_assert_ptr_nonnull(cluster_start(&cluster, 0, id, NULL));
    }
}

static void hosts_say_hello(void)
{
    fake_host_start(&b, &cluster, 1);
    fake_host_start(&c, &cluster, 2);
    fake_host_hello(&b, 0);
    fake_host_hello(&c, 0);
}

static const char *rehearse(void)
{
    return cluster_call_host(&cluster, 1, 0, parse("rehearse"));
}

/* Without sessions, without hosts: nothing, and refusals. */
START_TEST(alone)
{
    begin(0);
    ck_assert_str_eq(rehearse(), "reply {ok,#{sessions=>0,bytes=>0,targets=>#{},refusals=>#{}}}");
    ck_assert_ptr_nonnull(cluster_start(&cluster, 0, "t", NULL));
    ck_assert_ptr_nonnull(strstr(rehearse(), "sessions=>1,bytes=>"));
    ck_assert_ptr_nonnull(strstr(rehearse(), "targets=>#{},refusals=>#{no_host=>1}"));
}
END_TEST

/* The hosts are given as many as they would get, nobody is asked and nothing moves. */
START_TEST(tells_targets)
{
    begin(10);
    hosts_say_hello();
    ck_assert_ptr_nonnull(strstr(rehearse(), "sessions=>10,bytes=>"));
    ck_assert_ptr_null(strstr(rehearse(), "bytes=>0"));
    ck_assert_ptr_nonnull(strstr(rehearse(), "b@world=>"));
    ck_assert_ptr_nonnull(strstr(rehearse(), "c@world=>"));
    ck_assert_ptr_nonnull(strstr(rehearse(), "refusals=>#{}"));
    ck_assert_int_eq(b.calls + c.calls, 0);
    ck_assert_ptr_nonnull(cluster_find(&cluster, 0, "t0"));
}
END_TEST

/* A host takes no more than it has room for, one that drains nothing. */
START_TEST(counts_places)
{
    begin(10);
    hosts_say_hello();
    b.capacity = b.sessions + 3;
    fake_host_hello(&b, 0);
    c.draining = true;
    fake_host_hello(&c, 0);
    ck_assert_ptr_nonnull(strstr(rehearse(), "targets=>#{b@world=>3},refusals=>#{"));
    ck_assert_ptr_nonnull(strstr(rehearse(), "draining=>"));
    ck_assert_ptr_nonnull(strstr(rehearse(), "full=>"));
}
END_TEST

/* More sessions than one slice has are all looked at; those that end meanwhile are left out. */
START_TEST(in_slices)
{
    struct hosts_config config = cluster_config(&cluster, 0);
    struct cn_pid last;

    config.capacity = 1000;
    cluster_host_of(&cluster, 0, &toy_game, &config);
    for (int i = 0; i < 250; i++) {
        char id[16];

        (void)snprintf(id, sizeof(id), "t%d", i);
        last = *session_pid(cluster_start(&cluster, 0, id, NULL));
    }
    ck_assert_ptr_nonnull(strstr(rehearse(), "sessions=>250,"));
    cluster_call(&cluster, 1, &last, parse("stop"));
    ck_assert_ptr_nonnull(strstr(rehearse(), "sessions=>249,"));
}
END_TEST

/* A host that leaves has nothing to rehearse. */
START_TEST(draining)
{
    begin(1);
    hosts_say_hello();
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    ck_assert_str_eq(rehearse(), "reply {error,draining}");
}
END_TEST

/* Without memory there is an answer all the same, and nothing leaks. */
START_TEST(survives_without_memory)
{
    bool failed = true;

    begin(1);
    hosts_say_hello();
    for (size_t i = 1; failed; i++) {
        struct gen_from from = {*gen_server_pid(cluster.nodes[2].client), parse("tag")};

        mem_test_begin();
        mem_test_fail(i);
        rehearse_call(cluster.nodes[0].hosts, &from);
        failed = mem_test_failed();
        cluster_settle(&cluster);
        mem_test_end();
    }
    ck_assert_ptr_nonnull(strstr(rehearse(), "sessions=>1,"));
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("rehearse", &tests);

    tcase_add_test(tests, alone);
    tcase_add_test(tests, tells_targets);
    tcase_add_test(tests, counts_places);
    tcase_add_test(tests, in_slices);
    tcase_add_test(tests, draining);
    tcase_add_test(tests, survives_without_memory);
    return run_suite(suite);
}
