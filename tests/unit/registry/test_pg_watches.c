/*
 * Being told of changes: a process of node a asks its scope, as pg:monitor/2 does.
 */
#include <stdio.h>
#include <string.h>

#include "unit/registry/scopes.h"

static struct server watcher;
static struct gen_server *self;

static void setup(void)
{
    scopes_config.bytes_max = 64;
    scopes_setup();
    scope_script(1);
    scopes_join(0, 1);
    self = server_start(world_procs(&world, 0), &watcher, NULL);
    scope_cast(1, 0, parse_with("{sync,%p,[{g,[%p]}]}", &scopes[1].pid, &scopes[1].pids[0]));
}

static void teardown(void)
{
    scopes_teardown();
    server_deinit(&watcher);
}

static const char *ask(struct cn_term request)
{
    struct dest dest = to_name("scope", "a@world");

    ck_assert_int_eq(call_start(self, &dest, request, 1000, server_done, &watcher, NULL), 0);
    world_settle(&world);
    return server_last(&watcher);
}

static void say_join(const char *group)
{
    struct cn_term term = atom(group);

    scope_say(1, 0, parse_with("{join,%p,%t,%p}", &scopes[1].pid, &term, &scopes[1].pids[1]));
}

/* The reference of the only watch. */
static struct cn_ref ref(void)
{
    ck_assert_uint_eq(map_count(scopes[0].pg->watches), 1);
    return scopes[0].pg->watches->ref;
}

/* Who watches a group is given its members, then told of each change in it and in no other. */
START_TEST(a_group_is_watched)
{
    char pid[64];

    (void)snprintf(pid, sizeof(pid), ",g,[%s]}", show(pid_term(&scopes[1].pids[1])));
    ck_assert_ptr_nonnull(strstr(ask(parse("{monitor,g}")), show(pid_term(&scopes[1].pids[0]))));
    say_join("h");
    ck_assert_uint_eq(watcher.count, 1);
    say_join("g");
    ck_assert_ptr_nonnull(strstr(server_last(&watcher), ",join"));
    ck_assert_ptr_nonnull(strstr(server_last(&watcher), pid));
    scope_say(1, 0, parse_with("{leave,%p,%p,[g]}", &scopes[1].pid, &scopes[1].pids[1]));
    ck_assert_ptr_nonnull(strstr(server_last(&watcher), ",leave"));
    ck_assert_ptr_nonnull(strstr(server_last(&watcher), pid));
    ck_assert_uint_eq(watcher.count, 3);
}
END_TEST

/* Who watches the scope hears of all groups, of the end of a node too. */
START_TEST(a_scope_is_watched)
{
    ck_assert_ptr_nonnull(strstr(ask(atom("monitor")), "g=>["));
    say_join("h");
    ck_assert_ptr_nonnull(strstr(server_last(&watcher), ",join,h,["));
    scopes_part(0, 1);
    ck_assert_uint_eq(watcher.count, 4);
    ck_assert_ptr_nonnull(strstr(watcher.log[2], ",leave,"));
    ck_assert_ptr_nonnull(strstr(watcher.log[3], ",leave,"));
}
END_TEST

/* The message that came @back messages before the latest ends so. */
static void heard(size_t back, const char *what, const char *group, const char *pids)
{
    char expected[256];

    (void)snprintf(expected, sizeof(expected), ",%s,%s,%s}", what, group, pids);
    ck_assert_uint_gt(watcher.count, back);
    ck_assert_ptr_nonnull(strstr(watcher.log[watcher.count - 1 - back], expected));
}

/* Several that join or leave with one word of a peer are told in one message, in their order. */
START_TEST(several_are_one_message)
{
    const struct cn_pid *pids = scopes[1].pids;

    ask(_i == 0 ? parse("{monitor,g}") : atom("monitor"));
    scope_say(1, 0,
              parse_with("{join,%p,g,[%p,%p,%p]}", &scopes[1].pid, &pids[1], &pids[2], &pids[1]));
    heard(0, "join", "g", "[<b.5.0>,<b.6.0>,<b.5.0>]");
    scope_say(1, 0, parse_with("{leave,%p,[%p,%p],[g]}", &scopes[1].pid, &pids[2], &pids[1]));
    heard(0, "leave", "g", "[<b.6.0>,<b.5.0>]");
    ck_assert_uint_eq(watcher.count, 3);
}
END_TEST

