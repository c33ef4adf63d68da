/*
 * What a peer's scope process may say. Node b is a scripted peer of node a.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "unit/registry/scopes.h"

static struct cn_pid *b; /* the scripted scope process */

static void setup(void)
{
    scopes_setup();
    scope_script(1);
    scopes_join(0, 1);
    b = &scopes[1].pid;
}

static const char *of_b(int probe)
{
    static char text[64];

    (void)snprintf(text, sizeof(text), "[%s]", show(pid_term(&scopes[1].pids[probe])));
    return text;
}

static const char *in_g(void)
{
    return members_text(0, atom("g"));
}

/* Let node a know node b, and nothing of it. */
static void meet(void)
{
    scope_cast(1, 0, parse_with("{sync,%p,[]}", b));
    ck_assert_uint_eq(pg_peers(scopes[0].pg), 1);
}

/* A node that comes up is discovered by name. */
START_TEST(a_peer_is_discovered)
{
    char expected[128];

    (void)snprintf(expected, sizeof(expected), "{discover,%s}", show(pid_term(&scopes[0].pid)));
    ck_assert_uint_eq(scopes[1].script.count, 1);
    ck_assert_str_eq(scope_heard(1), expected);
}
END_TEST

/* Who discovers is told all local members, each group once, and discovered back, once. */
START_TEST(discover_is_answered)
{
    const char *const *log = (const char *const *)scopes[1].script.log;
    const char *sync = NULL;

    ck_assert_int_eq(pg_join(scopes[0].pg, atom("g"), &scopes[0].pids[0]), 0);
    ck_assert_int_eq(pg_join(scopes[0].pg, atom("g"), &scopes[0].pids[1]), 0);
    scope_say(1, 0, parse_with("{discover,%p}", b));
    ck_assert_uint_eq(scopes[1].script.count, 3);
    sync = strstr(log[1], "{sync,");
    ck_assert_ptr_nonnull(sync);
    ck_assert_ptr_nonnull(strstr(sync, "[{g,["));
    ck_assert_ptr_null(strstr(strstr(sync, "{g,") + 1, "{g,"));
    ck_assert_ptr_nonnull(strstr(log[2], "{discover,"));
    scope_say(1, 0, parse_with("{discover,%p,2}", b));
    ck_assert_uint_eq(scopes[1].script.count, 4);
    ck_assert_ptr_nonnull(strstr(scope_heard(1), "{sync,"));
}
END_TEST

/* A later sync replaces the earlier one: what it does not name has left. */
START_TEST(sync_is_the_whole_truth)
{
    struct cn_pid *pids = scopes[1].pids;

    scope_cast(1, 0,
               parse_with("{sync,%p,[{g,[%p]},{h,[%p,%p]}]}", b, &pids[0], &pids[0], &pids[1]));
    ck_assert_str_eq(in_g(), of_b(0));
    ck_assert_uint_eq(pg_members(scopes[0].pg), 3);
    scope_cast(1, 0, parse_with("{sync,%p,[{g,[%p]}]}", b, &pids[1]));
    ck_assert_str_eq(in_g(), of_b(1));
    ck_assert_uint_eq(pg_members(scopes[0].pg), 1);
    scope_cast(1, 0, parse_with("{sync,%p,[]}", b));
    ck_assert_uint_eq(pg_members(scopes[0].pg), 0);
    ck_assert_uint_eq(map_count(scopes[0].pg->groups), 0);
}
END_TEST

