/*
 * What node b asks of node a's scope by rpc: the functions of pg that only read.
 */
#include <stdio.h>
#include <string.h>

#include "unit/registry/scopes.h"

static struct server asker;
static struct gen_server *self;

static void setup(void)
{
    scopes_setup();
    scopes_join(0, 1);
    self = server_start(world_procs(&world, 1), &asker, NULL);
    ck_assert_int_eq(pg_join(scopes[0].pg, atom("g"), &scopes[0].pids[0]), 0);
    ck_assert_int_eq(pg_join(scopes[1].pg, atom("h"), &scopes[1].pids[0]), 0);
    world_settle(&world);
}

static void teardown(void)
{
    scopes_teardown();
    server_deinit(&asker);
}

static const char *rpc(const char *function, const char *arguments)
{
    ck_assert_int_eq(call_rpc(self, "a@world", "pg", function, parse(arguments), 1000, server_done,
                              &asker, NULL),
                     0);
    world_settle(&world);
    return server_last(&asker);
}

/* Members and groups, of all nodes or of the asked one. */
START_TEST(a_scope_is_asked)
{
    char expected[64];

    (void)snprintf(expected, sizeof(expected), "reply [%s]", show(pid_term(&scopes[1].pids[0])));
    ck_assert_str_eq(rpc("get_members", "[scope,h]"), expected);
    ck_assert_str_eq(rpc("get_local_members", "[scope,h]"), "reply []");
    ck_assert_str_eq(rpc("which_groups", "[scope]"), "reply [g,h]");
    ck_assert_str_eq(rpc("which_local_groups", "[scope]"), "reply [g]");
}
END_TEST

/* As on a BEAM: a scope that is not there has no members, and no table of groups. */
START_TEST(other_scopes_are_empty)
{
    ck_assert_str_eq(rpc("get_members", "[rex,g]"), "reply []");
    ck_assert_str_eq(rpc("get_members", "[<<\"scope\">>,g]"), "reply []");
    ck_assert_ptr_nonnull(strstr(rpc("which_groups", "[other]"), "badarg"));
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, a_scope_is_asked);
    tcase_add_test(tcase, other_scopes_are_empty);
}

int main(void)
{
    return run_tests("pg_functions", add, setup, teardown);
}
