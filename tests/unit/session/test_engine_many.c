/*
 * create_games: many starts by one call, answered in order; lists that are none.
 */
#include "unit/session/main.h"

/* Many starts: each answer in its place, on whichever host; a bad one stops nobody else. */
START_TEST(many_are_created)
{
    static const char *const ids[] = {"t0", "t1", "t2", "t3", "t4", "t5"};

    cluster_host(&cluster, 0);
    cluster_host(&cluster, 1);
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "create_many",
                                 parse("[[{<<\"\">>,<<\"t0\">>},{nil,bad}]]")),
                     "reply [{error,invalid_join_code},{error,invalid_argument}]");
    (void)cluster_rpc(&cluster, 2, 0, "create_many",
                      parse("[[{<<\"c0\">>,<<\"t0\">>},{nil,<<\"t1\">>},{nil,<<\"t2\">>},"
                            "{nil,<<\"t3\">>},{nil,<<\"t4\">>},{nil,<<\"t5\">>}]]"));
    for (size_t i = 0; i < 6; i++)
        ck_assert_ptr_ne(cluster_find(&cluster, 0, ids[i]), cluster_find(&cluster, 1, ids[i]));
    ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "create_many",
                                 parse("[[{<<\"c0\">>,<<\"t6\">>}]]")),
                     "reply [{error,join_code_taken}]");
}
END_TEST

/* What is no list of pairs starts nothing, and the answer says what was expected where. */
START_TEST(lists_of_games_are_checked)
{
    static const struct {
        const char *games;
        const char *reply;
    } cases[] = {
        {"[x]", "reply {error,{invalid_games,[],{expected,list}}}"},
        {"[[]]", "reply {error,{invalid_games,[],{expected,{length,1,256}}}}"},
        {"[[{nil,<<\"t0\">>},x]]", "reply {error,{invalid_games,[1],{expected,pair}}}"},
        {"[[{nil,<<\"t0\">>}|x]]", "reply {error,{invalid_games,[],{expected,list}}}"},
    };

    cluster_host(&cluster, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_str_eq(cluster_rpc(&cluster, 2, 0, "create_many", parse(cases[i].games)),
                         cases[i].reply);
    ck_assert_ptr_null(cluster_find(&cluster, 0, "t0"));
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("engine_many", &tests);

    tcase_add_test(tests, many_are_created);
    tcase_add_test(tests, lists_of_games_are_checked);
    return run_suite(suite);
}
