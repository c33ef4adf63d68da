/*
 * Who waits for a node that does not read, until when, and who does not.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "proc/internal.h"
#include "unit/proc/world.h"

static struct world world;
static struct probe p;
static struct procs *procs;
static struct process *process;

/* Send the message on to {x, b@world}, and to {x, c@world} if it is `both`. */
static void pass_on(struct process *self, struct probe *probe, struct cn_term message)
{
    struct dest b = to_name("x", "b@world");
    struct dest c = to_name("x", "c@world");

    ck_assert_int_eq(procs_send(procs, self, &b, message), 0);
    if (cn_term_is_atom(message, "both"))
        ck_assert_int_eq(procs_send(procs, self, &c, message), 0);
}

static void setup(void)
{
    world_init(&world);
    world_connect(&world, 0, 2);
    procs = world_procs(&world, 0);
    process = probe_start(procs, &p);
    p.on_message = pass_on;
    process_stall_on_busy(process);
}

static void teardown(void)
{
    world_deinit(&world);
    probe_deinit(&p);
}

static void tell(const char *text)
{
    ck_assert_int_eq(procs_send_pid(procs, NULL, process_pid(process), atom(text)), 0);
}

static void run(void)
{
    while (procs_run(procs, world.now_ms) <= world.now_ms)
        ;
}

static void set_ready(int node)
{
    world.nodes[0].busy[node] = false;
    procs_peer_ready(procs, world.nodes[node].name);
}

/* Who sends to a busy node handles nothing more until it is ready, and then all, in its order. */
START_TEST(sender_waits_until_ready)
{
    world.nodes[0].busy[1] = true;
    for (int i = 0; i < 20; i++) {
        char text[8];

        text_format(text, sizeof(text), "m%d", i);
        tell(text);
    }
    run();
    ck_assert_uint_eq(p.count, 1);
    ck_assert(process_stalled(process));
    ck_assert_uint_eq(process_mailbox_length(process), 19);
    ck_assert_uint_eq(world.nodes[0].sent[CONTROL_REG_SEND], 1);
    set_ready(1);
    ck_assert(!process_stalled(process));
    run();
    ck_assert_uint_eq(p.count, 20);
    ck_assert_str_eq(p.log[0], "m0");
    ck_assert_str_eq(p.log[19], "m19");
    ck_assert_uint_eq(world.nodes[0].sent[CONTROL_REG_SEND], 20);
}
END_TEST

/* A process that did not ask for it is not held, nor is the node itself. */
START_TEST(others_are_not_held)
{
    static struct probe free_probe;
    struct process *free_process = probe_start(procs, &free_probe);
    struct dest b = to_name("x", "b@world");

    free_probe.on_message = pass_on;
    world.nodes[0].busy[1] = true;
    for (int i = 0; i < 40; i++)
        ck_assert_int_eq(procs_send_pid(procs, NULL, process_pid(free_process), atom("m")), 0);
    ck_assert_int_eq(procs_send(procs, NULL, &b, atom("m")), 0);
    run();
    ck_assert(!process_stalled(free_process));
    ck_assert_uint_eq(free_probe.count, 40);
    ck_assert_uint_eq(world.nodes[0].sent[CONTROL_REG_SEND], 41);
    probe_deinit(&free_probe);
}
END_TEST

/* Send without saying who, as an answer to a caller is sent. */
static void answer(struct process *self, struct probe *probe, struct cn_term message)
{
    struct dest b = to_name("x", "b@world");

    ck_assert_int_eq(procs_send(procs, NULL, &b, message), 0);
}

/* What a process answers makes it wait too, though the answer does not say who sends it. */
START_TEST(answers_count)
{
    p.on_message = answer;
    world.nodes[0].busy[1] = true;
    tell("m");
    tell("m");
    run();
    ck_assert_uint_eq(p.count, 1);
    ck_assert(process_stalled(process));
}
END_TEST