/* So are several of this node, but not who was no member. */
START_TEST(several_of_ours_are_one_message)
{
    const struct cn_pid *pids = scopes[0].pids;

    ask(parse("{monitor,g}"));
    ck_assert_int_eq(
        pg_join_pids(scopes[0].pg, atom("g"), parse_with("[%p,%p]", &pids[0], &pids[1])), 0);
    world_settle(&world);
    heard(0, "join", "g", "[<a.4.0>,<a.5.0>]");
    ck_assert_int_eq(
        pg_leave_pids(scopes[0].pg, atom("g"), parse_with("[%p,%p]", &pids[2], &pids[1])), 0);
    world_settle(&world);
    heard(0, "leave", "g", "[<a.5.0>]");
    ck_assert_uint_eq(watcher.count, 3);
}
END_TEST

/* A node that is lost leaves group by group, in whatever order its processes have joined. */
START_TEST(a_lost_node_is_one_message_a_group)
{
    ask(atom("monitor"));
    say_join("h");
    say_join("g");
    scope_say(1, 0, parse_with("{join,%p,h,%p}", &scopes[1].pid, &scopes[1].pids[2]));
    ck_assert_uint_eq(watcher.count, 4);
    scopes_part(0, 1);
    heard(1, "leave", "g", "[<b.4.0>,<b.5.0>]");
    heard(0, "leave", "h", "[<b.5.0>,<b.6.0>]");
    ck_assert_uint_eq(watcher.count, 6);
}
END_TEST

/* A sync tells of each group who has gone, then who is new. */
START_TEST(a_sync_is_told_group_by_group)
{
    const struct cn_pid *pids = scopes[1].pids;

    ask(atom("monitor"));
    scope_cast(1, 0,
               parse_with("{sync,%p,[{g,[%p,%p]},{h,[%p]}]}", &scopes[1].pid, &pids[1], &pids[2],
                          &pids[0]));
    heard(2, "leave", "g", "[<b.4.0>]");
    heard(1, "join", "g", "[<b.5.0>,<b.6.0>]");
    heard(0, "join", "h", "[<b.4.0>]");
    scope_cast(1, 0, parse_with("{sync,%p,[{g,[%p]}]}", &scopes[1].pid, &pids[2]));
    heard(1, "leave", "g", "[<b.5.0>]");
    heard(0, "leave", "h", "[<b.4.0>]");
    ck_assert_uint_eq(watcher.count, 6);
}
END_TEST

/* A watch ends when it is taken back, once. */
START_TEST(a_watch_is_taken_back)
{
    struct cn_ref watch;

    ask(parse("{monitor,x}"));
    watch = ref();
    ck_assert_str_eq(ask(parse_with("{demonitor,%r}", &watch)), "reply ok");
    ck_assert_str_eq(ask(parse_with("{demonitor,%r}", &watch)), "reply false");
    ck_assert_str_eq(ask(parse("{demonitor,x}")), "reply {error,badarg}");
    ck_assert_ptr_null(pg_group_find(scopes[0].pg, atom("x")));
    say_join("x");
    ck_assert_uint_eq(watcher.count, 4);
}
END_TEST

/* And when who watches ends. */
START_TEST(a_watch_ends_with_its_process)
{
    ask(parse("{monitor,x}"));
    gen_server_stop_atom(self, "normal");
    world_settle(&world);
    ck_assert_uint_eq(map_count(scopes[0].pg->watches), 0);
    ck_assert_ptr_null(pg_group_find(scopes[0].pg, atom("x")));
}
END_TEST

/* What groups are called that are watched has a limit, and those of members their own. */
START_TEST(watched_names_have_a_limit)
{
    ck_assert_ptr_nonnull(
        strstr(ask(parse("{monitor,a_group_with_a_name_of_40_characters____}")), "reply {"));
    ck_assert_str_eq(ask(parse("{monitor,another_with_a_name_of_40_characters____}")),
                     "reply {error,badarg}");
    ck_assert_uint_eq(map_count(scopes[0].pg->watches), 1);
    ck_assert_int_eq(pg_join(scopes[0].pg, atom("short"), &scopes[0].pids[0]), 0);
    gen_server_stop_atom(self, "normal");
    world_settle(&world);
    ck_assert_uint_eq(scopes[0].pg->watched_bytes, 0);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, a_group_is_watched);
    tcase_add_test(tcase, a_scope_is_watched);
    tcase_add_loop_test(tcase, several_are_one_message, 0, 2);
    tcase_add_test(tcase, several_of_ours_are_one_message);
    tcase_add_test(tcase, a_lost_node_is_one_message_a_group);
    tcase_add_test(tcase, a_sync_is_told_group_by_group);
    tcase_add_test(tcase, a_watch_is_taken_back);
    tcase_add_test(tcase, a_watch_ends_with_its_process);
    tcase_add_test(tcase, watched_names_have_a_limit);
}

int main(void)
{
    return run_tests("pg_watches", add, setup, teardown);
}
