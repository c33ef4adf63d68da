/*
 * What a scope is called for: node b calls the scope of node a.
 */
#include "unit/registry/scopes.h"

static struct server asker;

static void setup(void)
{
    scopes_setup();
    scopes_join(0, 1);
}

static void teardown(void)
{
    scopes_teardown();
    server_deinit(&asker);
}

static const char *ask(struct gen_server *self, const char *text, const struct cn_pid *pid)
{
    struct dest dest = to_name("scope", "a@world");

    ck_assert_int_eq(
        call_start(self, &dest, parse_with(text, pid), 1000, server_done, &asker, NULL), 0);
    world_settle(&world);
    return server_last(&asker);
}

/* The calls behind pg:join/3 and pg:leave/3 on a node of its own. */
START_TEST(calls_join_and_leave)
{
    struct gen_server *self = server_start(world_procs(&world, 1), &asker, NULL);
    const struct cn_pid *pid = &scopes[0].pids[0];

    ck_assert_str_eq(ask(self, "{join_local,g,%p}", pid), "reply ok");
    ck_assert_str_eq(ask(self, "{join_local,g,[%p]}", pid), "reply ok");
    ck_assert_uint_eq(pg_members(scopes[0].pg), 1);
    ck_assert_str_eq(ask(self, "{leave_local,g,[%p]}", pid), "reply ok");
    ck_assert_str_eq(ask(self, "{leave_local,g,%p}", pid), "reply ok");
    ck_assert_str_eq(ask(self, "{leave_local,g,%p}", pid), "reply not_joined");
    ck_assert_str_eq(ask(self, "{join_local,g,%p}", &scopes[1].pids[0]), "reply {error,badarg}");
    ck_assert_str_eq(ask(self, "{join_local,%p}", pid), "reply {error,badarg}");
    ck_assert_str_eq(ask(self, "x", pid), "reply {error,badarg}");
    ck_assert_uint_eq(pg_members(scopes[0].pg), 0);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, calls_join_and_leave);
}

int main(void)
{
    return run_tests("pg_calls", add, setup, teardown);
}
