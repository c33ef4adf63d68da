/*
 * Locks that servers ask for: taken at all members, tried again, given back, forgotten with the
 * server.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "unit/no_memory.h"
#include "unit/registry/members.h"

static struct gen_server *server; /* of a */
static char told_of[64];          /* "held ", "not " in their order */

static void on_end(struct gen_server *self, void *state, struct cn_term reason)
{
    trans_owner_ends(ones[0].member, self);
}

static const struct gen_server_callbacks callbacks = {.module = "locker", .terminate = on_end};

static void setup(void)
{
    members_setup();
    told_of[0] = '\0';
    acquaint();
    ck_assert_int_eq(gen_server_start(world_procs(&world, 0), &callbacks, NULL, &server), 0);
}

static void on_done(void *context, bool held)
{
    size_t size = strlen(told_of);

    ck_assert_ptr_eq(context, &server);
    (void)snprintf(told_of + size, sizeof(told_of) - size, held ? "held " : "not ");
}

static int take(const char *id, uint32_t retries)
{
    return ones[0].names.set_lock(ones[0].member, server, parse(id), retries, on_done, &server);
}

static int give(const char *id)
{
    return ones[0].names.del_lock(ones[0].member, server, parse(id), on_done, &server);
}

/* A lock is held by the server's own process at all members, until it is given back. */
START_TEST(lock_is_held_everywhere)
{
    ck_assert_int_eq(take("{res,me}", 0), 0);
    ck_assert_str_eq(told_of, "");
    world_settle(&world);
    ck_assert_str_eq(told_of, "held ");
    ck_assert_uint_eq(locks(), 111);
    ck_assert_int_eq(give("{res,me}"), 0);
    world_settle(&world);
    ck_assert_str_eq(told_of, "held not ");
    ck_assert_uint_eq(locks(), 0);
}
END_TEST

/* What another has is not had in a first try, but in a later one, once it is free. */
START_TEST(taken_lock_is_tried_again)
{
    ck_assert_int_eq(locks_set(ones[1].member, parse("{res,other}"), &ones[1].pids[0]), 0);
    ck_assert_int_eq(take("{res,me}", 0), 0);
    ck_assert_int_eq(take("{res,me}", 1), 0);
    pass(2000);
    ck_assert_str_eq(told_of, "not not ");
    ck_assert_uint_eq(locks(), 10);
    ck_assert_int_eq(take("{res,me}", UINT32_MAX), 0);
    pass(20000);
    ck_assert_str_eq(told_of, "not not ");
    locks_delete(ones[1].member, parse("{res,other}"), &ones[1].pids[0]);
    pass(20000);
    ck_assert_str_eq(told_of, "not not held ");
    ck_assert_uint_eq(locks(), 111);
}
END_TEST

/* A lock goes with its server, held or waited for, and nobody is called. */
START_TEST(lock_goes_with_its_server)
{
    ck_assert_int_eq(locks_set(ones[1].member, parse("{other,other}"), &ones[1].pids[0]), 0);
    ck_assert_int_eq(take("{res,me}", 0), 0);
    ck_assert_int_eq(take("{other,me}", UINT32_MAX), 0);
    world_settle(&world);
    ck_assert_int_eq(take("{third,me}", UINT32_MAX), 0);
    ck_assert_str_eq(told_of, "held ");
    gen_server_stop_atom(server, "normal");
    pass(20000);
    ck_assert_uint_eq(locks(), 10);
    ck_assert_str_eq(told_of, "held ");
}
END_TEST

/* Who gives back what he has not is told so too, a moment later. */
START_TEST(nothing_to_give_back)
{
    ck_assert_int_eq(give("{res,me}"), 0);
    ck_assert_str_eq(told_of, "");
    pass(10);
    ck_assert_str_eq(told_of, "not ");
    ck_assert_int_eq(give("res"), CN_E_INVALID);
    ck_assert_int_eq(take("{res}", 0), CN_E_INVALID);
}
END_TEST

/* When somebody kills global_name_server, who waits is told that he has nothing. */
START_TEST(killed_member_answers_who_waits)
{
    struct cn_pid gns = *gen_server_pid(ones[0].member->server);

    ck_assert_int_eq(locks_set(ones[1].member, parse("{res,other}"), &ones[1].pids[0]), 0);
    ck_assert_int_eq(take("{res,me}", UINT32_MAX), 0);
    world_settle(&world);
    ck_assert_int_eq(procs_exit_signal(world_procs(&world, 0), NULL, &gns, atom("kill")), 0);
    pass(1000);
    ck_assert_str_eq(told_of, "not ");
    ck_assert_int_eq(take("{res,me}", 0), CN_E_CLOSED);
    ck_assert_int_eq(give("{res,me}"), CN_E_CLOSED);
}
END_TEST

static int set_lock(void *context)
{
    struct cn_term *id = context;

    return ones[0].names.set_lock(ones[0].member, server, *id, 0, on_done, &server);
}

/* Without memory nothing is taken and nothing is left behind. */
START_TEST(survives_no_memory)
{
    struct cn_term id = parse("{res,me}");

    ck_assert_uint_gt(no_memory_sweep(set_lock, &id), 1);
    world_settle(&world);
    ck_assert_str_eq(told_of, "held ");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, lock_is_held_everywhere);
    tcase_add_test(tcase, taken_lock_is_tried_again);
    tcase_add_test(tcase, lock_goes_with_its_server);
    tcase_add_test(tcase, nothing_to_give_back);
    tcase_add_test(tcase, killed_member_answers_who_waits);
    tcase_add_test(tcase, survives_no_memory);
}

int main(void)
{
    return run_tests("member_trans", add, setup, members_teardown);
}
