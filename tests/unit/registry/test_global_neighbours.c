/*
 * Which peers register for us, and what their coming and going does to names.
 */
#include "unit/registry/ours.h"

/* A peer that is no BEAM is never asked to register: one without any server, or a member in C. */
START_TEST(other_nodes_do_not_register)
{
    if (_i == 0)
        process_unregister(gen_server_process(b.server), "global_name_server");
    else
        b.member_only = true;
    link_up(1);
    ck_assert_uint_eq(global_neighbours(global), 0);
    ask_register("name", &pid, 0);
    world_settle(&world);
    ck_assert_str_eq(answers[0], "yes <a.4.0>");
    ck_assert_uint_eq(b.registered, 0);
}
END_TEST

/* Without a neighbour a name is ours locally, and is registered when one appears. */
START_TEST(name_waits_for_a_neighbour)
{
    ask_register("name", &pid, 0);
    ck_assert_int_eq(global_whereis(global, atom("nobody"), done, answers[1]), 0);
    world_settle(&world);
    ck_assert_str_eq(answers[0], "yes <a.4.0>");
    ck_assert_str_eq(answers[1], "no");
    link_up(1);
    ck_assert_str_eq(beam_whereis(&b, "name"), "<a.4.0>");
    ck_assert_str_eq(conflict, "");
}
END_TEST

/* A node that ends before a neighbour has said what it is leaves nothing behind. */
START_TEST(open_questions_go_with_the_node)
{
    world_connect(&world, 0, 1);
    ck_assert_int_eq(global_peer_up(global, "b@world"), 0);
    procs_run(world_procs(&world, 0), world.now_ms);
    ck_assert_uint_gt(world_waiting(&world, 0, 1), 0);
}
END_TEST

/* One neighbour registers for all, the greatest; when it goes, the next has or gets the names. */
START_TEST(next_registrar_takes_over)
{
    link_up(1);
    link_up(2);
    ask_register("name", &pid, 0);
    world_settle(&world);
    ck_assert_uint_eq(c.registered, 1);
    ck_assert_uint_eq(b.registered, 0);
    link_cut(2);
    ck_assert_str_eq(beam_whereis(&b, "name"), "<a.4.0>");
}
END_TEST

/* The BEAM's link to a named process ends nobody when that BEAM goes. */
START_TEST(end_of_registrar_ends_nobody)
{
    link_up(1);
    ask_register("name", &pid, 0);
    world_settle(&world);
    if (_i == 0)
        link_cut(1);
    else
        process_exit_atom(gen_server_process(b.server), "shutdown");
    world_settle(&world);
    ck_assert_str_eq(owner.ended, "");
}
END_TEST

/* While the first neighbour is asked what it is, requests wait; silent or gone, they go on. */
START_TEST(requests_wait_for_the_first_answer)
{
    world_connect(&world, 0, 1);
    beam_set(&b, "name", gen_server_pid(b.server));
    ck_assert_int_eq(global_peer_up(global, "b@world"), 0);
    ask_register("name", &pid, 0);
    (void)procs_run(world_procs(&world, 0), world.now_ms);
    ck_assert_str_eq(answers[0], ""); /* alone we would have taken it */
    if (_i == 0) {
        world_settle(&world);
        ck_assert_str_eq(answers[0], "no <b.3.0>");
    } else {
        link_cut(1);
        ck_assert_str_eq(answers[0], "yes <a.4.0>");
    }
}
END_TEST

/* A neighbour that does not answer is not waited for, and asked again. */
START_TEST(silent_neighbour_is_asked_again)
{
    b.mute = true;
    link_up(1);
    ask_register("name", &pid, 0);
    world_settle(&world);
    ck_assert_str_eq(answers[0], "");
    world_pass(&world, 10000);
    ck_assert_str_eq(answers[0], "yes <a.4.0>");
    b.mute = false;
    world_pass(&world, 10000);
    ck_assert_uint_eq(global_neighbours(global), 1);
    ck_assert_str_eq(beam_whereis(&b, "name"), "<a.4.0>");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_loop_test(tcase, other_nodes_do_not_register, 0, 2);
    tcase_add_loop_test(tcase, requests_wait_for_the_first_answer, 0, 2);
    tcase_add_test(tcase, silent_neighbour_is_asked_again);
    tcase_add_test(tcase, name_waits_for_a_neighbour);
    tcase_add_test(tcase, open_questions_go_with_the_node);
    tcase_add_test(tcase, next_registrar_takes_over);
    tcase_add_loop_test(tcase, end_of_registrar_ends_nobody, 0, 2);
}

int main(void)
{
    return run_tests("global_neighbours", add, ours_setup, ours_teardown);
}
