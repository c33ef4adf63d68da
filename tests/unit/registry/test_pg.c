/*
 * Scopes of three nodes: one view of all groups, through joins, ends, cuts and kills.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "unit/registry/scopes.h"

static void join_group(int node, int probe, const char *group)
{
    ck_assert_int_eq(pg_join(scopes[node].pg, atom(group), &scopes[node].pids[probe]), 0);
    world_settle(&world);
}

static void assert_everywhere(const char *group, const char *expected)
{
    for (int i = 0; i < WORLD_NODES; i++)
        ck_assert_str_eq(members_text(i, atom(group)), expected);
}

static void connect_all(void)
{
    scopes_join(0, 1);
    scopes_join(1, 2);
    scopes_join(0, 2);
}

static const char *pid(int node, int probe)
{
    return show(pid_term(&scopes[node].pids[probe]));
}

static const char *list_of(const char *first, const char *second)
{
    static char text[128];

    (void)snprintf(text, sizeof(text), "[%s%s%s]", first, second[0] != '\0' ? "," : "", second);
    return text;
}

/* Who joined before two nodes met is known after it, and who joins later too. */
START_TEST(nodes_that_meet_share_their_members)
{
    join_group(0, 0, "g");
    connect_all();
    ck_assert_uint_eq(pg_peers(scopes[0].pg), 2);
    assert_everywhere("g", list_of(pid(0, 0), ""));
    join_group(1, 0, "h");
    assert_everywhere("h", list_of(pid(1, 0), ""));
    ck_assert_int_eq(pg_leave(scopes[0].pg, atom("g"), &scopes[0].pids[0]), 0);
    world_settle(&world);
    assert_everywhere("g", "[]");
    ck_assert_uint_eq(pg_members(scopes[2].pg), 1);
}
END_TEST

/* A process that joined twice is in the group until it has left twice. */
START_TEST(joining_twice_takes_leaving_twice)
{
    connect_all();
    join_group(0, 0, "g");
    join_group(0, 0, "g");
    assert_everywhere("g", list_of(pid(0, 0), pid(0, 0)));
    ck_assert_int_eq(pg_leave(scopes[0].pg, atom("g"), &scopes[0].pids[0]), 0);
    world_settle(&world);
    assert_everywhere("g", list_of(pid(0, 0), ""));
    ck_assert_int_eq(pg_leave(scopes[0].pg, atom("g"), &scopes[0].pids[0]), 0);
    ck_assert_int_eq(pg_leave(scopes[0].pg, atom("g"), &scopes[0].pids[0]), CN_E_UNKNOWN);
    world_settle(&world);
    assert_everywhere("g", "[]");
}
END_TEST

/* The end of a process takes it out of all its groups, everywhere. */
START_TEST(the_end_of_a_process_is_a_leave)
{
    connect_all();
    join_group(0, 0, "g");
    join_group(0, 0, "g");
    join_group(0, 0, "h");
    join_group(1, 0, "g");
    process_exit_atom(procs_find(world_procs(&world, 0), &scopes[0].pids[0]), "normal");
    world_settle(&world);
    assert_everywhere("g", list_of(pid(1, 0), ""));
    assert_everywhere("h", "[]");
    ck_assert_uint_eq(map_count(scopes[0].pg->locals), 0);
}
END_TEST

/* A lost node takes its members along, and brings them back. */
START_TEST(a_cut_and_a_heal_end_in_equal_lists)
{
    connect_all();
    for (int i = 0; i < WORLD_NODES; i++)
        join_group(i, 0, "g");
    scopes_part(0, 1);
    scopes_part(0, 2);
    ck_assert_str_eq(members_text(0, atom("g")), list_of(pid(0, 0), ""));
    ck_assert_uint_eq(pg_peers(scopes[0].pg), 0);
    ck_assert_uint_eq(pg_members(scopes[1].pg), 2);
    join_group(0, 1, "h");
    ck_assert_int_eq(pg_leave(scopes[0].pg, atom("g"), &scopes[0].pids[0]), 0);
    scopes_join(0, 1);
    scopes_join(0, 2);
    assert_everywhere("h", list_of(pid(0, 1), ""));
    for (int i = 0; i < WORLD_NODES; i++)
        ck_assert_uint_eq(pg_members(scopes[i].pg), 3);
}
END_TEST

