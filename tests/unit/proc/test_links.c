/*
 * Links between processes of one node and of two, and the unlink protocol on the wire.
 */
#include "base/error.h"
#include "unit/proc/world.h"

static struct world world;
static struct probe p, q;
static struct process *here, *there;
static struct cn_pid here_pid, there_pid;

static void start_at(int second)
{
    here = probe_start(world_procs(&world, 0), &p);
    there = probe_start(world_procs(&world, second), &q);
    here_pid = *process_pid(here);
    there_pid = *process_pid(there);
}

static void setup(void)
{
    world_init(&world);
    p = (struct probe){0};
    q = (struct probe){0};
}

static void teardown(void)
{
    world_deinit(&world);
    probe_deinit(&p);
    probe_deinit(&q);
}

static struct control wire(enum control_op op, uint64_t id)
{
    return (
        struct control){.op = op, .has_from = true, .from = there_pid, .to = here_pid, .id = id};
}

/* A process ends with what it is linked to, with the same reason, on one node or two. */
START_TEST(link_ends_both)
{
    start_at(_i);
    ck_assert_int_eq(process_link(here, &there_pid), 0);
    world_settle(&world);
    process_exit_atom(there, "broken");
    world_settle(&world);
    ck_assert_str_eq(p.ended, "broken");
}
END_TEST

/* The side that did not ask for the link is linked as well. */
START_TEST(link_is_mutual)
{
    start_at(_i);
    ck_assert_int_eq(process_link(here, &there_pid), 0);
    world_settle(&world);
    process_exit_atom(here, "broken");
    world_settle(&world);
    ck_assert_str_eq(q.ended, "broken");
}
END_TEST

/* A linked process that ends normally takes nobody with it. */
START_TEST(normal_end_is_ignored)
{
    start_at(_i);
    ck_assert_int_eq(process_link(here, &there_pid), 0);
    world_settle(&world);
    process_exit_atom(there, "normal");
    world_settle(&world);
    ck_assert_str_eq(q.ended, "normal");
    ck_assert_str_eq(p.ended, "");
}
END_TEST

/* A process that traps exits gets {'EXIT', Pid, Reason}, normal too. */
START_TEST(trapped_exit_is_a_message)
{
    start_at(_i);
    process_trap_exit(here, true);
    ck_assert_int_eq(process_link(here, &there_pid), 0);
    world_settle(&world);
    process_exit_atom(there, "normal");
    world_settle(&world);
    ck_assert_str_eq(p.ended, "");
    ck_assert_str_eq(p.log[0], _i == 0 ? "{EXIT,<a.2.0>,normal}" : "{EXIT,<b.1.0>,normal}");
}
END_TEST

/* Linking a process that is not there breaks the link with noproc, over the wire too. */
START_TEST(link_to_nobody_is_noproc)
{
    start_at(_i);
    process_trap_exit(here, true);
    there_pid.serial++;
    ck_assert_int_eq(process_link(here, &there_pid), 0);
    world_settle(&world);
    ck_assert_str_eq(p.log[0], _i == 0 ? "{EXIT,<a.2.1>,noproc}" : "{EXIT,<b.1.1>,noproc}");
}
END_TEST

/* A pid of an older incarnation of a connected node is dead without asking. */
START_TEST(link_to_old_incarnation_is_noproc)
{
    start_at(1);
    process_trap_exit(here, true);
    there_pid.creation--;
    ck_assert_int_eq(process_link(here, &there_pid), 0);
    ck_assert_uint_eq(world_waiting(&world, 0, 1), 0);
    world_settle(&world);
    ck_assert_str_eq(p.log[0], "{EXIT,<b.1.0>,noproc}");
}
END_TEST

/* After unlink no exit signal arrives, whatever was on its way. */
START_TEST(unlink_holds_at_once)
{
    start_at(_i);
    ck_assert_int_eq(process_link(here, &there_pid), 0);
    world_settle(&world);
    process_exit_atom(there, "broken");
    (void)procs_run(world_procs(&world, _i), world.now_ms); /* the EXIT is on the wire */
    if (_i == 1)
        process_unlink(here, &there_pid);
    world_settle(&world);
    ck_assert_str_eq(p.ended, _i == 1 ? "" : "broken");
}
END_TEST

/* A peer's UNLINK is acknowledged with its id before anything else, even for an unknown link. */
START_TEST(unlink_is_acknowledged)
{
    struct control unlink;

    start_at(1);
    unlink = wire(CONTROL_UNLINK, 77);
    ck_assert_int_eq(world_inject(&world, 1, 0, &unlink, (struct cn_term){0}), 0);
    ck_assert_uint_eq(world.nodes[0].sent[CONTROL_UNLINK_ACK], 1);
    unlink.id = 0; /* a peer without ids expects none */
    ck_assert_int_eq(world_inject(&world, 1, 0, &unlink, (struct cn_term){0}), 0);
    ck_assert_uint_eq(world.nodes[0].sent[CONTROL_UNLINK_ACK], 1);
}
END_TEST

