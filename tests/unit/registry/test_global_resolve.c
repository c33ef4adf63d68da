/*
 * The methods of stock OTP: who keeps the name, and what becomes of the other.
 */
#include <string.h>

#include "registry/global_resolve.h"

#include "unit/otp/server.h"
#include "unit/proc/world.h"

static struct world world;
static struct probe small, great; /* <a...>, <b...> */
static struct cn_pid a, b;

static void setup(void)
{
    world_init(&world);
    a = *process_pid(probe_start(world_procs(&world, 0), &small));
    b = *process_pid(probe_start(world_procs(&world, 1), &great));
}

static void teardown(void)
{
    world_deinit(&world);
    probe_deinit(&small);
    probe_deinit(&great);
}

static struct cn_term method(const char *name)
{
    static uint8_t bytes[64];
    struct cn_term term = atom(name);
    size_t size = 0;

    memcpy(bytes, "\x71\x77\x06global", 9);
    size = 9;
    memcpy(bytes + size, term.data, term.size);
    size += term.size;
    memcpy(bytes + size, "\x61\x03", 2);
    return (struct cn_term){bytes, size + 2};
}

/* The default kills the process on the greater node, in whichever order the two are named. */
START_TEST(random_exit_kills_the_greater)
{
    const struct cn_pid *winner = NULL;

    ck_assert(global_resolve(world_procs(&world, 0), global_method_term(GLOBAL_EXIT_ONE), atom("n"),
                             _i == 0 ? &a : &b, _i == 0 ? &b : &a, &winner));
    world_settle(&world);
    ck_assert(cn_pid_equal(winner, &a));
    ck_assert_str_eq(great.ended, "killed");
    ck_assert_str_eq(small.ended, "");
}
END_TEST

/* random_notify_name tells the loser, and kills nobody. */
START_TEST(random_notify_tells_the_greater)
{
    const struct cn_pid *winner = NULL;

    ck_assert(global_resolve(world_procs(&world, 0), method("random_notify_name"), atom("n"), &b,
                             &a, &winner));
    world_settle(&world);
    ck_assert(cn_pid_equal(winner, &a));
    ck_assert_str_eq(great.log[0], "{global_name_conflict,n}");
    ck_assert_uint_eq(small.count, 0);
}
END_TEST

/* notify_all_name tells both, and nobody keeps the name. */
START_TEST(notify_all_tells_both)
{
    const struct cn_pid *winner = &a;

    ck_assert(global_resolve(world_procs(&world, 0), method("notify_all_name"), atom("n"), &a, &b,
                             &winner));
    world_settle(&world);
    ck_assert_ptr_null(winner);
    ck_assert_str_eq(small.log[0], "{global_name_conflict,n,<b.1.0>}");
    ck_assert_str_eq(great.log[0], "{global_name_conflict,n,<a.1.0>}");
}
END_TEST

/* What is no method of OTP's is not carried out. */
START_TEST(unknown_methods_are_refused)
{
    const struct cn_pid *winner = &a;

    ck_assert(!global_resolve(world_procs(&world, 0), method("whereis_name"), atom("n"), &a, &b,
                              &winner));
    ck_assert(!global_resolve(world_procs(&world, 0), atom("kill"), atom("n"), &a, &b, &winner));
    ck_assert(cn_pid_equal(winner, &a));
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_loop_test(tcase, random_exit_kills_the_greater, 0, 2);
    tcase_add_test(tcase, random_notify_tells_the_greater);
    tcase_add_test(tcase, notify_all_tells_both);
    tcase_add_test(tcase, unknown_methods_are_refused);
}

int main(void)
{
    return run_tests("global_resolve", add, setup, teardown);
}
