/*
 * Destinations as terms: what is one and what is none, and whom it means on this node.
 */
#include <errno.h>

#include "otp/target.h"
#include "unit/otp/asker.h"

static struct target target;

/* A pid, a name, a name on a node and a reference are destinations. */
START_TEST(destinations_are_read)
{
    struct cn_pid pid = *process_pid(asker_process);
    struct cn_ref ref;

    ck_assert_int_eq(target_read(parse_with("%p", &pid), &target), 0);
    ck_assert(target.dest.kind == DEST_PID && cn_pid_equal(&target.dest.pid, &pid));
    ck_assert_int_eq(target_read(parse("rex"), &target), 0);
    ck_assert_str_eq(target.dest.name, "rex");
    ck_assert_ptr_null(target.dest.node);
    ck_assert_int_eq(target_read(parse("{rex,c@world}"), &target), 0);
    ck_assert_str_eq(target.dest.node, "c@world");
    procs_make_ref(world_procs(&world, 0), &ref);
    ck_assert_int_eq(target_read(parse_with("%r", &ref), &target), 0);
    ck_assert_int_eq(target.dest.kind, DEST_ALIAS);
}
END_TEST

/* Nothing else is. */
START_TEST(nonsense_is_invalid)
{
    static const char *const wrong[] = {"1", "{rex}", "{rex,1}", "{1,rex}", "[rex]", "<<\"rex\">>"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_int_eq(target_read(parse(wrong[i]), &target), -EINVAL);
}
END_TEST

/* What is here is found by pid, by name, and by name with the node's own name. */
START_TEST(processes_here_are_found)
{
    struct procs *procs = world_procs(&world, 0);
    struct process *rex = procs_whereis(procs, view("rex"));
    struct cn_pid pid = *process_pid(rex);

    ck_assert_int_eq(target_read(parse("rex"), &target), 0);
    ck_assert_ptr_eq(target_find(procs, &target), rex);
    ck_assert_int_eq(target_read(parse("{rex,a@world}"), &target), 0);
    ck_assert_ptr_eq(target_find(procs, &target), rex);
    ck_assert_int_eq(target_read(parse_with("%p", &pid), &target), 0);
    ck_assert_ptr_eq(target_find(procs, &target), rex);
    ck_assert_int_eq(target_read(parse("{rex,b@world}"), &target), 0);
    ck_assert_ptr_null(target_find(procs, &target));
    ck_assert(!target_is_local(procs, &target));
    ck_assert_int_eq(target_read(parse("nobody"), &target), 0);
    ck_assert_ptr_null(target_find(procs, &target));
    ck_assert(target_is_local(procs, &target));
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, destinations_are_read);
    tcase_add_test(tcase, nonsense_is_invalid);
    tcase_add_test(tcase, processes_here_are_found);
}

int main(void)
{
    return run_tests("target", add, asker_setup, asker_teardown);
}
