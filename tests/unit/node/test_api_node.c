/*
 * The node as an application sees it: its neighbours, and its functions under rpc.
 */
#include "unit/node/public.h"

#include <string.h>

#include "base/error.h"

static struct seen one;

static enum cn_function_outcome run_value(const struct cn_term *arguments, struct cn_writer *result)
{
    cn_write_term(result, arguments[1]);
    return CN_RETURN;
}

static enum cn_function_outcome run_error(const struct cn_term *arguments, struct cn_writer *result)
{
    (void)arguments;
    cn_write_atom(result, "bad");
    return CN_ERROR;
}

static enum cn_function_outcome run_throw(const struct cn_term *arguments, struct cn_writer *result)
{
    (void)arguments;
    cn_write_atom(result, "thrown");
    return CN_THROW;
}

static enum cn_function_outcome run_nothing(const struct cn_term *arguments,
                                            struct cn_writer *result)
{
    (void)arguments;
    cn_write_float(result, 1.0 / 0.0);
    return CN_ERROR;
}

static const struct cn_function functions[] = {
    {"m", "value", 2, run_value},
    {"m", "error", 0, run_error},
    {"m", "throw", 0, run_throw},
    {"m", "nothing", 0, run_nothing},
    {0},
};

static void setup(void)
{
    public_setup();
    seen_start(&one, &other, NULL);
}

static const char *rpc(const char *call)
{
    ck_assert_int_eq(
        cn_call(one.server, parse("{rex,a@world}"), parse(call), 1000, seen_done, &one), 0);
    world_settle(&world);
    return seen_last(&one);
}

/* An application's functions return, fail and throw as a BEAM's do; others are undef. */
START_TEST(functions_answer_rpc)
{
    ck_assert_int_eq(api_functions_add(&node, functions), 0);
    ck_assert_str_eq(rpc("{call,m,value,[1,{two}],user}"), "done {two}");
    ck_assert_str_eq(rpc("{call,m,error,[],user}"), "done {badrpc,{EXIT,{bad,[{m,error,0,[]}]}}}");
    ck_assert_str_eq(rpc("{call,m,throw,[],user}"), "done thrown");
    ck_assert_ptr_nonnull(strstr(rpc("{call,m,nothing,[],user}"), "system_limit"));
    ck_assert_ptr_nonnull(strstr(rpc("{call,m,value,[1],user}"), "undef"));
}
END_TEST

/* No table is fine, the same function twice is not. */
START_TEST(functions_are_added_once)
{
    ck_assert_int_eq(api_functions_add(&node, NULL), 0);
    ck_assert_int_eq(api_functions_add(&node, functions), 0);
    ck_assert_int_eq(api_functions_add(&node, functions), CN_E_TAKEN);
}
END_TEST

/* The list of nodes has the hidden ones too. */
START_TEST(nodes_are_listed)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_nodes(&node, &writer);
    ck_assert_str_eq(show(cn_writer_term(&writer)), "[b@world,h@world]");
    cn_writer_free(&writer);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, functions_answer_rpc);
    tcase_add_test(tcase, functions_are_added_once);
    tcase_add_test(tcase, nodes_are_listed);
}

int main(void)
{
    return run_tests("api_node", add, setup, public_teardown);
}