/* A peer's unlink really unlinks. */
START_TEST(unlink_of_peer_unlinks)
{
    start_at(1);
    ck_assert_int_eq(process_link(here, &there_pid), 0);
    world_settle(&world);
    process_unlink(there, &here_pid);
    world_settle(&world);
    process_exit_atom(here, "broken");
    world_settle(&world);
    ck_assert_str_eq(q.ended, "");
    ck_assert_uint_eq(world.nodes[0].sent[CONTROL_EXIT], 0);
}
END_TEST

/* Linking again before the acknowledgement counts; the late acknowledgement changes nothing. */
START_TEST(relink_survives_late_ack)
{
    start_at(1);
    ck_assert_int_eq(process_link(here, &there_pid), 0);
    process_unlink(here, &there_pid);
    ck_assert_int_eq(process_link(here, &there_pid), 0);
    world_settle(&world);
    process_exit_atom(there, "broken");
    world_settle(&world);
    ck_assert_str_eq(p.ended, "broken");
}
END_TEST

/* A wrong acknowledgement, or one without an unlink, changes nothing. */
START_TEST(stray_ack_is_ignored)
{
    struct control ack;

    start_at(1);
    ck_assert_int_eq(process_link(here, &there_pid), 0);
    world_settle(&world);
    ack = wire(CONTROL_UNLINK_ACK, 1);
    ck_assert_int_eq(world_inject(&world, 1, 0, &ack, (struct cn_term){0}), 0);
    process_exit_atom(there, "broken");
    world_settle(&world);
    ck_assert_str_eq(p.ended, "broken");
}
END_TEST

/* A peer that acknowledges nothing: its next LINK counts, whether the unlink was sent or waited. */
START_TEST(unlink_without_acknowledgement)
{
    bool known_before = _i % 2 == 0;
    struct control link;
    struct control exit;

    start_at(1);
    ck_assert_int_eq(process_link(here, &there_pid), 0);
    if (known_before)
        procs_peer_acks_no_unlinks(world_procs(&world, 0), there_pid.node);
    process_unlink(here, &there_pid);
    if (!known_before)
        procs_peer_acks_no_unlinks(world_procs(&world, 0), there_pid.node);
    link = wire(CONTROL_LINK, 0);
    exit = wire(CONTROL_EXIT, 0);
    if (_i / 2 == 0)
        ck_assert_int_eq(world_inject(&world, 1, 0, &exit, atom("unheard")), 0);
    ck_assert_int_eq(world_inject(&world, 1, 0, &link, (struct cn_term){0}), 0);
    ck_assert_int_eq(world_inject(&world, 1, 0, &exit, atom("broken")), 0);
    world_settle(&world);
    ck_assert_str_eq(p.ended, "broken");
}
END_TEST

/* While an unlink waits for its acknowledgement, a LINK of the other side is ignored. */
START_TEST(link_crossing_unlink_is_ignored)
{
    struct control link;

    start_at(1);
    ck_assert_int_eq(process_link(here, &there_pid), 0);
    world_settle(&world);
    process_unlink(here, &there_pid);
    link = wire(CONTROL_LINK, 0);
    ck_assert_int_eq(world_inject(&world, 1, 0, &link, (struct cn_term){0}), 0);
    process_exit_atom(here, "broken");
    (void)procs_run(world_procs(&world, 0), world.now_ms);
    ck_assert_uint_eq(world.nodes[0].sent[CONTROL_EXIT], 0);
}
END_TEST

/* An EXIT for which there is no link is ignored. */
START_TEST(exit_without_link_is_ignored)
{
    struct control control;

    start_at(1);
    control = wire(CONTROL_EXIT, 0);
    ck_assert_int_eq(world_inject(&world, 1, 0, &control, atom("evil")), 0);
    world_settle(&world);
    ck_assert_str_eq(p.ended, "");
}
END_TEST

/* A lost peer breaks its links with noconnection. */
START_TEST(lost_peer_is_noconnection)
{
    start_at(1);
    ck_assert_int_eq(process_link(here, &there_pid), 0);
    world_settle(&world);
    world_cut(&world, 0, 1);
    world_settle(&world);
    ck_assert_str_eq(p.ended, "noconnection");
    ck_assert_str_eq(q.ended, "noconnection");
}
END_TEST

/* A link to a node that was never up breaks when dialling it failed. */
START_TEST(unreachable_node_is_noconnection)
{
    start_at(2);
    ck_assert_int_eq(process_link(here, &there_pid), 0);
    world_settle(&world);
    ck_assert_str_eq(p.ended, "");
    procs_peer_down(world_procs(&world, 0), "c@world");
    world_settle(&world);
    ck_assert_str_eq(p.ended, "noconnection");
}
END_TEST

