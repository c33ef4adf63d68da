/*
 * What the node has used: figures that make sense, and that grow
 * with what is used.
 */
#include "node/figures.h"

#include <check.h>
#include <stdlib.h>

/* Memory in use is counted, time runs, processors are there. */
START_TEST(figures_make_sense)
{
    struct figures figures;
    struct node_figures before, after;
    size_t size = 50 << 20;

    figures_start(&figures);
    figures_measure(&figures, &before);
    char *block = calloc(1, size);
    ck_assert_ptr_nonnull(block);
    block[size - 1] = 1;
    figures_measure(&figures, &after);
    ck_assert_uint_ge(before.processors, 1);
    ck_assert_uint_lt(before.uptime_ms, 60000);
    ck_assert_uint_ge(after.uptime_ms, before.uptime_ms);
    ck_assert_uint_ge(after.runtime_ms, before.runtime_ms);
#ifndef __SANITIZE_ADDRESS__ /* which has an allocator of its own */
    ck_assert_uint_ge(after.memory_bytes, before.memory_bytes + size);
#endif
    free(block);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("figures");
    TCase *tcase = tcase_create("figures");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, figures_make_sense);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
