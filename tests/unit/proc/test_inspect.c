/*
 * What is seen around a process: its mailbox, and its monitors from both ends.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/shared.h"
#include "proc/internal.h"
#include "unit/proc/world.h"

static struct world world;
static struct probe p, q;
static struct process *here, *there;
static char seen[256];

static void setup(void)
{
    world_init(&world);
    here = probe_start(world_procs(&world, 0), &p);
    there = probe_start(world_procs(&world, 1), &q);
    seen[0] = '\0';
}

static void teardown(void)
{
    world_deinit(&world);
    probe_deinit(&p);
    probe_deinit(&q);
}

static void see(const char *text)
{
    size_t used = strlen(seen);

    (void)snprintf(seen + used, sizeof(seen) - used, "%s;", text);
}

static void see_message(void *context, struct cn_term message)
{
    see(show(message));
}

static void see_pid(void *context, const struct cn_pid *pid)
{
    see(show(pid_term(pid)));
}

static void see_monitor(void *context, const struct cn_pid *pid, const char *name)
{
    if (name == NULL)
        see_pid(context, pid);
    else
        see(name);
}

static void see_process(void *context, struct process *process)
{
    see_pid(context, process_pid(process));
}

/* All live processes, and only those. */
START_TEST(processes_are_visited)
{
    struct probe other = {0};
    struct process *ending = probe_start(world_procs(&world, 0), &other);

    procs_each(world_procs(&world, 0), see_process, NULL);
    ck_assert_str_eq(seen, "<a.1.0>;<a.2.0>;");
    process_exit_atom(ending, "normal");
    seen[0] = '\0';
    procs_each(world_procs(&world, 0), see_process, NULL);
    ck_assert_str_eq(seen, "<a.1.0>;");
    world_settle(&world);
    probe_deinit(&other);
}
END_TEST

/* The mailbox from its oldest message. */
START_TEST(messages_are_visited)
{
    ck_assert_int_eq(procs_send_pid(world_procs(&world, 0), NULL, process_pid(here), atom("one")),
                     0);
    ck_assert_int_eq(procs_send_pid(world_procs(&world, 0), NULL, process_pid(here), atom("two")),
                     0);
    process_each_message(here, see_message, NULL);
    ck_assert_str_eq(seen, "one;two;");
}
END_TEST

static void on_release(struct shared *shared)
{
}

/* A message that is kept elsewhere, as large ones are, is visited where it is. */
START_TEST(shared_messages_are_visited)
{
    struct cn_term term = atom("kept_elsewhere");
    uint8_t *elsewhere = mem_dup(term.data, term.size); /* ASan sees its ends */
    struct shared owner;

    ck_assert_ptr_nonnull(elsewhere);
    shared_init(&owner, on_release);
    ck_assert_int_eq(mailbox_push_shared(here, (struct cn_term){elsewhere, term.size}, &owner), 0);
    process_each_message(here, see_message, NULL);
    ck_assert_str_eq(seen, "kept_elsewhere;");
    world_settle(&world);
    mem_free(elsewhere);
}
END_TEST

/* Monitors from both ends, by pid and by name, here and across nodes. */
START_TEST(monitors_are_visited)
{
    struct cn_ref ref;
    struct dest by_pid = to_pid(process_pid(there));
    struct dest by_name = to_name("there", "b@world");

    ck_assert_int_eq(process_register(there, "there"), 0);
    ck_assert_int_eq(process_monitor(here, &by_pid, &ref), 0);
    ck_assert_int_eq(process_monitor(here, &by_name, &ref), 0);
    world_settle(&world);
    process_each_monitor(here, see_monitor, NULL);
    ck_assert_str_eq(seen, "<b.1.0>;there;");
    seen[0] = '\0';
    process_each_watcher(there, see_pid, NULL);
    ck_assert_str_eq(seen, "<a.1.0>;<a.1.0>;");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, processes_are_visited);
    tcase_add_test(tcase, messages_are_visited);
    tcase_add_test(tcase, shared_messages_are_visited);
    tcase_add_test(tcase, monitors_are_visited);
}

int main(void)
{
    return run_tests("inspect", add, setup, teardown);
}
