/*
 * One cluster per test: see main.h.
 *
 * Check forks for each test, so a test that fails leaves no cluster behind for the next.
 */
#include "unit/session/main.h"

struct cluster cluster;

void setup(void)
{
    cluster_init(&cluster);
}

void teardown(void)
{
    cluster_deinit(&cluster);
}

Suite *suite_of(const char *name, TCase **ret_case)
{
    Suite *suite = suite_create(name);

    *ret_case = tcase_create(name);
    tcase_add_checked_fixture(*ret_case, setup, teardown);
    tcase_set_timeout(*ret_case, 60);
    suite_add_tcase(suite, *ret_case);
    return suite;
}

int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
