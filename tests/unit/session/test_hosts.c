/*
 * All parts together: made, counted, taken apart; and made without memory.
 *
 * What must not stay behind is counted by base/alloc.h, so no sanitizer is needed to see it.
 */
#include "base/alloc.h"
#include "unit/session/main.h"

/* Figures for logs. */
START_TEST(figures)
{
    struct hosts_counts counts;

    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    cluster_start(&cluster, 0, "t", NULL);
    cluster_start(&cluster, 0, "u", NULL);
    hosts_counts(cluster.nodes[0].hosts, &counts);
    ck_assert_uint_eq(counts.sessions, 2);
    ck_assert_uint_eq(counts.hosts, 1);
    ck_assert_uint_eq(counts.forwarders, 0);
    ck_assert(!counts.draining);
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    hosts_counts(cluster.nodes[0].hosts, &counts);
    ck_assert_uint_eq(counts.sessions, 0);
    ck_assert_uint_eq(counts.forwarders, 2);
    ck_assert(counts.draining);
}
END_TEST

/* Without a registry of names hosting works inside the cluster of hosts. */
START_TEST(without_names)
{
    struct hosts_config config = cluster_config(&cluster, 0);
    struct cluster_node *node = &cluster.nodes[0];

    ck_assert_int_eq(hosts_new(world_procs(&cluster.world, 0), node->functions, NULL, &toy_game,
                               &config, &node->hosts),
                     0);
    cluster_host(&cluster, 1);
    cluster_start(&cluster, 0, "t", "code");
    ck_assert_ptr_null(cluster_start(&cluster, 0, "u", "code"));
    ck_assert_str_eq(cluster.started, "{error,join_code_taken}");
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 1, "add", parse("[<<\"t\">>,1]")), "reply {ok,1}");
    hosts_drain(node->hosts);
    cluster_pass(&cluster, 1000);
    ck_assert_int_eq(node->exit_code, 0);
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 1, "add", parse("[<<\"t\">>,2]")), "reply {ok,2}");
}
END_TEST

/* Everything that can be under way is released when a node stops in the middle of it. */
START_TEST(stop_in_the_middle)
{
    cluster_deinit(&cluster);
    for (int i = 0; i < 8; i++) { /* the helpers' own terms stay */
        (void)parse("x");
        (void)cluster_toy("x");
    }
    mem_test_begin();
    cluster_init(&cluster);
    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    cluster_start(&cluster, 0, "moving", "code");
    cluster.names.hold = true;
    cluster_start(&cluster, 0, "starting", NULL);
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    (void)cluster_rpc(&cluster, 2, 0, "get", parse("[<<\"moving\">>]"));
    (void)cluster_rpc(&cluster, 2, 1, "continue", parse("[bad]"));
    cluster_call_host(&cluster, 2, 0, parse("drain"));
    ck_assert_uint_eq(cluster_answers(&cluster, 2), 1);
    ck_assert_uint_eq(cluster.nodes[0].hosts->table.unsettled, 1);
    ck_assert_int_eq(cluster.nodes[0].drained, 0);
    cluster_deinit(&cluster);
    ck_assert_int_eq(mem_test_end(), 0);
    cluster_init(&cluster);
}
END_TEST

/* Whichever allocation fails, nothing is started and nothing stays behind. */
START_TEST(survives_without_memory)
{
    struct hosts_config config = cluster_config(&cluster, 0);
    struct functions *functions;
    struct hosts *hosts = NULL;
    struct procs *own;
    struct transport transport = {0};
    int error = -1;

    for (size_t i = 1; error != 0; i++) {
        mem_test_begin();
        ck_assert_int_eq(procs_new("x@world", 5, &transport, NULL, &own), 0);
        ck_assert_int_eq(functions_new(own, &functions), 0);
        mem_test_fail(i);
        error = hosts_new(own, functions, NULL, &toy_game, &config, &hosts);
        ck_assert_int_eq(error != 0, mem_test_failed());
        mem_test_fail(0);
        (void)procs_run(own, 1);
        if (error == 0)
            hosts_close(hosts);
        procs_free(own);
        if (error == 0)
            ck_assert_ptr_null(hosts_free(hosts));
        functions_free(functions);
        ck_assert_int_eq(mem_test_end(), 0);
    }
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("hosts", &tests);

    tcase_add_test(tests, figures);
    tcase_add_test(tests, without_names);
    tcase_add_test(tests, stop_in_the_middle);
    tcase_add_test(tests, survives_without_memory);
    return run_suite(suite);
}
