/*
 * The engine's functions by kind: those that need no session, and those that are not there.
 */
#include <string.h>

#include "unit/session/main.h"

/* Functions without a session are answered at once. */
START_TEST(plain_functions)
{
    cluster_host(&cluster, 0);
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "pure", parse("[{a,1}]")), "reply {pure,{a,1}}");
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "resume", parse("[]")), "reply ok");
}
END_TEST

/* A host calls its own functions as any other node does. */
START_TEST(from_the_same_node)
{
    cluster_host(&cluster, 0);
    cluster_start(&cluster, 0, "t", NULL);
    ck_assert_str_eq(cluster_rpc(&cluster, 0, 0, "get", parse("[<<\"t\">>]")), "reply {ok,[]}");
}
END_TEST

/* What the game's table does not have, by name or by arity, is undef. */
START_TEST(others_are_undef)
{
    cluster_host(&cluster, 0);
    ck_assert_ptr_nonnull(
        strstr(cluster_rpc(&cluster, 2, 0, "fly", parse("[]")), "{badrpc,{EXIT,{undef,"));
    ck_assert_ptr_nonnull(
        strstr(cluster_rpc(&cluster, 2, 0, "get", parse("[]")), "{badrpc,{EXIT,{undef,"));
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("engine", &tests);

    tcase_add_test(tests, plain_functions);
    tcase_add_test(tests, from_the_same_node);
    tcase_add_test(tests, others_are_undef);
    return run_suite(suite);
}
