/*
 * Answers: to pids, to aliases, at once and later. A late answer must vanish at the caller, and
 * a peer without aliases must get its answer all the same.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "unit/otp/server.h"

static struct world world;
static struct server seen;
static struct probe caller;
static struct gen_server *server;
static struct process *asker;
static struct cn_pid server_pid, asker_pid;

static void setup(void)
{
    world_init(&world);
    server = server_start(world_procs(&world, 0), &seen, "server");
    server_pid = *gen_server_pid(server);
    asker = probe_start(world_procs(&world, 1), &caller);
    asker_pid = *process_pid(asker);
}

static void teardown(void)
{
    world_deinit(&world);
    server_deinit(&seen);
    probe_deinit(&caller);
}

static void tell(struct cn_term message)
{
    ck_assert_int_eq(procs_send_pid(world_procs(&world, 1), asker, &server_pid, message), 0);
    world_settle(&world);
}

/* [alias | Ref] and [[alias | Ref] | X] are answered to the alias, with the tag as it came. */
START_TEST(alias_tags_go_to_the_alias)
{
    struct cn_ref ref;
    struct dest self = to_pid(&server_pid);

    ck_assert_int_eq(process_monitor_alias(asker, &self, &ref), 0);
    tell(parse_with("{$gen_call,{%p,[alias|%r]},x}", &asker_pid, &ref));
    tell(parse_with("{$gen_call,{%p,[[alias|%r]|more]},x}", &asker_pid, &ref));
    ck_assert_uint_eq(world.nodes[0].sent[CONTROL_ALIAS_SEND], 2);
    ck_assert_str_eq(caller.log[0], "{[alias|#Ref<b.1>],{echo,x}}");
    ck_assert_str_eq(caller.log[1], "{[[alias|#Ref<b.1>]|more],{echo,x}}");
    process_demonitor(asker, &ref, true);
    tell(parse_with("{$gen_call,{%p,[alias|%r]},x}", &asker_pid, &ref));
    ck_assert_uint_eq(caller.count, 2); /* a late answer vanishes */
}
END_TEST

/* An answer can be given later, from another call. */
START_TEST(answers_can_be_deferred)
{
    tell(parse_with("{$gen_call,{%p,first},wait}", &asker_pid));
    ck_assert_uint_eq(caller.count, 0);
    tell(parse_with("{$gen_call,{%p,second},{answer,now}}", &asker_pid));
    ck_assert_str_eq(caller.log[0], "{first,now}");
    ck_assert_str_eq(caller.log[1], "{second,{echo,{answer,now}}}");
}
END_TEST

/* From must be {Pid, Tag}; anything else is no caller. */
START_TEST(callers_are_read_strictly)
{
    struct gen_from from;

    ck_assert_int_eq(gen_from_read(parse_with("{%p,tag}", &asker_pid), &from), 0);
    ck_assert(cn_pid_equal(&from.pid, &asker_pid));
    ck_assert_str_eq(show(from.tag), "tag");
    ck_assert_int_eq(gen_from_read(parse("{pid,tag}"), &from), CN_E_INVALID);
    ck_assert_int_eq(gen_from_read(parse_with("{%p}", &asker_pid), &from), CN_E_INVALID);
    ck_assert_int_eq(gen_from_read(parse("[]"), &from), CN_E_INVALID);
}
END_TEST

/* A peer that cannot take aliases gets the answer at the caller's pid. */
START_TEST(no_alias_falls_back_to_the_pid)
{
    struct cn_ref ref;
    struct gen_from from = {.pid = asker_pid};

    procs_make_ref(world_procs(&world, 1), &ref);
    from.tag = parse_with("[alias|%r]", &ref);
    world.nodes[0].no_alias = true;
    ck_assert_int_eq(gen_reply(world_procs(&world, 0), &from, atom("answer")), 0);
    world_settle(&world);
    ck_assert_str_eq(caller.log[0], "{[alias|#Ref<b.1>],answer}");
}
END_TEST

/* Keeping a caller fails cleanly. */
START_TEST(copy_survives_no_memory)
{
    struct gen_from from = {.pid = asker_pid, .tag = atom("tag")};

    for (size_t nth = 1; nth <= 2; nth++) {
        mem_test_begin();
        mem_test_fail(nth);
        ck_assert_ptr_null(gen_from_copy(&from));
        ck_assert_int_eq(mem_test_end(), 0);
    }
    struct gen_from *copy = gen_from_copy(&from);
    ck_assert_ptr_nonnull(copy);
    ck_assert_ptr_null(gen_from_free(copy));
    ck_assert_ptr_null(gen_from_free(NULL));
}
END_TEST

/* A cast is wrapped. */
START_TEST(casts_are_wrapped)
{
    struct dest dest = to_pid(&asker_pid);

    ck_assert_int_eq(gen_cast(world_procs(&world, 0), NULL, &dest, atom("hello")), 0);
    world_settle(&world);
    ck_assert_str_eq(caller.log[0], "{$gen_cast,hello}");
}
END_TEST

/* What a writer holds is the answer, small or large; the writer is empty afterwards. */
START_TEST(written_answers_are_taken)
{
    static const size_t sizes[] = {3, 100000};
    struct gen_from from = {.pid = asker_pid, .tag = atom("tag")};

    for (size_t i = 0; i < 2; i++) {
        struct cn_writer writer;
        uint8_t *room;

        cn_writer_init(&writer, 0);
        room = cn_write_binary_room(&writer, sizes[i]);
        ck_assert_ptr_nonnull(room);
        memset(room, 'a', sizes[i]);
        ck_assert_int_eq(gen_reply_written(world_procs(&world, 0), &from, &writer), 0);
        ck_assert_uint_eq(writer.size, 0);
        ck_assert_int_eq(gen_reply_written(world_procs(&world, 0), &from, &writer), -EINVAL);
        world_settle(&world);
        ck_assert_uint_eq(caller.count, i + 1);
        ck_assert_int_eq(strncmp(caller.log[i], "{tag,", 5), 0);
    }
    ck_assert_ptr_nonnull(strstr(caller.log[0], "aaa")); /* larger ones are not shown */
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, alias_tags_go_to_the_alias);
    tcase_add_test(tcase, answers_can_be_deferred);
    tcase_add_test(tcase, callers_are_read_strictly);
    tcase_add_test(tcase, no_alias_falls_back_to_the_pid);
    tcase_add_test(tcase, copy_survives_no_memory);
    tcase_add_test(tcase, casts_are_wrapped);
    tcase_add_test(tcase, written_answers_are_taken);
}

int main(void)
{
    return run_tests("gen_reply", add, setup, teardown);
}
