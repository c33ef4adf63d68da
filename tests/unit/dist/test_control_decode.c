/*
 * Control messages as they arrive: recorded ones field by field, forms that no BEAM of today sends
 * made by hand, and everything that must be refused.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "dist/control_ops.h"
#include "dist/frame.h"
#include "etf/walk.h"
#include "recorded.h"

static const struct cn_term none;
static struct cn_writer writer;
static struct cn_pid alice = {.id = 1, .serial = 2, .creation = 3, .node = "alice@a"};
static struct cn_pid bob = {.id = 4, .serial = 5, .creation = 6, .node = "bob@b"};
static struct cn_ref ref = {.words = {7, 8, 9}, .count = 3, .creation = 3, .node = "alice@a"};

static void setup(void)
{
    cn_writer_init(&writer, 0);
}

static void teardown(void)
{
    cn_writer_free(&writer);
}

static struct cn_term message_term(void)
{
    static const uint8_t nil[] = {106};

    return (struct cn_term){nil, sizeof(nil)};
}

/* Start a tuple of @arity whose first element is @op. */
static void begin(uint32_t arity, int64_t op)
{
    cn_writer_reset(&writer);
    cn_write_tuple(&writer, arity);
    cn_write_integer(&writer, op);
}

static int decode(struct cn_term payload, struct control *control, struct cn_term *message)
{
    return control_decode(cn_writer_term(&writer), payload, control, message);
}

/* Every recorded form is the canonical operation it should be, with both ends where they belong. */
START_TEST(recorded_forms)
{
    for (size_t i = 0; i < RECORDED_COUNT; i++) {
        struct cn_term tuple;
        struct cn_term payload;
        struct cn_term message;
        struct control control;

        ck_assert_int_eq(frame_parse(from_hex(recorded[i].hex), &tuple, &payload), 0);
        ck_assert_msg(control_decode(tuple, payload, &control, &message) == 0, "op %u",
                      recorded[i].wire_op);
        ck_assert_msg(control.op == recorded[i].op, "op %u", recorded[i].wire_op);
        if (control.op == CONTROL_LINK || control.op == CONTROL_UNLINK ||
            control.op == CONTROL_EXIT || control.op == CONTROL_EXIT2) {
            ck_assert_str_eq(control.from.node, "rec@127.0.0.1");
            ck_assert_str_eq(control.to.node, "py@127.0.0.1");
            ck_assert_uint_eq(control.to.id, 91);
        }
        if (control.op == CONTROL_EXIT || control.op == CONTROL_EXIT2 ||
            control.op == CONTROL_MONITOR_EXIT)
            ck_assert_uint_gt(message.size, 0);
    }
}
END_TEST

static const struct recorded *find(unsigned wire_op, bool by_name)
{
    for (size_t i = 0; i < RECORDED_COUNT; i++) {
        struct cn_term tuple;
        struct cn_term payload;
        struct cn_term message;
        struct control control;

        if (recorded[i].wire_op != wire_op)
            continue;
        ck_assert_int_eq(frame_parse(from_hex(recorded[i].hex), &tuple, &payload), 0);
        ck_assert_int_eq(control_decode(tuple, payload, &control, &message), 0);
        if (by_name == (control.to_name.size > 0 || control.from_name.size > 0))
            return &recorded[i];
    }
    ck_abort_msg("op %u was not recorded", wire_op);
}

static struct control decode_recorded(unsigned wire_op, bool by_name, struct cn_term *ret_message)
{
    struct cn_term tuple;
    struct cn_term payload;
    struct control control;

    ck_assert_int_eq(frame_parse(from_hex(find(wire_op, by_name)->hex), &tuple, &payload), 0);
    ck_assert_int_eq(control_decode(tuple, payload, &control, ret_message), 0);
    return control;
}

