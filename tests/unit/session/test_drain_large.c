/*
 * The drain of sessions with large states: what is on its way at a time has a bound, and all move.
 */
#include <stdio.h>

#include "session/move.h"
#include "unit/session/fake_host.h"
#include "unit/session/main.h"

static void check_drained(int exit_code, uint64_t sessions, uint64_t moved, uint64_t lost)
{
    const struct cluster_node *node = &cluster.nodes[0];

    ck_assert_int_eq(node->drained, 1);
    ck_assert_int_eq(node->exit_code, exit_code);
    ck_assert_uint_eq(node->summary.sessions, sessions);
    ck_assert_uint_eq(node->summary.moved, moved);
    ck_assert_uint_eq(node->summary.lost, lost);
}

/* Start @count toys on the first node, each of @bytes. */
static void start_large(int count, const char *bytes)
{
    char id[16], request[32];

    cluster_host(&cluster, 0);
    (void)snprintf(request, sizeof(request), "{ballast,%s}", bytes);
    for (int i = 0; i < count; i++) {
        struct session *session;

        (void)snprintf(id, sizeof(id), "t%d", i);
        session = cluster_start(&cluster, 0, id, NULL);
        ck_assert_ptr_nonnull(session);
        cluster_call(&cluster, 0, session_pid(session), parse(request));
    }
}

/* Count the sessions of the first node in @state. */
static size_t count_in(enum session_state state)
{
    struct session_key *key, *next;
    size_t count = 0;

    map_for_each(cluster.nodes[0].hosts->table.by_id, key, next)
        count += session_state(key->session) == state ? 1 : 0;
    return count;
}

/* Large states are offered within 16 MiB: the next when one was taken or refused, not before. */
START_TEST(large_states_wait_for_room)
{
    static struct fake_host b;

    start_large(40, "2097152");
    fake_host_start(&b, &cluster, 1);
    fake_host_hello(&b, 0);
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    ck_assert_int_eq(b.offers, 7); /* each is a little larger than 2 MiB */
    ck_assert_uint_le(cluster.nodes[0].hosts->moving_bytes, MOVE_BYTES_MAX);
    cluster_pass(&cluster, 5000); /* silence is a failure: the others' turn */
    ck_assert_int_eq(b.offers, 14);
    fake_host_answer(&b, parse("{refuse,full}"));
    cluster_pass(&cluster, 5000);
    ck_assert_int_eq(b.offers, 40);
    ck_assert_uint_eq(cluster.nodes[0].hosts->moving_bytes, 0);
    check_drained(70, 40, 0, 40);
}
END_TEST

/* A state that was taken makes room, though its names have not moved; in the end all have moved. */
START_TEST(large_states_all_move)
{
    start_large(40, "2097152");
    cluster_host(&cluster, 1);
    cluster.names.hold = true;
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    ck_assert_uint_eq(cluster.nodes[1].hosts->table.unsettled, 16);
    ck_assert_uint_eq(cluster.nodes[0].hosts->moving_bytes, 0);
    cluster.names.hold = false;
    cluster_pass(&cluster, 1000);
    check_drained(0, 40, 40, 0);
}
END_TEST

/* When a target that has taken much is lost, its sessions go to the next within the bound too. */
START_TEST(large_states_go_on_within_the_bound)
{
    static struct fake_host c;

    start_large(40, "2097152");
    cluster_host(&cluster, 1);
    cluster.names.hold = true;
    fake_host_start(&c, &cluster, 2);
    c.draining = true; /* so that all go to b first */
    fake_host_hello(&c, 0);
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    ck_assert_uint_eq(count_in(SESSION_FROZEN), 16);
    c.draining = false;
    fake_host_hello(&c, 0);
    cluster_lose(&cluster, 0, 1);
    cluster_pass(&cluster, 1000); /* c does not say whether b has them */
    ck_assert_int_eq(c.offers, 7);
    ck_assert_uint_eq(count_in(SESSION_RUNNING), 40);
    fake_host_answer(&c, parse("{refuse,full}"));
    cluster_pass(&cluster, 5000);
    ck_assert_int_gt(c.offers,
                     14); /* those of which b was the first; the others had passed c over */
    check_drained(70, 40, 0, 40);
    ck_assert_uint_eq(cluster.nodes[0].hosts->moving_bytes, 0);
    cluster.names.hold = false;
}
END_TEST

/* A state beyond the bound moves, alone. */
START_TEST(huge_states_move_alone)
{
    static struct fake_host b;

    start_large(2, "20000000");
    fake_host_start(&b, &cluster, 1);
    fake_host_hello(&b, 0);
    hosts_drain(cluster.nodes[0].hosts);
    cluster_settle(&cluster);
    ck_assert_int_eq(b.offers, 1);
    fake_host_answer(&b, parse("{refuse,full}"));
    cluster_pass(&cluster, 5000);
    ck_assert_int_eq(b.offers, 2);
    check_drained(70, 2, 0, 2);
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("drain_large", &tests);

    tcase_add_test(tests, large_states_wait_for_room);
    tcase_add_test(tests, large_states_all_move);
    tcase_add_test(tests, large_states_go_on_within_the_bound);
    tcase_add_test(tests, huge_states_move_alone);
    return run_suite(suite);
}
