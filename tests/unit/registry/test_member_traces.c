/*
 * Golden traces: what the members tell of themselves, line by line, in the orders that matter. A
 * change of the protocol's order shows here first. The members are a, b and c; where b is scripted
 * it says what a BEAM says.
 */
#include "unit/registry/members.h"

static void expect(const char *lines)
{
    ck_assert_str_eq(told, lines);
}

static void script_calls(int version, const char *tag)
{
    struct cn_term v = version == 8 ? parse("8") : parse("7");
    struct cn_term t = parse(tag);

    cast(1, 0,
         parse_with("{init_connect,{%t,%t},b@world,{locker,x,#{},%p}}", &v, &t, &ones[1].pids[3]));
}

/* Two that know nobody begin at the same moment: the question of one is the answer to the other. */
START_TEST(both_begin)
{
    golden_begin();
    join(0, 1);
    pass(300);
    expect("meeting with b@world: idle -> called\n"
           "meeting with a@world: idle -> called\n"
           "meeting with b@world: called -> met\n"
           "meeting with a@world: called -> met\n"
           "locking with b@world, first\n"
           "locking with a@world, first\n"
           "meeting with b@world: met -> locked\n"
           "meeting with a@world: met -> locked\n"
           "meeting with b@world: locked -> resolving\n"
           "meeting with b@world: resolving -> resolved\n"
           "meeting with a@world: locked -> resolving\n"
           "meeting with a@world: resolving -> resolved\n"
           "b@world is known\n"
           "meeting with b@world: resolved -> idle\n"
           "a@world is known\n"
           "meeting with a@world: resolved -> idle\n");
}
END_TEST

/* A third comes to two who know each other, and is known to both by one join. */
START_TEST(third_comes)
{
    join(0, 1);
    pass(300);
    golden_begin();
    join(1, 2);
    join(0, 2);
    pass(3000);
    expect("meeting with c@world: idle -> called\n"
           "meeting with b@world: idle -> called\n"
           "meeting with c@world: called -> met\n"
           "meeting with b@world: called -> met\n"
           "meeting with c@world: idle -> called\n"
           "meeting with a@world: idle -> called\n"
           "meeting with c@world: called -> met\n"
           "meeting with a@world: called -> met\n"
           "locking with a@world, first\n"
           "locking with c@world, asked\n"
           "meeting with c@world: met -> locked\n"
           "meeting with a@world: met -> locked\n"
           "meeting with a@world: locked -> resolving\n"
           "meeting with a@world: resolving -> resolved\n"
           "meeting with c@world: locked -> resolving\n"
           "meeting with c@world: resolving -> resolved\n"
           "c@world is known\n"
           "meeting with c@world: resolved -> idle\n"
           "c@world is known\n"
           "a@world is known\n"
           "meeting with b@world: met -> idle\n"
           "b@world is known\n"
           "meeting with a@world: resolved -> idle\n"
           "c@world is in sync\n"
           "meeting with c@world: met -> idle\n"
           "b@world is in sync\n");
}
END_TEST

/* He cancels while his partition is locked; the second attempt succeeds. */
START_TEST(cancelled_and_begun_anew)
{
    struct cn_pid *locker = &ones[1].pids[3];

    script(1);
    golden_begin();
    join(0, 1);
    script_calls(8, "77");
    cast(1, 0, parse_with("{lock_set,%p,true,[],1}", locker));
    say(1, 0, parse("{cancel_connect,b@world,1}"));
    script_calls(8, "78");
    cast(1, 0, parse_with("{lock_set,%p,true,[],2}", locker));
    cast(1, 0, parse("{exchange,b@world,[],[],2}"));
    cast(1, 0, parse("{resolved,b@world,[],[],unused,[],2}"));
    expect("meeting with b@world: idle -> called\n"
           "meeting with b@world: called -> met\n"
           "locking with b@world, asked\n"
           "meeting with b@world: met -> locked\n"
           "meeting with b@world: locked -> idle\n"
           "meeting with b@world: idle -> called\n"
           "meeting with b@world: called -> met\n"
           "locking with b@world, asked\n"
           "meeting with b@world: met -> locked\n"
           "meeting with b@world: locked -> resolving\n"
           "meeting with b@world: resolving -> resolved\n"
           "b@world is known\n"
           "meeting with b@world: resolved -> idle\n");
}
END_TEST

/* A peer of version 7: no tag with the lock, no cancelling. */
START_TEST(older_peer_joins)
{
    script(1);
    golden_begin();
    join(0, 1);
    script_calls(7, "77");
    cast(1, 0, parse_with("{lock_set,%p,true,[]}", &ones[1].pids[3]));
    cast(1, 0, parse("{exchange,b@world,[],[],1}"));
    cast(1, 0, parse("{resolved,b@world,[],[],unused,[],1}"));
    expect("meeting with b@world: idle -> called\n"
           "meeting with b@world: called -> met\n"
           "locking with b@world, asked\n"
           "meeting with b@world: met -> locked\n"
           "meeting with b@world: locked -> resolving\n"
           "meeting with b@world: resolving -> resolved\n"
           "b@world is known\n"
           "meeting with b@world: resolved -> idle\n");
}
END_TEST

