/*
 * Groups of servers on the public API, on nodes a and b.
 */
#include "unit/node/public.h"

#include <stdio.h>
#include <string.h>

#include <cnode/pg.h>

static struct seen one, two, far;
static struct cn_pg *here, *there;

static void setup(void)
{
    public_setup();
    seen_start(&one, &node, NULL);
    seen_start(&two, &node, NULL);
    seen_start(&far, &other, NULL);
    ck_assert_int_eq(cn_pg_start(&node, "groups", &here), 0);
    ck_assert_int_eq(cn_pg_start(&other, "groups", &there), 0);
    public_scopes_meet();
}

static const char *members(struct cn_pg *pg, bool local_only)
{
    struct cn_writer writer;
    const char *text;

    cn_writer_init(&writer, 0);
    cn_pg_write_members(pg, atom("g"), local_only, &writer);
    text = show(cn_writer_term(&writer));
    cn_writer_free(&writer);
    return text;
}

static const char *list_of(const struct seen *seen)
{
    static char text[64];

    (void)snprintf(text, sizeof text, "[%s]", show(pid_of(seen)));
    return text;
}

/* A server that joins is seen on both nodes, until it leaves or ends. */
START_TEST(members_are_shared)
{
    ck_assert_int_eq(cn_pg_join(here, one.server, atom("g")), 0);
    world_settle(&world);
    ck_assert_str_eq(members(there, false), list_of(&one));
    ck_assert_str_eq(members(there, true), "[]");
    ck_assert_str_eq(members(here, true), list_of(&one));
    ck_assert_int_eq(cn_pg_leave(here, one.server, atom("g")), 0);
    ck_assert_int_eq(cn_pg_leave(here, one.server, atom("g")), CN_UNKNOWN);
    world_settle(&world);
    ck_assert_str_eq(members(there, false), "[]");
    ck_assert_int_eq(cn_pg_join(there, far.server, atom("g")), 0);
    world_settle(&world);
    ck_assert_str_eq(members(here, false), list_of(&far));
    cn_server_stop_atom(far.server, "normal");
    world_settle(&world);
    ck_assert_str_eq(members(here, false), "[]");
}
END_TEST

/* A message to a group goes to each member once, those of other nodes too. */
START_TEST(a_group_is_sent_to)
{
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(cn_pg_join(here, two.server, atom("g")), 0);
    ck_assert_int_eq(cn_pg_join(there, far.server, atom("g")), 0);
    world_settle(&world);
    ck_assert_int_eq(cn_pg_send(here, one.server, atom("g"), atom("hello")), 0);
    world_settle(&world);
    ck_assert_uint_eq(two.count, 1);
    ck_assert_uint_eq(far.count, 1);
    ck_assert_str_eq(seen_last(&two), "info hello");
    ck_assert_str_eq(seen_last(&far), "info hello");
    ck_assert_uint_eq(one.count, 0);
}
END_TEST

/* Who monitors a group is told of changes, until it says that it is enough. */
START_TEST(a_group_is_monitored)
{
    struct cn_term group = atom("g");
    struct cn_ref ref;

    ck_assert_int_eq(cn_pg_monitor(here, one.server, &group, &ref), 0);
    ck_assert_int_eq(cn_pg_join(there, far.server, atom("g")), 0);
    ck_assert_int_eq(cn_pg_join(there, far.server, atom("other")), 0);
    world_settle(&world);
    ck_assert_uint_eq(one.count, 1);
    ck_assert_ptr_nonnull(strstr(seen_last(&one), ",join,g,["));
    cn_pg_demonitor(here, &ref);
    ck_assert_int_eq(cn_pg_leave(there, far.server, atom("g")), 0);
    world_settle(&world);
    ck_assert_uint_eq(one.count, 1);
}
END_TEST

/* A scope is started once, and its name is a process of the node. */
START_TEST(a_scope_has_its_name)
{
    struct cn_pg *again;

    ck_assert_int_eq(cn_pg_start(&node, "groups", &again), 0);
    ck_assert_ptr_eq(again, here);
    ck_assert_int_eq(cn_server_register(one.server, "mine"), 0);
    ck_assert_int_eq(cn_pg_start(&node, "mine", &again), CN_TAKEN);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, members_are_shared);
    tcase_add_test(tcase, a_group_is_sent_to);
    tcase_add_test(tcase, a_group_is_monitored);
    tcase_add_test(tcase, a_scope_has_its_name);
}

int main(void)
{
    return run_tests("api_pg", add, setup, public_teardown);
}
