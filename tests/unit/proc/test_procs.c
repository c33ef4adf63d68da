/*
 * The process side of a node as a whole: names, references, release.
 */
#include <string.h>

#include "base/alloc.h"
#include "unit/proc/world.h"

static struct procs *procs;

static void setup(void)
{
    ck_assert_int_eq(procs_new("x@world", 7, NULL, NULL, &procs), 0);
}

static void teardown(void)
{
    procs = procs_free(procs);
}

/* A node has a name of 1 to 255 bytes and a creation. */
START_TEST(node_has_name_and_creation)
{
    struct procs *other = NULL;
    char name[CN_NODE_NAME_MAX + 2];

    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    ck_assert_int_eq(procs_new(name, 1, NULL, NULL, &other), -22);
    ck_assert_int_eq(procs_new("", 1, NULL, NULL, &other), -22);
    ck_assert_str_eq(procs_node(procs), "x@world");
    ck_assert_uint_eq(procs_creation(procs), 7);
}
END_TEST

/* References are never given twice, and their first word has 18 bits. */
START_TEST(references_differ)
{
    struct cn_ref first;
    struct cn_ref ref;
    size_t wrong = 0;

    procs_make_ref(procs, &first);
    for (size_t i = 0; i < 300000; i++) {
        procs_make_ref(procs, &ref);
        wrong += cn_ref_equal(&first, &ref) || ref.words[0] >= 1u << 18 ? 1 : 0;
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_eq(ref.words[1], 1);
    ck_assert_uint_eq(ref.count, 3);
    ck_assert_str_eq(ref.node, "x@world");
}
END_TEST

/* Everything that was started, sent, linked and watched is released with the node. */
START_TEST(free_releases_everything)
{
    struct probe p;
    struct process *process = NULL;
    struct dest far = to_name("server", "y@world");
    struct cn_ref ref;
    uint64_t timer = 0;

    mem_test_begin();
    struct procs *other = NULL;
    ck_assert_int_eq(procs_new("z@world", 1, NULL, NULL, &other), 0);
    ck_assert_int_eq(procs_peer_up(other, "y@world", 3), 0);
    process = probe_start(other, &p);
    ck_assert_int_eq(process_register(process, "name"), 0);
    ck_assert_int_eq(process_start_timer(process, 100, &timer), 0);
    ck_assert_int_eq(process_monitor(process, &far, &ref), 0);
    ck_assert_int_eq(procs_send_pid(other, NULL, process_pid(process), atom("x")), 0);
    procs_free(other);
    ck_assert_str_eq(p.ended, "shutdown");
    probe_deinit(&p);
    ck_assert_int_le(mem_test_end(), 1); /* the test's own atom */
}
END_TEST

/* Making a node fails cleanly. */
START_TEST(new_survives_no_memory)
{
    struct procs *other = NULL;

    mem_test_begin();
    mem_test_fail(1);
    ck_assert_int_eq(procs_new("z@world", 1, NULL, NULL, &other), -12);
    ck_assert_int_eq(mem_test_end(), 0);
}
END_TEST

/* The layer above can keep a pointer. */
START_TEST(extra_is_kept)
{
    ck_assert_ptr_null(procs_extra(procs));
    procs_set_extra(procs, &procs);
    ck_assert_ptr_eq(procs_extra(procs), &procs);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, node_has_name_and_creation);
    tcase_add_test(tcase, references_differ);
    tcase_add_test(tcase, free_releases_everything);
    tcase_add_test(tcase, new_survives_no_memory);
    tcase_add_test(tcase, extra_is_kept);
}

int main(void)
{
    return run_tests("procs", add, setup, teardown);
}
