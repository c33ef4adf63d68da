/*
 * New nodes, as a member that did not join them hears of them. Node b is a scripted peer, known.
 */
#include "unit/registry/members.h"

static struct cn_pid theirs;

static void setup(void)
{
    members_setup();
    script(1);
    script(2);
    theirs = ones[1].pids[0];
    (void)known_add(ones[0].member, "b@world", 8);
    join(0, 1);
    world_connect(&world, 0, 2);
}

static void tell(const char *lock)
{
    struct cn_term term = parse(lock);

    cast(1, 0,
         parse_with("{new_nodes,b@world,[{insert,{n,%p,m}},{delete,old}],[{n,%p,b@world}],"
                    "[{c@world,8},{a@world,8}],[{vsn,8},{lock,%t}]}",
                    &theirs, &theirs, &term));
}

/* They are known, told that we are in sync, and the list is applied. */
START_TEST(new_nodes_are_known)
{
    ck_assert_int_eq(roster_insert(ones[0].member, atom("old"), &theirs, atom("m"), NULL), 0);
    tell("{global,x}");
    ck_assert(member_knows(ones[0].member, "c@world"));
    ck_assert_uint_eq(known_count(ones[0].member), 2);
    ck_assert_str_eq(holder(0, "n"), "<b.6.0>");
    ck_assert_str_eq(holder(0, "old"), "");
    ck_assert_str_eq(roster_find(ones[0].member, atom("n"))->registered_by, "b@world");
    ck_assert_str_eq(heard(2), "{in_sync,a@world,true}");
}
END_TEST

/* Under another lock than that of the join the list is too late. */
START_TEST(list_of_another_lock_is_not_applied)
{
    ck_assert_int_eq(locks_set(ones[0].member, parse("{global,x}"), &theirs), 0);
    tell(_i == 0 ? "{global,x}" : "{global,y}");
    ck_assert_str_eq(holder(0, "n"), _i == 0 ? "<b.6.0>" : "");
    ck_assert(member_knows(ones[0].member, "c@world"));
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, new_nodes_are_known);
    tcase_add_loop_test(tcase, list_of_another_lock_is_not_applied, 0, 2);
}

int main(void)
{
    return run_tests("member_apply", add, setup, members_teardown);
}
