/*
 * Names: wishes that replace each other, sessions that end before the answer comes.
 */
#include "base/error.h"
#include "session/naming.h"
#include "unit/session/main.h"

static struct session *toy;
static struct cn_pid toy_pid, other_pid;
static int results, error;

static void done(struct session *session, const struct naming_result *result)
{
    results++;
    error = result->error;
}

static void begin(void)
{
    results = 0;
    cluster_host(&cluster, 0);
    toy = cluster_start(&cluster, 0, "t", "code");
    toy_pid = *session_pid(toy);
    other_pid = *gen_server_pid(cluster.nodes[2].client);
}

static void check_holder(const struct cn_pid *pid)
{
    const struct cn_pid *id = names_holder(&cluster.names, "Elixir.Toy.Ids", "t");
    const struct cn_pid *code = names_holder(&cluster.names, "Elixir.Toy.Codes", "code");

    ck_assert(id != NULL && cn_pid_equal(id, pid));
    ck_assert(code != NULL && cn_pid_equal(code, pid));
}

/* Both names move, then it is told, once. */
START_TEST(both_move)
{
    begin();
    ck_assert_int_eq(naming_wish(toy, NAMING_MOVE, &other_pid, done), 0);
    cluster_settle(&cluster);
    ck_assert_int_eq(results, 1);
    ck_assert_int_eq(error, 0);
    check_holder(&other_pid);
}
END_TEST

/* A later wish wins, whatever the first one had reached; the first is not told. */
START_TEST(later_wish_wins)
{
    begin();
    cluster.names.hold = true;
    ck_assert_int_eq(naming_wish(toy, NAMING_MOVE, &other_pid, done), 0);
    ck_assert_int_eq(naming_wish(toy, NAMING_MOVE, &toy_pid, NULL), 0);
    cluster.names.hold = false;
    cluster_settle(&cluster);
    check_holder(&toy_pid);
    ck_assert_int_eq(results, 0);
    ck_assert_ptr_null(toy->naming);
}
END_TEST

/* And again, with a third. */
START_TEST(third_wish)
{
    begin();
    cluster.names.hold = true;
    ck_assert_int_eq(naming_wish(toy, NAMING_MOVE, &other_pid, NULL), 0);
    ck_assert_int_eq(naming_wish(toy, NAMING_MOVE, &toy_pid, NULL), 0);
    ck_assert_int_eq(naming_wish(toy, NAMING_MOVE, &other_pid, done), 0);
    cluster.names.hold = false;
    cluster_settle(&cluster);
    check_holder(&other_pid);
    ck_assert_int_eq(results, 1);
}
END_TEST

/* A move that fails is told. */
START_TEST(failure_is_told)
{
    begin();
    cluster.names.fail_next = CN_E_TIMEOUT;
    ck_assert_int_eq(naming_wish(toy, NAMING_MOVE, &other_pid, done), 0);
    cluster_settle(&cluster);
    ck_assert_int_eq(results, 1);
    ck_assert_int_eq(error, CN_E_TIMEOUT);
}
END_TEST

/* A session that ends before the answer comes is not told, and keeps no name. */
START_TEST(session_ends_first)
{
    begin();
    cluster.names.hold = true;
    ck_assert_int_eq(naming_wish(toy, NAMING_MOVE, &toy_pid, done), 0);
    procs_exit_signal(world_procs(&cluster.world, 0), NULL, &toy_pid, atom("kill"));
    cluster_settle(&cluster);
    cluster.names.hold = false;
    cluster_settle(&cluster);
    ck_assert_int_eq(results, 0);
    ck_assert_uint_eq(names_held(&cluster.names), 0);
}
END_TEST

/* An answer that never comes is released with the hosts. */
START_TEST(never_answered)
{
    begin();
    cluster.names.hold = true;
    ck_assert_int_eq(naming_wish(toy, NAMING_MOVE, &other_pid, done), 0);
    cluster_settle(&cluster);
    ck_assert_ptr_nonnull(toy->naming);
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("naming", &tests);

    tcase_add_test(tests, both_move);
    tcase_add_test(tests, later_wish_wins);
    tcase_add_test(tests, third_wish);
    tcase_add_test(tests, failure_is_told);
    tcase_add_test(tests, session_ends_first);
    tcase_add_test(tests, never_answered);
    return run_suite(suite);
}
