/*
 * The sending side: what it puts into the outbox, a decoder with the same flags takes out again,
 * with and without cache, header and shared body, over more atoms than a cache has slots.
 */
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "dist/flags.h"
#include "net/sending.h"
#include "wire.h"

/* The next signal is @op with a message equal to @expected. */
static void arrives(enum control_op op, struct cn_term expected)
{
    size_t size;
    uint8_t *frame = wire_take_frame(&size);
    struct cn_term tuple;
    struct cn_term payload;
    struct cn_term message;
    struct control control;

    ck_assert_int_eq(
        decoder_take(&wire.decoder, (struct cn_bytes){frame + 4, size}, &tuple, &payload), 0);
    ck_assert_int_eq(control_decode(tuple, payload, &control, &message), 0);
    ck_assert_int_eq(control.op, op);
    ck_assert_uint_eq(message.size, expected.size);
    if (expected.size > 0)
        ck_assert_mem_eq(message.data, expected.data, expected.size);
    free(frame);
}

/* Write a list of @count atoms out of @range, from a generator. */
static void write_atoms(struct cn_writer *writer, unsigned count, unsigned range, uint32_t *seed)
{
    char text[32];

    cn_write_list(writer, count);
    for (unsigned i = 0; i < count; i++) {
        *seed = *seed * 1664525u + 1013904223u;
        text_format(text, sizeof(text), "atom_%u", (*seed >> 8) % range);
        cn_write_atom(writer, text);
    }
    cn_write_nil(writer);
}

/* Signals of all kinds with random atoms, in every form of a frame. */
START_TEST(signals_arrive)
{
    static const enum control_op ops[] = {CONTROL_ALIAS_SEND, CONTROL_EXIT, CONTROL_LINK,
                                          CONTROL_MONITOR, CONTROL_SEND};

    for (size_t i = 0; i < 4; i++) {
        struct cn_writer writer;
        uint32_t seed = 1;

        wire_start(wire_flags[i]);
        cn_writer_init(&writer, 0);
        for (unsigned round = 0; round < 500; round++) {
            enum control_op op = ops[round % 5];
            struct control control = wire_control(op);
            bool has_message = op != CONTROL_LINK && op != CONTROL_MONITOR;

            cn_writer_reset(&writer);
            write_atoms(&writer, 1 + round % 300, round % 2 == 0 ? 5000 : 50, &seed);
            ck_assert_int_eq(sender_append(&wire.sender, &control, cn_writer_term(&writer), NULL),
                             0);
            arrives(op, has_message ? cn_writer_term(&writer) : (struct cn_term){NULL, 0});
        }
        ck_assert_uint_eq(outbox_bytes(&wire.outbox), 0);
        cn_writer_free(&writer);
        wire_stop();
    }
}
END_TEST

/* A body at the end of an exit reason: behind the tuple, or in it where the peer wants it there. */
START_TEST(reasons_with_bodies_arrive)
{
    struct control control = wire_control(CONTROL_MONITOR_EXIT);
    struct cn_term begin = {(const uint8_t *)"\x68\x02\x77\x02ok", 6};

    for (size_t i = 0; i < 8; i++) {
        struct etf_body *body;
        struct cn_writer writer;
        struct cn_writer whole;
        uint32_t seed = 3;

        mem_test_begin();
        wire_start(i < 4 ? wire_flags[i] | FLAG_EXIT_PAYLOAD
                         : wire_flags[i - 4] & ~FLAG_EXIT_PAYLOAD);
        cn_writer_init(&writer, 0);
        cn_writer_init(&whole, 0);
        write_atoms(&writer, 300, 50, &seed);
        ck_assert_int_eq(etf_body_new(&writer, &body), 0);
        ck_assert_int_eq(etf_body_join(&whole, begin, body), 0);
        for (int round = 0; round < 3; round++) {
            ck_assert_int_eq(sender_append(&wire.sender, &control, begin, body), 0);
            arrives(CONTROL_MONITOR_EXIT, cn_writer_term(&whole));
        }
        etf_body_put(body);
        cn_writer_free(&whole);
        cn_writer_free(&writer);
        wire_stop();
        ck_assert_int_eq(mem_test_end(), 0);
    }
}
END_TEST

