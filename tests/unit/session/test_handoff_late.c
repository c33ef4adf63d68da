/*
 * The source of several handoffs while the registry is slow, spoken to by a target that is a probe.
 */
#include <string.h>

#include "session/handoff_out.h"
#include "unit/session/main.h"

static struct probe target_log;
static struct process *target;

static void ignore(struct session *session, int result)
{
}

static struct session *start(const char *id)
{
    return cluster_start(&cluster, 0, id, id);
}

/* Hand @session over up to its names; tell whether it was activated without a wait for them. */
static bool activated_at_once(struct session *session)
{
    struct cn_pid target_pid = *process_pid(target);
    struct cn_pid pid = *session_pid(session);
    struct cn_ref transfer;

    procs_make_ref(world_procs(&cluster.world, 0), &transfer);
    ck_assert_int_eq(handoff_out_start(session, &transfer, &target_pid, ignore), 0);
    cluster_settle(&cluster);
    procs_send_pid(world_procs(&cluster.world, 1), target, &pid,
                   parse_with("{handoff_ready,%r,%p}", &transfer, &target_pid));
    cluster_settle(&cluster);
    return strstr(target_log.log[target_log.count - 1], "{handoff_activate,") != NULL;
}

/* Where one session has waited for its names in vain, those of the next second do not wait. */
START_TEST(nobody_waits_behind_late_names)
{
    struct hosts_config config = cluster_config(&cluster, 0);
    struct session *first, *next, *later;

    config.names_wait_ms = 4;
    cluster_host_of(&cluster, 0, &toy_game, &config);
    first = start("t");
    next = start("u");
    later = start("v");
    target = probe_start(world_procs(&cluster.world, 1), &target_log);
    cluster.names.hold = true;
    ck_assert(!activated_at_once(first));
    cluster_pass(&cluster, 4);
    ck_assert_ptr_nonnull(strstr(target_log.log[target_log.count - 1], "{handoff_activate,"));
    ck_assert(activated_at_once(next));
    cluster_pass(&cluster, 1000);
    ck_assert(!activated_at_once(later));
    probe_deinit(&target_log);
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("handoff_late", &tests);

    tcase_add_test(tests, nobody_waits_behind_late_names);
    return run_suite(suite);
}
