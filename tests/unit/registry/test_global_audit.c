/*
 * Audits: they find what BEAM nodes forgot, repair it at the node that forgot it, and tell of
 * names that are in other hands.
 */
#include <stdio.h>

#include "unit/registry/ours.h"

/* A BEAM that lost its link to us forgot our names: they are registered again at that node. */
START_TEST(hole_is_repaired_at_the_node_that_has_it)
{
    link_up(1);
    link_up(2);
    beam_set(&b, "name", &pid); /* as if the registrar c had told b */
    ask_register("name", &pid, 0);
    world_settle(&world);
    ck_assert_str_eq(beam_whereis(&c, "name"), "<a.4.0>");
    link_cut(1);
    beam_set(&b, "name", NULL);
    link_up(1);
    ck_assert_str_eq(beam_whereis(&b, "name"), "<a.4.0>");
    ck_assert_str_eq(conflict, "");
}
END_TEST

/* What is repaired has the method that it was registered, moved or adopted with. */
START_TEST(repaired_name_has_its_method)
{
    static const char *const names[] = {"alone", "registered", "moved", "adopted"};

    ask_register_as(GLOBAL_NOTIFY_ONE, "alone", &pid, 0);
    world_settle(&world);
    link_up(1);
    ask_register_as(GLOBAL_NOTIFY_ONE, "registered", &pid, 1);
    ask_register("moved", &pid, 2);
    ck_assert_int_eq(
        global_re_register(global, atom("moved"), &pid, GLOBAL_NOTIFY_ONE, done, answers[3]), 0);
    ck_assert_int_eq(global_adopt(global, atom("adopted"), &pid, GLOBAL_NOTIFY_ONE), 0);
    world_settle(&world);
    for (int round = 0; round < 2; round++) {
        for (size_t i = round == 0 ? 3 : 0; i < 4; i++)
            beam_set(&b, names[i], NULL);
        world_pass(&world, 60000);
        for (size_t i = 0; i < 4; i++)
            ck_assert_str_eq(beam_method(&b, names[i]), "global:random_notify_name");
    }
}
END_TEST

/* A name that was taken elsewhere meanwhile is a conflict, told once. */
START_TEST(name_taken_meanwhile_is_a_conflict)
{
    ask_register("name", &pid, 0);
    world_settle(&world);
    beam_set(&b, "name", gen_server_pid(b.server));
    link_up(1);
    ck_assert_str_eq(conflict, "name <a.4.0> <b.3.0>");
    ck_assert_uint_eq(global_count(global), 0);
    ck_assert_str_eq(owner.ended, "");
}
END_TEST

/* A reconnected BEAM is asked for all names in batches, and only the missing are repaired. */
START_TEST(audit_goes_through_all_names)
{
    char name[16];
    size_t sends = 0;

    link_up(1);
    for (size_t i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "name%zu", i);
        ask_register(name, &pid, i);
    }
    world_settle(&world);
    link_cut(1);
    ck_assert_uint_eq(b.count, 0); /* its monitors saw noconnection */
    for (size_t i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "name%zu", i);
        if (i % 10 != 0)
            beam_set(&b, name, &pid);
    }
    b.asked = 0;
    b.registered = 0;
    sends = world.nodes[0].sent[CONTROL_REG_SEND];
    link_up(1);
    ck_assert_uint_eq(b.asked, 1000);
    ck_assert_uint_eq(b.registered, 100);
    ck_assert_uint_eq(b.count, 1000);
    /* in_sync, three questions of the probe, 4 batches, 100 registrations */
    ck_assert_uint_eq(world.nodes[0].sent[CONTROL_REG_SEND] - sends, 108);
}
END_TEST

/* Names are looked at again every minute, so what no event told us heals as well. */
START_TEST(names_are_checked_every_minute)
{
    link_up(1);
    ask_register("name", &pid, 0);
    world_settle(&world);
    beam_set(&b, "name", NULL);
    world_pass(&world, 60000);
    ck_assert_str_eq(beam_whereis(&b, "name"), "<a.4.0>");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, hole_is_repaired_at_the_node_that_has_it);
    tcase_add_test(tcase, repaired_name_has_its_method);
    tcase_add_test(tcase, name_taken_meanwhile_is_a_conflict);
    tcase_add_test(tcase, audit_goes_through_all_names);
    tcase_add_test(tcase, names_are_checked_every_minute);
}

int main(void)
{
    return run_tests("global_audit", add, ours_setup, ours_teardown);
}