/* One pid or a list of them, one group or several. */
START_TEST(changes_come_in_both_forms)
{
    struct cn_pid *pids = scopes[1].pids;

    meet();
    scope_say(1, 0, parse_with("{join,%p,g,%p}", b, &pids[0]));
    scope_say(1, 0, parse_with("{join,%p,h,[%p,%p]}", b, &pids[0], &pids[1]));
    ck_assert_str_eq(in_g(), of_b(0));
    ck_assert_uint_eq(pg_members(scopes[0].pg), 3);
    scope_say(1, 0, parse_with("{leave,%p,%p,[g,h]}", b, &pids[0]));
    ck_assert_str_eq(in_g(), "[]");
    ck_assert_str_eq(members_text(0, atom("h")), of_b(1));
    scope_say(1, 0, parse_with("{leave,%p,[%p,%p],[h,nowhere]}", b, &pids[0], &pids[1]));
    ck_assert_uint_eq(pg_members(scopes[0].pg), 0);
    ck_assert_uint_eq(scopes[0].line_count, 0);
}
END_TEST

/* What is said before the sync is not lost, for the sync says it too; nor is it taken. */
START_TEST(strangers_are_not_heard)
{
    scope_say(1, 0, parse_with("{join,%p,g,%p}", b, &scopes[1].pids[0]));
    scope_say(1, 0, parse_with("{leave,%p,%p,[g]}", b, &scopes[1].pids[0]));
    ck_assert_uint_eq(pg_members(scopes[0].pg), 0);
    ck_assert_uint_eq(scopes[0].line_count, 0);
}
END_TEST

/* Changes of our own are told in the form that OTP sends, to those who have met us. */
START_TEST(changes_are_told)
{
    char expected[256];
    const char *ours = show(pid_term(&scopes[0].pids[0]));
    const char *scope = show(pid_term(&scopes[0].pid));

    meet();
    ck_assert_int_eq(pg_join(scopes[0].pg, atom("g"), &scopes[0].pids[0]), 0);
    world_settle(&world);
    (void)snprintf(expected, sizeof(expected), "{join,%s,g,%s}", scope, ours);
    ck_assert_str_eq(scope_heard(1), expected);
    ck_assert_int_eq(pg_leave(scopes[0].pg, atom("g"), &scopes[0].pids[0]), 0);
    world_settle(&world);
    (void)snprintf(expected, sizeof(expected), "{leave,%s,%s,[g]}", scope, ours);
    ck_assert_str_eq(scope_heard(1), expected);
}
END_TEST

/* Several of ours that join or leave together are told in one message, as OTP tells them. */
START_TEST(several_are_told_at_once)
{
    const struct cn_pid *pids = scopes[0].pids;
    char expected[256];
    unsigned heard = 0;

    meet();
    heard = scopes[1].script.count;
    ck_assert_int_eq(
        pg_join_pids(scopes[0].pg, atom("g"), parse_with("[%p,%p]", &pids[0], &pids[1])), 0);
    world_settle(&world);
    (void)snprintf(expected, sizeof(expected), "{join,%s,g,%s}", show(pid_term(&scopes[0].pid)),
                   show(parse_with("[%p,%p]", &pids[0], &pids[1])));
    ck_assert_str_eq(scope_heard(1), expected);
    ck_assert_int_eq(
        pg_leave_pids(scopes[0].pg, atom("g"), parse_with("[%p,%p]", &pids[0], &pids[2])), 0);
    world_settle(&world);
    (void)snprintf(expected, sizeof(expected), "{leave,%s,%s,[g]}", show(pid_term(&scopes[0].pid)),
                   show(parse_with("[%p,%p]", &pids[0], &pids[2])));
    ck_assert_str_eq(scope_heard(1), expected);
    ck_assert_uint_eq(scopes[1].script.count, heard + 2);
    ck_assert_uint_eq(pg_members(scopes[0].pg), 1);
}
END_TEST

