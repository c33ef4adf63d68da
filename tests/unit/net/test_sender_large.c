/*
 * The sending side with large signals: they take turns with each other and with small ones, no
 * sender's signals overtake each other, nothing is lost or left behind.
 */
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "dist/flags.h"
#include "wire.h"

/* Write {Number, <<0:Size/unit:8>>}. */
static struct cn_term numbered(struct cn_writer *writer, unsigned number, size_t size)
{
    uint8_t *bytes = calloc(1, size + 1);

    cn_writer_reset(writer);
    cn_write_tuple(writer, 2);
    cn_write_integer(writer, number);
    cn_write_binary(writer, (struct cn_bytes){bytes, size});
    free(bytes);
    return cn_writer_term(writer);
}

static unsigned number_of(struct cn_term message)
{
    struct cn_reader reader;
    int64_t number = -1;

    cn_reader_init(&reader, message);
    ck_assert(cn_read_this_tuple(&reader, 2) && cn_read_integer(&reader, &number));
    return (unsigned)number;
}

static int send_numbered(uint32_t from, unsigned number, size_t size)
{
    struct control control = wire_control(CONTROL_SEND);
    struct cn_writer writer;
    int rc;

    control.from.id = from;
    cn_writer_init(&writer, 0);
    rc = sender_append(&wire.sender, &control, numbered(&writer, number, size), NULL);
    cn_writer_free(&writer);
    return rc;
}

/* Take all signals, in the order in which they arrive; gives their number. */
static size_t drain(struct control *controls, unsigned *numbers, size_t max)
{
    size_t count = 0;
    int rc = 0;

    while (rc != CN_E_CLOSED) {
        struct cn_term message;

        ck_assert_uint_lt(count, max);
        rc = wire_take(&controls[count], &message);
        ck_assert(rc == 0 || rc == CN_E_MORE || rc == CN_E_CLOSED);
        if (rc == 0)
            numbers[count++] = number_of(message);
        ck_assert_int_eq(sender_fill(&wire.sender, 1), 0);
        if (rc == CN_E_CLOSED && outbox_bytes(&wire.outbox) > 0)
            rc = 0;
    }
    ck_assert_uint_eq(sender_bytes(&wire.sender), 0);
    ck_assert(!sender_has_fragments(&wire.sender));
    return count;
}

/* What others send passes a large signal; what its own sender sends waits for it. */
START_TEST(small_signals_pass_but_for_their_own_sender)
{
    struct control controls[8];
    unsigned numbers[8];

    for (size_t i = 0; i < 4; i++) {
        bool fragments = (wire_flags[i] & FLAG_FRAGMENTS) != 0;

        wire_start(wire_flags[i]);
        ck_assert_int_eq(send_numbered(1, 1, 1000000), 0);
        ck_assert_int_eq(send_numbered(1, 2, 10), 0);
        ck_assert_int_eq(send_numbered(2, 3, 10), 0);
        ck_assert_uint_eq(drain(controls, numbers, 8), 3);
        ck_assert_uint_eq(numbers[0], fragments ? 3 : 1);
        ck_assert_uint_eq(numbers[1], fragments ? 1 : 2);
        ck_assert_uint_eq(numbers[2], fragments ? 2 : 3);
        wire_stop();
    }
}
END_TEST

/* Large signals of several senders take turns: the shorter one is through before the longer. */
START_TEST(large_signals_take_turns)
{
    struct control controls[8];
    unsigned numbers[8];

    wire_start(FLAGS_OURS);
    ck_assert_int_eq(send_numbered(1, 1, 900000), 0);
    ck_assert_int_eq(send_numbered(2, 2, 300000), 0);
    ck_assert_int_eq(send_numbered(3, 3, 150000), 0);
    ck_assert_uint_eq(drain(controls, numbers, 8), 3);
    ck_assert_uint_eq(numbers[0], 3);
    ck_assert_uint_eq(numbers[1], 2);
    ck_assert_uint_eq(numbers[2], 1);
    wire_stop();
}
END_TEST

/* Random sizes from a few senders, filled now and then: each sender's numbers only rise. */
START_TEST(order_of_each_sender_is_kept)
{
    static struct control controls[1000];
    static unsigned numbers[1000];
    unsigned last[4] = {0};
    unsigned sent = 0;
    size_t passed = 0;
    size_t count;

    wire_start(FLAGS_OURS);
    srand(7);
    for (int round = 0; round < 300; round++) {
        size_t size = rand() % 4 == 0 ? (size_t)rand() % 300000 : (size_t)rand() % 200;

        ck_assert_int_eq(send_numbered((uint32_t)rand() % 4, ++sent, size), 0);
        if (rand() % 5 == 0)
            ck_assert_int_eq(sender_fill(&wire.sender, outbox_bytes(&wire.outbox) + 100000), 0);
    }
    count = drain(controls, numbers, 1000);
    ck_assert_uint_eq(count, sent);
    for (size_t i = 0; i < count; i++) {
        uint32_t from = controls[i].from.id;

        ck_assert_uint_gt(numbers[i], last[from]);
        last[from] = numbers[i];
        passed += i > 0 && numbers[i] < numbers[i - 1];
    }
    ck_assert_uint_gt(passed, 10);
    wire_stop();
}
END_TEST

