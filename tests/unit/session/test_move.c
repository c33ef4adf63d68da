/*
 * One session's walk around its ranking, past hosts that refuse, are silent or go away.
 */
#include <stdio.h>
#include <string.h>

#include "session/host.h"
#include "session/move.h"
#include "unit/session/fake_host.h"
#include "unit/session/main.h"

/* The ranking of "t" is c@world, b@world. */
static struct fake_host b, c;
static struct session *toy;
static struct cn_pid toy_pid;
static int results;
static enum move_result result;
static char reason[64];

static void done(void *context, const struct move_outcome *outcome)
{
    results++;
    result = outcome->result;
    (void)snprintf(reason, sizeof(reason), "%s", outcome->reason);
}

static void begin(void)
{
    results = 0;
    cluster_host(&cluster, 0);
    toy = cluster_start(&cluster, 0, "t", "code");
    toy_pid = *session_pid(toy);
    fake_host_start(&b, &cluster, 1);
    fake_host_start(&c, &cluster, 2);
    fake_host_hello(&b, 0);
    fake_host_hello(&c, 0);
}

static int start(void)
{
    struct cn_writer state;

    ck_assert_int_eq(move_export(toy, &state), 0);
    return move_start(toy, &state, done, NULL);
}

static int start_to(const char *node)
{
    struct cn_writer state;

    ck_assert_int_eq(move_export(toy, &state), 0);
    return move_start_to(toy, node, &state, done, NULL);
}

static void check_running(void)
{
    ck_assert_int_eq(session_state(toy), SESSION_RUNNING);
    ck_assert_str_eq(cluster_call(&cluster, 1, &toy_pid, parse("get")), "reply []");
}

/* All refuse: each was asked once, in order, and the session never stopped. */
START_TEST(all_refuse)
{
    begin();
    fake_host_answer(&b, parse("{refuse,full}"));
    fake_host_answer(&c, parse("{refuse,draining}"));
    ck_assert_int_eq(start(), 0);
    cluster_settle(&cluster);
    ck_assert_int_eq(results, 1);
    ck_assert_int_eq(result, MOVE_LOST);
    ck_assert_int_eq(b.offers, 1);
    ck_assert_int_eq(c.offers, 1);
    check_running();
}
END_TEST

/* The offer says what PROTOCOL.md asks for. */
START_TEST(offer_is_whole)
{
    begin();
    ck_assert_int_eq(start(), 0);
    cluster_settle(&cluster);
    ck_assert_ptr_nonnull(strstr(c.asked, "{offer,#{protocol=>1,transfer=>#Ref<a."));
    ck_assert_ptr_nonnull(strstr(c.asked, "id=><<t>>,join_code=><<code>>,epoch=>1,version=>1,"
                                          "state_version=>2,bytes=>"));
    ck_assert_ptr_nonnull(strstr(c.asked, "source=><a."));
}
END_TEST

/* One host is asked, whatever it said of itself, and no other; its refusal is told. */
START_TEST(to_one)
{
    begin();
    b.capacity = 0;
    fake_host_hello(&b, 0);
    fake_host_answer(&b, parse("{refuse,full}"));
    ck_assert_int_eq(start_to("b@world"), 0);
    cluster_settle(&cluster);
    ck_assert_int_eq(result, MOVE_LOST);
    ck_assert_str_eq(reason, "full");
    ck_assert_int_eq(b.offers, 1);
    ck_assert_int_eq(c.offers, 0);
    fake_host_answer(&b, parse("what"));
    ck_assert_int_eq(start_to("b@world"), 0);
    cluster_settle(&cluster);
    ck_assert_str_eq(reason, "unreachable");
    ck_assert_int_eq(start_to("nobody@world"), 0);
    ck_assert_str_eq(reason, "no_host");
    check_running();
}
END_TEST

/* A silent host is given 5 s, during which the session runs; then the next is asked. */
START_TEST(silent_host)
{
    begin();
    fake_host_answer(&b, parse("{refuse,full}"));
    ck_assert_int_eq(start(), 0);
    cluster_settle(&cluster);
    check_running();
    cluster_pass(&cluster, 4900);
    ck_assert_int_eq(b.offers, 0);
    cluster_pass(&cluster, 100);
    ck_assert_int_eq(b.offers, 1);
    ck_assert_int_eq(result, MOVE_LOST);
    check_running();
}
END_TEST

/* A host that accepts and whose process then ends is followed by the next. */
START_TEST(handoff_fails)
{
    struct probe target;
    struct process *process;

    begin();
    process = probe_start(world_procs(&cluster.world, 2), &target);
    fake_host_answer(&c, parse_with("{accept,%p}", process_pid(process)));
    fake_host_answer(&b, parse("{refuse,full}"));
    ck_assert_int_eq(start(), 0);
    cluster_settle(&cluster);
    ck_assert_int_eq(session_state(toy), SESSION_FROZEN);
    process_exit_atom(process, "oops");
    cluster_settle(&cluster);
    ck_assert_int_eq(b.offers, 1);
    ck_assert_int_eq(results, 1);
    ck_assert_int_eq(result, MOVE_LOST);
    check_running();
    probe_deinit(&target);
}
END_TEST

/* An answer without sense counts as a refusal. */
START_TEST(nonsense)
{
    begin();
    fake_host_answer(&c, parse("{accept,what}"));
    fake_host_answer(&b, parse("maybe"));
    ck_assert_int_eq(start(), 0);
    cluster_settle(&cluster);
    ck_assert_int_eq(result, MOVE_LOST);
    check_running();
}
END_TEST

/* A session that ends while it is offered: the late acceptance finds nobody. */
START_TEST(session_ends_while_offered)
{
    begin();
    ck_assert_int_eq(start(), 0);
    cluster_settle(&cluster);
    cluster_call(&cluster, 1, &toy_pid, parse("stop"));
    ck_assert_int_eq(results, 1);
    ck_assert_int_eq(result, MOVE_ENDED);
}
END_TEST

/* A host process that is killed takes its offers with it; the session may end after it. */
START_TEST(host_is_killed_while_offering)
{
    begin();
    ck_assert_int_eq(start(), 0);
    cluster_settle(&cluster);
    procs_exit_signal(world_procs(&cluster.world, 1), NULL, host_pid(toy->hosts), parse("kill"));
    cluster_settle(&cluster);
    cluster_call(&cluster, 1, &toy_pid, parse("stop"));
    ck_assert_int_eq(result, MOVE_ENDED);
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("move", &tests);

    tcase_add_test(tests, all_refuse);
    tcase_add_test(tests, offer_is_whole);
    tcase_add_test(tests, to_one);
    tcase_add_test(tests, silent_host);
    tcase_add_test(tests, handoff_fails);
    tcase_add_test(tests, nonsense);
    tcase_add_test(tests, session_ends_while_offered);
    tcase_add_test(tests, host_is_killed_while_offering);
    return run_suite(suite);
}
