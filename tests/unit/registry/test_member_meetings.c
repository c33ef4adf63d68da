/*
 * A meeting word by word, with a scripted peer b that says what a BEAM says; and what happens when
 * the two are out of step.
 */
#include <string.h>

#include "unit/registry/members.h"

static struct cn_pid locker;

static void setup(void)
{
    members_setup();
    script(1);
    locker = ones[1].pids[3];
}

static void expect_heard(const char *const *lines, size_t count)
{
    for (size_t i = 0; i < count && i < ones[1].heard_count; i++)
        ck_assert_str_eq(ones[1].heard[i], lines[i]);
    ck_assert_uint_eq(ones[1].heard_count, count);
    ones[1].heard_count = 0;
}

static void call_us(int tag, int version)
{
    struct cn_term t = tag == 77 ? parse("77") : parse("78");
    struct cn_term v = version == 8 ? parse("8") : version == 7 ? parse("7") : parse("5");

    cast(1, 0, parse_with("{init_connect,{%t,%t},b@world,{locker,x,#{},%p}}", &v, &t, &locker));
}

/* A join that the BEAM begins, as it was recorded; his call is not acknowledged. */
START_TEST(beam_begins)
{
    static const char *const heard_lines[] = {
        "{init_connect,{8,1},a@world,{locker,no_longer_a_pid,#{},<a.4.0>}}",
        "{lock_set,<a.4.0>,true,[],77}",
        "{exchange,a@world,[{ours,<a.6.0>,?}],[],77}",
        "{resolved,a@world,[],[],unused,[],77}",
    };

    ask(0, "ours", 0, 0);
    world_settle(&world);
    golden_begin();
    join(0, 1);
    call_us(77, 8);
    cast(1, 0, parse_with("{lock_set,%p,true,[],1}", &locker));
    cast(1, 0, parse_with("{exchange,b@world,[{theirs,%p,m}],[],1}", &locker));
    cast(1, 0, parse("{resolved,b@world,[],[],unused,[],1}"));
    expect_heard(heard_lines, 4);
    ck_assert(member_knows(ones[0].member, "b@world"));
    ck_assert_str_eq(holder(0, "theirs"), show(pid_term(&locker)));
    ck_assert_uint_eq(member_locks(ones[0].member), 0);
    ck_assert_str_eq(told, "meeting with b@world: idle -> called\n"
                           "meeting with b@world: called -> met\n"
                           "locking with b@world, asked\n"
                           "meeting with b@world: met -> locked\n"
                           "meeting with b@world: locked -> resolving\n"
                           "meeting with b@world: resolving -> resolved\n"
                           "b@world is known\n"
                           "meeting with b@world: resolved -> idle\n");
}
END_TEST

/* His names and his verdicts may come before we are ready for them. */
START_TEST(early_words_are_kept)
{
    join(0, 1);
    call_us(77, 8);
    cast(1, 0, parse_with("{exchange,b@world,[{theirs,%p,m}],[],1}", &locker));
    ck_assert_str_eq(holder(0, "theirs"), "");
    cast(1, 0, parse_with("{lock_set,%p,true,[],1}", &locker));
    ck_assert_str_eq(heard(1), "{resolved,a@world,[],[],unused,[],77}");
    cast(1, 0, parse("{resolved,b@world,[],[],unused,[],1}"));
    ck_assert_str_eq(holder(0, "theirs"), show(pid_term(&locker)));
}
END_TEST

/* What belongs to an earlier attempt is not taken. */
START_TEST(words_with_other_tags_are_dropped)
{
    join(0, 1);
    call_us(77, 8);
    cast(1, 0, parse_with("{lock_set,%p,true,[],2}", &locker));
    ck_assert_str_eq(heard(1), "{init_connect,{8,1},a@world,{locker,no_longer_a_pid,#{},<a.4.0>}}");
    cast(1, 0, parse_with("{lock_set,%p,true,[],1}", &locker));
    cast(1, 0, parse_with("{exchange,b@world,[{theirs,%p,m}],[],9}", &locker));
    cast(1, 0, parse("{resolved,b@world,[],[],unused,[],9}"));
    ck_assert(!member_knows(ones[0].member, "b@world"));
    ck_assert_str_eq(ones[1].heard[ones[1].heard_count - 1], "{exchange,a@world,[],[],77}");
}
END_TEST

