/*
 * The supervisor as Elixir's Supervisor and DynamicSupervisor ask it, and that nobody can take it
 * away.
 */
#include <string.h>

#include "session/supervisor.h"
#include "unit/session/main.h"

static struct cn_pid supervisor_pid(void)
{
    struct process *process = procs_whereis(world_procs(&cluster.world, 0),
                                            view(HOSTS_SUPERVISOR_NAME));

    ck_assert_ptr_nonnull(process);
    return *process_pid(process);
}

static const char *ask(struct cn_term request)
{
    struct cn_pid pid = supervisor_pid();

    return cluster_call(&cluster, 2, &pid, request);
}

/* Every session process is a child, with its module; too many are only counted. */
START_TEST(sessions_are_children)
{
    cluster_host(&cluster, 0);
    ck_assert_str_eq(ask(parse("which_children")), "reply []");
    ck_assert_str_eq(ask(parse("count_children")),
                     "reply [{specs,0},{active,0},{supervisors,0},{workers,0}]");
    cluster_start(&cluster, 0, "t", NULL);
    ck_assert_ptr_nonnull(strstr(ask(parse("which_children")), "reply [{undefined,<a."));
    ck_assert_ptr_nonnull(strstr(cluster_last(&cluster, 2), ",worker,["));
    ck_assert_str_eq(ask(parse("count_children")),
                     "reply [{specs,1},{active,1},{supervisors,0},{workers,1}]");
    cluster_start(&cluster, 0, "u", NULL);
    cluster.nodes[0].hosts->config.listed_max = 1;
    ck_assert_str_eq(ask(parse("which_children")), "reply {error,system_limit}");
}
END_TEST

/* A child is ended with shutdown; who is none is not found. */
START_TEST(children_are_terminated)
{
    struct cn_pid pid;

    cluster_host(&cluster, 0);
    pid = *session_pid(cluster_start(&cluster, 0, "t", NULL));
    ck_assert_str_eq(ask(parse_with("{terminate_child,%p}", &pid)), "reply ok");
    ck_assert_str_eq(ask(parse_with("{terminate_child,%p}", &pid)), "reply {error,not_found}");
    ck_assert_ptr_null(cluster_find(&cluster, 0, "t"));
}
END_TEST

/* Everything else is refused. */
START_TEST(others_are_refused)
{
    cluster_host(&cluster, 0);
    ck_assert_str_eq(ask(parse("{start_child,spec}")), "reply {error,unsupported}");
    ck_assert_str_eq(ask(parse("dance")), "reply {error,unknown_request}");
}
END_TEST

/* Killed, it is there again, and the sessions have not noticed. */
START_TEST(killed_it_starts_again)
{
    struct cn_pid pid;
    struct cn_pid old;

    cluster_host(&cluster, 0);
    pid = *session_pid(cluster_start(&cluster, 0, "t", NULL));
    old = supervisor_pid();
    procs_exit_signal(world_procs(&cluster.world, 1), NULL, &old, atom("kill"));
    cluster_settle(&cluster);
    ck_assert_ptr_nonnull(strstr(ask(parse("which_children")), show(pid_term(&pid))));
    old = supervisor_pid();
    ck_assert_str_eq(cluster_call(&cluster, 1, &pid, parse("get")), "reply []");
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("supervisor", &tests);

    tcase_add_test(tests, sessions_are_children);
    tcase_add_test(tests, children_are_terminated);
    tcase_add_test(tests, others_are_refused);
    tcase_add_test(tests, killed_it_starts_again);
    return run_suite(suite);
}
