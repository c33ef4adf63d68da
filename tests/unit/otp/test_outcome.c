/*
 * The shapes in which an outcome reaches each kind of caller: erpc, rpc, and nobody.
 */
#include "otp/internal.h"
#include "unit/otp/asker.h"

static const char *written(enum apply_kind kind, const char *class_, enum stack stack)
{
    struct apply apply = {.kind = kind,
                          .tag = atom("tag"),
                          .module = atom("m"),
                          .function = atom("f"),
                          .arguments = parse("[x]"),
                          .arity = 1};
    struct outcome outcome = {.class_ = class_, .term = atom("why"), .stack = stack};
    struct cn_writer writer;
    const char *text = NULL;

    cn_writer_init(&writer, 0);
    outcome_write(&apply, &outcome, &writer);
    text = show(cn_writer_term(&writer));
    cn_writer_free(&writer);
    return text;
}

/* A value is bare, but for erpc. */
START_TEST(values_are_returned)
{
    ck_assert_str_eq(written(APPLY_ERPC, NULL, STACK_ARITY), "{tag,return,why}");
    ck_assert_str_eq(written(APPLY_REX, NULL, STACK_ARITY), "why");
    ck_assert_str_eq(written(APPLY_OLD, NULL, STACK_ARITY), "why");
    ck_assert_str_eq(written(APPLY_SPAWN, NULL, STACK_ARITY), "normal");
}
END_TEST

/* Each class in each shape. */
START_TEST(classes_have_shapes)
{
    ck_assert_str_eq(written(APPLY_ERPC, "throw", STACK_ARITY), "{tag,throw,why}");
    ck_assert_str_eq(written(APPLY_ERPC, "exit", STACK_ARITY), "{tag,exit,why}");
    ck_assert_str_eq(written(APPLY_ERPC, "error", STACK_ARITY), "{tag,error,why,[{m,f,1,[]}]}");
    ck_assert_str_eq(written(APPLY_REX, "throw", STACK_ARITY), "why");
    ck_assert_str_eq(written(APPLY_REX, "exit", STACK_ARITY), "{badrpc,{EXIT,why}}");
    ck_assert_str_eq(written(APPLY_REX, "error", STACK_ARITY),
                     "{badrpc,{EXIT,{why,[{m,f,1,[]}]}}}");
    ck_assert_str_eq(written(APPLY_SPAWN, "exit", STACK_ARITY), "why");
    ck_assert_str_eq(written(APPLY_SPAWN, "error", STACK_ARITY), "{why,[{m,f,1,[]}]}");
    ck_assert_str_eq(written(APPLY_SPAWN, "throw", STACK_ARITY),
                     "{{nocatch,why},[{erts_internal,dist_spawn_init,1,[]}]}");
}
END_TEST

/* The stack says who refused: a missing function, the runtime, erlang:apply/3, erpc itself. */
START_TEST(stacks_tell_who_refused)
{
    ck_assert_str_eq(written(APPLY_ERPC, "error", STACK_ARGUMENTS),
                     "{tag,error,why,[{m,f,[x],[]}]}");
    ck_assert_str_eq(written(APPLY_ERPC, "error", STACK_BIF),
                     "{tag,error,why,[{m,f,[x],[{error_info,#{module=>erl_erts_errors}}]}]}");
    ck_assert_str_eq(written(APPLY_SPAWN, "error", STACK_APPLY),
                     "{why,[{erlang,apply,[m,f,[x]],"
                     "[{error_info,#{module=>erl_erts_errors}}]}]}");
    ck_assert_str_eq(written(APPLY_ERPC, "error", STACK_NONE), "{tag,error,{erpc,why}}");
    ck_assert_str_eq(written(APPLY_REX, "error", STACK_NONE), "{badrpc,{EXIT,why}}");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, values_are_returned);
    tcase_add_test(tcase, classes_have_shapes);
    tcase_add_test(tcase, stacks_tell_who_refused);
}

int main(void)
{
    return run_tests("outcome", add, asker_setup, asker_teardown);
}
