/*
 * What the node says of itself, asked by rpc, with figures that the test gives.
 */
#include <string.h>

#include "unit/otp/asker.h"

static struct node_figures figures;

static void measure(void *context, struct node_figures *ret_figures)
{
    *ret_figures = figures;
}

static void setup(void)
{
    asker_setup();
    functions_set_hooks(functions, &(struct functions_hooks){.figures = measure});
    figures = (struct node_figures){
        .uptime_ms = 5000, .runtime_ms = 70, .memory_bytes = 123456, .processors = 4};
}

/* What kind of node this is. */
START_TEST(system_is_told)
{
    ck_assert_str_eq(rpc("erlang", "system_info", parse("[otp_release]")), "reply [50,53]");
    ck_assert_str_eq(rpc("erlang", "system_info", parse("[creation]")), "reply 100");
    ck_assert_str_eq(rpc("erlang", "system_info", parse("[process_count]")), "reply 3");
    ck_assert_str_eq(rpc("erlang", "system_info", parse("[machine]")), "reply [67,78,79,68,69]");
    ck_assert_str_eq(rpc("erlang", "system_info", parse("[dreams]")),
                     "reply {badrpc,{EXIT,{badarg,[{erlang,system_info,[dreams],"
                     "[{error_info,#{module=>erl_erts_errors}}]}]}}}");
}
END_TEST

/* Numbers that tools put into tables. */
START_TEST(numbers_are_told)
{
    ck_assert_str_eq(rpc("erlang", "system_info", parse("[logical_processors]")), "reply 4");
    ck_assert_str_eq(rpc("erlang", "system_info", parse("[schedulers]")), "reply 1");
    ck_assert_str_eq(rpc("erlang", "system_info", parse("[process_limit]")), "reply 2000000");
    ck_assert_str_eq(rpc("erlang", "system_info", parse("[{wordsize,external}]")), "reply 8");
    ck_assert_ptr_nonnull(
        strstr(rpc("erlang", "system_info", parse("[{wordsize,middle}]")), "badarg"));
}
END_TEST

/* Statistics count from the start, and from the latest question. */
START_TEST(statistics_progress)
{
    ck_assert_str_eq(rpc("erlang", "statistics", parse("[wall_clock]")), "reply {5000,5000}");
    figures.uptime_ms = 5100;
    ck_assert_str_eq(rpc("erlang", "statistics", parse("[wall_clock]")), "reply {5100,100}");
    ck_assert_str_eq(rpc("erlang", "statistics", parse("[runtime]")), "reply {70,70}");
    ck_assert_str_eq(rpc("erlang", "statistics", parse("[run_queue]")), "reply 0");
    ck_assert_ptr_nonnull(strstr(rpc("erlang", "statistics", parse("[dreams]")), "badarg"));
}
END_TEST

/* Memory, whole, by type, and by a list of types. */
START_TEST(memory_is_told)
{
    ck_assert_str_eq(rpc("erlang", "memory", parse("[total]")), "reply 123456");
    ck_assert_str_eq(rpc("erlang", "memory", parse("[[total,binary]]")),
                     "reply [{total,123456},{binary,0}]");
    ck_assert_str_eq(rpc("erlang", "memory", parse("[[]]")), "reply []");
    ck_assert_str_eq(rpc("erlang", "memory", parse("[]")),
                     "reply [{total,123456},{processes,0},{processes_used,0},{system,123456},"
                     "{atom,0},{atom_used,0},{binary,0},{code,0},{ets,0}]");
    ck_assert_ptr_nonnull(strstr(rpc("erlang", "memory", parse("[[total,dreams]]")), "badarg"));
    ck_assert_ptr_nonnull(strstr(rpc("erlang", "memory", parse("[dreams]")), "badarg"));
}
END_TEST

/* There is no code, and none can be loaded. */
START_TEST(no_code_is_here)
{
    ck_assert_str_eq(rpc("code", "which", parse("[lists]")), "reply non_existing");
    ck_assert_str_eq(rpc("code", "is_loaded", parse("[lists]")), "reply false");
    ck_assert_str_eq(rpc("code", "ensure_loaded", parse("[lists]")), "reply {error,nofile}");
}
END_TEST

/* Without a hook all figures are 0. */
START_TEST(figures_may_be_absent)
{
    functions_set_hooks(functions, &(struct functions_hooks){0});
    ck_assert_str_eq(rpc("erlang", "memory", parse("[total]")), "reply 0");
    ck_assert_str_eq(rpc("erlang", "system_info", parse("[logical_processors]")), "reply 1");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, system_is_told);
    tcase_add_test(tcase, numbers_are_told);
    tcase_add_test(tcase, statistics_progress);
    tcase_add_test(tcase, memory_is_told);
    tcase_add_test(tcase, no_code_is_here);
    tcase_add_test(tcase, figures_may_be_absent);
}

int main(void)
{
    return run_tests("builtins_system", add, setup, asker_teardown);
}