/* What makes no sense is dropped whole, said a few times, and breaks nothing. */
START_TEST(nonsense_is_dropped)
{
    static const char *const with_pids[] = {
        "{sync,%p,[{g,[%p]}|x]}", "{sync,%p,[{g,[%p|x]}]}", "{sync,%p,[{g,%p,x}]}",
        "{sync,%p,[{g,[%p,x]}]}", "{sync,%p,{g,[%p]}}",     "{join,%p,g,[%p|x]}",
        "{join,%p,g,[%p,7]}",     "{join,%p,g,{%p}}",       "{join,%p,g,%p,x}",
        "{leave,%p,%p,g}",        "{leave,%p,%p,[g|h]}",    "{leave,%p,[%p,x],[g]}",
        "{discover,{%p,%p}}",     "{discover,%p,%p,x}",     "{x,%p,%p}",
    };
    static const char *const plain[] = {
        "x", "{}", "{discover}", "{discover,x}", "{sync,x,[]}", "{join,x,g,x}", "[discover|x]",
    };

    scope_cast(1, 0, parse_with("{sync,%p,[{g,[%p]}]}", b, &scopes[1].pids[0]));
    for (size_t i = 0; i < sizeof(with_pids) / sizeof(with_pids[0]); i++) {
        scope_say(1, 0, parse_with(with_pids[i], b, &scopes[1].pids[1]));
        scope_cast(1, 0, parse_with(with_pids[i], b, &scopes[1].pids[1]));
    }
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        scope_say(1, 0, parse(plain[i]));
        scope_cast(1, 0, parse(plain[i]));
    }
    ck_assert_str_eq(in_g(), of_b(0));
    ck_assert_uint_eq(pg_members(scopes[0].pg), 1);
    ck_assert_uint_eq(scopes[0].line_count, PG_LINES_MAX);
    world_pass(&world, PG_LINES_MS);
    scope_say(1, 0, parse("x"));
    ck_assert_ptr_nonnull(strstr(scopes[0].lines, "36 more of this kind"));
}
END_TEST

/* A member is on the node of whoever tells of it, in its present life; nobody tells of ours. */
START_TEST(nobody_speaks_for_others)
{
    struct cn_pid older = scopes[1].pids[0];

    meet();
    older.creation--;
    scope_say(1, 0, parse_with("{join,%p,g,%p}", b, &scopes[2].pids[0]));
    scope_say(1, 0, parse_with("{join,%p,g,%p}", b, &scopes[0].pids[0]));
    scope_say(1, 0, parse_with("{join,%p,g,%p}", b, &older));
    scope_cast(1, 0, parse_with("{sync,%p,[]}", &scopes[0].pids[0]));
    scope_say(1, 0, parse_with("{discover,%p}", &scopes[0].pid));
    ck_assert_str_eq(in_g(), "[]");
    ck_assert_uint_eq(scopes[0].line_count, 5);
    ck_assert_uint_eq(pg_peers(scopes[0].pg), 1);
}
END_TEST

/* Write [Pid, ...], one so often, or so many different ones. */
static void write_pids(struct cn_writer *writer, uint32_t count, bool differ)
{
    struct cn_pid pid = scopes[1].pids[0];

    cn_write_list(writer, count);
    for (uint32_t i = 0; i < count; i++) {
        cn_write_pid(writer, &pid);
        pid.id += differ ? 1 : 0;
    }
    cn_write_nil(writer);
}

/* {leave, B, [Pid, ...], [g, ...]}, each so often. */
static void say_leaves(uint32_t pids, uint32_t groups)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 4);
    cn_write_atom(&writer, "leave");
    cn_write_pid(&writer, b);
    write_pids(&writer, pids, false);
    cn_write_list(&writer, groups);
    for (uint32_t i = 0; i < groups; i++)
        cn_write_atom(&writer, "g");
    cn_write_nil(&writer);
    scope_say(1, 0, cn_writer_term(&writer));
    cn_writer_free(&writer);
}