static void signal_all(struct process *self, struct probe *probe, struct cn_term message)
{
    struct dest b = {.kind = DEST_PID, .pid = {7, 0, 101, "b@world"}};
    struct cn_ref ref;

    if (cn_term_is_atom(message, "monitor"))
        ck_assert_int_eq(process_monitor(self, &b, &ref), 0);
    else if (cn_term_is_atom(message, "link"))
        ck_assert_int_eq(process_link(self, &b.pid), 0);
    else if (cn_term_is_atom(message, "exit"))
        ck_assert_int_eq(procs_exit_signal(procs, self, &b.pid, message), 0);
}

/* Monitors, links and exit/2 are asked for by the process: they count. */
START_TEST(own_signals_count)
{
    static const char *const kinds[] = {"monitor", "link", "exit"};

    p.on_message = signal_all;
    for (size_t i = 0; i < 3; i++) {
        world.nodes[0].busy[1] = true;
        tell(kinds[i]);
        run();
        ck_assert(process_stalled(process));
        set_ready(1);
    }
}
END_TEST

/* What the node answers for a process, here to a monitor and an unlink, makes nobody wait. */
START_TEST(signals_of_the_node_do_not_count)
{
    struct control monitor = {.op = CONTROL_MONITOR,
                              .has_from = true,
                              .from = {9, 0, 101, "b@world"},
                              .to_name = view("nobody"),
                              .ref = {.node = "b@world", .creation = 101, .count = 3}};
    struct control unlink = {.op = CONTROL_UNLINK,
                             .has_from = true,
                             .from = {9, 0, 101, "b@world"},
                             .to = *process_pid(process),
                             .id = 5};

    world.nodes[0].busy[1] = true;
    ck_assert_int_eq(world_inject(&world, 1, 0, &monitor, (struct cn_term){0}), 0);
    ck_assert_int_eq(world_inject(&world, 1, 0, &unlink, (struct cn_term){0}), 0);
    ck_assert_uint_eq(world.nodes[0].sent[CONTROL_MONITOR_EXIT], 1);
    ck_assert_uint_eq(world.nodes[0].sent[CONTROL_UNLINK_ACK], 1);
    ck_assert(!process_stalled(process));
}
END_TEST

/* A process that waits for two nodes runs when the last of them is ready. */
START_TEST(all_busy_nodes_are_awaited)
{
    for (int first = 1; first <= 2; first++) {
        size_t before = p.count;

        world.nodes[0].busy[1] = true;
        world.nodes[0].busy[2] = true;
        tell("both");
        tell("both");
        run();
        set_ready(first);
        ck_assert(process_stalled(process));
        run();
        ck_assert_uint_eq(p.count, before + 1);
        set_ready(3 - first);
        run();
        ck_assert_uint_eq(p.count, before + 2);
    }
}
END_TEST

/* The end of the node ends the wait, and the DOWN of a monitor there comes in its turn. */
START_TEST(peer_down_ends_the_wait)
{
    struct dest b = to_name("x", "b@world");
    struct cn_ref ref;

    ck_assert_int_eq(process_monitor(process, &b, &ref), 0);
    world.nodes[0].busy[1] = true;
    tell("first");
    tell("second");
    run();
    ck_assert_uint_eq(p.count, 1);
    world.nodes[0].busy[1] = false;
    world_cut(&world, 0, 1);
    run();
    ck_assert_uint_eq(p.count, 3);
    ck_assert_str_eq(p.log[1], "second");
    ck_assert_str_eq(p.log[2], "{DOWN,#Ref<a.1>,process,{x,b@world},noconnection}");
}
END_TEST

/* A node that is being dialled holds its senders too, and is forgotten when it is not reached. */
START_TEST(node_that_is_not_up_counts)
{
    world_cut(&world, 0, 2);
    world.nodes[0].busy[2] = true;
    tell("both");
    run();
    ck_assert(process_stalled(process));
    ck_assert_ptr_nonnull(procs_peer_find(procs, "c@world"));
    procs_peer_down(procs, "c@world");
    ck_assert(!process_stalled(process));
    ck_assert_ptr_null(procs_peer_find(procs, "c@world"));
    procs_peer_ready(procs, "c@world");
}
END_TEST

