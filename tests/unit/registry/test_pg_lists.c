/*
 * What is in a scope, as lists. Node b is a scripted peer.
 */
#include <stdio.h>
#include <string.h>

#include "unit/registry/scopes.h"

static void setup(void)
{
    scopes_setup();
    scope_script(1);
    scopes_join(0, 1);
    scope_cast(1, 0,
               parse_with("{sync,%p,[{g,[%p]},{h,[%p]}]}", &scopes[1].pid, &scopes[1].pids[0],
                          &scopes[1].pids[0]));
    ck_assert_int_eq(pg_join(scopes[0].pg, atom("g"), &scopes[0].pids[0]), 0);
}

static const char *text_of(void (*write)(struct cn_writer *writer))
{
    struct cn_writer writer;
    const char *text;

    cn_writer_init(&writer, 0);
    write(&writer);
    ck_assert_int_eq(cn_writer_error(&writer), 0);
    text = show(cn_writer_term(&writer));
    cn_writer_free(&writer);
    return text;
}

static void local(struct cn_writer *writer)
{
    pg_write_local(scopes[0].pg, writer);
}

static void groups(struct cn_writer *writer)
{
    pg_write_groups(scopes[0].pg, false, writer);
}

static void local_groups(struct cn_writer *writer)
{
    pg_write_groups(scopes[0].pg, true, writer);
}

static void local_members(struct cn_writer *writer)
{
    pg_write_members(scopes[0].pg, atom("g"), true, writer);
}

static void all(struct cn_writer *writer)
{
    pg_write_all(scopes[0].pg, writer);
}

static const char *ours(void)
{
    return show(pid_term(&scopes[0].pids[0]));
}

/* What a peer is told is what this node's processes have joined, and nothing of others. */
START_TEST(local_is_what_is_ours)
{
    char expected[128];

    (void)snprintf(expected, sizeof(expected), "[{g,[%s]}]", ours());
    ck_assert_str_eq(text_of(local), expected);
    (void)snprintf(expected, sizeof(expected), "[%s]", ours());
    ck_assert_str_eq(text_of(local_members), expected);
    ck_assert_str_eq(text_of(local_groups), "[g]");
    ck_assert_int_eq(pg_leave(scopes[0].pg, atom("g"), &scopes[0].pids[0]), 0);
    ck_assert_str_eq(text_of(local), "[]");
    ck_assert_str_eq(text_of(local_members), "[]");
    ck_assert_str_eq(text_of(local_groups), "[]");
}
END_TEST

/* Groups that are only watched are not there. */
START_TEST(groups_have_members)
{
    struct cn_term group = atom("watched");
    struct cn_ref ref;

    ck_assert_int_eq(pg_monitor(scopes[0].pg, &scopes[0].pids[1], &group, &ref), 0);
    ck_assert_str_eq(text_of(groups), "[g,h]");
    ck_assert_ptr_null(strstr(text_of(all), "watched"));
    ck_assert_ptr_nonnull(strstr(text_of(all), "h=>["));
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, local_is_what_is_ours);
    tcase_add_test(tcase, groups_have_members);
}

int main(void)
{
    return run_tests("pg_lists", add, setup, scopes_teardown);
}
