/*
 * Who asks node a to wait for others is answered in time, and a leaves all when it is asked to.
 * Node b is a scripted peer, who asks.
 */
#include <stdio.h>
#include <string.h>

#include "etf/print.h"
#include "registry/member_sync.h"
#include "unit/registry/members.h"

#define LIMIT "{:error, :system_limit} "

static char replies[256]; /* to send_many, in the order of their coming */

static void on_reply(struct gen_server *self, void *context, enum call_outcome outcome,
                     struct cn_term term)
{
    size_t size = strlen(replies);
    char text[64];

    ck_assert_int_eq(outcome, CALL_REPLY);
    etf_print(term, text, sizeof(text));
    (void)snprintf(replies + size, sizeof(replies) - size, "%s ", text);
}

static void setup(void)
{
    replies[0] = '\0';
    members_setup();
    script(1);
    join(0, 1);
    ones[1].heard_count = 0;
}

static void ask_sync(const char *request)
{
    ask_server(1, 0, parse(request));
}

/* Nobody to wait for: at once. */
START_TEST(nobody_is_waited_for)
{
    static const char *const requests[] = {"{sync,[]}", "{sync,[a@world]}"};

    ask_sync(requests[_i]);
    ck_assert_str_eq(heard(1), "reply ok");
}
END_TEST

/* The answer comes when all are in sync, and not before. */
START_TEST(all_are_waited_for)
{
    join(0, 2);
    ask_sync("{sync,[b@world,c@world]}");
    ones[1].heard_count = 0;
    cast(1, 0, parse("{in_sync,b@world,true}"));
    ck_assert_uint_eq(ones[1].heard_count, 0);
    pass(3000);
    ck_assert_str_eq(heard(1), "reply ok");
    ck_assert(list_empty(&ones[0].member->syncings));
}
END_TEST

/* Who goes, cannot be reached, or has no such server holds nobody up. */
START_TEST(who_is_gone_is_not_waited_for)
{
    ask_sync("{sync,[x@world]}");
    pass(100);
    ck_assert_str_eq(heard(1), "reply ok");

    join(0, 2);
    ones[1].heard_count = 0;
    ask_sync("{sync,[c@world]}");
    ck_assert_uint_eq(ones[1].heard_count, 0);
    if (_i == 0)
        part(0, 2);
    else
        ck_assert_int_eq(procs_exit_signal(world_procs(&world, 2), NULL,
                                           gen_server_pid(ones[2].member->server), atom("kill")),
                         0);
    world_settle(&world);
    ck_assert_str_eq(heard(1), "reply ok");
}
END_TEST

/* What is no list of nodes is an error. */
START_TEST(nonsense_is_refused)
{
    static const char *const requests[] = {"{sync,x}", "{sync,[1]}", "{sync,[c@world,1]}"};

    ask_sync(requests[_i]);
    ck_assert_str_eq(heard(1), "reply {error,badarg}");
    ck_assert(list_empty(&ones[0].member->syncings));
}
END_TEST

/* Ask for @count nodes, other ones each or c@world as often; nothing is delivered yet. */
static void send_many(uint32_t first, uint32_t count, bool others)
{
    struct dest dest = to_name("global_name_server", "a@world");
    struct cn_writer writer;
    char node[32];

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "sync");
    cn_write_list(&writer, count);
    for (uint32_t i = 0; i < count; i++) {
        (void)snprintf(node, sizeof(node), "n%u@world", (unsigned)(first + i));
        cn_write_atom(&writer, others ? node : "c@world");
    }
    cn_write_nil(&writer);
    ck_assert_int_eq(
        call_start(ones[1].script, &dest, cn_writer_term(&writer), 9000, on_reply, NULL, NULL), 0);
    cn_writer_free(&writer);
}

/* The nodes of all lists have a limit; who waits already is answered in time. */
START_TEST(awaited_nodes_have_a_limit)
{
    send_many(0, 1024, true);
    send_many(1023, 1, true);
    send_many(1024, 1, true);
    world_settle(&world);
    ck_assert_str_eq(replies, LIMIT ":ok :ok ");
    ck_assert_ptr_null(ones[0].member->awaited);
}
END_TEST

