/*
 * The table of names of node a: one holder per name, one monitor per holder, and nothing left when
 * it goes.
 */
#include "unit/no_memory.h"
#include "unit/registry/members.h"

static struct member *member;
static struct cn_pid x, y;

static void setup(void)
{
    members_setup();
    member = ones[0].member;
    x = ones[0].pids[0];
    y = ones[0].pids[1];
}

static const char *names(void)
{
    struct cn_writer writer;
    const char *text = NULL;

    cn_writer_init(&writer, 0);
    roster_write_names(member, &writer);
    text = show(cn_writer_term(&writer));
    cn_writer_free(&writer);
    return text;
}

/* A name has one holder, the latest; any term is a name. */
START_TEST(name_has_one_holder)
{
    ck_assert_int_eq(roster_insert(member, parse("{n,1}"), &x, atom("m"), NULL), 0);
    ck_assert_int_eq(roster_insert(member, parse("{n,1}"), &y, atom("m2"), NULL), 0);
    ck_assert_str_eq(names(), "[{{n,1},<a.7.0>,m2}]");
    roster_delete(member, roster_find(member, parse("{n,1}")));
    ck_assert_str_eq(names(), "[]");
    ck_assert_uint_eq(map_count(member->watched), 0);
}
END_TEST

/* A process is monitored once for all its names, and they go together. */
START_TEST(process_is_watched_once)
{
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(
            roster_insert(member,
                          parse_with("{n,%t}",
                                     &(struct cn_term){(const uint8_t[]){0x61, (uint8_t)i}, 2}),
                          &x, atom("m"), NULL),
            0);
    ck_assert_uint_eq(map_count(member->watched), 1);
    ck_assert_uint_eq(process_watchers(procs_find(member->procs, &x), NULL), 1);
    ck_assert_int_eq(procs_exit_signal(member->procs, NULL, &x, atom("kill")), 0);
    world_settle(&world);
    ck_assert_uint_eq(member_names(member), 0);
    ck_assert_uint_eq(map_count(member->watched), 0);
}
END_TEST

/* A pid of a process that is long gone does not stay. */
START_TEST(dead_pid_does_not_stay)
{
    struct cn_pid dead = x;

    dead.id = 4711;
    ck_assert_int_eq(roster_insert(member, atom("n"), &dead, atom("m"), NULL), 0);
    world_settle(&world);
    ck_assert_uint_eq(member_names(member), 0);
}
END_TEST

/* Names registered for hidden nodes are listed apart, with who registered them. */
START_TEST(external_names_are_listed)
{
    struct cn_writer writer;

    ck_assert_int_eq(roster_insert(member, atom("n"), &x, atom("m"), NULL), 0);
    ck_assert_int_eq(roster_insert(member, atom("e"), &y, atom("m"), "b@world"), 0);
    cn_writer_init(&writer, 0);
    roster_write_external(member, &writer);
    ck_assert_str_eq(show(cn_writer_term(&writer)), "[{e,<a.7.0>,b@world}]");
    cn_writer_free(&writer);
}
END_TEST

static int insert(void *context)
{
    struct cn_term *terms = context;
    int error = roster_insert(member, terms[0], &x, terms[1], "b@world");

    ck_assert_uint_eq(member_names(member), error == 0 ? 1 : 0);
    return error;
}

/* Without memory a new name is not entered, and nothing leaks. */
START_TEST(inserting_survives_no_memory)
{
    struct cn_term terms[] = {atom("n"), atom("m")};

    ck_assert_uint_gt(no_memory_sweep(insert, terms), 4);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, name_has_one_holder);
    tcase_add_test(tcase, process_is_watched_once);
    tcase_add_test(tcase, dead_pid_does_not_stay);
    tcase_add_test(tcase, external_names_are_listed);
    tcase_add_test(tcase, inserting_survives_no_memory);
}

int main(void)
{
    return run_tests("member_roster", add, setup, members_teardown);
}
