/*
 * Sessions that ended while somebody who could have brought them back did not see it.
 */
#include <stdio.h>
#include <string.h>

#include "session/ended.h"
#include "session/forward.h"
#include "unit/session/fake_host.h"
#include "unit/session/main.h"

static struct session *old, *new;
static struct cn_pid old_pid, new_pid;

/* A session that has moved from a to b; somebody on c watches its forwarder. */
static void begin(void)
{
    struct cn_ref monitor;
    struct dest dest;

    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    old = cluster_start(&cluster, 0, "t", "code");
    old_pid = *session_pid(old);
    dest = to_pid(&old_pid);
    process_monitor(gen_server_process(cluster.nodes[2].client), &dest, &monitor);
    cluster_call_host(&cluster, 2, 0, parse("{move,<<\"t\">>,b@world}"));
    ck_assert_int_eq(session_state(old), SESSION_FORWARDING);
    new = cluster_find(&cluster, 1, "t");
    new_pid = *session_pid(new);
    cluster_pass(&cluster, 50);
}

/* What b says of it. */
static const char *asked(void)
{
    return cluster_call_host(&cluster, 2, 1, parse("{ended,<<\"t\">>}"));
}

/* The game is over, or somebody tells the supervisor to end it. */
static void end(int how)
{
    if (how == 0)
        cluster_call(&cluster, 2, &new_pid, parse("stop"));
    else
        session_stop_atom(new, "shutdown");
    cluster_settle(&cluster);
    ck_assert_ptr_null(cluster_find(&cluster, 1, "t"));
}

/* A forwarder that is back is told so: it ends, and so do the calls that it held. */
START_TEST(a_forwarder_is_told)
{
    begin();
    world_cut(&cluster.world, 0, 1);
    cluster_settle(&cluster);
    end(_i);
    cluster_ask(&cluster, 2, &old_pid, parse("get"));
    world_connect(&cluster.world, 0, 1);
    cluster_settle(&cluster);
    ck_assert_ptr_null(cluster_find(&cluster, 0, "t"));
    ck_assert(!cluster_logged(&cluster, 0, "it goes on here"));
    ck_assert_ptr_nonnull(strstr(cluster_last(&cluster, 2), "{shutdown,{moved,<b."));
    /* Whoever follows this one is told the same. */
    ck_assert_str_eq(cluster_call_host(&cluster, 2, 0, parse("{ended,<<\"t\">>}")),
                     "reply {ended,2,0}");
}
END_TEST

/* One that crashed did not end. */
START_TEST(a_crash_is_no_end)
{
    begin();
    world_cut(&cluster.world, 0, 1);
    cluster_settle(&cluster);
    process_exit_atom(gen_server_process(new->server), "oops");
    cluster_settle(&cluster);
    ck_assert_str_eq(asked(), "reply nil");
    world_connect(&cluster.world, 0, 1);
    cluster_settle(&cluster);
    ck_assert_int_eq(session_state(old), SESSION_RUNNING);
}
END_TEST

/* An end that was before the forwarder's own time, or that of a rival of a lower epoch, is another
 * session's: this one is not over. */
START_TEST(another_end_says_nothing)
{
    static struct ended_of {
        int64_t epoch, age_ms;
        bool over;
    } ends[] = {{2, 50, true}, {3, 0, true}, {2, 60, false}, {1, 0, false}};
    static struct fake_host fake;
    char answer[40];

    begin();
    fake_host_start(&fake, &cluster, 2);
    (void)snprintf(answer, sizeof(answer), "{ended,%d,%d}", (int)ends[_i].epoch,
                   (int)ends[_i].age_ms);
    fake_host_answer(&fake, parse(answer));
    fake_host_hello(&fake, 0);
    cluster_lose(&cluster, 0, 1);
    ck_assert_int_eq(cluster_find(&cluster, 0, "t") == NULL, ends[_i].over);
}
END_TEST

/* A copy that is ready, and whose source ended unseen, does not run. */
START_TEST(a_copy_is_told)
{
    cluster_host(&cluster, 0);
    old = cluster_start(&cluster, 0, "t", "code");
    old->epoch = 2;
    cluster_host(&cluster, 1);
    cluster.names.hold = true;
    cluster_ask(&cluster, 2, session_pid(old), parse("get"));
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    ck_assert_int_eq(session_state(cluster_find(&cluster, 1, "t")), SESSION_READY);
    cluster.world.up[0][1] = false; /* what a says is lost */
    session_stop_atom(old, "shutdown");
    cluster_settle(&cluster);
    world_cut(&cluster.world, 0, 1);
    cluster_settle(&cluster);
    world_connect(&cluster.world, 0, 1);
    cluster_settle(&cluster);
    ck_assert(cluster_logged(&cluster, 1, "it ends: the session is over"));
    ck_assert_ptr_null(cluster_find(&cluster, 1, "t"));
}
END_TEST

/* It is remembered for ten minutes, and nobody asks for one that has never moved. */
START_TEST(it_is_forgotten)
{
    begin();
    cluster_start(&cluster, 1, "u", NULL);
    session_stop_atom(cluster_find(&cluster, 1, "u"), "normal");
    end(0);
    ck_assert_str_eq(cluster_call_host(&cluster, 2, 1, parse("{ended,<<\"u\">>}")), "reply nil");
    ck_assert_str_eq(cluster_call_host(&cluster, 2, 1, parse("{ended,u}")), "reply nil");
    cluster.world.now_ms += 599999;
    cluster_settle(&cluster);
    ck_assert_str_eq(asked(), "reply {ended,2,599999}");
    cluster.world.now_ms++;
    ck_assert_str_eq(asked(), "reply nil");
}
END_TEST

/* There is an end to how many are: the oldest go. One that ends again counts once. */
START_TEST(they_are_bounded)
{
    struct session *toy = mem_zalloc(sizeof(*toy) + 8);
    uint64_t epoch, age_ms;

    toy->hosts = cluster_host(&cluster, 0);
    toy->epoch = 2;
    for (int i = 0; i < ENDED_MAX + 2; i++) {
        toy->id_size = (uint32_t)snprintf((char *)toy->text, 8, "%d", i == 1 ? 0 : i);
        ended_note(toy);
    }
    ck_assert(!ended_find(toy->hosts, view("0"), &epoch, &age_ms));
    ck_assert(ended_find(toy->hosts, view("2"), &epoch, &age_ms));
    mem_free(toy);
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("ended", &tests);

    tcase_add_loop_test(tests, a_forwarder_is_told, 0, 2);
    tcase_add_test(tests, a_crash_is_no_end);
    tcase_add_loop_test(tests, another_end_says_nothing, 0, 4);
    tcase_add_test(tests, a_copy_is_told);
    tcase_add_test(tests, it_is_forgotten);
    tcase_add_test(tests, they_are_bounded);
    return run_suite(suite);
}
