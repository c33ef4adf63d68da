/*
 * Turns: budgets, fairness, the next wanted moment. No process may keep the others, or the loop
 * with its sockets, from their turn.
 */
#include "unit/proc/world.h"

static struct procs *procs;
static struct probe p, q;
static struct process *busy, *other;
static size_t handled;

static void setup(void)
{
    ck_assert_int_eq(procs_new("x@world", 7, NULL, NULL, &procs), 0);
    busy = probe_start(procs, &p);
    other = probe_start(procs, &q);
    handled = 0;
}

static void teardown(void)
{
    procs = procs_free(procs);
    probe_deinit(&p);
    probe_deinit(&q);
}

static void send_again(struct process *self, void *state, struct cn_term message)
{
    handled++;
    ck_assert_int_eq(procs_send_pid(process_procs(self), self, process_pid(self), message), 0);
}

static void ignore_end(struct process *self, void *state, struct cn_term reason)
{
}

static const struct process_behaviour endless = {"endless", send_again, NULL, ignore_end};

/* A process that always has work neither ends the turn nor keeps others from theirs. */
START_TEST(nobody_starves)
{
    struct process *process = NULL;

    ck_assert_int_eq(process_start(procs, &endless, NULL, &process), 0);
    ck_assert_int_eq(procs_send_pid(procs, NULL, process_pid(process), atom("x")), 0);
    ck_assert_uint_eq(procs_run(procs, 1), 0); /* work is left */
    ck_assert_uint_gt(handled, 0);
    ck_assert_int_eq(procs_send_pid(procs, NULL, process_pid(other), atom("y")), 0);
    ck_assert_uint_eq(procs_run(procs, 1), 0);
    ck_assert_uint_eq(q.count, 1);
}
END_TEST

static void note_order(struct process *self, void *state, struct cn_term message)
{
    *(size_t *)state = ++handled;
}

static const struct process_behaviour ordered = {"ordered", note_order, NULL, ignore_end};

/* A long mailbox is worked off in slices: who came later need not wait for its end. */
START_TEST(turns_are_shared)
{
    struct process *slow = NULL;
    struct process *quick = NULL;
    size_t slow_at = 0;
    size_t quick_at = 0;

    ck_assert_int_eq(process_start(procs, &ordered, &slow_at, &slow), 0);
    ck_assert_int_eq(process_start(procs, &ordered, &quick_at, &quick), 0);
    for (size_t i = 0; i < 100; i++)
        ck_assert_int_eq(procs_send_pid(procs, NULL, process_pid(slow), atom("x")), 0);
    ck_assert_int_eq(procs_send_pid(procs, NULL, process_pid(quick), atom("x")), 0);
    ck_assert_uint_eq(procs_run(procs, 1), UINT64_MAX);
    ck_assert_uint_eq(handled, 101);
    ck_assert_uint_eq(slow_at, 101);
    ck_assert_uint_le(quick_at, 33);
}
END_TEST

/* The next wanted moment is that of the next timer, or never. */
START_TEST(next_moment_is_told)
{
    uint64_t timer = 0;

    ck_assert_uint_eq(procs_now_ms(procs), 0);
    ck_assert_uint_eq(procs_run(procs, 5000), UINT64_MAX);
    ck_assert_uint_eq(procs_now_ms(procs), 5000);
    ck_assert_int_eq(process_start_timer(busy, 70, &timer), 0);
    ck_assert_uint_eq(procs_run(procs, 5001), 5070);
    ck_assert_uint_eq(procs_run(procs, 4000), 5070); /* time never goes back */
    ck_assert_uint_eq(procs_now_ms(procs), 5001);
    ck_assert_uint_eq(procs_run(procs, 5070), UINT64_MAX);
    ck_assert_uint_eq(p.timer_count, 1);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, nobody_starves);
    tcase_add_test(tcase, turns_are_shared);
    tcase_add_test(tcase, next_moment_is_told);
}

int main(void)
{
    return run_tests("run_queue", add, setup, teardown);
}
