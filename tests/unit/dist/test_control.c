/*
 * Control messages as we write them, against what a BEAM wrote for the same signal: every recorded
 * form without a trace token is decoded, encoded again for the same flags, and must be equal byte
 * for byte.
 */
#include "support.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "dist/frame.h"
#include "recorded.h"

static struct cn_writer writer;

static void setup(void)
{
    cn_writer_init(&writer, 0);
}

static void teardown(void)
{
    cn_writer_free(&writer);
}

static void decode(const struct recorded *row, struct control *ret_control,
                   struct cn_term *ret_message, struct cn_term *ret_tuple)
{
    struct cn_term payload;

    ck_assert_int_eq(frame_parse(from_hex(row->hex), ret_tuple, &payload), 0);
    ck_assert_int_eq(control_decode(*ret_tuple, payload, ret_control, ret_message), 0);
}

/* Our encoder writes what a BEAM writes, for peers with all flags and for older ones. */
START_TEST(encoding_equals_a_beams)
{
    for (size_t i = 0; i < RECORDED_COUNT; i++) {
        struct control control;
        struct cn_term message;
        struct cn_term tuple;
        bool follows = false;

        if (recorded[i].traced)
            continue;
        decode(&recorded[i], &control, &message, &tuple);
        cn_writer_reset(&writer);
        ck_assert_int_eq(control_encode(&control, message, recorded[i].flags, &writer, &follows),
                         0);
        ck_assert_msg(cn_writer_term(&writer).size == tuple.size &&
                          memcmp(cn_writer_term(&writer).data, tuple.data, tuple.size) == 0,
                      "op %u differs", recorded[i].wire_op);
        ck_assert_int_eq(follows, from_hex(recorded[i].hex).size > 2 + tuple.size);
    }
}
END_TEST

/*
 * Every canonical operation survives encoding and decoding, whatever optional flags the peer has.
 */
START_TEST(round_trip_under_all_flags)
{
    static const uint64_t optional[] = {FLAG_EXIT_PAYLOAD, FLAG_SEND_SENDER, FLAG_UNLINK_ID};

    for (unsigned set = 0; set < 8; set++) {
        uint64_t flags = FLAGS_OURS;

        for (unsigned bit = 0; bit < 3; bit++)
            flags &= (set >> bit & 1) != 0 ? ~optional[bit] : UINT64_MAX;
        for (size_t i = 0; i < RECORDED_COUNT; i++) {
            struct control before;
            struct control after;
            struct cn_term message;
            struct cn_term received;
            struct cn_term tuple;
            bool follows = false;
            int rc;

            decode(&recorded[i], &before, &message, &tuple);
            if (before.op == CONTROL_UNLINK && before.id == 0)
                before.id = 1; /* ours always have one */
            cn_writer_reset(&writer);
            rc = control_encode(&before, message, flags, &writer, &follows);
            if (rc == -ENOTSUP) {
                ck_assert_int_eq(before.op, CONTROL_UNLINK_ACK);
                continue;
            }
            ck_assert_int_eq(rc, 0);
            rc = control_decode(cn_writer_term(&writer), follows ? message : (struct cn_term){0},
                                &after, &received);
            ck_assert_int_eq(rc, 0);
            ck_assert_int_eq(after.op, before.op);
            ck_assert(cn_pid_equal(&after.to, &before.to));
            ck_assert(cn_ref_equal(&after.ref, &before.ref));
            ck_assert_uint_eq(received.size, message.size);
            if (message.size > 0)
                ck_assert_mem_eq(received.data, message.data, message.size);
        }
    }
}
END_TEST

/* A peer that lacks the flag of an operation is told nothing it cannot understand. */
START_TEST(missing_flags_are_not_supported)
{
    static const struct {
        enum control_op op;
        uint64_t flag;
    } cases[] = {
        {CONTROL_ALIAS_SEND, FLAG_ALIAS},       {CONTROL_UNLINK_ACK, FLAG_UNLINK_ID},
        {CONTROL_MONITOR, FLAG_DIST_MONITOR},   {CONTROL_MONITOR, FLAG_DIST_MONITOR_NAME},
        {CONTROL_DEMONITOR, FLAG_DIST_MONITOR}, {CONTROL_MONITOR_EXIT, FLAG_DIST_MONITOR_NAME},
        {CONTROL_SPAWN_REQUEST, FLAG_SPAWN},    {CONTROL_SPAWN_REPLY, FLAG_SPAWN},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct control control = {.op = cases[i].op};
        bool follows;

        cn_writer_reset(&writer);
        ck_assert_int_eq(control_encode(&control, (struct cn_term){0}, FLAGS_OURS & ~cases[i].flag,
                                        &writer, &follows),
                         -ENOTSUP);
        ck_assert_uint_eq(cn_writer_term(&writer).size, 0);
    }
}
END_TEST

/* An unlink id uses all 64 bits. */
START_TEST(unlink_ids_of_64_bits)
{
    static const uint64_t ids[] = {
        1, 255, 256, UINT32_MAX, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct control control = {.op = CONTROL_UNLINK, .id = ids[i]};
        struct control after;
        struct cn_term message;
        bool follows;

        memcpy(control.from.node, "a@b", 4);
        memcpy(control.to.node, "c@d", 4);
        cn_writer_reset(&writer);
        ck_assert_int_eq(
            control_encode(&control, (struct cn_term){0}, FLAGS_OURS, &writer, &follows), 0);
        ck_assert(!follows);
        ck_assert_int_eq(
            control_decode(cn_writer_term(&writer), (struct cn_term){0}, &after, &message), 0);
        ck_assert_uint_eq(after.id, ids[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("control");
    TCase *tcase = tcase_create("control");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, encoding_equals_a_beams);
    tcase_add_test(tcase, round_trip_under_all_flags);
    tcase_add_test(tcase, missing_flags_are_not_supported);
    tcase_add_test(tcase, unlink_ids_of_64_bits);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
