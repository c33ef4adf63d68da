/*
 * Names that two partitions have: who is asked, and who keeps them.
 */
#include "registry/global_resolve.h"
#include "unit/registry/members.h"

static void take_apart(int first, int second)
{
    ask(first, "name", 0, 0);
    ask(second, "name", 0, 1);
    world_settle(&world);
}

/* The process of our partition lives on a third node: that one is asked, and its owner told. */
START_TEST(third_node_resolves)
{
    take_apart(1, 2);
    join(0, 2);
    pass(1000);
    ck_assert_str_eq(holder(0, "name"), "<c.6.0>");
    join(0, 1);
    pass(3000);
    for (int i = 0; i < WORLD_NODES; i++)
        ck_assert_str_eq(holder(i, "name"), "<b.6.0>");
    ck_assert_str_eq(ones[2].conflict, "name <c.6.0> <b.6.0>");
    ck_assert_str_eq(ones[2].probes[0].ended, "killed");
}
END_TEST

/* A scripted peer b joins a and has a name that a has too, for a process of a. */
static void join_scripted(struct cn_term method)
{
    struct cn_pid *theirs = &ones[1].pids[0];

    script(1);
    ck_assert_int_eq(roster_insert(ones[0].member, atom("name"), &ones[0].pids[0], method, NULL),
                     0);
    join(0, 1);
    cast(1, 0, parse_with("{init_connect,{8,77},b@world,{locker,x,#{},%p}}", theirs));
    cast(1, 0, parse_with("{lock_set,%p,true,[],1}", theirs));
    cast(1, 0, parse_with("{exchange,b@world,[{name,%p,m}],[],1}", theirs));
}

/* Ours keeps it: that is a verdict for his partition. */
START_TEST(verdict_for_ours)
{
    join_scripted(global_method_term(GLOBAL_EXIT_ONE));
    ck_assert_str_eq(heard(1), "{resolved,a@world,[{insert,{name,<a.6.0>,?}}],[],unused,[],77}");
    cast(1, 0, parse("{resolved,b@world,[],[],unused,[],1}"));
    ck_assert_str_eq(holder(0, "name"), "<a.6.0>");
    ck_assert_str_eq(ones[1].probes[0].ended, "killed");
}
END_TEST

/* The node with the greater name leaves it to the other. */
START_TEST(greater_node_does_not_resolve)
{
    struct cn_pid *theirs = &ones[1].pids[0];

    script(1);
    ask(2, "name", 0, 0);
    world_settle(&world);
    join(2, 1);
    cast(1, 2, parse_with("{init_connect,{8,77},b@world,{locker,x,#{},%p}}", theirs));
    cast(1, 2, parse_with("{lock_set,%p,true,[],1}", theirs));
    cast(1, 2, parse_with("{exchange,b@world,[{name,%p,m}],[],1}", theirs));
    ck_assert_str_eq(heard(1), "{resolved,c@world,[],[],unused,[],77}");
    ck_assert_str_eq(ones[1].probes[0].ended, "");
    cast(1, 2, parse_with("{resolved,b@world,[{insert,{name,%p,m}}],[],unused,[],1}", theirs));
    ck_assert_str_eq(holder(2, "name"), "<b.6.0>");
    ck_assert_str_eq(ones[2].conflict, "name <c.6.0> <b.6.0>");
}
END_TEST

/* A method that is not known here: his keeps it, and the owner here is told. */
START_TEST(unknown_method_yields)
{
    join_scripted(atom("m"));
    ck_assert_str_eq(heard(1), "{resolved,a@world,[],[],unused,[],77}");
    cast(1, 0, parse("{resolved,b@world,[],[],unused,[],1}"));
    ck_assert_str_eq(holder(0, "name"), "<b.6.0>");
    ck_assert_str_eq(ones[0].conflict, "name <a.6.0> <b.6.0>");
    ck_assert_str_eq(ones[0].probes[0].ended, "");
}
END_TEST

