/*
 * What node a answers by rpc, asked by node b: names from its table, and verdicts while partitions
 * join.
 */
#include <string.h>

#include "registry/global_resolve.h"
#include "unit/registry/members.h"

static struct server asker;
static struct gen_server *self;

static void setup(void)
{
    members_setup();
    join(0, 1);
    self = server_start(world_procs(&world, 1), &asker, NULL);
}

static void teardown(void)
{
    members_teardown();
    server_deinit(&asker);
}

static const char *rpc(const char *function, struct cn_term arguments)
{
    ck_assert_int_eq(call_rpc(self, "a@world", "global", function, arguments, 1000, server_done,
                              &asker, NULL),
                     0);
    world_settle(&world);
    return server_last(&asker);
}

/* Who has a name, from the table. */
START_TEST(whereis_answers)
{
    ck_assert_int_eq(roster_insert(ones[0].member, atom("n"), &ones[1].pids[0], atom("m"), NULL),
                     0);
    ck_assert_str_eq(rpc("whereis_name", parse("[n]")), "reply <b.6.0>");
    ck_assert_str_eq(rpc("whereis_name", parse("[x]")), "reply undefined");
}
END_TEST

/* A conflict is resolved here, and the owner of the process that goes is told. */
START_TEST(resolve_it_answers)
{
    struct cn_term method = global_method_term(GLOBAL_EXIT_ONE);
    struct cn_pid lesser = ones[1].pids[0];

    memcpy(lesser.node, "A@world", 8);
    ck_assert_str_eq(rpc("resolve_it",
                         parse_with("[%t,n,%p,%p]", &method, &lesser, &ones[0].pids[0])),
                     "reply <A.6.0>");
    ck_assert_str_eq(ones[0].conflict, "n <a.6.0> <A.6.0>");
    ck_assert_str_eq(ones[0].probes[0].ended, "killed");
    ck_assert_ptr_nonnull(
        strstr(rpc("resolve_it", parse_with("[m,n,%p,%p]", &lesser, &lesser)), "badrpc"));
}
END_TEST

/* The owner's choice is answered when he has made it. */
START_TEST(owner_is_waited_for)
{
    static const uint8_t bytes[] = "\x71\x77\x05owner\x77\x06"
                                   "choose\x61\x03";
    struct cn_term method = {bytes, sizeof(bytes) - 1};

    ck_assert_str_eq(rpc("resolve_it",
                         parse_with("[%t,n,%p,%p]", &method, &ones[1].pids[0], &ones[0].pids[0])),
                     "");
    ck_assert_str_eq(ones[0].asked, "n <b.6.0> <a.6.0>");
    ones[0].chosen(ones[0].chosen_context, _i == 0 ? &ones[1].pids[0] : NULL);
    world_settle(&world);
    ck_assert_str_eq(server_last(&asker), _i == 0 ? "reply <b.6.0>" : "reply none");
}
END_TEST

/* All names, waiting for nodes, and leaving them, by rpc. */
START_TEST(operators_are_answered)
{
    ck_assert_str_eq(rpc("registered_names", parse("[]")), "reply []");
    ck_assert_int_eq(roster_insert(ones[0].member, atom("n"), &ones[1].pids[0], atom("m"), NULL),
                     0);
    ck_assert_str_eq(rpc("registered_names", parse("[]")), "reply [n]");
    (void)rpc("sync", parse("[]"));
    pass(3000); /* the join */
    ck_assert_str_eq(server_last(&asker), "reply ok");
    ck_assert_str_eq(rpc("sync", parse("[[b@world]]")), "reply ok");
    ck_assert_ptr_nonnull(strstr(rpc("sync", parse("[x]")), "badarg"));
    ck_assert_str_eq(rpc("disconnect", parse("[]")), "reply [b@world]");
    pass(50);
    ck_assert_str_eq(ones[0].parted, "b@world");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, whereis_answers);
    tcase_add_test(tcase, resolve_it_answers);
    tcase_add_loop_test(tcase, owner_is_waited_for, 0, 2);
    tcase_add_test(tcase, operators_are_answered);
}

int main(void)
{
    return run_tests("member_functions", add, setup, teardown);
}