/* And so has one list, and the number of all who wait, even if it is for one node. */
START_TEST(waits_have_a_limit)
{
    join(0, 2);
    send_many(0, 1025, false);
    world_settle(&world);
    ck_assert_str_eq(replies, LIMIT);
    ck_assert_ptr_null(ones[0].member->awaited);
    replies[0] = '\0';
    for (int i = 0; i < 16; i++)
        send_many(0, 1024, false);
    send_many(0, 1, false);
    world_settle(&world);
    ck_assert_str_eq(replies, LIMIT);
    ck_assert_uint_eq(map_count(ones[0].member->awaited), 1);
    replies[0] = '\0';
    pass(3000);
    ck_assert_uint_eq(strlen(replies), 16 * strlen(":ok "));
    ck_assert_uint_eq(ones[0].member->waits, 0);
}
END_TEST

/* Two who wait for one node share its monitor, and one who is refused leaves it to the other. */
START_TEST(waiting_is_shared)
{
    join(0, 2);
    ask_sync("{sync,[c@world]}");
    ask_sync("{sync,[c@world,y@world,c@world]}");
    ask_sync("{sync,[c@world,1]}");
    ck_assert_str_eq(heard(1), "reply {error,badarg}");
    ck_assert_uint_eq(ones[1].heard_count, 1);
    ck_assert_uint_eq(ones[0].member->waits, 3); /* y is out of reach */
    ck_assert_uint_eq(map_count(ones[0].member->awaited), 1);
    pass(3000);
    ck_assert_uint_eq(ones[1].heard_count, 3);
    ck_assert_str_eq(heard(1), "reply ok");
    ck_assert_ptr_null(ones[0].member->awaited);
}
END_TEST

/* Without memory nobody is answered, or in time; and nothing is left. */
START_TEST(waiting_survives_no_memory)
{
    bool failed = true;

    join(0, 2);
    for (size_t nth = 1; failed; nth++) {
        struct dest dest = to_name("global_name_server", "a@world");

        ck_assert_int_eq(call_start(ones[1].script, &dest, parse("{sync,[x@world,c@world]}"), 0,
                                    NULL, NULL, NULL),
                         0);
        (void)procs_run(world_procs(&world, 1), world.now_ms);
        while (world_deliver_one(&world, 1, 0))
            ;
        mem_test_begin();
        mem_test_fail(nth);
        (void)procs_run(world_procs(&world, 0), world.now_ms);
        mem_test_fail(0);
        failed = mem_test_failed();
        (void)mem_test_end();
        world_settle(&world);
    }
    pass(3000);
    ck_assert(list_empty(&ones[0].member->syncings));
    ck_assert_ptr_null(ones[0].member->awaited);
    ck_assert_uint_eq(ones[0].member->waits, 0);
}
END_TEST

/* Asked to leave, a says whom it leaves, tells its owner, and parts from them a moment later. */
START_TEST(leaving_parts_from_all)
{
    ask_server(1, 0, parse("disconnect"));
    ck_assert_str_eq(heard(1), "reply [b@world]");
    ck_assert_str_eq(ones[0].parted, "");
    pass(50);
    ck_assert_str_eq(ones[0].parted, "b@world");
    ck_assert_uint_eq(ones[0].left, 2);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_loop_test(tcase, nobody_is_waited_for, 0, 2);
    tcase_add_test(tcase, all_are_waited_for);
    tcase_add_loop_test(tcase, who_is_gone_is_not_waited_for, 0, 2);
    tcase_add_loop_test(tcase, nonsense_is_refused, 0, 3);
    tcase_add_test(tcase, awaited_nodes_have_a_limit);
    tcase_add_test(tcase, waits_have_a_limit);
    tcase_add_test(tcase, waiting_is_shared);
    tcase_add_test(tcase, waiting_survives_no_memory);
    tcase_add_test(tcase, leaving_parts_from_all);
}

int main(void)
{
    return run_tests("member_sync", add, setup, members_teardown);
}