/* Thousands of leavings of thousands of groups do not hold the node up; as pg says it, any may. */
START_TEST(leavings_have_a_limit)
{
    scope_cast(1, 0, parse_with("{sync,%p,[{g,[%p]}]}", b, &scopes[1].pids[0]));
    say_leaves(101, 100);
    ck_assert_str_eq(in_g(), of_b(0));
    ck_assert_ptr_nonnull(strstr(scopes[0].lines, "a leave that makes no sense"));
    say_leaves(1, 20000);
    ck_assert_str_eq(in_g(), "[]");
    scope_cast(1, 0, parse_with("{sync,%p,[{g,[%p]}]}", b, &scopes[1].pids[0]));
    say_leaves(20000, 1);
    ck_assert_str_eq(in_g(), "[]");
    ck_assert_str_eq(scopes[0].parted, "");
    say_leaves(1, 1000001);
    ck_assert_str_eq(scopes[0].parted, "b@world");
}
END_TEST

/* {join, B, Group, Pids} or {leave, B, Pids, [Group]}, with a group of so many bytes. */
static struct cn_term long_group(struct cn_writer *writer, const char *verb, size_t bytes)
{
    bool join = strcmp(verb, "join") == 0;
    char *group = calloc(1, bytes);

    cn_writer_reset(writer);
    cn_write_tuple(writer, 4);
    cn_write_atom(writer, verb);
    cn_write_pid(writer, b);
    if (!join) {
        write_pids(writer, 100000, true);
        cn_write_list(writer, 1);
    }
    cn_write_binary(writer, (struct cn_bytes){(const uint8_t *)group, bytes});
    if (!join)
        cn_write_nil(writer);
    else
        write_pids(writer, 100000, true);
    free(group);
    return cn_writer_term(writer);
}

/* The longest name of a group with 100,000 pids is looked up once, not with each of them. */
START_TEST(long_names_do_not_hold_the_node_up)
{
    struct cn_writer writer;
    clock_t start = clock();

    meet();
    cn_writer_init(&writer, 0);
    scope_say(1, 0, long_group(&writer, "join", PG_GROUP_BYTES_MAX - 5));
    ck_assert_uint_eq(pg_members(scopes[0].pg), 2048);
    scope_say(1, 0, long_group(&writer, "leave", PG_GROUP_BYTES_MAX - 5));
    ck_assert_uint_eq(pg_members(scopes[0].pg), 0);
    scope_say(1, 0, long_group(&writer, "join", PG_GROUP_BYTES_MAX - 4));
    ck_assert_ptr_nonnull(strstr(scopes[0].lines, "100000 members beyond the limit"));
    ck_assert_uint_eq(pg_members(scopes[0].pg), 0);
    ck_assert_uint_eq(map_count(scopes[0].pg->groups), 0);
    cn_writer_free(&writer);
    ck_assert_double_lt((double)(clock() - start) / CLOCKS_PER_SEC, 3.0);
}
END_TEST

/* The end of a scope's process is the end of what it told. */
START_TEST(the_end_of_a_peer_takes_its_members)
{
    scope_cast(1, 0, parse_with("{sync,%p,[{g,[%p]}]}", b, &scopes[1].pids[0]));
    process_exit_atom(procs_find(world_procs(&world, 1), b), "normal");
    world_settle(&world);
    ck_assert_str_eq(in_g(), "[]");
    ck_assert_uint_eq(pg_peers(scopes[0].pg), 0);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, a_peer_is_discovered);
    tcase_add_test(tcase, discover_is_answered);
    tcase_add_test(tcase, sync_is_the_whole_truth);
    tcase_add_test(tcase, changes_come_in_both_forms);
    tcase_add_test(tcase, strangers_are_not_heard);
    tcase_add_test(tcase, changes_are_told);
    tcase_add_test(tcase, several_are_told_at_once);
    tcase_add_test(tcase, nonsense_is_dropped);
    tcase_add_test(tcase, nobody_speaks_for_others);
    tcase_add_test(tcase, leavings_have_a_limit);
    tcase_add_test(tcase, long_names_do_not_hold_the_node_up);
    tcase_add_test(tcase, the_end_of_a_peer_takes_its_members);
}

int main(void)
{
    return run_tests("pg_server", add, setup, scopes_teardown);
}