/* A link that cannot be sent breaks at once. */
START_TEST(link_that_cannot_be_sent_breaks)
{
    start_at(1);
    world.nodes[0].send_result = CN_E_LIMIT;
    ck_assert_int_eq(process_link(here, &there_pid), 0);
    world_settle(&world);
    ck_assert_str_eq(p.ended, "noconnection");
}
END_TEST

/* The links of a quiet partner break in silence, by its end and by the loss of its node. */
START_TEST(quiet_partner_ends_nobody)
{
    start_at(1);
    ck_assert_int_eq(procs_quiet_partner(world_procs(&world, 0), &there_pid), 0);
    ck_assert_int_eq(process_link(there, &here_pid), 0);
    world_settle(&world);
    if (_i == 0)
        process_exit_atom(there, "broken");
    else
        world_cut(&world, 0, 1);
    world_settle(&world);
    ck_assert_str_eq(p.ended, "");
    there_pid.creation++;
    ck_assert_int_eq(procs_quiet_partner(world_procs(&world, 0), &there_pid), CN_E_UNKNOWN);
}
END_TEST

static void visit_count(void *context, const struct cn_pid *pid)
{
    (*(size_t *)context)++;
}

/* Links can be seen from both ends; linking twice or to itself makes no second one. */
START_TEST(links_are_listed_once)
{
    size_t count = 0;

    start_at(_i);
    ck_assert_int_eq(process_link(here, &here_pid), 0);
    ck_assert_int_eq(process_link(here, &there_pid), 0);
    ck_assert_int_eq(process_link(here, &there_pid), 0);
    world_settle(&world);
    ck_assert_int_eq(process_link(there, &here_pid), 0);
    world_settle(&world);
    process_each_link(here, visit_count, &count);
    process_each_link(there, visit_count, &count);
    ck_assert_uint_eq(count, 2);
}
END_TEST

static unsigned reached;

static void on_reached(void *context, const char *limit, const char *who)
{
    reached++;
    ck_assert_str_eq(limit, "links.full");
    ck_assert_str_eq(who, "z@world");
}

/* A peer cannot hold more links than its share: the next breaks with system_limit; told once. */
START_TEST(links_of_a_peer_are_limited)
{
    struct procs *procs = NULL;
    struct process *process = NULL;
    struct probe probe;
    struct procs_limits limits = {.links_per_peer_max = 1, .reached = on_reached};
    struct transport transport = {0};
    struct control link = {.op = CONTROL_LINK, .has_from = true, .from = {1, 0, 9, "z@world"}};

    ck_assert_int_eq(procs_new("x@world", 5, &transport, &limits, &procs), 0);
    ck_assert_int_eq(procs_peer_up(procs, "z@world", 9), 0);
    process = probe_start(procs, &probe);
    link.to = *process_pid(process);
    for (uint32_t i = 1; i <= 3; i++) {
        link.from.id = i;
        ck_assert_int_eq(procs_deliver(procs, "z@world", 9, &link, (struct cn_term){0}), 0);
    }
    size_t count = 0;
    process_each_link(process, visit_count, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(reached, 1);
    procs_free(procs);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_loop_test(tcase, link_ends_both, 0, 2);
    tcase_add_loop_test(tcase, link_is_mutual, 0, 2);
    tcase_add_loop_test(tcase, normal_end_is_ignored, 0, 2);
    tcase_add_loop_test(tcase, trapped_exit_is_a_message, 0, 2);
    tcase_add_loop_test(tcase, link_to_nobody_is_noproc, 0, 2);
    tcase_add_test(tcase, link_to_old_incarnation_is_noproc);
    tcase_add_loop_test(tcase, unlink_holds_at_once, 0, 2);
    tcase_add_test(tcase, unlink_is_acknowledged);
    tcase_add_test(tcase, unlink_of_peer_unlinks);
    tcase_add_test(tcase, relink_survives_late_ack);
    tcase_add_test(tcase, stray_ack_is_ignored);
    tcase_add_loop_test(tcase, unlink_without_acknowledgement, 0, 4);
    tcase_add_test(tcase, link_crossing_unlink_is_ignored);
    tcase_add_test(tcase, exit_without_link_is_ignored);
    tcase_add_test(tcase, lost_peer_is_noconnection);
    tcase_add_test(tcase, unreachable_node_is_noconnection);
    tcase_add_test(tcase, link_that_cannot_be_sent_breaks);
    tcase_add_loop_test(tcase, quiet_partner_ends_nobody, 0, 2);
    tcase_add_loop_test(tcase, links_are_listed_once, 0, 2);
    tcase_add_test(tcase, links_of_a_peer_are_limited);
}

int main(void)
{
    return run_tests("links", add, setup, teardown);
}
