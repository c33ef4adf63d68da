/*
 * The tables of sessions: by id and by join code, and what they count.
 */
#include "base/alloc.h"
#include "session/table.h"
#include "unit/session/main.h"

/* A session is found by both keys until it ends; an empty code finds nobody. */
START_TEST(both_keys)
{
    struct session *toy, *plain;
    struct session_table *table;
    struct cn_pid pid;

    table = &cluster_host(&cluster, 0)->table;
    toy = cluster_start(&cluster, 0, "t", "code");
    plain = cluster_start(&cluster, 0, "u", NULL);
    ck_assert_ptr_eq(session_table_by_id(table, view("t")), toy);
    ck_assert_ptr_eq(session_table_by_code(table, view("code")), toy);
    ck_assert_ptr_eq(session_table_by_id(table, view("u")), plain);
    ck_assert_ptr_null(session_table_by_id(table, view("code")));
    ck_assert_ptr_null(session_table_by_code(table, view("")));
    ck_assert_uint_eq(session_table_owned(table), 2);
    pid = *session_pid(toy);
    cluster_call(&cluster, 0, &pid, parse("stop"));
    ck_assert_ptr_null(session_table_by_id(table, view("t")));
    ck_assert_ptr_null(session_table_by_code(table, view("code")));
    ck_assert_uint_eq(session_table_owned(table), 1);
}
END_TEST

/* A forwarder is in the table, but not owned. */
START_TEST(forwarders_are_not_owned)
{
    struct session_table *table;

    table = &cluster_host(&cluster, 0)->table;
    cluster_host(&cluster, 1);
    cluster_start(&cluster, 0, "t", "code");
    ck_assert_uint_eq(table->unsettled, 0);
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    ck_assert_ptr_nonnull(session_table_by_id(table, view("t")));
    ck_assert_uint_eq(session_table_owned(table), 0);
    ck_assert_uint_eq(table->forwarders, 1);
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("table", &tests);

    tcase_add_test(tests, both_keys);
    tcase_add_test(tests, forwarders_are_not_owned);
    return run_suite(suite);
}
