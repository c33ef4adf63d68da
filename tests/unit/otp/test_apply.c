/*
 * The life of one apply: at once, later, never. The holder of an apply and its process end
 * independently of each other; no order of the two may leak or touch freed memory.
 */
#include "base/alloc.h"
#include "otp/internal.h"
#include "unit/otp/asker.h"

/* A function may answer later; its process lives until then. */
START_TEST(answer_may_come_later)
{
    (void)rpc("test", "keep", parse("[]"));
    ck_assert_uint_eq(client.count, 0);
    ck_assert_ptr_eq(apply_procs(kept), world_procs(&world, 0));
    ck_assert_ptr_eq(apply_functions(kept), functions);
    apply_return(kept, parse("{at,last}"));
    world_settle(&world);
    ck_assert_str_eq(server_last(&client), "reply {at,last}");
}
END_TEST

/* An apply that is never ended is released with its node. */
START_TEST(forgotten_apply_is_released)
{
    (void)rpc("test", "keep", parse("[]"));
    (void)erpc("test", "keep", parse("[]"));
    ck_assert_ptr_nonnull(kept);
}
END_TEST

/* What others send to the process of an apply is dropped. */
START_TEST(stray_messages_are_dropped)
{
    (void)rpc("test", "keep", parse("[]"));
    ck_assert_int_eq(procs_send_pid(world_procs(&world, 0), NULL,
                                    gen_server_pid(apply_server(kept)), atom("run")),
                     0);
    world_settle(&world);
    apply_error(kept, "badarg");
    world_settle(&world);
    ck_assert_str_eq(server_last(&client), "reply {badrpc,{EXIT,{badarg,[{test,keep,0,[]}]}}}");
}
END_TEST

/* A value that could not be written is an error, not silence. */
START_TEST(failed_writer_is_an_error)
{
    struct cn_writer writer;

    (void)rpc("test", "keep", parse("[]"));
    cn_writer_init(&writer, 1);
    cn_write_atom(&writer, "too_long");
    apply_return_writer(kept, &writer);
    world_settle(&world);
    ck_assert_str_eq(server_last(&client),
                     "reply {badrpc,{EXIT,{system_limit,[{test,keep,0,[]}]}}}");
}
END_TEST

/* Starting fails cleanly at each allocation. */
START_TEST(start_survives_no_memory)
{
    struct cn_term m = atom("test");
    struct cn_term f = atom("echo");
    struct cn_term a = parse("[1]");
    struct apply_request request = {
        .kind = APPLY_SPAWN, .module = m, .function = f, .arguments = a};
    struct process *process = NULL;
    size_t nth = 0;
    int r = -1;

    while (r != 0) {
        mem_test_begin();
        mem_test_fail(++nth);
        r = apply_start(functions, &request, &process);
        mem_test_fail(0);
        world_settle(&world); /* a process that was begun ends */
        (void)mem_test_end();
    }
    ck_assert_uint_ge(nth, 6);
    ck_assert_uint_eq(procs_count(world_procs(&world, 0)), 2); /* rex and net_kernel */
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, answer_may_come_later);
    tcase_add_test(tcase, forgotten_apply_is_released);
    tcase_add_test(tcase, stray_messages_are_dropped);
    tcase_add_test(tcase, failed_writer_is_an_error);
    tcase_add_test(tcase, start_survives_no_memory);
}

int main(void)
{
    return run_tests("apply", add, asker_setup, asker_teardown);
}