/* Monitors by pid and by name are told apart, on the way and on the way back. */
START_TEST(monitors_by_name_and_by_pid)
{
    struct cn_term message;
    struct control control = decode_recorded(OP_MONITOR_P, true, &message);

    ck_assert(cn_bytes_equal(control.to_name, "ear"));
    control = decode_recorded(OP_MONITOR_P, false, &message);
    ck_assert_uint_eq(control.to.id, 91);
    ck_assert_uint_eq(control.ref.count, 3);
    control = decode_recorded(OP_PAYLOAD_MONITOR_P_EXIT, true, &message);
    ck_assert(cn_bytes_equal(control.from_name, "kid"));
    ck_assert_str_eq(control.to.node, "py@127.0.0.1");
    control = decode_recorded(OP_MONITOR_P_EXIT, false, &message);
    ck_assert_str_eq(control.from.node, "rec@127.0.0.1");
    ck_assert_uint_eq(control.ref.words[0] + control.ref.words[1] + control.ref.words[2], 6);
}
END_TEST

/* Reasons inside the tuple and behind it are the same message. */
START_TEST(reasons_inside_and_behind)
{
    struct cn_term inside;
    struct cn_term behind;

    decode_recorded(OP_EXIT, false, &inside);
    decode_recorded(OP_PAYLOAD_EXIT, false, &behind);
    ck_assert(cn_term_equal(inside, behind));
    decode_recorded(OP_EXIT_TT, false, &inside);
    ck_assert(cn_term_equal(inside, behind));
    decode_recorded(OP_PAYLOAD_EXIT_TT, false, &inside);
    ck_assert(cn_term_equal(inside, behind));
    decode_recorded(OP_EXIT2, false, &inside);
    decode_recorded(OP_PAYLOAD_EXIT2, false, &behind);
    ck_assert(cn_term_equal(inside, behind));
}
END_TEST

/* A spawn request names its function, and a reply its process. */
START_TEST(spawn_requests_and_replies)
{
    struct cn_term message;
    struct control control = decode_recorded(OP_SPAWN_REQUEST, false, &message);
    struct cn_reader reader;
    struct cn_pid pid;

    ck_assert(cn_bytes_equal(control.module, "amod"));
    ck_assert(cn_bytes_equal(control.function, "afun"));
    ck_assert_uint_eq(control.arity, 2);
    ck_assert_str_eq(control.group_leader.node, "rec@127.0.0.1");
    ck_assert_uint_gt(control.options.size, 0);
    control = decode_recorded(OP_SPAWN_REQUEST_TT, false, &message);
    ck_assert(cn_bytes_equal(control.function, "afun"));
    control = decode_recorded(OP_SPAWN_REPLY, false, &message);
    cn_reader_init(&reader, control.result);
    ck_assert(cn_read_pid(&reader, &pid));
    ck_assert_str_eq(pid.node, "rec@127.0.0.1");
}
END_TEST

/* Senders: op 2 has none, all other sends have one. */
START_TEST(senders)
{
    struct cn_term message;

    ck_assert(!decode_recorded(OP_SEND, false, &message).has_from);
    ck_assert(!decode_recorded(OP_SEND_TT, false, &message).has_from);
    ck_assert(decode_recorded(OP_SEND_SENDER, false, &message).has_from);
    ck_assert(decode_recorded(OP_SEND_SENDER_TT, false, &message).has_from);
    ck_assert(decode_recorded(OP_REG_SEND, true, &message).has_from);
    ck_assert(decode_recorded(OP_ALIAS_SEND, false, &message).has_from);
}
END_TEST

