/*
 * Failpoints: which step fails, and which go on. A step that kills is reached in a process of its
 * own, which is then gone as by kill -9.
 */
#include "session/failpoint.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/session/main.h"

static void set(const char *setting)
{
    ck_assert_int_eq(setenv("MINOTAUR_FAILPOINT", setting, 1), 0);
}

/* Without a setting, with one for another point, and with one that is a prefix, nothing fails. */
START_TEST(other_points_go_on)
{
    ck_assert_int_eq(unsetenv("MINOTAUR_FAILPOINT"), 0);
    ck_assert(!failpoint("in_offer"));
    set("in_offer=silent");
    ck_assert(!failpoint("in_active"));
    ck_assert(!failpoint("in_off"));
    ck_assert(!failpoint_refuses("in_offer"));
}
END_TEST

/* A step that is silent is left out, every time; one that refuses is told apart. */
START_TEST(silent_and_refuse)
{
    set("in_offer=silent");
    ck_assert(failpoint("in_offer"));
    ck_assert(failpoint("in_offer"));
    set("in_offer=refuse");
    ck_assert(!failpoint("in_offer"));
    ck_assert(failpoint_refuses("in_offer"));
}
END_TEST

/* Reach @point in a process of its own; gives what became of it. */
static int status_after(const char *point)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        (void)failpoint(point);
        _exit(7);
    }
    ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
    return status;
}

/* A node that kills itself is gone as by kill -9. */
START_TEST(kill_ends_the_process)
{
    int status;

    set("out_ready=kill");
    status = status_after("out_ready");
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGKILL);
    status = status_after("out_names");
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 7);
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("failpoint", &tests);

    tcase_add_test(tests, other_points_go_on);
    tcase_add_test(tests, silent_and_refuse);
    tcase_add_test(tests, kill_ends_the_process);
    return run_suite(suite);
}
