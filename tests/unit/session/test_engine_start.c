/*
 * create and continue by rpc: where the session lands, and what is answered when it cannot be
 * started.
 */
#include <string.h>

#include "session/ranking.h"
#include "unit/session/main.h"

static const char *create(int node, const char *id)
{
    struct cn_term id_term;
    struct cn_writer writer;
    const char *reply;

    cn_writer_init(&writer, 0);
    cn_write_string(&writer, id);
    id_term = cn_writer_term(&writer);
    reply = cluster_rpc(&cluster, 2, node, "create", parse_with("[<<\"c\">>,%t]", &id_term));
    cn_writer_free(&writer);
    return reply;
}

/* Find an id that belongs to @node of the first two. */
static const char *id_of(int node)
{
    static const char *const ids[] = {"t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7"};
    uint32_t a, b;

    for (size_t i = 0; i < 8; i++) {
        placement_weight(view(ids[i]), cluster_name(&cluster, 0), &a);
        placement_weight(view(ids[i]), cluster_name(&cluster, 1), &b);
        if ((a < b) == (node == 1))
            return ids[i];
    }
    ck_abort();
}

/* The first of the ranking carries the start out, whoever is asked. */
START_TEST(placement_decides)
{
    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    ck_assert_ptr_nonnull(strstr(create(0, id_of(1)), "reply {ok,<b."));
    ck_assert_ptr_nonnull(cluster_find(&cluster, 1, id_of(1)));
    ck_assert_ptr_null(cluster_find(&cluster, 0, id_of(1)));
}
END_TEST

/* The same when it is the asked node itself. */
START_TEST(placement_decides_for_itself)
{
    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    ck_assert_ptr_nonnull(strstr(create(0, id_of(0)), "reply {ok,<a."));
    ck_assert_ptr_nonnull(cluster_find(&cluster, 0, id_of(0)));
}
END_TEST

/* The join code is checked before anything else, then the argument. */
START_TEST(arguments_are_checked)
{
    cluster_host(&cluster, 0);
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "create", parse("[<<\"\">>,bad]")),
                     "reply {error,invalid_join_code}");
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "create", parse("[code,bad]")),
                     "reply {error,invalid_join_code}");
    ck_assert_str_eq(
        cluster_rpc(&cluster, 2, 0, "create",
                    parse("[<<\"0123456789012345678901234567890123456789012345678901234567890"
                          "1234\">>,bad]")),
        "reply {error,invalid_join_code}");
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "create", parse("[nil,bad]")),
                     "reply {error,invalid_argument}");
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "continue", parse("[bad]")),
                     "reply {error,invalid_toy}");
}
END_TEST

/* continue starts a session from a state, without a join code or with one. */
START_TEST(continue_imports)
{
    struct cn_term state = cluster_toy("t");
    const char *reply;

    cluster_host(&cluster, 0);
    reply = cluster_rpc(&cluster, 2, 0, "continue", parse_with("[%t]", &state));
    ck_assert_ptr_nonnull(strstr(reply, "reply {ok,<a."));
    ck_assert_uint_eq(cluster_find(&cluster, 0, "t")->code_size, 0);
    state = cluster_toy("u");
    reply = cluster_rpc(&cluster, 2, 0, "continue", parse_with("[<<\"c\">>,%t]", &state));
    ck_assert_ptr_nonnull(strstr(reply, "reply {ok,<a."));
    ck_assert_uint_eq(cluster_find(&cluster, 0, "u")->code_size, 1);
}
END_TEST

/* A session that lives here or elsewhere is not started twice. */
START_TEST(already_started)
{
    struct cn_term state = cluster_toy("t");

    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    cluster_start(&cluster, 1, "t", NULL);
    ck_assert_ptr_nonnull(
        strstr(cluster_rpc(&cluster, 2, 0, "continue", parse_with("[%t]", &state)),
               "reply {error,{already_started,<b."));
    ck_assert_ptr_nonnull(
        strstr(cluster_rpc(&cluster, 2, 1, "continue", parse_with("[%t]", &state)),
               "reply {error,{already_started,<b."));
}
END_TEST