/* The traced forms of exit/2 and of a spawn's reply, which no BEAM of today sends. */
START_TEST(rare_traced_forms)
{
    struct control control;
    struct cn_term message;

    begin(5, OP_EXIT2_TT);
    cn_write_pid(&writer, &alice);
    cn_write_pid(&writer, &bob);
    cn_write_atom(&writer, "token");
    cn_write_atom(&writer, "why");
    ck_assert_int_eq(decode(none, &control, &message), 0);
    ck_assert_int_eq(control.op, CONTROL_EXIT2);
    ck_assert(cn_term_is_atom(message, "why"));

    begin(4, OP_PAYLOAD_EXIT2_TT);
    cn_write_pid(&writer, &alice);
    cn_write_pid(&writer, &bob);
    cn_write_atom(&writer, "token");
    ck_assert_int_eq(decode(message_term(), &control, &message), 0);
    ck_assert_int_eq(control.op, CONTROL_EXIT2);
    ck_assert(cn_pid_equal(&control.from, &alice) && cn_pid_equal(&control.to, &bob));

    begin(6, OP_SPAWN_REPLY_TT);
    cn_write_ref(&writer, &ref);
    cn_write_pid(&writer, &bob);
    cn_write_integer(&writer, CONTROL_SPAWN_MONITOR);
    cn_write_atom(&writer, "notsup");
    cn_write_atom(&writer, "token");
    ck_assert_int_eq(decode(none, &control, &message), 0);
    ck_assert_int_eq(control.op, CONTROL_SPAWN_REPLY);
    ck_assert_uint_eq(control.flags, CONTROL_SPAWN_MONITOR);
    ck_assert(cn_term_is_atom(control.result, "notsup"));
}
END_TEST

static void begin_altact(uint32_t arity, int64_t flags)
{
    begin(arity, OP_ALTACT_SIG_SEND);
    cn_write_integer(&writer, flags);
    cn_write_pid(&writer, &alice);
}

/* Op 37 of OTP 28: its flags tell what the destination is, and later elements are passed over. */
START_TEST(alternate_sends)
{
    struct control control;
    struct cn_term message;

    begin_altact(4, ALTACT_PRIORITY);
    cn_write_pid(&writer, &bob);
    ck_assert_int_eq(decode(message_term(), &control, &message), 0);
    ck_assert_int_eq(control.op, CONTROL_SEND);
    ck_assert(control.has_from && cn_pid_equal(&control.to, &bob));

    begin_altact(5, ALTACT_ALIAS | ALTACT_TOKEN);
    cn_write_ref(&writer, &ref);
    cn_write_atom(&writer, "token");
    ck_assert_int_eq(decode(message_term(), &control, &message), 0);
    ck_assert_int_eq(control.op, CONTROL_ALIAS_SEND);
    ck_assert(cn_ref_equal(&control.ref, &ref));

    begin_altact(4, ALTACT_NAME);
    cn_write_atom(&writer, "ear");
    ck_assert_int_eq(decode(message_term(), &control, &message), 0);
    ck_assert_int_eq(control.op, CONTROL_REG_SEND);
    ck_assert(cn_bytes_equal(control.to_name, "ear"));

    begin_altact(6, ALTACT_EXIT);
    cn_write_pid(&writer, &bob);
    cn_write_nil(&writer);
    cn_write_nil(&writer);
    ck_assert_int_eq(decode(message_term(), &control, &message), 0);
    ck_assert_int_eq(control.op, CONTROL_EXIT2);
}
END_TEST

/* Unknown operations are refused: all numbers that have no row, and what is no number. */
START_TEST(unknown_operations_are_refused)
{
    static const int64_t unknown[] = {-1, 0,  5,  9,  10,  11,   14,
                                      15, 17, 38, 39, 255, 1000, INT64_MAX};
    struct control control;
    struct cn_term message;

    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        begin(3, unknown[i]);
        cn_write_pid(&writer, &alice);
        cn_write_pid(&writer, &bob);
        ck_assert_int_eq(decode(none, &control, &message), CN_E_INVALID);
    }
    cn_writer_reset(&writer);
    cn_write_atom(&writer, "link");
    ck_assert_int_eq(decode(none, &control, &message), CN_E_INVALID);
    cn_writer_reset(&writer);
    cn_write_tuple(&writer, 0);
    ck_assert_int_eq(decode(none, &control, &message), CN_E_INVALID);
}
END_TEST

/*
 * A recorded tuple with one element more or less, or with a payload against its rule, is refused.
 */
