/*
 * Starting a session here: names, conflicts, limits, memory.
 *
 * The registry of the tests answers late, so that a session can be seen while it starts.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "session/start.h"
#include "unit/session/main.h"

static struct cn_pid stranger(void)
{
    return *gen_server_pid(cluster.nodes[2].client);
}

/* A session has both names before anybody hears of it. */
START_TEST(names_are_registered)
{
    struct session *toy;

    cluster_host(&cluster, 0);
    toy = cluster_start(&cluster, 0, "t", "code");
    ck_assert_ptr_nonnull(toy);
    ck_assert_str_eq(show(pid_term(session_pid(toy))),
                     show(pid_term(names_holder(&cluster.names, "Elixir.Toy.Ids", "t"))));
    ck_assert(
        cn_pid_equal(names_holder(&cluster.names, "Elixir.Toy.Codes", "code"), session_pid(toy)));
    ck_assert_int_eq(session_state(toy), SESSION_RUNNING);
}
END_TEST

/* What comes before the names are there is held, and executed after. */
START_TEST(requests_wait_for_the_names)
{
    struct cn_pid pid;

    cluster_host(&cluster, 0);
    cluster.names.hold = true;
    ck_assert_ptr_null(cluster_start(&cluster, 0, "t", NULL));
    pid = *session_pid(cluster_find(&cluster, 0, "t"));
    ck_assert_str_eq(cluster_call(&cluster, 1, &pid, parse("{add,1}")), "");
    ck_assert_str_eq(cluster_call_host(&cluster, 2, 0, parse("{whereis,{id,<<\"t\">>}}")),
                     "reply nil");
    cluster.names.hold = false;
    cluster_settle(&cluster);
    ck_assert_str_eq(cluster_last(&cluster, 1), "reply {ok,1}");
}
END_TEST

/* The id belongs to somebody else: that one is named, and nothing stays behind. */
START_TEST(id_is_taken)
{
    struct cn_pid other = stranger();

    cluster_host(&cluster, 0);
    names_give(&cluster.names, "Elixir.Toy.Ids", "t", &other);
    ck_assert_ptr_null(cluster_start(&cluster, 0, "t", "code"));
    ck_assert_ptr_nonnull(strstr(cluster.started, "{error,{already_started,<c."));
    ck_assert_ptr_null(cluster_find(&cluster, 0, "t"));
    ck_assert_uint_eq(names_held(&cluster.names), 1);
}
END_TEST

/* A registry that does not tell who has a name is asked. */
START_TEST(holder_is_asked_for)
{
    struct cn_pid other = stranger();

    cluster_host(&cluster, 0);
    cluster.names.unsure = true;
    names_give(&cluster.names, "Elixir.Toy.Ids", "t", &other);
    ck_assert_ptr_null(cluster_start(&cluster, 0, "t", NULL));
    ck_assert_ptr_nonnull(strstr(cluster.started, "{error,{already_started,<c."));
}
END_TEST

/* The join code belongs to somebody else: the id is given up again. */
START_TEST(code_is_taken)
{
    struct cn_pid other = stranger();

    cluster_host(&cluster, 0);
    names_give(&cluster.names, "Elixir.Toy.Codes", "code", &other);
    ck_assert_ptr_null(cluster_start(&cluster, 0, "t", "code"));
    ck_assert_str_eq(cluster.started, "{error,join_code_taken}");
    ck_assert_ptr_null(names_holder(&cluster.names, "Elixir.Toy.Ids", "t"));
    ck_assert_ptr_null(cluster_find(&cluster, 0, "t"));
}
END_TEST

/* The same conflicts inside one node are seen without the registry. */
START_TEST(conflicts_here)
{
    cluster_host(&cluster, 0);
    cluster_start(&cluster, 0, "t", "code");
    ck_assert_ptr_null(cluster_start(&cluster, 0, "t", NULL));
    ck_assert_ptr_nonnull(strstr(cluster.started, "{error,{already_started,<a."));
    ck_assert_ptr_null(cluster_start(&cluster, 0, "u", "code"));
    ck_assert_str_eq(cluster.started, "{error,join_code_taken}");
}
END_TEST

/* A full host, and a registry that fails. */
START_TEST(other_refusals)
{
    struct hosts_config config = cluster_config(&cluster, 0);

    config.capacity = 1;
    cluster_host_of(&cluster, 0, &toy_game, &config);
    cluster.names.fail_next = CN_E_TIMEOUT;
    ck_assert_ptr_null(cluster_start(&cluster, 0, "t", NULL));
    ck_assert_str_eq(cluster.started, "{error,names_failed}");
    cluster.names.fail_next = 0;
    ck_assert_ptr_nonnull(cluster_start(&cluster, 0, "t", NULL));
    ck_assert_ptr_null(cluster_start(&cluster, 0, "u", NULL));
    ck_assert_str_eq(cluster.started, "{error,full}");
}
END_TEST

/* A session that is killed while it starts gives up what it gets later. */
START_TEST(killed_while_starting)
{
    struct cn_pid pid;

    cluster_host(&cluster, 0);
    cluster.names.hold = true;
    ck_assert_ptr_null(cluster_start(&cluster, 0, "t", "code"));
    pid = *session_pid(cluster_find(&cluster, 0, "t"));
    procs_exit_signal(world_procs(&cluster.world, 0), NULL, &pid, atom("kill"));
    cluster_settle(&cluster);
    ck_assert_str_eq(cluster.started, "{error,{session_ended,killed}}");
    cluster.names.hold = false;
    cluster_settle(&cluster);
    ck_assert_uint_eq(names_held(&cluster.names), 0);
}
END_TEST

/* Whichever allocation fails: an answer comes, and a session that did not start leaves nothing. */
START_TEST(survives_without_memory)
{
    struct hosts_counts counts;
    bool failed = true;

    cluster_host(&cluster, 0);
    cluster_start(&cluster, 0, "warm", "up");
    for (size_t i = 1; failed; i++) {
        struct session *toy;

        mem_test_begin();
        toy = cluster_start_fed(&cluster, 0, "t", "code", i);
        failed = mem_test_failed();
        mem_test_fail(0);
        cluster_settle(&cluster);
        hosts_counts(cluster.nodes[0].hosts, &counts);
        if (toy == NULL) {
            ck_assert_ptr_null(cluster_find(&cluster, 0, "t"));
            ck_assert_uint_eq(counts.sessions, 1);
            ck_assert_uint_eq(names_held(&cluster.names), 2);
        } else {
            struct cn_pid pid = *session_pid(toy);

            procs_exit_signal(world_procs(&cluster.world, 0), NULL, &pid, atom("kill"));
            cluster_settle(&cluster);
        }
        mem_test_end();
    }
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("start", &tests);

    tcase_add_test(tests, names_are_registered);
    tcase_add_test(tests, requests_wait_for_the_names);
    tcase_add_test(tests, id_is_taken);
    tcase_add_test(tests, holder_is_asked_for);
    tcase_add_test(tests, code_is_taken);
    tcase_add_test(tests, conflicts_here);
    tcase_add_test(tests, other_refusals);
    tcase_add_test(tests, killed_while_starting);
    tcase_add_test(tests, survives_without_memory);
    return run_suite(suite);
}