/* One large body for many, from one sender: never copied, not even while it waits. */
START_TEST(waiting_bodies_are_shared)
{
    struct control control = wire_control(CONTROL_ALIAS_SEND);
    struct cn_term begin = {(const uint8_t *)"\x68\x02\x77\x02ok", 6};
    struct etf_body *body;
    struct cn_writer writer;
    size_t arrived = 0;

    wire_start(FLAGS_OURS);
    cn_writer_init(&writer, 0);
    (void)numbered(&writer, 1, 300000);
    ck_assert_int_eq(etf_body_new(&writer, &body), 0);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(sender_append(&wire.sender, &control, begin, body), 0);
    while (sender_bytes(&wire.sender) > 0) {
        struct cn_bytes pieces[8];
        struct cn_term message;
        size_t count = outbox_view(&wire.outbox, pieces, 8);
        const struct cn_term form = body->indexed;

        for (size_t i = 0; i < count; i++)
            ck_assert(pieces[i].size < 200 ||
                      (pieces[i].data >= form.data && pieces[i].data < form.data + form.size));
        while (outbox_bytes(&wire.outbox) > 0)
            arrived += wire_take(&control, &message) == 0 ? 1 : 0;
        ck_assert_int_eq(sender_fill(&wire.sender, 1), 0);
    }
    ck_assert_uint_eq(arrived, 10);
    ck_assert_uint_eq(body->shared.owners, 1);
    etf_body_put(body);
    wire_stop();
}
END_TEST

/* What waits counts: the limit holds for fragments and for what is held back too. */
START_TEST(limit_counts_what_waits)
{
    wire_start(FLAGS_OURS);
    wire.outbox.bytes_max = 1000000;
    ck_assert_int_eq(send_numbered(1, 1, 2000000), 0);
    ck_assert_uint_gt(sender_bytes(&wire.sender), 2000000);
    ck_assert_int_eq(send_numbered(1, 2, 10), CN_E_LIMIT);
    ck_assert_int_eq(send_numbered(2, 3, 10), CN_E_LIMIT);
    wire_stop();
}
END_TEST

/* A connection that ends in the middle takes everything with it. */
START_TEST(unfinished_signals_are_released)
{
    mem_test_begin();
    wire_start(FLAGS_OURS);
    ck_assert_int_eq(send_numbered(1, 1, 300000), 0);
    ck_assert_int_eq(send_numbered(1, 2, 300000), 0);
    ck_assert_int_eq(send_numbered(1, 3, 10), 0);
    ck_assert_int_eq(send_numbered(2, 4, 300000), 0);
    ck_assert_int_eq(sender_fill(&wire.sender, 200000), 0);
    wire_stop();
    ck_assert_int_eq(mem_test_end(), 0);
}
END_TEST

/* Each allocation fails once: whatever was accepted before and after arrives, in order. */
START_TEST(refused_for_lack_of_memory)
{
    for (size_t nth = 1;; nth++) {
        struct control controls[8];
        unsigned numbers[8];
        bool accepted[4];
        size_t expected = 1;
        bool failed;

        wire_start(FLAGS_OURS);
        ck_assert_int_eq(send_numbered(9, 0, 10), 0);
        mem_test_begin();
        mem_test_fail(nth);
        for (unsigned i = 0; i < 4; i++) {
            int rc = send_numbered(1, i + 1, i % 2 == 0 ? 200000 : 10);

            ck_assert(rc == 0 || rc == -ENOMEM || rc == -EINVAL);
            accepted[i] = rc == 0;
            expected += accepted[i] ? 1 : 0;
        }
        failed = mem_test_failed();
        mem_test_end();
        ck_assert_uint_eq(drain(controls, numbers, 8), expected);
        for (size_t i = 2; i < expected; i++)
            ck_assert_uint_gt(numbers[i], numbers[i - 1]);
        wire_stop();
        if (!failed) {
            ck_assert_uint_eq(expected, 5);
            ck_assert_uint_gt(nth, 10);
            break;
        }
    }
}
END_TEST

/* Each allocation of the filling fails once: an error, and all is released. */
START_TEST(fill_without_memory)
{
    for (size_t nth = 1;; nth++) {
        bool failed;
        int rc = 0;

        mem_test_begin();
        wire_start(FLAGS_OURS);
        ck_assert_int_eq(send_numbered(1, 1, 300000), 0);
        ck_assert_int_eq(send_numbered(1, 2, 300000), 0);
        ck_assert_int_eq(send_numbered(1, 3, 20000), 0);
        mem_test_fail(nth);
        while (rc == 0 && sender_has_fragments(&wire.sender)) {
            rc = sender_fill(&wire.sender, 1 << 22);
            outbox_consume(&wire.outbox, outbox_bytes(&wire.outbox));
        }
        failed = mem_test_failed();
        ck_assert(rc == 0 || rc == -ENOMEM);
        ck_assert(failed || rc == 0);
        wire_stop();
        ck_assert_int_eq(mem_test_end(), 0);
        if (!failed) {
            ck_assert_uint_gt(nth, 3);
            break;
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sender_large");
    TCase *tcase = tcase_create("sender_large");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, small_signals_pass_but_for_their_own_sender);
    tcase_add_test(tcase, large_signals_take_turns);
    tcase_add_test(tcase, order_of_each_sender_is_kept);
    tcase_add_test(tcase, waiting_bodies_are_shared);
    tcase_add_test(tcase, limit_counts_what_waits);
    tcase_add_test(tcase, unfinished_signals_are_released);
    tcase_add_test(tcase, refused_for_lack_of_memory);
    tcase_add_test(tcase, fill_without_memory);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
