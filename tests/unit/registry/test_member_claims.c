/*
 * Claims: one lock at three members, all or nothing, the greatest node first and last.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "unit/registry/members.h"

static struct claim *mine;
static char outcome[64]; /* "held ", "not " in their order */

static void on_done(void *context, bool held)
{
    ck_assert_ptr_eq(context, &mine);
    size_t size = strlen(outcome);

    (void)snprintf(outcome + size, sizeof(outcome) - size, held ? "held " : "not ");
}

static void setup(void)
{
    members_setup();
    outcome[0] = '\0';
    acquaint();
}

static void start(void)
{
    ck_assert_int_eq(claim_start(ones[0].member, ones[0].member->registrar_server, parse("{res,1}"),
                                 NULL, on_done, &mine, &mine),
                     0);
}

/* It is had everywhere, and given back everywhere, either way. */
START_TEST(lock_is_taken_and_given_back)
{
    start();
    ck_assert_str_eq(outcome, "");
    world_settle(&world);
    ck_assert_str_eq(outcome, "held ");
    ck_assert_uint_eq(locks(), 111);
    ck_assert(claim_covers(mine, "b@world"));
    ck_assert(!claim_covers(mine, "d@world"));
    if (_i == 0)
        claim_release(mine);
    else
        claim_release_at_once(mine);
    ck_assert_str_eq(outcome, _i == 0 ? "held " : "held not ");
    world_settle(&world);
    ck_assert_str_eq(outcome, "held not ");
    ck_assert_uint_eq(locks(), 0);
}
END_TEST

/* Given back at once it goes behind what the nodes have not done yet: nobody's answer is awaited.
 */
START_TEST(release_awaits_no_answer)
{
    start();
    world_settle(&world);
    claim_release_at_once(mine);
    ck_assert_str_eq(outcome, "held not ");
    (void)procs_run(world_procs(&world, 0), world.now_ms);
    ck_assert_uint_eq(locks(), 11);
    while (world_deliver_one(&world, 0, 2))
        ;
    (void)procs_run(world_procs(&world, 2), world.now_ms);
    ck_assert_uint_eq(locks(), 10);
    world_settle(&world);
    ck_assert_uint_eq(locks(), 0);
}
END_TEST

/*
 * Who cannot be told of the release, for want of memory, drops our locks with the connection; here
 * there is none to drop.
 */
START_TEST(release_survives_no_memory)
{
    start();
    world_settle(&world);
    mem_test_begin();
    mem_test_fail((size_t)_i);
    claim_release_at_once(mine);
    mem_test_fail(0);
    (void)mem_test_end();
    ck_assert_str_eq(outcome, "held not ");
    world_settle(&world);
    ck_assert_int_ne(ones[0].parted[0], 'a');
    if (ones[0].parted[0] != '\0')
        part(0, ones[0].parted[0] - 'a');
    ck_assert_uint_eq(locks(), 0);
}
END_TEST

/* Whoever has it at the greatest node is not even noticed at the others. */
START_TEST(greatest_node_refuses_first)
{
    ck_assert_int_eq(locks_set(ones[2].member, parse("{res,2}"), &ones[2].pids[0]), 0);
    start();
    world_settle(&world);
    ck_assert_str_eq(outcome, "not ");
    ck_assert_uint_eq(locks(), 1);
    ck_assert_uint_eq(world.nodes[0].sent[CONTROL_REG_SEND], 1); /* set_lock at c */
}
END_TEST

/* One refuses: the others get it back. */
START_TEST(refusal_gives_all_back)
{
    ck_assert_int_eq(locks_set(ones[1].member, parse("{res,2}"), &ones[1].pids[0]), 0);
    start();
    world_settle(&world);
    ck_assert_str_eq(outcome, "not ");
    ck_assert_uint_eq(locks(), 10);
}
END_TEST

/* Taken back while being taken: given back by those who gave it. */
START_TEST(taken_back_claim_is_given_back)
{
    start();
    if (_i > 0) {
        (void)procs_run(world_procs(&world, 0), world.now_ms);
        (void)world_deliver_one(&world, 0, 2);
    }
    claim_cancel(mine);
    world_settle(&world);
    ck_assert_str_eq(outcome, "not ");
    ck_assert_uint_eq(locks(), 0);
}
END_TEST

/* A node that goes meanwhile has no say. */
START_TEST(lost_node_has_no_say)
{
    start();
    part(0, _i);
    world_settle(&world);
    ck_assert_str_eq(outcome, "held ");
    claim_release(mine);
    world_settle(&world);
    ck_assert_str_eq(outcome, "held not ");
    ck_assert_uint_eq(locks(), 0);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_loop_test(tcase, lock_is_taken_and_given_back, 0, 2);
    tcase_add_test(tcase, release_awaits_no_answer);
    tcase_add_loop_test(tcase, release_survives_no_memory, 1, 12);
    tcase_add_test(tcase, greatest_node_refuses_first);
    tcase_add_test(tcase, refusal_gives_all_back);
    tcase_add_loop_test(tcase, taken_back_claim_is_given_back, 0, 2);
    tcase_add_loop_test(tcase, lost_node_has_no_say, 1, 3);
}

int main(void)
{
    return run_tests("member_claims", add, setup, members_teardown);
}
