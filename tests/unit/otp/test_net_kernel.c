/*
 * net_kernel: Node.ping gets its yes, and nobody waits for an answer to anything else that
 * old and new releases ask of it.
 */
#include "unit/otp/asker.h"

static const char *ask(struct cn_term request)
{
    struct dest dest = to_name("net_kernel", "a@world");

    ck_assert_int_eq(call_start(client_server, &dest, request, 1000, server_done, &client, NULL),
                     0);
    world_settle(&world);
    return server_last(&client);
}

/* Node.ping gets its yes. */
START_TEST(ping_is_answered)
{
    ck_assert_str_eq(ask(parse("{is_auth,b@world}")), "reply yes");
}
END_TEST

/* The spawn of old releases, and anything unknown, is refused at once. */
START_TEST(others_are_refused)
{
    ck_assert_str_eq(ask(parse("{spawn,m,f,[],gl}")), "reply {error,unsupported}");
    ck_assert_str_eq(ask(parse("longnames")), "reply {error,unsupported}");
}
END_TEST

/* A killed one is there again, and answers. */
START_TEST(killed_it_starts_again)
{
    struct process *first = procs_whereis(world_procs(&world, 0), view("net_kernel"));
    struct cn_pid old = *process_pid(first);

    process_exit_atom(first, "killed");
    world_settle(&world);
    ck_assert_ptr_null(procs_find(world_procs(&world, 0), &old));
    ck_assert_str_eq(ask(parse("{is_auth,b@world}")), "reply yes");
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, ping_is_answered);
    tcase_add_test(tcase, others_are_refused);
    tcase_add_test(tcase, killed_it_starts_again);
}

int main(void)
{
    return run_tests("net_kernel", add, asker_setup, asker_teardown);
}