/* A body between other messages: {ok, Body}, in every form, and it is pointed to, not copied. */
START_TEST(bodies_arrive)
{
    for (size_t i = 0; i < 4; i++) {
        struct control control = wire_control(CONTROL_ALIAS_SEND);
        struct cn_term begin = {(const uint8_t *)"\x68\x02\x77\x02ok", 6};
        struct etf_body *body;
        struct cn_writer writer;
        struct cn_writer whole;
        uint32_t seed = 2;

        mem_test_begin();
        wire_start(wire_flags[i]);
        cn_writer_init(&writer, 0);
        cn_writer_init(&whole, 0);
        write_atoms(&writer, 400, 250, &seed);
        cn_write_tuple(&whole, 2);
        cn_write_atom(&whole, "ok");
        cn_write_term(&whole, cn_writer_term(&writer));
        ck_assert_int_eq(etf_body_new(&writer, &body), 0);
        for (int round = 0; round < 20; round++) {
            struct cn_bytes pieces[4];

            cn_writer_reset(&writer);
            write_atoms(&writer, 200, 5000, &seed);
            ck_assert_int_eq(sender_append(&wire.sender, &control, begin, body), 0);
            ck_assert_uint_eq(outbox_view(&wire.outbox, pieces, 4), 2);
            ck_assert(pieces[1].data == body->plain.data || pieces[1].data == body->indexed.data);
            ck_assert_int_eq(sender_append(&wire.sender, &control, cn_writer_term(&writer), NULL),
                             0);
            arrives(CONTROL_ALIAS_SEND, cn_writer_term(&whole));
            arrives(CONTROL_ALIAS_SEND, cn_writer_term(&writer));
        }
        ck_assert_int_eq(sender_append(&wire.sender, &control, begin, body), 0);
        etf_body_put(body);
        arrives(CONTROL_ALIAS_SEND, cn_writer_term(&whole));
        cn_writer_free(&writer);
        cn_writer_free(&whole);
        wire_stop();
        ck_assert_int_eq(mem_test_end(), 0);
    }
}
END_TEST

/* What cannot be sent leaves outbox and cache as they were. */
START_TEST(refusals_change_nothing)
{
    struct control control = wire_control(CONTROL_ALIAS_SEND);
    struct cn_term first = {(const uint8_t *)"\x77\x05"
                                             "first",
                            7};
    struct cn_term second = {(const uint8_t *)"\x77\x06"
                                              "second",
                             8};

    wire_start(FLAGS_OURS);
    ck_assert_int_eq(sender_append(&wire.sender, &control, first, NULL), 0);
    wire.outbox.bytes_max = outbox_bytes(&wire.outbox) + 1;
    ck_assert_int_eq(sender_append(&wire.sender, &control, second, NULL), CN_E_LIMIT);
    arrives(CONTROL_ALIAS_SEND, first);
    ck_assert_uint_eq(outbox_bytes(&wire.outbox), 0);
    ck_assert_int_eq(sender_append(&wire.sender, &control, second, NULL), 0);
    arrives(CONTROL_ALIAS_SEND, second);
    wire.sender.encoder.flags &= ~FLAG_ALIAS;
    ck_assert_int_eq(sender_append(&wire.sender, &control, first, NULL), -ENOTSUP);
    ck_assert_int_eq(sender_append(&wire.sender, &(struct control){.op = CONTROL_SEND},
                                   (struct cn_term){NULL, 0}, NULL),
                     -EINVAL);
    wire_stop();
}
END_TEST

/* What waited for a peer is written anew in order; what it cannot understand is left out. */
START_TEST(what_waited_is_sent)
{
    static const enum control_op ops[] = {CONTROL_EXIT, CONTROL_ALIAS_SEND, CONTROL_UNLINK};
    struct cn_term reason = {(const uint8_t *)"\x77\x03"
                                              "bye",
                             5};

    for (int older = 0; older < 2; older++) {
        uint64_t less = older ? FLAG_EXIT_PAYLOAD | FLAG_ALIAS | FLAG_UNLINK_ID : 0;
        struct cn_writer writer;
        struct outbox waiting;

        wire_start(FLAGS_OURS & ~less);
        cn_writer_init(&writer, 0);
        outbox_init(&waiting, 1 << 20);
        for (size_t i = 0; i < 3; i++) {
            struct control control = wire_control(ops[i]);

            ck_assert_int_eq(sending_append(&waiting, &control, reason, NULL, FLAGS_OURS, &writer),
                             0);
        }
        ck_assert_int_eq(sender_move(&wire.sender, &waiting), 0);
        ck_assert_uint_eq(outbox_bytes(&waiting), 0);
        arrives(CONTROL_EXIT, reason);
        if (!older)
            arrives(CONTROL_ALIAS_SEND, reason);
        arrives(CONTROL_UNLINK, (struct cn_term){NULL, 0});
        ck_assert_uint_eq(outbox_bytes(&wire.outbox), 0);
        cn_writer_free(&writer);
        wire_stop();
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sender");
    TCase *tcase = tcase_create("sender");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, signals_arrive);
    tcase_add_test(tcase, bodies_arrive);
    tcase_add_test(tcase, reasons_with_bodies_arrive);
    tcase_add_test(tcase, refusals_change_nothing);
    tcase_add_test(tcase, what_waited_is_sent);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