/* notify_all_name: nobody keeps it, both are told. */
START_TEST(nobody_keeps_it)
{
    static const uint8_t method[] = "\x71\x77\x06global\x77\x0fnotify_all_name\x61\x03";

    join_scripted((struct cn_term){method, sizeof(method) - 1});
    ck_assert_str_eq(heard(1), "{resolved,a@world,[{delete,name}],[],unused,[],77}");
    cast(1, 0, parse("{resolved,b@world,[],[],unused,[],1}"));
    ck_assert_str_eq(holder(0, "name"), "");
    ck_assert_str_eq(ones[0].probes[0].log[0], "{global_name_conflict,name,<b.6.0>}");
}
END_TEST

static const uint8_t owners[] = "\x71\x77\x05owner\x77\x06"
                                "choose\x61\x03";
static const struct cn_term owners_method = {owners, sizeof(owners) - 1};

/* The owner of our process chooses, in his own time: the meeting waits for him. */
START_TEST(owner_chooses)
{
    join_scripted(owners_method);
    ck_assert_str_eq(ones[0].asked, "name <b.6.0> <a.6.0>");
    ck_assert_str_eq(heard(1), "{exchange,a@world,[{name,<a.6.0>,?}],[],77}");
    ones[0].chosen(ones[0].chosen_context, _i == 0 ? &ones[0].pids[0] : &ones[1].pids[0]);
    world_settle(&world);
    ck_assert_str_eq(heard(1),
                     _i == 0 ? "{resolved,a@world,[{insert,{name,<a.6.0>,?}}],[],unused,[],77}"
                             : "{resolved,a@world,[],[],unused,[],77}");
    cast(1, 0, parse("{resolved,b@world,[],[],unused,[],1}"));
    ck_assert_str_eq(holder(0, "name"), _i == 0 ? "<a.6.0>" : "<b.6.0>");
    ck_assert_str_eq(ones[0].probes[0].ended, "");
    ck_assert_uint_eq(member_locks(ones[0].member), 0);
}
END_TEST

/* He who chooses after the peer has gone changes nothing. */
START_TEST(late_choice_changes_nothing)
{
    join_scripted(owners_method);
    part(0, 1);
    ck_assert_uint_eq(member_locks(ones[0].member), 0);
    ones[0].chosen(ones[0].chosen_context, &ones[1].pids[0]);
    ck_assert(list_empty(&ones[0].member->questions));
    ck_assert_str_eq(holder(0, "name"), "<a.6.0>");
}
END_TEST

/* The peer goes while a third node is being asked: nothing comes of it, and nothing is left. */
START_TEST(lost_peer_ends_the_question)
{
    take_apart(1, 2);
    join(0, 2);
    pass(1000);
    join(0, 1);
    for (int i = 0; i < 3000 && ones[0].member->questions.next == &ones[0].member->questions; i++) {
        world.now_ms += i % 5 == 0 ? 1 : 0;
        for (int k = 0; k < WORLD_NODES; k++)
            (void)procs_run(world_procs(&world, k), world.now_ms);
        for (int k = 0; k < WORLD_NODES; k++)
            (void)world_deliver_one(&world, k, (k + 1 + i % 2) % WORLD_NODES);
    }
    ck_assert(!list_empty(&ones[0].member->questions));
    part(0, 1);
    pass(100);
    ck_assert(list_empty(&ones[0].member->questions));
    ck_assert_uint_eq(member_locks(ones[0].member), 0);
    ck_assert_uint_eq(member_locks(ones[2].member), 0);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, third_node_resolves);
    tcase_add_test(tcase, verdict_for_ours);
    tcase_add_test(tcase, greater_node_does_not_resolve);
    tcase_add_test(tcase, unknown_method_yields);
    tcase_add_test(tcase, nobody_keeps_it);
    tcase_add_loop_test(tcase, owner_chooses, 0, 2);
    tcase_add_test(tcase, late_choice_changes_nothing);
    tcase_add_test(tcase, lost_peer_ends_the_question);
}

int main(void)
{
    return run_tests("member_exchange", add, members_setup, members_teardown);
}
