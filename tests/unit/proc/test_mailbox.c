/*
 * Mailboxes: order, limit, lack of memory. Nothing that does not fit may be lost in silence: the
 * process ends, or the sender is told.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "proc/internal.h"
#include "unit/proc/world.h"

static struct procs *procs;
static struct probe p;
static struct process *process;

static unsigned reached;
static char reached_by[128];

static void on_reached(void *context, const char *limit, const char *who)
{
    reached++;
    (void)snprintf(reached_by, sizeof(reached_by), "%s: %s", limit, who);
}

static void setup(void)
{
    struct procs_limits limits = {
        .mailbox_max = 3, .mailbox_bytes_max = 100, .reached = on_reached};

    reached = 0;
    ck_assert_int_eq(procs_new("x@world", 7, NULL, &limits, &procs), 0);
    process = probe_start(procs, &p);
}

static void teardown(void)
{
    procs = procs_free(procs);
    probe_deinit(&p);
}

static int tell(const char *text)
{
    return procs_send_pid(procs, NULL, process_pid(process), atom(text));
}

/* Messages come in the order in which they were sent; sending runs nobody. */
START_TEST(messages_keep_their_order)
{
    ck_assert_int_eq(tell("a"), 0);
    ck_assert_int_eq(tell("b"), 0);
    ck_assert_uint_eq(p.count, 0);
    ck_assert_uint_eq(process_mailbox_length(process), 2);
    ck_assert_uint_eq(procs_run(procs, 1), UINT64_MAX);
    ck_assert_str_eq(p.log[0], "a");
    ck_assert_str_eq(p.log[1], "b");
    ck_assert_int_eq(tell("c"), 0);
    (void)procs_run(procs, 1);
    ck_assert_str_eq(p.log[2], "c");
}
END_TEST

/* A full mailbox kills its process, so that whoever waits for it learns of it; it is told once. */
START_TEST(full_mailbox_kills)
{
    for (size_t i = 0; i < 6; i++)
        ck_assert_int_eq(tell("x"), 0);
    ck_assert_uint_eq(reached, 1);
    ck_assert_str_eq(reached_by, "mailbox.full: <0.1.0> probe: 3 messages, 9 bytes");
    (void)procs_run(procs, 1);
    ck_assert_str_eq(p.ended, "killed");
    ck_assert_uint_eq(p.count, 0);
}
END_TEST

/* So does one with few large messages; what was handled or flushed makes room again. */
START_TEST(full_mailbox_by_bytes)
{
    const char *text = "an_atom_of_forty_bytes__________________";

    for (int round = 0; round < 5; round++) {
        ck_assert_int_eq(tell(text), 0);
        ck_assert_int_eq(tell(text), 0);
        (void)procs_run(procs, 1);
    }
    ck_assert_uint_eq(p.count, 10);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(tell(text), 0);
    ck_assert_str_eq(reached_by, "mailbox.full: <0.1.0> probe: 2 messages, 84 bytes");
    (void)procs_run(procs, 1);
    ck_assert_str_eq(p.ended, "killed");
}
END_TEST

static int released;

static void on_release(struct shared *shared)
{
    released++;
}

/* A message that somebody keeps is shared until it was handled, dropped, or not taken at all. */
START_TEST(kept_messages_are_shared)
{
    struct cn_term message = atom("large");
    struct shared owner;

    shared_init(&owner, on_release);
    released = 0;
    ck_assert_int_eq(mailbox_push_shared(process, message, &owner), 0);
    ck_assert_int_eq(mailbox_push_shared(process, message, &owner), 0);
    ck_assert_uint_eq(owner.owners, 3);
    (void)procs_run(procs, 1);
    ck_assert_str_eq(p.log[1], "large");
    ck_assert_uint_eq(owner.owners, 1);
    ck_assert_int_eq(mailbox_push_shared(process, message, &owner), 0);
    mailbox_clear(process);
    mem_test_begin();
    mem_test_fail(1);
    ck_assert_int_eq(mailbox_push_shared(process, message, &owner), -12);
    (void)mem_test_end();
    ck_assert_uint_eq(owner.owners, 1);
    shared_put(&owner);
    ck_assert_int_eq(released, 1);
}
END_TEST

/* Without memory the sender is told and the mailbox is as it was. */
START_TEST(no_memory_is_told)
{
    struct cn_term message = atom("a");

    mem_test_begin();
    mem_test_fail(1);
    ck_assert_int_eq(procs_send_pid(procs, NULL, process_pid(process), message), -12);
    (void)mem_test_end();
    ck_assert_uint_eq(process_mailbox_length(process), 0);
    ck_assert_int_eq(procs_send_pid(procs, NULL, process_pid(process), message), 0);
    (void)procs_run(procs, 1);
    ck_assert_uint_eq(p.count, 1);
}
END_TEST

static struct etf_body *body_of(const char *text)
{
    struct cn_writer writer;
    struct etf_body *body;

    cn_writer_init(&writer, 0);
    cn_write_atom(&writer, text);
    ck_assert_int_eq(etf_body_new(&writer, &body), 0);
    return body;
}

/* What was sent as a body is one term for who gets it; without memory for it nothing is kept. */
START_TEST(bodies_are_joined)
{
    struct cn_term start = {(const uint8_t *)"\x68\x02\x77\x02ok", 6};
    struct etf_body *body = body_of("state");

    mem_test_begin();
    mem_test_fail(1);
    ck_assert_int_eq(mailbox_push_body(process, start, body), -12);
    (void)mem_test_end();
    ck_assert_uint_eq(body->shared.owners, 1);
    ck_assert_int_eq(mailbox_push_body(process, start, body), 0);
    ck_assert_uint_eq(body->shared.owners, 2);
    (void)procs_run(procs, 1);
    ck_assert_str_eq(p.log[0], "{ok,state}");
    ck_assert_uint_eq(body->shared.owners, 1);
    etf_body_put(body);
}
END_TEST

/* A reason that ends in a body is one term too; who has no memory for it was killed. */
START_TEST(reasons_may_end_in_bodies)
{
    struct cn_term start = {(const uint8_t *)"\x68\x02\x77\x02ok", 6};
    struct etf_body *body = body_of("state");
    struct probe other = {0};
    struct process *poor = probe_start(procs, &other);

    process_exit_shared(process, start, body);
    mem_test_begin();
    mem_test_fail(1);
    process_exit_shared(poor, start, body);
    (void)mem_test_end();
    (void)procs_run(procs, 1);
    ck_assert_str_eq(p.ended, "{ok,state}");
    ck_assert_str_eq(other.ended, "killed");
    ck_assert_uint_eq(body->shared.owners, 1);
    etf_body_put(body);
    probe_deinit(&other);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, messages_keep_their_order);
    tcase_add_test(tcase, full_mailbox_kills);
    tcase_add_test(tcase, full_mailbox_by_bytes);
    tcase_add_test(tcase, no_memory_is_told);
    tcase_add_test(tcase, kept_messages_are_shared);
    tcase_add_test(tcase, bodies_are_joined);
    tcase_add_test(tcase, reasons_may_end_in_bodies);
}

int main(void)
{
    return run_tests("mailbox", add, setup, teardown);
}
