/*
 * The methods of stock OTP: who keeps the name, and what becomes of the other.
 */
#include <stdio.h>
#include <string.h>

#include "registry/global_resolve.h"

#include "etf/raw.h"
#include "unit/otp/server.h"
#include "unit/proc/world.h"

static struct world world;
static struct probe small, great; /* <a...>, <b...> */
static struct cn_pid a, b;

/* The owner's choice: who was asked about, and whom to tell. */
static struct {
    char asked[64];
    global_chosen chosen;
    void *context;
} owner;

static void choose(void *context, struct cn_term name, const struct cn_pid *one,
                   const struct cn_pid *other, global_chosen chosen, void *chosen_context)
{
    (void)snprintf(owner.asked, sizeof(owner.asked), "%s %s %s", show(name), show(pid_term(one)),
                   show(pid_term(other)));
    owner.chosen = chosen;
    owner.context = chosen_context;
}

static const struct global_hooks hooks = {
    .owner_module = "owner", .owner_function = "choose", .choose = choose};

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

static void on_chosen(void *context, const struct cn_pid *winner)
{
    *(const struct cn_pid **)context = winner;
}

static bool resolve(struct cn_term with, const struct cn_pid *one, const struct cn_pid *other,
                    const struct cn_pid **ret_winner)
{
    return global_resolve(world_procs(&world, 0), &hooks, with, atom("n"), one, other, on_chosen,
                          ret_winner);
}

/* The default kills the process on the greater node, in whichever order the two are named. */
START_TEST(random_exit_kills_the_greater)
{
    const struct cn_pid *winner = NULL;

    ck_assert(resolve(global_method_term(GLOBAL_EXIT_ONE), _i == 0 ? &a : &b, _i == 0 ? &b : &a,
                      &winner));
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

    ck_assert(resolve(method("random_notify_name"), &b, &a, &winner));
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

    ck_assert(resolve(method("notify_all_name"), &a, &b, &winner));
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

    ck_assert(!resolve(method("whereis_name"), &a, &b, &winner));
    ck_assert(!resolve(atom("kill"), &a, &b, &winner));
    ck_assert(cn_pid_equal(winner, &a));
}
END_TEST

/* The owner's method goes along as a fun of his, and he decides when he likes. */
START_TEST(owner_is_asked)
{
    const struct cn_pid *winner = NULL;
    struct cn_reader reader;
    struct etf_fun fun;
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    global_method_write(&hooks, GLOBAL_OWNER, &writer);
    cn_reader_init(&reader, cn_writer_term(&writer));
    ck_assert(etf_read_fun(&reader, &fun) && fun.external && fun.arity == 3);
    ck_assert(cn_bytes_equal(fun.module, "owner") && cn_bytes_equal(fun.function, "choose"));
    ck_assert(resolve(cn_writer_term(&writer), &a, &b, &winner));
    cn_writer_free(&writer);
    ck_assert_ptr_null(winner);
    ck_assert_str_eq(owner.asked, "n <a.1.0> <b.1.0>");
    owner.chosen(owner.context, &b);
    ck_assert_ptr_eq(winner, &b);
}
END_TEST

/* Where nobody decides, the owner's method is OTP's default. */
START_TEST(no_owner_is_the_default)
{
    static const struct global_hooks none = {0};
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    global_method_write(&none, GLOBAL_OWNER, &writer);
    ck_assert(cn_term_equal(cn_writer_term(&writer), global_method_term(GLOBAL_EXIT_ONE)));
    cn_writer_free(&writer);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_loop_test(tcase, random_exit_kills_the_greater, 0, 2);
    tcase_add_test(tcase, random_notify_tells_the_greater);
    tcase_add_test(tcase, notify_all_tells_both);
    tcase_add_test(tcase, unknown_methods_are_refused);
    tcase_add_test(tcase, owner_is_asked);
    tcase_add_test(tcase, no_owner_is_the_default);
}

int main(void)
{
    return run_tests("global_resolve", add, setup, teardown);
}
