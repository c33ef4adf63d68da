/*
 * What a node knows of others: who may speak, what a new incarnation ends, and that records of
 * nodes that nobody refers to do not stay.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "proc/internal.h"
#include "unit/proc/world.h"

static struct world world;
static struct probe p;
static struct process *process;

static void setup(void)
{
    world_init(&world);
    process = probe_start(world_procs(&world, 0), &p);
}

static void teardown(void)
{
    world_deinit(&world);
    probe_deinit(&p);
}

/* Signals are taken only from a peer that is up, in its present incarnation. */
START_TEST(only_present_peers_speak)
{
    struct procs *procs = world_procs(&world, 0);
    struct control send = {.op = CONTROL_SEND, .to = *process_pid(process)};

    ck_assert_int_eq(procs_deliver(procs, "b@world", 101, &send, atom("x")), 0);
    ck_assert_int_eq(procs_deliver(procs, "b@world", 102, &send, atom("x")), CN_E_STALE);
    ck_assert_int_eq(procs_deliver(procs, "c@world", 102, &send, atom("x")), CN_E_STALE);
    procs_peer_down(procs, "b@world");
    ck_assert_int_eq(procs_deliver(procs, "b@world", 101, &send, atom("x")), CN_E_STALE);
    ck_assert_int_eq(procs_peer_up(procs, "a@world", 1), -22); /* our own name */
}
END_TEST

/* A peer that comes back with another creation has lost everything it had before. */
START_TEST(new_incarnation_ends_the_old)
{
    struct procs *procs = world_procs(&world, 0);
    struct dest dest = {.kind = DEST_PID, .pid = {7, 0, 101, "b@world"}};
    struct cn_ref ref;

    ck_assert_int_eq(process_monitor(process, &dest, &ref), 0);
    ck_assert_int_eq(procs_peer_up(procs, "b@world", 202), 0);
    world_settle(&world);
    ck_assert_str_eq(p.log[0], "{DOWN,#Ref<a.1>,process,<b.7.0>,noconnection}");
    ck_assert_int_eq(procs_send_pid(procs, process, &dest.pid, atom("x")), 0);
    ck_assert_uint_eq(world.nodes[0].sent[CONTROL_SEND], 0); /* it is known to be dead */
}
END_TEST

/* Names of nodes that nobody refers to any more are forgotten. */
START_TEST(unreferenced_peers_are_forgotten)
{
    struct procs *procs = world_procs(&world, 0);
    struct dest dest = to_name("x", "c@world");
    struct cn_ref ref;

    ck_assert_int_eq(process_monitor(process, &dest, &ref), 0);
    ck_assert_ptr_nonnull(procs_peer_find(procs, "c@world"));
    process_demonitor(process, &ref, true);
    ck_assert_ptr_null(procs_peer_find(procs, "c@world"));
    procs_peer_down(procs, "b@world");
    ck_assert_ptr_null(procs_peer_find(procs, "b@world"));
    procs_peer_down(procs, "nobody@world");
}
END_TEST

/* Peer up fails cleanly. */
START_TEST(up_survives_no_memory)
{
    struct procs *procs = world_procs(&world, 0);

    for (size_t nth = 1; nth <= 2; nth++) {
        mem_test_begin();
        mem_test_fail(nth);
        int r = procs_peer_up(procs, "new@world", 1);
        mem_test_fail(0);
        if (r != 0) {
            ck_assert_int_eq(r, -12);
            ck_assert_int_eq(mem_test_end(), 0);
        }
        (void)mem_test_end();
    }
    ck_assert_int_eq(procs_peer_up(procs, "new@world", 1), 0);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, only_present_peers_speak);
    tcase_add_test(tcase, new_incarnation_ends_the_old);
    tcase_add_test(tcase, unreferenced_peers_are_forgotten);
    tcase_add_test(tcase, up_survives_no_memory);
}

int main(void)
{
    return run_tests("peers", add, setup, teardown);
}
