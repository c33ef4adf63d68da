/*
 * Declared state machines: allowed moves pass and are traced, all others abort.
 */
#include "base/sm.h"

#include <check.h>

#include <signal.h>
#include <string.h>

#include "base/trace.h"

enum door {
    SHUT,
    OPEN,
    GONE
};

static const struct sm_state states[] = {
    [SHUT] = {"shut", SM_TO(OPEN) | SM_TO(GONE), .initial = true},
    [OPEN] = {"open", SM_TO(SHUT)},
    [GONE] = {"gone", 0, .final = true},
};
static const struct sm_table door = SM_TABLE("door", states);
static char traced[200];

static void keep_line(void *context, enum trace_level level, const char *layer, const char *line)
{
    (void)context;
    (void)level;
    (void)layer;
    strncat(traced, line, sizeof(traced) - strlen(traced) - 2);
    strncat(traced, ";", 2);
}

/* A machine goes where its table allows, tells where it is, and each move is one trace line. */
START_TEST(allowed_moves_pass)
{
    struct sm sm;

    trace_set_hook(keep_line, NULL, TRACE_EVENT);
    sm_init(&sm, &door, 7, SHUT);
    sm_move(&sm, OPEN);
    ck_assert_str_eq(sm_name(&sm), "open");
    ck_assert(sm_may(&sm, SHUT));
    ck_assert(!sm_may(&sm, GONE));
    ck_assert(!sm_may(&sm, 99));
    sm_move(&sm, SHUT);
    ck_assert(!sm_done(&sm));
    sm_move(&sm, GONE);
    ck_assert(sm_done(&sm));
    ck_assert_uint_eq(sm_state(&sm), GONE);
    ck_assert_str_eq(traced, "door 7 starts shut;door 7 shut -> open;door 7 open -> shut;"
                             "door 7 shut -> gone;");
}
END_TEST

/* A move that the table does not allow aborts. */
START_TEST(other_moves_abort)
{
    struct sm sm;

    sm_init(&sm, &door, 1, SHUT);
    sm_move(&sm, OPEN);
    sm_move(&sm, GONE);
}
END_TEST

/* A machine cannot start in the middle. */
START_TEST(start_must_be_initial)
{
    struct sm sm;

    sm_init(&sm, &door, 1, OPEN);
}
END_TEST

/* A table with a dead end that is not declared final aborts. */
START_TEST(dead_ends_must_be_final)
{
    static const struct sm_state dead[] = {{"dead", 0, .initial = true}};
    static const struct sm_table table = SM_TABLE("dead", dead);
    struct sm sm;

    sm_init(&sm, &table, 1, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sm");
    TCase *tcase = tcase_create("sm");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tcase, allowed_moves_pass);
    tcase_add_test_raise_signal(tcase, other_moves_abort, SIGABRT);
    tcase_add_test_raise_signal(tcase, start_must_be_initial, SIGABRT);
    tcase_add_test_raise_signal(tcase, dead_ends_must_be_final, SIGABRT);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
