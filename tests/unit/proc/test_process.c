/*
 * One process from start to end, and that starting it survives a lack of memory.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "proc/internal.h"
#include "unit/no_memory.h"
#include "unit/proc/world.h"

static struct world world;
static struct probe p, q;

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

static void exit_on_message(struct process *self, struct probe *probe, struct cn_term message)
{
    process_exit(self, message);
    process_exit_atom(self, "second"); /* the first counts */
    ck_assert(process_exiting(self));
    ck_assert_str_eq(probe->ended, "");
}

/* A process that ends inside its callback ends after it, with the first reason. */
START_TEST(exit_waits_for_the_callback)
{
    struct process *process = probe_start(world_procs(&world, 0), &p);
    struct cn_pid pid = *process_pid(process);

    p.on_message = exit_on_message;
    ck_assert_int_eq(procs_send_pid(world_procs(&world, 0), NULL, &pid, atom("first")), 0);
    ck_assert_int_eq(procs_send_pid(world_procs(&world, 0), NULL, &pid, atom("later")), 0);
    world_settle(&world);
    ck_assert_str_eq(p.ended, "first");
    ck_assert_uint_eq(p.count, 1); /* what waited has vanished */
}
END_TEST

/* From the decision to end on, a process is not found and gets nothing. */
START_TEST(exiting_process_is_gone)
{
    struct procs *procs = world_procs(&world, 0);
    struct process *process = probe_start(procs, &p);
    struct cn_pid pid = *process_pid(process);

    ck_assert_ptr_eq(procs_find(procs, &pid), process);
    ck_assert_int_eq(process_register(process, "name"), 0);
    process_exit_atom(process, "normal");
    ck_assert_ptr_null(procs_find(procs, &pid));
    ck_assert_ptr_null(procs_whereis(procs, view("name")));
    ck_assert_int_eq(procs_send_pid(procs, NULL, &pid, atom("x")), 0);
    ck_assert_uint_eq(process_mailbox_length(process), 0);
    world_settle(&world);
    ck_assert_uint_eq(procs_count(procs), 0);
}
END_TEST

static struct cn_pid farewell_to;

static void say_farewell(struct process *self, struct probe *probe)
{
    ck_assert_int_eq(procs_send_pid(process_procs(self), self, &farewell_to, atom("farewell")), 0);
}

/* What a process sends while it ends arrives before the news of its end. */
START_TEST(last_words_come_before_down)
{
    struct process *watcher = probe_start(world_procs(&world, 1), &p);
    struct process *process = probe_start(world_procs(&world, 0), &q);
    struct dest dest = to_pid(process_pid(process));
    struct cn_ref ref;

    farewell_to = *process_pid(watcher);
    q.on_ended = say_farewell;
    ck_assert_int_eq(process_monitor(watcher, &dest, &ref), 0);
    world_settle(&world);
    process_exit_atom(process, "normal");
    world_settle(&world);
    ck_assert_str_eq(p.log[0], "farewell");
    ck_assert_str_eq(p.log[1], "{DOWN,#Ref<b.1>,process,<a.1.0>,normal}");
}
END_TEST

static int start_probe(void *context)
{
    struct process *process;

    return process_start(context, &probe_behaviour, &p, &process);
}

/* Starting fails at a limit, and at each allocation, leaving nothing behind. */
START_TEST(start_fails_cleanly)
{
    struct procs *procs = NULL;
    struct procs_limits limits = {.processes_max = 1};
    struct process *process = NULL;

    ck_assert_int_eq(procs_new("x@world", 1, NULL, &limits, &procs), 0);
    ck_assert_uint_eq(no_memory_sweep(start_probe, procs), 3);
    ck_assert_int_eq(process_start(procs, &probe_behaviour, &q, &process), CN_E_LIMIT);
    procs_free(procs);
    ck_assert_str_eq(p.ended, "shutdown");
}
END_TEST

/* Without memory to keep the reason a process still ends, as killed. */
START_TEST(end_survives_no_memory)
{
    struct process *process = probe_start(world_procs(&world, 0), &p);

    mem_test_begin();
    mem_test_fail(1);
    process_exit(process, (struct cn_term){(const uint8_t *)"\x77\x01x", 3});
    (void)mem_test_end();
    world_settle(&world);
    ck_assert_str_eq(p.ended, "killed");
}
END_TEST

/* An idle process stays small: a million of them must fit. */
START_TEST(idle_process_is_small)
{
    ck_assert_uint_le(sizeof(struct process), 448);
}
END_TEST

/* What was given can be asked for. */
START_TEST(accessors_tell)
{
    struct procs *procs = world_procs(&world, 0);
    struct process *process = probe_start(procs, &p);

    ck_assert_ptr_eq(process_procs(process), procs);
    ck_assert_ptr_eq(process_state(process), &p);
    ck_assert_ptr_eq(process_behaviour(process), &probe_behaviour);
    ck_assert(!process_traps_exit(process));
    process_trap_exit(process, true);
    ck_assert(process_traps_exit(process));
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, exit_waits_for_the_callback);
    tcase_add_test(tcase, exiting_process_is_gone);
    tcase_add_test(tcase, last_words_come_before_down);
    tcase_add_test(tcase, start_fails_cleanly);
    tcase_add_test(tcase, end_survives_no_memory);
    tcase_add_test(tcase, idle_process_is_small);
    tcase_add_test(tcase, accessors_tell);
}

int main(void)
{
    return run_tests("process", add, setup, teardown);
}
