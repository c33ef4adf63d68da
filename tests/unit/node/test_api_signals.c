/*
 * What servers say to others: destinations of every kind, monitors, links, exit signals.
 */
#include "unit/node/public.h"

#include <errno.h>

static struct seen one, two, far;

static void setup(void)
{
    public_setup();
    seen_start(&one, &node, "one");
    seen_start(&two, &node, "two");
    seen_start(&far, &other, "far");
}

/* A pid, a name, {Name, Node} of both nodes: each is a destination. */
START_TEST(every_destination_is_reached)
{
    ck_assert_int_eq(cn_send(one.server, pid_of(&two), atom("a")), 0);
    ck_assert_int_eq(cn_send(one.server, atom("two"), atom("b")), 0);
    ck_assert_int_eq(cn_send(one.server, parse("{two,a@world}"), atom("c")), 0);
    ck_assert_int_eq(cn_send(one.server, pid_of(&far), atom("d")), 0);
    ck_assert_int_eq(cn_send(one.server, parse("{far,b@world}"), atom("e")), 0);
    ck_assert_int_eq(cn_cast(one.server, parse("{far,b@world}"), atom("f")), 0);
    world_settle(&world);
    ck_assert_str_eq(two.log[0], "info a");
    ck_assert_str_eq(two.log[1], "info b");
    ck_assert_str_eq(two.log[2], "info c");
    ck_assert_str_eq(far.log[0], "info d");
    ck_assert_str_eq(far.log[1], "info e");
    ck_assert_str_eq(far.log[2], "cast f");
}
END_TEST

/* The reference of a call is its caller's alias: what is sent there arrives as the answer. */
START_TEST(an_alias_is_reached)
{
    struct target target;

    ck_assert_int_eq(cn_call(one.server, pid_of(&far), atom("wait"), CN_INFINITY, seen_done, &one),
                     0);
    world_settle(&world);
    struct cn_term tag = ((struct gen_from *)far.kept)->tag;
    struct cn_reader reader;
    struct cn_term alias;
    uint32_t count;
    cn_reader_init(&reader, tag);
    ck_assert(cn_read_list(&reader, &count) && cn_skip(&reader) && cn_read_term(&reader, &alias));
    ck_assert_int_eq(target_read(alias, &target), 0);
    ck_assert_int_eq(target.dest.kind, DEST_ALIAS);
    ck_assert_int_eq(cn_send(far.server, alias, parse_with("{%t,hello}", &tag)), 0);
    world_settle(&world);
    ck_assert_str_eq(seen_last(&one), "done hello");
}
END_TEST

/* What is no destination is an error; what is one but leads nowhere is not. */
START_TEST(nonsense_is_told_apart_from_nobody)
{
    struct cn_ref ref;

    ck_assert_int_eq(cn_send(one.server, parse("1"), atom("m")), -EINVAL);
    ck_assert_int_eq(cn_cast(one.server, parse("{a,b,c}"), atom("m")), -EINVAL);
    ck_assert_int_eq(cn_monitor(one.server, parse("{a,1}"), &ref), -EINVAL);
    ck_assert_int_eq(cn_send(one.server, atom("nobody"), atom("m")), 0);
    ck_assert_int_eq(cn_send(one.server, parse("{nobody,b@world}"), atom("m")), 0);
}
END_TEST

/* A monitor by name tells of nobody at once, and of an end with its reason. */
START_TEST(monitors_tell)
{
    struct cn_ref ref;

    ck_assert_int_eq(cn_monitor(one.server, parse("{nobody,b@world}"), &ref), 0);
    world_settle(&world);
    ck_assert_ptr_nonnull(strstr(seen_last(&one), "{nobody,b@world},noproc}"));
    ck_assert_int_eq(cn_monitor(one.server, parse("{far,b@world}"), &ref), 0);
    world_settle(&world);
    cn_server_stop_atom(far.server, "gone");
    world_settle(&world);
    ck_assert_ptr_nonnull(strstr(seen_last(&one), "{far,b@world},gone}"));
}
END_TEST

/* After demonitor nothing comes, not even a DOWN that was waiting. */
START_TEST(demonitor_flushes)
{
    struct cn_ref ref;

    ck_assert_int_eq(cn_monitor(one.server, atom("nobody"), &ref), 0);
    cn_demonitor(one.server, &ref);
    world_settle(&world);
    ck_assert_uint_eq(one.count, 0);
}
END_TEST

/* A linked end is fatal, or a message to who traps exits; unlinked, nothing. */
START_TEST(links_carry_exits)
{
    cn_server_trap_exit(one.server, true);
    ck_assert_int_eq(cn_link(one.server, cn_server_pid(far.server)), 0);
    ck_assert_int_eq(cn_link(two.server, cn_server_pid(far.server)), 0);
    world_settle(&world);
    cn_server_stop_atom(far.server, "boom");
    world_settle(&world);
    ck_assert_ptr_nonnull(strstr(seen_last(&one), "{EXIT,"));
    ck_assert_ptr_nonnull(strstr(seen_last(&one), ",boom}"));
    ck_assert_str_eq(two.ended, "boom");
}
END_TEST

/* Unlinked in time, the end of the other is nobody's business. */
START_TEST(unlinked_is_unlinked)
{
    ck_assert_int_eq(cn_link(two.server, cn_server_pid(far.server)), 0);
    world_settle(&world);
    cn_unlink(two.server, cn_server_pid(far.server));
    world_settle(&world);
    cn_server_stop_atom(far.server, "boom");
    world_settle(&world);
    ck_assert_str_eq(two.ended, "");
}
END_TEST

/* Exit signals carry any reason; kill is not to be trapped and arrives as killed. */
START_TEST(exit_signals)
{
    cn_server_trap_exit(two.server, true);
    ck_assert_int_eq(cn_exit(one.server, cn_server_pid(two.server), parse("{any,1}")), 0);
    world_settle(&world);
    ck_assert_ptr_nonnull(strstr(seen_last(&two), ",{any,1}}"));
    ck_assert_int_eq(cn_exit(one.server, cn_server_pid(two.server), atom("kill")), 0);
    ck_assert_int_eq(cn_exit(one.server, cn_server_pid(far.server), atom("over")), 0);
    world_settle(&world);
    ck_assert_str_eq(two.ended, "killed");
    ck_assert_str_eq(far.ended, "over");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, every_destination_is_reached);
    tcase_add_test(tcase, an_alias_is_reached);
    tcase_add_test(tcase, nonsense_is_told_apart_from_nobody);
    tcase_add_test(tcase, monitors_tell);
    tcase_add_test(tcase, demonitor_flushes);
    tcase_add_test(tcase, links_carry_exits);
    tcase_add_test(tcase, unlinked_is_unlinked);
    tcase_add_test(tcase, exit_signals);
}

int main(void)
{
    return run_tests("api_signals", add, setup, public_teardown);
}