static void visit(void *context, const struct cn_pid *pid)
{
    unsigned *visits = context;

    (*visits)++;
}

/* A message goes to each process once, and to nobody whose node is gone. */
START_TEST(members_are_visited_once)
{
    unsigned visits = 0;

    connect_all();
    join_group(0, 0, "g");
    join_group(0, 0, "g");
    join_group(1, 0, "g");
    pg_each_member(scopes[0].pg, atom("g"), visit, &visits);
    ck_assert_uint_eq(visits, 2);
    pg_each_member(scopes[0].pg, atom("other"), visit, &visits);
    ck_assert_uint_eq(visits, 2);
    pg_peer_down(scopes[0].pg, "b@world");
    pg_each_member(scopes[0].pg, atom("g"), visit, &visits);
    ck_assert_uint_eq(visits, 3);
}
END_TEST

/* Whoever kills the process of a scope changes nothing for long. */
START_TEST(a_killed_scope_keeps_its_members)
{
    connect_all();
    join_group(0, 0, "g");
    join_group(1, 0, "h");
    ck_assert_int_eq(procs_exit_signal(world_procs(&world, 0), NULL, &scopes[0].pid, atom("kill")),
                     0);
    world_settle(&world);
    ck_assert_ptr_nonnull(strstr(scopes[0].lines, "started again"));
    assert_everywhere("g", list_of(pid(0, 0), ""));
    assert_everywhere("h", list_of(pid(1, 0), ""));
    ck_assert_uint_eq(pg_peers(scopes[1].pg), 2);
    process_exit_atom(procs_find(world_procs(&world, 0), &scopes[0].pids[0]), "normal");
    world_settle(&world);
    assert_everywhere("g", "[]");
}
END_TEST

/* Only processes of this node are joined here. */
START_TEST(others_cannot_be_joined)
{
    ck_assert_int_eq(pg_join(scopes[0].pg, atom("g"), &scopes[1].pids[0]), CN_E_INVALID);
    ck_assert_int_eq(pg_leave(scopes[0].pg, atom("g"), &scopes[1].pids[0]), CN_E_UNKNOWN);
    ck_assert_uint_eq(pg_members(scopes[0].pg), 0);
}
END_TEST

/* Two scopes of one node cannot have one name, and the second leaves nothing behind. */
START_TEST(a_scope_is_there_once)
{
    struct pg_config config = {.scope = "scope"};
    struct pg *second = NULL;

    ck_assert_int_eq(pg_new(world_procs(&world, 0), &config, &second), CN_E_TAKEN);
    world_settle(&world);
    ck_assert_ptr_eq(pg_find(world_procs(&world, 0), view("scope")), scopes[0].pg);
    ck_assert_ptr_null(pg_find(world_procs(&world, 0), view("rex")));
    ck_assert_ptr_null(pg_find(world_procs(&world, 0), view("nobody")));
    ck_assert_str_eq(pg_scope(scopes[0].pg), "scope");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, nodes_that_meet_share_their_members);
    tcase_add_test(tcase, joining_twice_takes_leaving_twice);
    tcase_add_test(tcase, the_end_of_a_process_is_a_leave);
    tcase_add_test(tcase, a_cut_and_a_heal_end_in_equal_lists);
    tcase_add_test(tcase, members_are_visited_once);
    tcase_add_test(tcase, a_killed_scope_keeps_its_members);
    tcase_add_test(tcase, others_cannot_be_joined);
    tcase_add_test(tcase, a_scope_is_there_once);
}

int main(void)
{
    return run_tests("pg", add, scopes_setup, scopes_teardown);
}
