/*
 * Calls to {global, Name} from a server of node a, with :global through a BEAM node b.
 */
#include <errno.h>

#include "unit/no_memory.h"
#include "unit/node/public.h"

static struct seen one, two;

static void setup(void)
{
    public_setup();
    one = (struct seen){0};
    two = (struct seen){0};
    seen_start(&one, &node, NULL);
    seen_start(&two, &other, NULL);
    beam_set(&beam, "n", cn_server_pid(two.server));
}

static const char *call(const char *to)
{
    ck_assert_int_eq(cn_call(one.server, parse(to), atom("hello"), 1000, seen_done, &one), 0);
    world_settle(&world);
    return seen_last(&one);
}

/* A name leads to its process, on whichever node, and one that nobody has to none. */
START_TEST(name_is_called)
{
    ck_assert_str_eq(call("{global,n}"), "done {echo,hello}");
    ck_assert_str_eq(call("{global,free}"), "exit noproc");
}
END_TEST

/* A server that calls itself by such a name is told so, and does not wait. */
START_TEST(own_name_is_no_deadlock)
{
    beam_set(&beam, "me", cn_server_pid(one.server));
    ck_assert_str_eq(call("{global,me}"), "exit calling_self");
}
END_TEST

/* A call ends with its server, once, while the name is looked up too. */
START_TEST(call_ends_with_its_server)
{
    ck_assert_int_eq(cn_call(one.server, parse("{global,n}"), atom("x"), 1000, seen_done, &one), 0);
    cn_server_stop_atom(one.server, "normal");
    world_settle(&world);
    ck_assert_uint_eq(one.count, 1);
    ck_assert_str_eq(seen_last(&one), "ended");
}
END_TEST

static int call_n(void *context)
{
    struct cn_term *terms = context;

    return cn_call(one.server, terms[0], terms[1], 1000, seen_done, &one);
}

/* Without memory a call is refused, and never answered. */
START_TEST(survives_no_memory)
{
    struct cn_term terms[] = {parse("{global,n}"), atom("x")};

    ck_assert_uint_gt(no_memory_sweep(call_n, terms), 1);
    world_settle(&world);
    ck_assert_str_eq(seen_last(&one), "done {echo,x}");
    ck_assert_uint_eq(one.count, 1);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, name_is_called);
    tcase_add_test(tcase, own_name_is_no_deadlock);
    tcase_add_test(tcase, call_ends_with_its_server);
    tcase_add_test(tcase, survives_no_memory);
}

int main(void)
{
    return run_tests("node/api_global_call", add, setup, public_teardown);
}