/* The scripted b says that it lost c: a sends c away, and takes it back when it comes again. */
START_TEST(expelled_and_taken_back)
{
    script(1);
    join(0, 1);
    script_calls(8, "77");
    cast(1, 0, parse_with("{lock_set,%p,true,[],1}", &ones[1].pids[3]));
    cast(1, 0, parse("{exchange,b@world,[],[],1}"));
    cast(1, 0, parse("{resolved,b@world,[],[],unused,[],1}"));
    join(0, 2);
    pass(3000);
    golden_begin();
    say(1, 0, parse("{lost_connection,b@world,5,1,c@world}"));
    part(0, 2);
    join(0, 2);
    pass(3000);
    expect("b@world lost c@world\n"
           "c@world shall go\n"
           "c@world is not known any more\n"
           "b@world lost c@world\n"
           "b@world shall go\n"
           "b@world is not known any more\n"
           "a@world wants us to go\n"
           "a@world is not known any more\n"
           "parting from a@world\n"
           "meeting with c@world: idle -> called\n"
           "meeting with a@world: idle -> called\n"
           "meeting with c@world: called -> met\n"
           "meeting with a@world: called -> met\n"
           "locking with a@world, first\n"
           "locking with c@world, asked\n"
           "meeting with c@world: met -> locked\n"
           "meeting with a@world: met -> locked\n"
           "meeting with a@world: locked -> resolving\n"
           "meeting with a@world: resolving -> resolved\n"
           "meeting with c@world: locked -> resolving\n"
           "meeting with c@world: resolving -> resolved\n"
           "c@world is known\n"
           "meeting with c@world: resolved -> idle\n"
           "a@world is known\n"
           "b@world is known\n"
           "meeting with a@world: resolved -> idle\n");
}
END_TEST

/* The scripted b was away, and is behind: a keeps c, whom b says that it lost. */
START_TEST(stale_loss)
{
    script(1);
    join(0, 2);
    pass(1000);
    golden_begin();
    join(0, 1);
    script_calls(8, "77");
    say(1, 0, parse("{lost_connection,b@world,5,1,c@world}"));
    expect("meeting with b@world: idle -> called\n"
           "meeting with b@world: called -> met\n"
           "b@world has yet to join, and says that it lost c@world\n");
}
END_TEST

/* Two partitions bring the same name: the process lives with him who resolves, or further on. */
START_TEST(name_in_two_hands)
{
    static const char *const lines[] = {
        "meeting with b@world: idle -> called\n"
        "meeting with a@world: idle -> called\n"
        "meeting with b@world: called -> met\n"
        "meeting with a@world: called -> met\n"
        "locking with b@world, first\n"
        "locking with a@world, first\n"
        "meeting with b@world: met -> locked\n"
        "meeting with a@world: met -> locked\n"
        "meeting with b@world: locked -> resolving\n"
        "a name is in two hands, on a@world and b@world\n"
        "meeting with b@world: resolving -> resolved\n"
        "meeting with a@world: locked -> resolving\n"
        "meeting with a@world: resolving -> resolved\n"
        "b@world is known\n"
        "meeting with b@world: resolved -> idle\n"
        "a@world is known\n"
        "meeting with a@world: resolved -> idle\n",
        "meeting with b@world: idle -> called\n"
        "meeting with a@world: idle -> called\n"
        "meeting with b@world: called -> met\n"
        "meeting with a@world: called -> met\n"
        "locking with a@world, first\n"
        "locking with b@world, asked\n"
        "meeting with b@world: met -> locked\n"
        "meeting with a@world: met -> locked\n"
        "meeting with a@world: locked -> resolving\n"
        "meeting with a@world: resolving -> resolved\n"
        "meeting with b@world: locked -> resolving\n"
        "a name is in two hands, on c@world and b@world\n"
        "meeting with b@world: resolving -> resolved\n"
        "b@world is known\n"
        "meeting with b@world: resolved -> idle\n"
        "a@world is known\n"
        "c@world is known\n"
        "meeting with a@world: resolved -> idle\n"
        "b@world is known\n",
    };

    ask(_i == 0 ? 0 : 2, "name", 0, 0);
    ask(1, "name", 0, 1);
    world_settle(&world);
    if (_i == 1) {
        join(0, 2);
        pass(1000);
    }
    golden_begin();
    join(0, 1);
    pass(3000);
    expect(lines[_i]);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, both_begin);
    tcase_add_test(tcase, third_comes);
    tcase_add_test(tcase, cancelled_and_begun_anew);
    tcase_add_test(tcase, older_peer_joins);
    tcase_add_test(tcase, expelled_and_taken_back);
    tcase_add_test(tcase, stale_loss);
    tcase_add_loop_test(tcase, name_in_two_hands, 0, 2);
}

int main(void)
{
    return run_tests("member_traces", add, members_setup, members_teardown);
}
