/*
 * Batches: many changes of names at once, one outcome for each, and nothing left behind when memory
 * or the registry ends.
 */
#include "registry/batch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "unit/registry/members.h"

#define MANY 3000

static struct batches batches;
static struct change changes[MANY];
static struct cn_term names[MANY];
static uint8_t name_bytes[MANY][16];
static char ended[MANY + 1]; /* y, n, u: the outcomes of the latest batch */
static unsigned calls;

static void setup(void)
{
    members_setup();
    batches_init(&batches);
    for (int i = 0; i < WORLD_NODES; i++)
        ones[i].names.batches = &batches;
    ended[0] = '\0';
    calls = 0;
}

static void teardown(void)
{
    members_teardown();
    batches_deinit(&batches);
}

static void on_done(void *context, const struct change_result *results, size_t count)
{
    ck_assert_ptr_eq(context, &batches);
    calls++;
    for (size_t i = 0; i < count; i++)
        ended[i] = "ynu"[results[i].outcome];
    ended[count] = '\0';
}

static int start(int node, size_t count)
{
    return batch_start(&ones[node].names, changes, count, on_done, &batches);
}

/* An atom whose text is @text, kept in place @index. */
static void set(size_t index, enum change_kind kind, const char *text, const struct cn_pid *pid)
{
    size_t size = strlen(text);

    name_bytes[index][0] = 0x77;
    name_bytes[index][1] = (uint8_t)size;
    memcpy(name_bytes[index] + 2, text, size);
    names[index] = (struct cn_term){name_bytes[index], 2 + size};
    changes[index] = (struct change){kind, names[index], *pid, GLOBAL_EXIT_ONE};
}

static void join_all(void)
{
    join(0, 1);
    join(1, 2);
    join(0, 2);
    pass(3000);
}

static void set_many(enum change_kind kind, const struct cn_pid *pid)
{
    for (size_t i = 0; i < MANY; i++) {
        char text[16];

        (void)snprintf(text, sizeof(text), "n%zu", i);
        set(i, kind, text, pid);
    }
}

/* Each change has its own outcome, and those of one name are carried out in their order. */
START_TEST(each_change_has_its_outcome)
{
    join_all();
    set(0, CHANGE_REGISTER, "x", &ones[0].pids[0]);
    set(1, CHANGE_REGISTER, "x", &ones[0].pids[1]);
    set(2, CHANGE_UNREGISTER, "x", &ones[0].pids[0]);
    set(3, CHANGE_REGISTER, "x", &ones[0].pids[1]);
    set(4, CHANGE_MOVE, "y", &ones[2].pids[0]);
    set(5, CHANGE_UNREGISTER, "free", &ones[0].pids[0]);
    ck_assert_int_eq(start(0, 6), 0);
    ck_assert_uint_eq(calls, 0);
    pass(1000);
    ck_assert_uint_eq(calls, 1);
    ck_assert_str_eq(ended, "ynyyyy");
    for (int i = 0; i < WORLD_NODES; i++) {
        ck_assert_str_eq(holder(i, "x"), "<a.7.0>");
        ck_assert_str_eq(holder(i, "y"), "<c.6.0>");
    }
}
END_TEST

/* Thousands of names are registered, moved and given up, the same everywhere, no lock left. */
START_TEST(thousands_at_once)
{
    join_all();
    set_many(CHANGE_REGISTER, &ones[0].pids[0]);
    ck_assert_int_eq(start(0, MANY), 0);
    pass(1000);
    ck_assert_uint_eq(strspn(ended, "y"), MANY);
    set_many(CHANGE_MOVE, &ones[1].pids[0]);
    ck_assert_int_eq(start(0, MANY), 0);
    pass(1000);
    ck_assert_uint_eq(strspn(ended, "y"), MANY);
    for (int i = 0; i < WORLD_NODES; i++) {
        ck_assert_str_eq(holder(i, "n0"), "<b.6.0>");
        ck_assert_str_eq(holder(i, "n2999"), "<b.6.0>");
    }
    set_many(CHANGE_UNREGISTER, &ones[1].pids[0]);
    ck_assert_int_eq(start(1, MANY), 0);
    pass(1000);
    for (int i = 0; i < WORLD_NODES; i++) {
        ck_assert_uint_eq(member_names(ones[i].member), 0);
        ck_assert_uint_eq(member_locks(ones[i].member), 0);
    }
    ck_assert_uint_eq(calls, 3);
}
END_TEST

/* A batch moves names away from a process that lives: no conflict, and its owner is not told so. */
START_TEST(move_is_no_conflict)
{
    join_all();
    set_many(CHANGE_REGISTER, &ones[0].pids[0]);
    ck_assert_int_eq(start(0, 10), 0);
    pass(1000);
    set_many(CHANGE_MOVE, &ones[1].pids[0]);
    ck_assert_int_eq(start(1, 10), 0);
    pass(1000);
    ck_assert_str_eq(holder(2, "n0"), "<b.6.0>");
    ck_assert_str_eq(ones[0].conflict, "");
}
END_TEST

/* Nothing is asked of a registry whose process is gone. */
START_TEST(closed_registry_is_told)
{
    set(0, CHANGE_MOVE, "x", &ones[0].pids[0]);
    ck_assert_int_eq(procs_exit_signal(world_procs(&world, 0), NULL,
                                       gen_server_pid(ones[0].member->server), atom("kill")),
                     0);
    world_settle(&world);
    ck_assert_int_eq(start(0, 1), CN_E_CLOSED);
    ck_assert_uint_eq(calls, 0);
}
END_TEST

/* Without memory nothing is asked, or what could be asked has its outcome and the rest is unsure.
 */
START_TEST(survives_no_memory)
{
    int r = -1;

    set(0, CHANGE_MOVE, "x", &ones[0].pids[0]);
    set(1, CHANGE_MOVE, "y", &ones[0].pids[0]);
    for (size_t nth = 1; strcmp(ended, "yy") != 0; nth++) {
        mem_test_begin();
        mem_test_fail(nth);
        r = start(0, 2);
        mem_test_fail(0);
        if (r != 0) {
            ck_assert_int_eq(r, -ENOMEM);
            ck_assert_int_eq(mem_test_end(), 0);
            continue;
        }
        (void)mem_test_end();
        world_settle(&world);
        ck_assert(strcmp(ended, "yy") == 0 || strcmp(ended, "yu") == 0 || strcmp(ended, "uy") == 0);
        ck_assert_uint_lt(nth, 50);
    }
}
END_TEST

/* What was not answered when the node ends is forgotten. */
START_TEST(open_batch_is_forgotten)
{
    set(0, CHANGE_MOVE, "x", &ones[0].pids[0]);
    ck_assert_int_eq(start(0, 1), 0);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, each_change_has_its_outcome);
    tcase_add_test(tcase, thousands_at_once);
    tcase_add_test(tcase, move_is_no_conflict);
    tcase_add_test(tcase, closed_registry_is_told);
    tcase_add_test(tcase, survives_no_memory);
    tcase_add_test(tcase, open_batch_is_forgotten);
}

int main(void)
{
    return run_tests("batch", add, setup, teardown);
}
