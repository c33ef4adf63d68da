/*
 * New nodes, as a member that did not join them hears of them. Node b is a scripted peer, known.
 */
#include <time.h>

#include "unit/registry/members.h"

#define CPU_S 4

static struct cn_pid theirs;

static void setup(void)
{
    members_setup();
    script(1);
    script(2);
    theirs = ones[1].pids[0];
    (void)known_add(ones[0].member, "b@world", 8);
    join(0, 1);
    world_connect(&world, 0, 2);
}

static void tell(const char *lock)
{
    struct cn_term term = parse(lock);

    cast(1, 0,
         parse_with("{new_nodes,b@world,[{insert,{n,%p,m}},{delete,old}],[{n,%p,b@world}],"
                    "[{c@world,8},{a@world,8}],[{vsn,8},{lock,%t}]}",
                    &theirs, &theirs, &term));
}

/* They are known, told that we are in sync, and the list is applied. */
START_TEST(new_nodes_are_known)
{
    ck_assert_int_eq(roster_insert(ones[0].member, atom("old"), &theirs, atom("m"), NULL), 0);
    tell("{global,x}");
    ck_assert(member_knows(ones[0].member, "c@world"));
    ck_assert_uint_eq(known_count(ones[0].member), 2);
    ck_assert_str_eq(holder(0, "n"), "<b.6.0>");
    ck_assert_str_eq(holder(0, "old"), "");
    ck_assert_str_eq(roster_find(ones[0].member, atom("n"))->registered_by, "b@world");
    ck_assert_str_eq(heard(2), "{in_sync,a@world,true}");
}
END_TEST

/* Under another lock than that of the join the list is too late. */
START_TEST(list_of_another_lock_is_not_applied)
{
    ck_assert_int_eq(locks_set(ones[0].member, parse("{global,x}"), &theirs), 0);
    tell(_i == 0 ? "{global,x}" : "{global,y}");
    ck_assert_str_eq(holder(0, "n"), _i == 0 ? "<b.6.0>" : "");
    ck_assert(member_knows(ones[0].member, "c@world"));
}
END_TEST

static void write_name(struct cn_writer *writer, int64_t number, const char *last)
{
    cn_write_tuple(writer, 3);
    cn_write_integer(writer, number);
    cn_write_pid(writer, &theirs);
    cn_write_atom(writer, last);
}

/* {new_nodes, ...} with @count names, each registered by b for a hidden node. */
static void tell_many(uint32_t count)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 6);
    cn_write_atom(&writer, "new_nodes");
    cn_write_atom(&writer, "b@world");
    cn_write_list(&writer, count);
    for (uint32_t i = 0; i < count; i++) {
        cn_write_tuple(&writer, 2);
        cn_write_atom(&writer, "insert");
        write_name(&writer, i, "m");
    }
    cn_write_nil(&writer);
    cn_write_list(&writer, count);
    for (uint32_t i = 0; i < count; i++)
        write_name(&writer, i, "b@world");
    cn_write_nil(&writer);
    cn_write_nil(&writer);
    cn_write_nil(&writer);
    cast(1, 0, cn_writer_term(&writer));
    cn_writer_free(&writer);
}

/* Many names of hidden nodes cost what they are, not the square of it: a loop that stood still for
 * that long would lose its connections. Processor time is the limit, whatever else runs here. */
START_TEST(many_names_of_hidden_nodes)
{
    clock_t began = clock();

    tell_many(50000);
    ck_assert_int_lt((clock() - began) / CLOCKS_PER_SEC, CPU_S);
    ck_assert_uint_eq(member_names(ones[0].member), 50000);
    for (const struct name *name = ones[0].member->names; name != NULL; name = name->hh.next)
        ck_assert_str_eq(name->registered_by, "b@world");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, new_nodes_are_known);
    tcase_add_test(tcase, many_names_of_hidden_nodes);
    tcase_add_loop_test(tcase, list_of_another_lock_is_not_applied, 0, 2);
}

int main(void)
{
    return run_tests("member_apply", add, setup, members_teardown);
}
