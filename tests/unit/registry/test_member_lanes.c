/*
 * Lanes: the order of what is asked for one name, and of names among each other.
 */
#include "unit/no_memory.h"
#include "unit/registry/members.h"

/* Requests of one name are carried out in their order. */
START_TEST(requests_of_a_name_keep_their_order)
{
    ask(0, "name", 0, 0);
    ask_gone(0, "name", 0, 1);
    ask(0, "name", 1, 2);
    ask_move(0, "name", &ones[0].pids[2], 3);
    ask_gone(0, "name", 1, 4);
    world_settle(&world);
    ck_assert_str_eq(answers[0], "yes <a.6.0>");
    ck_assert_str_eq(answers[1], "yes");
    ck_assert_str_eq(answers[2], "yes <a.7.0>");
    ck_assert_str_eq(answers[3], "yes <a.8.0>");
    ck_assert_str_eq(answers[4], "no <a.8.0>");
    ck_assert_str_eq(holder(0, "name"), "<a.8.0>");
}
END_TEST

/* Names are taken in the order of asking, whoever has more to ask behind. */
START_TEST(names_keep_their_order)
{
    struct member *member = ones[0].member;

    ask(0, "a", 0, 0);
    ask(0, "b", 0, 1);
    ask(0, "a", 1, 2);
    for (const char *name = "ab"; *name != '\0'; name++) {
        struct request *request = lanes_take(member);

        ck_assert_ptr_nonnull(request);
        ck_assert_int_eq(request_name(request).data[2], *name);
        request_finish(request, GLOBAL_NO, NULL);
    }
    ck_assert_str_eq(answers[0], "no");
    ck_assert_str_eq(answers[1], "no");
    ck_assert_str_eq(answers[2], "");
    ck_assert_ptr_nonnull(lanes_take(member));
    ck_assert_ptr_null(lanes_take(member));
}
END_TEST

static int register_name(void *context)
{
    struct cn_term *name = context;
    struct one *one = &ones[0];

    return one->names.register_name(one->member, *name, &one->pids[0], GLOBAL_EXIT_ONE, NULL, NULL);
}

/* Asking fails cleanly at each allocation. */
START_TEST(asking_survives_no_memory)
{
    struct cn_term name = atom("name");

    ck_assert_uint_gt(no_memory_sweep(register_name, &name), 3);
    world_settle(&world);
    ck_assert_str_eq(holder(0, "name"), "<a.6.0>");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, requests_of_a_name_keep_their_order);
    tcase_add_test(tcase, names_keep_their_order);
    tcase_add_test(tcase, asking_survives_no_memory);
}

int main(void)
{
    return run_tests("member_lanes", add, members_setup, members_teardown);
}
