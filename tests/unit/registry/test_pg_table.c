/*
 * The table's limits and what a sync changes. Node b is a scripted peer; the scopes are small.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "unit/registry/scopes.h"

static void setup(void)
{
    scopes_config.members_max = 6;
    scopes_config.bytes_max = 64;
    scopes_config.peers_max = 3;
    scopes_setup();
    scope_script(1);
    scopes_join(0, 1);
    scope_cast(1, 0, parse_with("{sync,%p,[]}", &scopes[1].pid));
}

static void join(const char *group)
{
    struct cn_term term = atom(group);

    scope_say(1, 0, parse_with("{join,%p,%t,%p}", &scopes[1].pid, &term, &scopes[1].pids[0]));
}

/* One peer has half of the members that there may be; the others are left their part. */
START_TEST(members_have_a_limit)
{
    static const char *const groups[] = {"a", "b", "c", "d"};

    for (size_t i = 0; i < 4; i++)
        join(groups[i]);
    ck_assert_uint_eq(pg_members(scopes[0].pg), 3);
    ck_assert_str_eq(members_text(0, atom("d")), "[]");
    ck_assert_ptr_nonnull(strstr(scopes[0].lines, "b@world: 1 members beyond the limit"));
    ck_assert_ptr_nonnull(strstr(scopes[0].lines, "members_max 6"));
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pg_join(scopes[0].pg, atom("x"), &scopes[0].pids[i]), 0);
    ck_assert_int_eq(pg_join(scopes[0].pg, atom("y"), &scopes[0].pids[0]), CN_E_LIMIT);
    ck_assert_uint_eq(map_count(scopes[0].pg->groups), 4);
    scope_say(1, 0, parse_with("{leave,%p,%p,[a,d]}", &scopes[1].pid, &scopes[1].pids[0]));
    join("d");
    ck_assert_str_ne(members_text(0, atom("d")), "[]");
}
END_TEST

/* So have the bytes of their groups. */
START_TEST(bytes_have_a_limit)
{
    join("a_group_with_a_name_of_40_characters____");
    ck_assert_uint_eq(pg_members(scopes[0].pg), 0);
    ck_assert_ptr_nonnull(strstr(scopes[0].lines, "bytes_max 64"));
    join("short");
    ck_assert_uint_eq(pg_members(scopes[0].pg), 1);
    ck_assert_uint_eq(scopes[0].pg->bytes, 7);
    scope_cast(1, 0, parse_with("{sync,%p,[]}", &scopes[1].pid));
    ck_assert_uint_eq(scopes[0].pg->bytes, 0);
}
END_TEST

/* So have the processes that say that they are a scope. */
START_TEST(peers_have_a_limit)
{
    for (int i = 0; i < 3; i++)
        scope_say(1, 0, parse_with("{discover,%p}", &scopes[1].pids[i]));
    ck_assert_uint_eq(pg_peers(scopes[0].pg), 3);
    ck_assert_uint_eq(scopes[1].probes[2].count, 0);
    ck_assert_ptr_nonnull(strstr(scopes[0].lines, "a scope process beyond the limit"));
}
END_TEST

/* A sync is compared joining by joining, and taken as far as the limit. */
START_TEST(sync_counts_joinings)
{
    const struct cn_pid *scope = &scopes[1].pid;
    const struct cn_pid *pid = &scopes[1].pids[0];

    scope_cast(1, 0, parse_with("{sync,%p,[{g,[%p,%p,%p]}]}", scope, pid, pid, pid));
    ck_assert_uint_eq(pg_members(scopes[0].pg), 1);
    scope_cast(1, 0, parse_with("{sync,%p,[{g,[%p,%p]}]}", scope, pid, pid));
    scope_say(1, 0, parse_with("{leave,%p,%p,[g]}", scope, pid));
    ck_assert_uint_eq(pg_members(scopes[0].pg), 1);
    scope_say(1, 0, parse_with("{leave,%p,%p,[g]}", scope, pid));
    ck_assert_uint_eq(pg_members(scopes[0].pg), 0);
    scope_cast(1, 0,
               parse_with("{sync,%p,[{a,[%p]},{b,[%p]},{c,[%p]},{d,[%p]}]}", scope, pid, pid, pid,
                          pid));
    ck_assert_uint_eq(pg_members(scopes[0].pg), 3);
}
END_TEST

/* Several are joined to a group all together or not at all, and one that fails is not told. */
START_TEST(some_beyond_the_limit_are_none)
{
    const struct cn_pid *pids = scopes[0].pids;
    struct pg *pg = scopes[0].pg;
    unsigned heard = 0;

    ck_assert_int_eq(pg_join(pg, atom("x"), &pids[0]), 0);
    ck_assert_int_eq(pg_join(pg, atom("y"), &pids[0]), 0);
    ck_assert_int_eq(
        pg_join_pids(pg, atom("g"), parse_with("[%p,%p,%p]", &pids[0], &pids[1], &pids[2])), 0);
    world_settle(&world);
    heard = scopes[1].script.count;
    ck_assert_int_eq(pg_join_pids(pg, atom("h"),
                                  parse_with("[%p,%p,%p]", &pids[1], &pids[2], &pids[0])),
                     CN_E_LIMIT);
    world_settle(&world);
    ck_assert_uint_eq(pg_members(pg), 5);
    ck_assert_uint_eq(map_count(pg->groups), 3);
    ck_assert_uint_eq(scopes[1].script.count, heard);
}
END_TEST

/* Without memory nothing changes, whichever allocation fails. */
START_TEST(no_memory_changes_nothing)
{
    struct pg *pg = scopes[0].pg;
    struct pg_owner *owner = pg_owner_find(pg, &scopes[1].pid, false);
    struct cn_term term = atom("g");
    struct pg_group *group = NULL;
    size_t nth = 0;
    int r = 0;

    mem_test_begin();
    do {
        mem_test_fail(++nth);
        r = pg_group_hold(pg, term, &group);
        if (r == 0) {
            r = pg_member_add(pg, owner, group, &scopes[1].pids[0]);
            pg_group_let_go(pg, group);
        }
        ck_assert_int_eq(r, mem_test_failed() ? -ENOMEM : 0);
        ck_assert_uint_eq(pg_members(pg), r == 0 ? 1 : 0);
        ck_assert_uint_eq(map_count(pg->groups), r == 0 ? 1 : 0);
    } while (r != 0);
    ck_assert_uint_gt(nth, 2);
    mem_test_end();
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, members_have_a_limit);
    tcase_add_test(tcase, bytes_have_a_limit);
    tcase_add_test(tcase, peers_have_a_limit);
    tcase_add_test(tcase, sync_counts_joinings);
    tcase_add_test(tcase, some_beyond_the_limit_are_none);
    tcase_add_test(tcase, no_memory_changes_nothing);
}

int main(void)
{
    return run_tests("pg_table", add, setup, scopes_teardown);
}