/* A host that became full since its last hello is passed over. */
START_TEST(full_hosts_are_passed_over)
{
    struct hosts_config config = cluster_config(&cluster, 1);

    config.capacity = 1;
    cluster_host(&cluster, 0);
    cluster_host_of(&cluster, 1, &toy_game, &config);
    cluster_start(&cluster, 1, "x", NULL);
    ck_assert_ptr_nonnull(strstr(create(0, id_of(1)), "reply {ok,<a."));
}
END_TEST

/* Nobody has room. */
START_TEST(no_host)
{
    struct hosts_config config = cluster_config(&cluster, 0);

    config.capacity = 1;
    cluster_host_of(&cluster, 0, &toy_game, &config);
    cluster_start(&cluster, 0, "x", NULL);
    ck_assert_str_eq(create(0, "t"), "reply {error,no_host}");
}
END_TEST

/* The only host is leaving; with another one, that one is asked. */
START_TEST(draining)
{
    cluster_host(&cluster, 0);
    hosts_drain(cluster.nodes[0].hosts);
    ck_assert_str_eq(create(0, "t"), "reply {error,draining}");
}
END_TEST

/* A leaving host still starts sessions elsewhere. */
START_TEST(draining_places_elsewhere)
{
    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    cluster.names.hold = true;
    cluster_start(&cluster, 0, "held", NULL); /* keeps the drain going */
    hosts_drain(cluster.nodes[0].hosts);
    cluster.names.hold = false;
    ck_assert_ptr_nonnull(strstr(create(0, id_of(0)), "reply {ok,<b."));
}
END_TEST

/* A host that does not read our state version is no candidate. */
START_TEST(state_versions_decide)
{
    struct hosts_config config = cluster_config(&cluster, 1);

    cluster_host(&cluster, 0);
    cluster_host_of(&cluster, 1, &toy_old_game, &config);
    ck_assert_ptr_nonnull(strstr(create(0, id_of(1)), "reply {ok,<a."));
}
END_TEST

/* A host that is not reachable is passed over; one that is silent may have started it. */
START_TEST(silent_host)
{
    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    cluster.names.hold = true;
    ck_assert_str_eq(create(0, id_of(1)), "");
    cluster_pass(&cluster, 10100);
    ck_assert_str_eq(cluster_last(&cluster, 2), "reply {error,timeout}");
    cluster.names.hold = false;
}
END_TEST

/* A host that started the session, and whose answer came too late, is asked where it is. */
START_TEST(started_late)
{
    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    cluster.names.hold = true;
    ck_assert_str_eq(create(0, id_of(1)), "");
    cluster.world.up[1][0] = false; /* what b says waits on the wire */
    cluster.names.hold = false;
    cluster_pass(&cluster, 10100);
    ck_assert_str_eq(cluster_last(&cluster, 2), "");
    cluster.world.up[1][0] = true;
    cluster_settle(&cluster);
    ck_assert_ptr_nonnull(strstr(cluster_last(&cluster, 2), "reply {ok,<b."));
}
END_TEST

/* The connection to the host that carries the start out breaks: the next one does it. */
START_TEST(host_is_lost_meanwhile)
{
    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    cluster.names.hold = true;
    ck_assert_str_eq(create(0, id_of(1)), "");
    cluster.names.hold = false;
    cluster.names.answers_count = 0; /* it never comes to an end there */
    world_cut(&cluster.world, 0, 1);
    cluster_settle(&cluster);
    ck_assert_ptr_nonnull(strstr(cluster_last(&cluster, 2), "reply {error,{already_started,<b."));
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("engine_start", &tests);

    tcase_add_test(tests, placement_decides);
    tcase_add_test(tests, placement_decides_for_itself);
    tcase_add_test(tests, arguments_are_checked);
    tcase_add_test(tests, continue_imports);
    tcase_add_test(tests, already_started);
    tcase_add_test(tests, full_hosts_are_passed_over);
    tcase_add_test(tests, no_host);
    tcase_add_test(tests, draining);
    tcase_add_test(tests, draining_places_elsewhere);
    tcase_add_test(tests, state_versions_decide);
    tcase_add_test(tests, silent_host);
    tcase_add_test(tests, started_late);
    tcase_add_test(tests, host_is_lost_meanwhile);
    return run_suite(suite);
}