START_TEST(arity_and_payload_are_strict)
{
    struct cn_term tuple;
    struct cn_term payload;
    struct cn_term message;
    struct control control;

    for (size_t i = 0; i < RECORDED_COUNT; i++) {
        uint8_t *copy;

        ck_assert_int_eq(frame_parse(from_hex(recorded[i].hex), &tuple, &payload), 0);
        ck_assert_int_eq(control_decode(tuple, payload.size > 0 ? none : message_term(), &control,
                                        &message),
                         CN_E_INVALID);
        copy = malloc(tuple.size + 1);
        memcpy(copy, tuple.data, tuple.size);
        copy[1]++;
        copy[tuple.size] = 106;
        ck_assert_int_eq(control_decode((struct cn_term){copy, tuple.size + 1}, payload, &control,
                                        &message),
                         CN_E_INVALID);
        free(copy);
    }
}
END_TEST

/* Fields of the wrong type are refused, an empty name and an unlink id of 0 or less too. */
START_TEST(wrong_fields_are_refused)
{
    struct control control = {.op = CONTROL_GROUP_LEADER};
    struct cn_term message;
    static const int64_t ids[] = {0, -1};

    begin(3, OP_LINK);
    cn_write_pid(&writer, &alice);
    cn_write_atom(&writer, "bob");
    ck_assert_int_eq(decode(none, &control, &message), CN_E_INVALID);
    begin(4, OP_MONITOR_P);
    cn_write_pid(&writer, &alice);
    cn_write_atom(&writer, "");
    cn_write_ref(&writer, &ref);
    ck_assert_int_eq(decode(none, &control, &message), CN_E_INVALID);
    for (size_t i = 0; i < 2; i++) {
        begin(4, OP_UNLINK_ID);
        cn_write_integer(&writer, ids[i]);
        cn_write_pid(&writer, &alice);
        cn_write_pid(&writer, &bob);
        ck_assert_int_eq(decode(none, &control, &message), CN_E_INVALID);
    }
    begin(5, OP_SPAWN_REPLY);
    cn_write_ref(&writer, &ref);
    cn_write_pid(&writer, &bob);
    cn_write_integer(&writer, 0);
    cn_write_integer(&writer, 0);
    ck_assert_int_eq(decode(none, &control, &message), CN_E_INVALID);
    ck_assert_int_eq(control.op, CONTROL_GROUP_LEADER);
}
END_TEST

/* Mutated frames that still pass the walker are decoded or refused, nothing else. */
START_TEST(mutated_frames)
{
    struct cn_term tuple;
    struct cn_term payload;
    struct cn_term message;
    struct control control;
    size_t decoded = 0;

    seed_random(3);
    for (int i = 0; i < 200000; i++) {
        struct cn_bytes frame = from_hex(recorded[random_below(RECORDED_COUNT)].hex);
        uint8_t *copy = exact(frame.data, frame.size);

        mutate(copy, frame.size);
        if (frame_parse((struct cn_bytes){copy, frame.size}, &tuple, &payload) == 0) {
            int rc = control_decode(tuple, payload, &control, &message);

            ck_assert(rc == 0 || rc == CN_E_INVALID);
            decoded += rc == 0 ? 1 : 0;
        }
        free(copy);
    }
    ck_assert_uint_gt(decoded, 1000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("control_decode");
    TCase *tcase = tcase_create("control_decode");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, recorded_forms);
    tcase_add_test(tcase, monitors_by_name_and_by_pid);
    tcase_add_test(tcase, reasons_inside_and_behind);
    tcase_add_test(tcase, spawn_requests_and_replies);
    tcase_add_test(tcase, senders);
    tcase_add_test(tcase, rare_traced_forms);
    tcase_add_test(tcase, alternate_sends);
    tcase_add_test(tcase, unknown_operations_are_refused);
    tcase_add_test(tcase, arity_and_payload_are_strict);
    tcase_add_test(tcase, wrong_fields_are_refused);
    tcase_add_test(tcase, mutated_frames);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