/* Ready before it was up: the record of the node does not stay. */
START_TEST(ready_forgets_the_node)
{
    world_cut(&world, 0, 2);
    world.nodes[0].busy[2] = true;
    tell("both");
    run();
    set_ready(2);
    ck_assert(!process_stalled(process));
    ck_assert_ptr_null(procs_peer_find(procs, "c@world"));
}
END_TEST

/* Exit signals end a process that waits, at once. */
START_TEST(waiting_process_can_be_ended)
{
    world.nodes[0].busy[1] = true;
    tell("m");
    tell("m");
    run();
    ck_assert(process_stalled(process));
    ck_assert_int_eq(procs_exit_signal(procs, NULL, process_pid(process), atom("kill")), 0);
    run();
    ck_assert_str_eq(p.ended, "killed");
    ck_assert_uint_eq(p.count, 1);
    set_ready(1);
    run();
}
END_TEST

static void last_words(struct process *self, struct probe *probe)
{
    struct dest b = to_name("x", "b@world");

    ck_assert_int_eq(procs_send(procs, self, &b, atom("bye")), 0);
}

/* What a process says while it ends makes it wait no more. */
START_TEST(ending_process_does_not_wait)
{
    p.on_ended = last_words;
    world.nodes[0].busy[1] = true;
    process_exit_atom(process, "normal");
    run();
    ck_assert_str_eq(p.ended, "normal");
    ck_assert_uint_eq(world.nodes[0].sent[CONTROL_REG_SEND], 1);
    set_ready(1);
}
END_TEST

/* Timers that are due meanwhile come afterwards. */
START_TEST(timers_wait_too)
{
    uint64_t timer = 0;

    run();
    ck_assert_int_eq(process_start_timer(process, 10, &timer), 0);
    world.nodes[0].busy[1] = true;
    tell("m");
    run();
    world_pass(&world, 20);
    ck_assert_uint_eq(p.timer_count, 0);
    set_ready(1);
    run();
    ck_assert_uint_eq(p.timer_count, 1);
}
END_TEST

/* Without memory to note it the process runs on. */
START_TEST(no_memory_to_wait)
{
    struct dest b = to_name("x", "b@world");
    struct cn_term message = atom("m");

    world.nodes[0].busy[1] = true;
    mem_test_begin();
    mem_test_fail(1);
    ck_assert_int_eq(procs_send(procs, process, &b, message), 0);
    (void)mem_test_end();
    ck_assert(!process_stalled(process));
    tell("m");
    run();
    ck_assert(process_stalled(process));
}
END_TEST

/* The node's end finds processes that wait. */
START_TEST(end_of_the_node)
{
    world.nodes[0].busy[1] = true;
    world.nodes[0].busy[2] = true;
    tell("both");
    run();
    ck_assert(process_stalled(process));
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, sender_waits_until_ready);
    tcase_add_test(tcase, others_are_not_held);
    tcase_add_test(tcase, answers_count);
    tcase_add_test(tcase, own_signals_count);
    tcase_add_test(tcase, signals_of_the_node_do_not_count);
    tcase_add_test(tcase, all_busy_nodes_are_awaited);
    tcase_add_test(tcase, peer_down_ends_the_wait);
    tcase_add_test(tcase, node_that_is_not_up_counts);
    tcase_add_test(tcase, ready_forgets_the_node);
    tcase_add_test(tcase, waiting_process_can_be_ended);
    tcase_add_test(tcase, ending_process_does_not_wait);
    tcase_add_test(tcase, timers_wait_too);
    tcase_add_test(tcase, no_memory_to_wait);
    tcase_add_test(tcase, end_of_the_node);
}

int main(void)
{
    return run_tests("stalls", add, setup, teardown);
}
