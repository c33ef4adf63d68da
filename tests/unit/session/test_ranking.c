/*
 * The ranking of known hosts, and the walk that looks at them again at each step.
 */
#include "base/alloc.h"
#include "session/members.h"
#include "session/ranking.h"
#include "unit/session/fake_host.h"
#include "unit/session/main.h"

/* phash2({<<"t">>, Node}): c@world, b@world, a@world. */
static struct fake_host b, c;
static struct hosts *hosts;

static void begin(void)
{
    hosts = cluster_host(&cluster, 0);
    fake_host_start(&b, &cluster, 1);
    fake_host_start(&c, &cluster, 2);
    fake_host_hello(&b, 0);
    fake_host_hello(&c, 0);
}

/* All hosts come in the order of placement, each once. */
START_TEST(walk_is_in_order)
{
    struct ranking ranking;

    begin();
    ck_assert_int_eq(ranking_init(&ranking, hosts, view("t")), 0);
    ck_assert_str_eq(ranking_next(&ranking, hosts), "c@world");
    ck_assert_str_eq(ranking_next(&ranking, hosts), "b@world");
    ck_assert_str_eq(ranking_next(&ranking, hosts), "a@world");
    ck_assert_ptr_null(ranking_next(&ranking, hosts));
    ck_assert_ptr_null(ranking_next(&ranking, hosts));
    ranking_deinit(&ranking);
}
END_TEST

/* Without this host only the others come. */
START_TEST(without_self)
{
    struct ranking ranking;

    begin();
    ck_assert_int_eq(ranking_init_leaving(&ranking, hosts, view("t")), 0);
    ck_assert_uint_eq(ranking.count, 2);
    ranking_deinit(&ranking);
}
END_TEST

/* Who leaves goes to hosts of a newer version first, whatever they weigh; who starts does not. */
START_TEST(newer_ones_first)
{
    struct ranking ranking;

    begin();
    b.app_version = "1.10.0"; /* this host: 1.2.3 */
    fake_host_hello(&b, 0);
    c.app_version = "1.2.3";
    fake_host_hello(&c, 0);
    ck_assert_int_eq(ranking_init_leaving(&ranking, hosts, view("t")), 0);
    ck_assert_str_eq(ranking_next(&ranking, hosts), "b@world");
    ck_assert_str_eq(ranking_next(&ranking, hosts), "c@world");
    ranking_deinit(&ranking);
    ck_assert_int_eq(ranking_init(&ranking, hosts, view("t")), 0);
    ck_assert_str_eq(ranking_next(&ranking, hosts), "c@world");
    ranking_deinit(&ranking);
    b.app_version = "1.2.2";
    fake_host_hello(&b, 0);
    ck_assert_int_eq(ranking_init_leaving(&ranking, hosts, view("t")), 0);
    ck_assert_str_eq(ranking_next(&ranking, hosts), "c@world");
    ranking_deinit(&ranking);
}
END_TEST

/* A better host than this one is one that wants the session more, and is not of an older version.
 */
START_TEST(better)
{
    struct ranking ranking;
    const char *node = NULL;

    begin();
    c.app_version = "1.2.3"; /* as this host */
    fake_host_hello(&c, 0);
    ck_assert_int_eq(ranking_init(&ranking, hosts, view("t")), 0);
    ck_assert(ranking_finds_better(&ranking, hosts, &node));
    ck_assert_str_eq(node, "c@world");
    c.app_version = "1.2.2";
    fake_host_hello(&c, 0);
    ck_assert(ranking_finds_better(&ranking, hosts, &node));
    ck_assert_str_eq(node, "b@world");
    b.app_version = "1.2";
    fake_host_hello(&b, 0);
    ck_assert(!ranking_finds_better(&ranking, hosts, &node));
    c.app_version = "1.2.10";
    fake_host_hello(&c, 0);
    ck_assert(ranking_finds_better(&ranking, hosts, &node));
    ranking_deinit(&ranking);
}
END_TEST

/* A ranking of one host has that one if it is known, whatever it said of itself. */
START_TEST(one)
{
    struct ranking ranking;

    begin();
    b.capacity = 0;
    fake_host_hello(&b, 0);
    ck_assert_int_eq(ranking_init_one(&ranking, "b@world"), 0);
    ck_assert_str_eq(ranking_next(&ranking, hosts), "b@world");
    ck_assert_ptr_null(ranking_next(&ranking, hosts));
    ranking_deinit(&ranking);
    ck_assert_int_eq(ranking_init_one(&ranking, "nobody@world"), 0);
    ck_assert_ptr_null(ranking_next(&ranking, hosts));
    ranking_deinit(&ranking);
}
END_TEST

/* A host that left, filled up or began to drain since the walk began is passed over. */
START_TEST(changes_count)
{
    struct ranking ranking;

    begin();
    ck_assert_int_eq(ranking_init(&ranking, hosts, view("t")), 0);
    c.sessions = 100;
    fake_host_hello(&c, 0);
    gen_server_stop_atom(b.server, "normal");
    cluster_settle(&cluster);
    ck_assert_str_eq(ranking_next(&ranking, hosts), "a@world");
    ranking_deinit(&ranking);
    c.sessions = 0;
    c.draining = true;
    fake_host_hello(&c, 0);
    ck_assert_int_eq(ranking_init_leaving(&ranking, hosts, view("t")), 0);
    ck_assert_ptr_null(ranking_next(&ranking, hosts));
    ranking_deinit(&ranking);
}
END_TEST

/* Making one without memory leaves nothing behind. */
START_TEST(survives_without_memory)
{
    struct ranking ranking;

    begin();
    mem_test_begin();
    for (size_t i = 1;; i++) {
        mem_test_fail(i);
        if (ranking_init(&ranking, hosts, view("t")) == 0)
            break;
        ck_assert_int_eq(mem_test_live(), 0);
    }
    ranking_deinit(&ranking);
    ck_assert_int_eq(mem_test_end(), 0);
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("ranking", &tests);

    tcase_add_test(tests, walk_is_in_order);
    tcase_add_test(tests, without_self);
    tcase_add_test(tests, newer_ones_first);
    tcase_add_test(tests, better);
    tcase_add_test(tests, one);
    tcase_add_test(tests, changes_count);
    tcase_add_test(tests, survives_without_memory);
    return run_suite(suite);
}
