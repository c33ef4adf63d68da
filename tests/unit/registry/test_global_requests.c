/*
 * Requests: their order, their bounds, and what happens when a neighbour does not do it.
 */
#include <stdio.h>

#include "registry/global_internal.h"
#include "unit/registry/ours.h"

static void choose(void *context, struct cn_term name, const struct cn_pid *one,
                   const struct cn_pid *other, global_chosen chosen, void *with)
{
}

/* Two processes here want one name: the first has it. */
START_TEST(name_taken_here_is_refused)
{
    struct process *other = probe_start(world_procs(&world, 0), &second);

    link_up(1);
    ask_register("name", &pid, 0);
    ask_register("name", process_pid(other), 1);
    ask_register("name", &pid, 2); /* once more is fine */
    world_settle(&world);
    ck_assert_str_eq(answers[0], "yes <a.4.0>");
    ck_assert_str_eq(answers[1], "no <a.4.0>");
    ck_assert_str_eq(answers[2], "yes <a.4.0>");
}
END_TEST

/* A `no` for a name that nobody has is a race: it is tried again. */
START_TEST(no_without_holder_is_tried_again)
{
    link_up(1);
    b.no_once = true;
    ask_register("name", &pid, 0);
    world_settle(&world);
    ck_assert_str_eq(answers[0], "yes <a.4.0>");
}
END_TEST

/* Unregistering gives the name up everywhere; not when somebody else has it. */
START_TEST(unregister_gives_up_own_names_only)
{
    link_up(1);
    ask_register("name", &pid, 0);
    world_settle(&world);
    ck_assert_int_eq(global_unregister(global, atom("name"), &pid, done, answers[1]), 0);
    world_settle(&world);
    ck_assert_str_eq(answers[1], "yes");
    ck_assert_str_eq(beam_whereis(&b, "name"), "");
    ck_assert_uint_eq(global_count(global), 0);
    beam_set(&b, "theirs", gen_server_pid(b.server));
    ck_assert_int_eq(global_unregister(global, atom("theirs"), &pid, done, answers[2]), 0);
    world_settle(&world);
    ck_assert_str_eq(answers[2], "no <b.3.0>");
    ck_assert_str_eq(beam_whereis(&b, "theirs"), "<b.3.0>");
}
END_TEST

/* A move overwrites; a name that went elsewhere is no longer ours, one that came is. */
START_TEST(move_overwrites)
{
    struct process *other = probe_start(world_procs(&world, 0), &second);

    link_up(1);
    ask_register("name", &pid, 0);
    ck_assert_int_eq(global_re_register(global, atom("name"), process_pid(other), GLOBAL_EXIT_ONE,
                                        done, answers[1]),
                     0);
    world_settle(&world);
    ck_assert_str_eq(answers[1], "yes <a.5.0>");
    ck_assert_str_eq(beam_whereis(&b, "name"), "<a.5.0>");
    ck_assert_uint_eq(global_count(global), 1);
    ck_assert_int_eq(global_re_register(global, atom("name"), gen_server_pid(b.server),
                                        GLOBAL_EXIT_ONE, done, answers[2]),
                     0);
    world_settle(&world);
    ck_assert_str_eq(answers[2], "yes <b.3.0>");
    ck_assert_uint_eq(global_count(global), 0);
}
END_TEST

/* A name goes along with the method that was asked for, also when it moves or was there before. */
START_TEST(name_has_its_method)
{
    static const struct {
        enum global_method method;
        const char *text;
    } table[] = {
        {GLOBAL_NOTIFY_ALL, "global:notify_all_name"},
        {GLOBAL_NOTIFY_ONE, "global:random_notify_name"},
        {GLOBAL_EXIT_ONE, "global:random_exit_name"},
        {GLOBAL_OWNER, "owner:choose"},
    };
    enum global_method method = table[_i].method;

    global->hooks.owner_module = "owner";
    global->hooks.owner_function = "choose";
    global->hooks.choose = choose;
    link_up(1);
    ask_register_as(method, "name", &pid, 0);
    ask_register_as(GLOBAL_NOTIFY_ONE, "moved", &pid, 1);
    ck_assert_int_eq(global_re_register(global, atom("moved"), &pid, method, done, answers[2]), 0);
    ask_register_as(GLOBAL_NOTIFY_ONE, "moved", &pid, 3);
    world_settle(&world);
    ck_assert_str_eq(answers[3], "yes <a.4.0>");
    ck_assert_str_eq(beam_method(&b, "name"), table[_i].text);
    ck_assert_str_eq(beam_method(&b, "moved"), table[_i].text);
}
END_TEST

/* A neighbour that ends while it registers: the next one does it. */
START_TEST(request_survives_its_registrar)
{
    link_up(1);
    link_up(2);
    c.hold = true;
    ask_register("name", &pid, 0);
    world_settle(&world);
    ck_assert_str_eq(answers[0], "");
    link_cut(2);
    ck_assert_str_eq(answers[0], "yes <a.4.0>");
    ck_assert_str_eq(beam_whereis(&b, "name"), "<a.4.0>");
}
END_TEST

/* A neighbour that answers nothing in time is unreachable, and so is one that only fails. */
START_TEST(silence_is_unreachable)
{
    link_up(1);
    b.hold = _i == 0;
    b.fail = _i == 1;
    ask_register("name", &pid, 0);
    world_settle(&world);
    world_pass(&world, 60000);
    ck_assert_str_eq(answers[0], "unreachable");
}
END_TEST

/* Thousands of names are registered side by side, but never too many at once. */
START_TEST(registrations_are_bounded)
{
    char name[16];

    link_up(1);
    b.hold = true;
    for (size_t i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "name%zu", i);
        ask_register(name, &pid, i);
    }
    world_settle(&world);
    ck_assert_uint_eq(b.running, 64);
    b.hold = false;
    beam_release(&b);
    world_settle(&world);
    ck_assert_uint_eq(answered, 1000);
    ck_assert_uint_eq(b.registered, 1000);
    ck_assert_uint_eq(b.running_max, 64);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, name_taken_here_is_refused);
    tcase_add_test(tcase, no_without_holder_is_tried_again);
    tcase_add_test(tcase, unregister_gives_up_own_names_only);
    tcase_add_test(tcase, move_overwrites);
    tcase_add_loop_test(tcase, name_has_its_method, 0, 4);
    tcase_add_test(tcase, request_survives_its_registrar);
    tcase_add_loop_test(tcase, silence_is_unreachable, 0, 2);
    tcase_add_test(tcase, registrations_are_bounded);
}

int main(void)
{
    return run_tests("global_requests", add, ours_setup, ours_teardown);
}
