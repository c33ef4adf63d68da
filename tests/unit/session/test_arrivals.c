/*
 * The names of sessions that came from a host that is gone.
 */
#include <stdio.h>

#include "session/arrivals.h"

#include "unit/session/main.h"

static struct session *toy;

/* "t" moves from node 0 to node 1, ahead of its names, which are held. */
static void begin(void)
{
    struct hosts_config config = cluster_config(&cluster, 0);

    config.names_wait_ms = 1;
    cluster_host_of(&cluster, 0, &toy_game, &config);
    cluster_host(&cluster, 1);
    ck_assert_ptr_nonnull(cluster_start(&cluster, 0, "t", "code"));
    cluster.names.hold = true;
    cluster.names.stay = true;
    hosts_drain(cluster.nodes[0].hosts);
    cluster_pass(&cluster, 20);
    toy = cluster_find(&cluster, 1, "t");
    ck_assert_ptr_nonnull(toy);
    ck_assert_int_eq(session_state(toy), SESSION_RUNNING);
}

static const struct cn_pid *holder(void)
{
    return names_holder(&cluster.names, "Elixir.Toy.Ids", "t");
}

/* While the host that had it is there, its names are not touched. */
START_TEST(left_to_the_source)
{
    begin();
    cluster_pass(&cluster, 1000);
    ck_assert_ptr_nonnull(holder());
    ck_assert_str_eq(holder()->node, cluster_name(&cluster, 0));
}
END_TEST

/* When it is lost with them, the session takes both. */
START_TEST(taken_when_the_source_is_gone)
{
    begin();
    cluster.names.hold = false;
    cluster.names.stay = false;
    names_forget_answers(&cluster.names);
    world_cut(&cluster.world, 0, 1);
    cluster_settle(&cluster);
    ck_assert(cn_pid_equal(holder(), session_pid(toy)));
    ck_assert(
        cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Codes", "code"), session_pid(toy)));
}
END_TEST

/* Names that lead to their sessions are only noted, for more sessions than one slice too. */
START_TEST(more_than_a_slice)
{
    struct hosts *target;
    char id[16];

    cluster_host(&cluster, 0);
    for (int i = 0; i < 90; i++) {
        (void)snprintf(id, sizeof(id), "t%d", i);
        ck_assert_ptr_nonnull(cluster_start(&cluster, 0, id, NULL));
    }
    target = cluster_host(&cluster, 1);
    hosts_drain(cluster.nodes[0].hosts);
    cluster_pass(&cluster, 1000);
    ck_assert_int_eq(cluster.nodes[0].exit_code, 0);
    for (int i = 0; i < 3; i++)
        arrivals_host_gone(target);
    ck_assert_uint_eq(list_count(&target->unsure), 90);
    cluster_pass(&cluster, 100);
    ck_assert_uint_eq(list_count(&target->unsure), 0);
    ck_assert_uint_eq(list_count(&target->arrived), 90);
    ck_assert_uint_eq(names_held(&cluster.names), 90);
}
END_TEST

/* A session that ends is forgotten. */
START_TEST(ends)
{
    begin();
    session_stop_atom(toy, "normal");
    cluster_settle(&cluster);
    ck_assert(list_empty(&cluster.nodes[1].hosts->arrived));
    world_cut(&cluster.world, 0, 1);
    cluster_settle(&cluster);
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("arrivals", &tests);

    tcase_add_test(tests, left_to_the_source);
    tcase_add_test(tests, taken_when_the_source_is_gone);
    tcase_add_test(tests, more_than_a_slice);
    tcase_add_test(tests, ends);
    return run_suite(suite);
}