/* He cancels: we give the lock back and begin again, with a new tag. */
START_TEST(cancelled_meeting_begins_again)
{
    join(0, 1);
    call_us(77, 8);
    cast(1, 0, parse_with("{lock_set,%p,true,[],1}", &locker));
    ck_assert_uint_eq(member_locks(ones[0].member), 1);
    say(1, 0, parse("{cancel_connect,b@world,1}"));
    ck_assert_uint_eq(member_locks(ones[0].member), 0);
    ck_assert_str_eq(heard(1), "{init_connect,{8,2},a@world,{locker,no_longer_a_pid,#{},<a.4.0>}}");
    ck_assert_str_eq(ones[1].heard[ones[1].heard_count - 2], "info {cancel_connect,a@world,77}");
}
END_TEST

/* A second init_connect, or an acknowledgement of other tags: out of step, so begin again. */
START_TEST(out_of_step_begins_again)
{
    join(0, 1);
    call_us(77, 8);
    if (_i == 0)
        call_us(78, 8);
    else
        say(1, 0, parse("{init_connect_ack,b@world,9,78}"));
    ck_assert_str_eq(heard(1), "{init_connect,{8,2},a@world,{locker,no_longer_a_pid,#{},<a.4.0>}}");
    ck_assert_str_eq(ones[1].heard[ones[1].heard_count - 2], "info {cancel_connect,a@world,78}");
    say(1, 0, parse("{cancel_connect,b@world,1}")); /* of the meeting that is over */
    ck_assert_str_eq(heard(1), "{init_connect,{8,2},a@world,{locker,no_longer_a_pid,#{},<a.4.0>}}");
    call_us(77, 8);
    cast(1, 0, parse_with("{lock_set,%p,true,[],2}", &locker));
    ck_assert_str_eq(heard(1), "{exchange,a@world,[],[],77}");
}
END_TEST

/* An acknowledgement that fits changes nothing. */
START_TEST(fitting_acknowledgement_is_fine)
{
    join(0, 1);
    call_us(77, 8);
    say(1, 0, parse("{init_connect_ack,b@world,1,77}"));
    ck_assert_str_eq(heard(1), "{init_connect,{8,1},a@world,{locker,no_longer_a_pid,#{},<a.4.0>}}");
}
END_TEST

/* Who is in sync through others needs no meeting. */
START_TEST(peer_in_sync_needs_no_meeting)
{
    join(0, 1);
    call_us(77, 8);
    cast(1, 0, parse("{in_sync,b@world,true}"));
    ones[1].heard_count = 0;
    pass(3000);
    ck_assert_uint_eq(ones[1].heard_count, 0);
    ask_server(1, 0, parse("get_synced"));
    ck_assert_str_eq(heard(1), "reply [b@world]");
}
END_TEST

/* Older versions: no tag in lock_set, lists of plain nodes. */
START_TEST(older_versions_are_understood)
{
    static const char *const heard_lines[] = {
        "{init_connect,{8,1},a@world,{locker,no_longer_a_pid,#{},<a.4.0>}}",
        "{lock_set,<a.4.0>,true,[c@world]}",
        "{exchange,a@world,[],[],77}",
        "{resolved,a@world,[],[{c@world,8}],unused,[],77}",
    };

    script(2);
    ck_assert(known_add(ones[0].member, "c@world", 8));
    join(0, 2);
    join(0, 1);
    call_us(77, 7);
    cast(1, 0, parse_with("{lock_set,%p,true,[]}", &locker));
    cast(1, 0, parse("{exchange,b@world,[],[],1}"));
    cast(1, 0, parse("{resolved,b@world,[],[d@world],unused,[],1}"));
    expect_heard(heard_lines, 4);
    ck_assert_ptr_nonnull(strstr(ones[2].heard[ones[2].heard_count - 2],
                                 "{new_nodes,a@world,[],[],[{b@world,7},{d@world,0}],[{vsn,7},"));
    ck_assert(member_knows(ones[0].member, "b@world"));
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, beam_begins);
    tcase_add_test(tcase, early_words_are_kept);
    tcase_add_test(tcase, words_with_other_tags_are_dropped);
    tcase_add_test(tcase, cancelled_meeting_begins_again);
    tcase_add_loop_test(tcase, out_of_step_begins_again, 0, 2);
    tcase_add_test(tcase, fitting_acknowledgement_is_fine);
    tcase_add_test(tcase, peer_in_sync_needs_no_meeting);
    tcase_add_test(tcase, older_versions_are_understood);
}

int main(void)
{
    return run_tests("member_meetings", add, setup, members_teardown);
}
