/*
 * The table that session/ asks: node a's names, through one BEAM node b.
 */
#include "node/names.h"

#include <errno.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "unit/registry/beam.h"

static struct world world;
static struct beam b;
static struct functions *functions;
static struct names *names;
static const struct session_names *table;
static struct probe owner;
static struct cn_pid pid;

static int result;
static char holder[CN_NODE_NAME_MAX + 1];
static int answers;

static void done(void *context, int outcome, const struct cn_pid *who)
{
    ck_assert_ptr_eq(context, &world);
    answers++;
    result = outcome;
    snprintf(holder, sizeof holder, "%s", who ? who->node : "nobody");
}

static void setup(void)
{
    struct names_config config = {.hidden = true};
    struct peer_info peer = {.node = "b@world", .hidden = true, .published = true};

    world_init(&world);
    beam_init(&b, world_procs(&world, 1));
    ck_assert_int_eq(functions_new(world_procs(&world, 0), &functions), 0);
    ck_assert_int_eq(names_new(world_procs(&world, 0), functions, &config, &names), 0);
    table = names_table(names);
    pid = *process_pid(probe_start(world_procs(&world, 0), &owner));
    answers = 0;
    ck_assert_int_eq(names_peer_up(names, &peer), 0);
    world_settle(&world);
}

static void teardown(void)
{
    world_deinit(&world);
    names = names_free(names);
    functions = functions_free(functions);
    beam_deinit(&b);
    probe_deinit(&owner);
}

static void expect(int outcome, const char *who)
{
    world_settle(&world);
    ck_assert_int_eq(answers, 1);
    ck_assert_int_eq(result, outcome);
    ck_assert_str_eq(holder, who);
    answers = 0;
}

/* A free name is taken, found, and given back. */
START_TEST(name_lives_and_goes)
{
    ck_assert_int_eq(table->register_name(names, atom("n"), &pid, done, &world), 0);
    expect(0, "a@world");
    ck_assert_int_eq(table->whereis_name(names, atom("n"), done, &world), 0);
    expect(0, "a@world");
    table->unregister_name(names, atom("n"), &pid);
    world_settle(&world);
    ck_assert_str_eq(beam_whereis(&b, "n"), "");
}
END_TEST

/* A name that somebody else has is CN_E_TAKEN, one that nobody has is found as nobody's. */
START_TEST(taken_and_unknown_are_told_apart)
{
    struct probe other = {0};
    struct cn_pid theirs = *process_pid(probe_start(world_procs(&world, 1), &other));

    beam_set(&b, "n", &theirs);
    ck_assert_int_eq(table->register_name(names, atom("n"), &pid, done, &world), 0);
    expect(CN_E_TAKEN, "b@world");
    ck_assert_int_eq(table->whereis_name(names, atom("free"), done, &world), 0);
    expect(0, "nobody");
    process_exit_atom(procs_find(world_procs(&world, 1), &theirs), "normal");
    world_settle(&world);
    probe_deinit(&other);
}
END_TEST

/* A move gives names away, whoever had them. */
START_TEST(move_gives_the_name_away)
{
    struct cn_pid theirs = *gen_server_pid(b.server);
    struct cn_term free = parse("free");
    struct session_move moves[] = {{parse("n"), theirs}, {free, theirs}};

    ck_assert_int_eq(table->register_name(names, atom("n"), &pid, done, &world), 0);
    expect(0, "a@world");
    ck_assert_int_eq(table->move_names(names, moves, 2, done, &world), 0);
    expect(0, "nobody");
    ck_assert_str_eq(beam_whereis(&b, "n"), show(pid_term(&theirs)));
    ck_assert_str_eq(beam_whereis(&b, "free"), show(pid_term(&theirs)));
}
END_TEST

/* A name that another node gave to a process of ours goes with it. */
START_TEST(adopted_name_is_given_up)
{
    beam_set(&b, "n", &pid);
    table->adopt_name(names, atom("n"), &pid);
    world_settle(&world);
    table->unregister_name(names, atom("n"), &pid);
    world_settle(&world);
    ck_assert_str_eq(beam_whereis(&b, "n"), "");
}
END_TEST

/* A question that is open when the node ends is forgotten, and leaves nothing behind. */
START_TEST(open_question_is_forgotten)
{
    b.hold = true;
    ck_assert_int_eq(table->register_name(names, atom("n"), &pid, done, &world), 0);
    world_settle(&world);
    ck_assert_int_eq(answers, 0);
}
END_TEST

/* Without memory a question is refused and never answered. */
START_TEST(no_memory_is_told)
{
    struct cn_term name = atom("n");

    for (size_t nth = 1;; nth++) {
        mem_test_begin();
        mem_test_fail(nth);
        int error = table->register_name(names, name, &pid, done, &world);
        bool failed = mem_test_failed();
        mem_test_end();
        if (!failed)
            break;
        ck_assert_int_eq(error, -ENOMEM);
        world_settle(&world);
        ck_assert_int_eq(answers, 0);
    }
    expect(0, "a@world");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, name_lives_and_goes);
    tcase_add_test(tcase, taken_and_unknown_are_told_apart);
    tcase_add_test(tcase, move_gives_the_name_away);
    tcase_add_test(tcase, adopted_name_is_given_up);
    tcase_add_test(tcase, open_question_is_forgotten);
    tcase_add_test(tcase, no_memory_is_told);
}

int main(void)
{
    return run_tests("node/names", add, setup, teardown);
}
