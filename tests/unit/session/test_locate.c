/*
 * Finding a session: here, elsewhere, nowhere, and hosts that do not answer.
 */
#include "base/alloc.h"
#include "session/locate.h"
#include "unit/session/fake_host.h"
#include "unit/session/main.h"

static int results;
static char found[64];

static void done(void *context, const struct cn_pid *pid)
{
    results++;
    found[0] = '\0';
    if (pid != NULL)
        found[0] = pid->node[0];
}

static void look(const char *id)
{
    results = 0;
    found[0] = '?';
    locate_session(cluster.nodes[0].hosts, LOCATE_BY_ID, view(id), done, NULL);
    cluster_settle(&cluster);
}

/* A session of this node is found at once. */
START_TEST(here)
{
    cluster_host(&cluster, 0);
    cluster_start(&cluster, 0, "t", "code");
    look("t");
    ck_assert_int_eq(results, 1);
    ck_assert_int_eq(found[0], 'a');
    look("u");
    ck_assert_int_eq(results, 1);
    ck_assert_int_eq(found[0], '\0');
}
END_TEST

/* All other hosts are asked; the first that has it answers for all, once. */
START_TEST(elsewhere)
{
    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    cluster_host(&cluster, 2);
    cluster_start(&cluster, 2, "t", NULL);
    look("t");
    ck_assert_int_eq(results, 1);
    ck_assert_int_eq(found[0], 'c');
    look("u");
    ck_assert_int_eq(results, 1);
    ck_assert_int_eq(found[0], '\0');
}
END_TEST

/* A host that does not answer delays only a no, by one second. */
START_TEST(silent_host)
{
    static struct fake_host fake;

    cluster_host(&cluster, 0);
    fake_host_start(&fake, &cluster, 1);
    fake_host_hello(&fake, 0);
    look("t");
    ck_assert_int_eq(results, 0);
    cluster_pass(&cluster, 990);
    ck_assert_int_eq(results, 0);
    cluster_pass(&cluster, 10);
    ck_assert_int_eq(results, 1);
    ck_assert_int_eq(found[0], '\0');
    cluster_host(&cluster, 2);
    cluster_start(&cluster, 2, "t", NULL);
    look("t");
    ck_assert_int_eq(results, 1);
    ck_assert_int_eq(found[0], 'c');
}
END_TEST

/* A host that ends instead of answering, and one that answers nonsense, do not have it. */
START_TEST(other_answers)
{
    static struct fake_host fake;

    cluster_host(&cluster, 0);
    fake_host_start(&fake, &cluster, 1);
    fake_host_hello(&fake, 0);
    look("t");
    gen_server_stop_atom(fake.server, "normal");
    cluster_settle(&cluster);
    ck_assert_int_eq(results, 1);
    fake_host_start(&fake, &cluster, 1);
    fake_host_answer(&fake, parse("{error,unknown_request}"));
    fake_host_hello(&fake, 0);
    look("t");
    ck_assert_int_eq(results, 1);
    ck_assert_int_eq(found[0], '\0');
}
END_TEST

/* Without memory the answer is nobody, once. */
START_TEST(survives_without_memory)
{
    bool failed = true;

    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    for (size_t i = 1; failed; i++) {
        mem_test_begin();
        mem_test_fail(i);
        look("t");
        failed = mem_test_failed();
        cluster_pass(&cluster, 1000); /* a message that found no memory is a silent host */
        ck_assert_int_eq(results, 1);
        ck_assert_int_eq(found[0], '\0');
        mem_test_end();
    }
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("locate", &tests);

    tcase_add_test(tests, here);
    tcase_add_test(tests, elsewhere);
    tcase_add_test(tests, silent_host);
    tcase_add_test(tests, other_answers);
    tcase_add_test(tests, survives_without_memory);
    return run_suite(suite);
}
