/*
 * Who is known to node a, and what becomes of it when others lose connections. b and c are
 * scripted.
 */
#include "unit/registry/members.h"

static void setup(void)
{
    members_setup();
    script(1);
    script(2);
    (void)known_add(ones[0].member, "b@world", 8);
    (void)known_add(ones[0].member, "c@world", 8);
    join(0, 1);
    join(0, 2);
    ones[1].heard_count = 0;
    ones[2].heard_count = 0;
}

/* Who hears that b lost c parts from c, tells it, and passes it on, once. */
START_TEST(loss_is_honoured_and_relayed_once)
{
    for (int i = 0; i < 2; i++)
        say(1, 0, parse("{lost_connection,b@world,-5,1,c@world}"));
    ck_assert_uint_eq(ones[2].heard_count, 2);
    ck_assert_str_eq(ones[2].heard[0], "info {lost_connection,b@world,-5,1,c@world}");
    ck_assert_str_eq(ones[2].heard[1], "info {remove_connection,a@world}");
    ck_assert_uint_eq(ones[1].heard_count, 0);
    ck_assert(!member_knows(ones[0].member, "c@world"));
    ck_assert(member_knows(ones[0].member, "b@world"));
}
END_TEST

/* A later loss is news, an earlier one and one of the same number are not. */
START_TEST(later_loss_is_news)
{
    say(1, 0, parse("{lost_connection,b@world,5,7,x@world}"));
    ck_assert_uint_eq(ones[2].heard_count, 1);
    say(1, 0, parse("{lost_connection,b@world,5,6,x@world}"));
    ck_assert_uint_eq(ones[2].heard_count, 1);
    say(1, 0, parse("{lost_connection,b@world,5,8,x@world}"));
    ck_assert_uint_eq(ones[2].heard_count, 2);
    say(1, 0, parse("{lost_connection,b@world,6,1,x@world}"));
    ck_assert_uint_eq(ones[2].heard_count, 3);
}
END_TEST

/* We are the one that was lost: we part from who lost us. */
START_TEST(loss_of_us_is_honoured)
{
    say(1, 0, parse("{lost_connection,c@world,5,1,a@world}"));
    ck_assert_str_eq(heard(2), "info {remove_connection,a@world}");
    ck_assert(!member_knows(ones[0].member, "c@world"));
}
END_TEST

/*
 * Who has come back and not joined yet tells of what it lost before: nobody is parted. Once it has
 * joined it is believed, also after it was told to go.
 */
START_TEST(stale_loss_parts_nobody)
{
    part(0, 1);
    join(0, 1);
    say(1, 0, parse("{lost_connection,b@world,5,1,c@world}"));
    ck_assert_uint_eq(ones[2].heard_count, 0);
    ck_assert(member_knows(ones[0].member, "c@world"));

    (void)known_add(ones[0].member, "b@world", 8);
    known_forget(known_find(ones[0].member, "b@world"));
    say(1, 0, parse("{lost_connection,b@world,5,2,c@world}"));
    ck_assert_str_eq(heard(2), "info {remove_connection,a@world}");
    ck_assert(!member_knows(ones[0].member, "c@world"));
}
END_TEST

/* Two that tell each other to go at the same time do not stay connected without knowing it. */
START_TEST(crossing_farewells_close)
{
    say(1, 0, parse("{lost_connection,c@world,5,1,b@world}"));
    ck_assert_str_eq(heard(1), "info {remove_connection,a@world}");
    ck_assert_str_eq(ones[0].parted, "");
    say(1, 0, parse("{remove_connection,b@world}"));
    ck_assert_str_eq(ones[0].parted, "b@world");
}
END_TEST

/* Told to go, we close the connection. */
START_TEST(told_to_go_we_go)
{
    say(1, 0, parse("{remove_connection,b@world}"));
    ck_assert_str_eq(ones[0].parted, "b@world");
    ck_assert(!member_knows(ones[0].member, "b@world"));
    say(1, 0, parse("{remove_connection,x@world}"));
    ck_assert_str_eq(ones[0].parted, "b@world");
}
END_TEST

/* A node that we lose ourselves is nobody else's business: nothing is said. */
START_TEST(own_loss_is_never_told)
{
    part(0, 1);
    pass(1000);
    ck_assert_uint_eq(ones[2].heard_count, 0);
    ck_assert(!member_knows(ones[0].member, "b@world"));
    ck_assert(member_knows(ones[0].member, "c@world"));
}
END_TEST

/* A node's coming and going count in the order of its words. */
START_TEST(words_before_the_end_are_before_it)
{
    struct cn_term message = parse("{in_sync,b@world,true}");
    struct dest server = to_name("global_name_server", "a@world");

    ck_assert_int_eq(gen_cast(world_procs(&world, 1), NULL, &server, message), 0);
    (void)world_deliver_one(&world, 1, 0);
    part(0, 1);
    join(0, 1);
    ck_assert_str_eq(ones[1].heard[0],
                     "{init_connect,{8,1},a@world,{locker,no_longer_a_pid,#{},<a.4.0>}}");
    ck_assert(!known_find(ones[0].member, "b@world")->synced);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, loss_is_honoured_and_relayed_once);
    tcase_add_test(tcase, later_loss_is_news);
    tcase_add_test(tcase, loss_of_us_is_honoured);
    tcase_add_test(tcase, stale_loss_parts_nobody);
    tcase_add_test(tcase, crossing_farewells_close);
    tcase_add_test(tcase, told_to_go_we_go);
    tcase_add_test(tcase, own_loss_is_never_told);
    tcase_add_test(tcase, words_before_the_end_are_before_it);
}

int main(void)
{
    return run_tests("member_known", add, setup, members_teardown);
}
