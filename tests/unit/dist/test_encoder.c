/*
 * The way out: what an encoder makes, a decoder with the same flags takes apart. Big, many and odd
 * terms go through it in test_sender.c, where frames also queue.
 */
#include "dist/encoder.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "dist/decoder.h"
#include "dist/flags.h"
#include "dist/frame.h"

static struct encoder_scratch scratch;
static struct encoder encoder;
static struct decoder_scratch decoding;
static struct decoder decoder;

static void setup(void)
{
    encoder_scratch_init(&scratch);
    encoder_init(&encoder, FLAGS_OURS, &scratch);
    decoder_scratch_init(&decoding);
    decoder_init(&decoder, FLAGS_OURS, 0, &decoding);
}

static void teardown(void)
{
    encoder_deinit(&encoder);
    encoder_scratch_deinit(&scratch);
    decoder_deinit(&decoder);
    decoder_scratch_deinit(&decoding);
}

static const uint8_t hello[] = {119, 5, 'h', 'e', 'l', 'l', 'o'};
static const struct cn_term message = {hello, sizeof(hello)};

static struct control send_to(const char *node)
{
    struct control control = {.op = CONTROL_SEND, .has_from = true, .from = {.id = 1}};

    strncpy(control.from.node, "a@a", sizeof(control.from.node) - 1);
    strncpy(control.to.node, node, sizeof(control.to.node) - 1);
    return control;
}

/* Put the parts of a frame together; gives its size. */
static size_t gather(const struct encoded_frame *frame, uint8_t *bytes, size_t room)
{
    size_t size = 0;

    for (size_t i = 0; i < frame->count; i++) {
        ck_assert_uint_le(size + frame->parts[i].size, room);
        memcpy(bytes + size, frame->parts[i].data, frame->parts[i].size);
        size += frame->parts[i].size;
    }
    ck_assert_uint_eq(frame->tail.size, 0);
    ck_assert_uint_eq(be32_get(bytes), size - FRAME_LENGTH_BYTES);
    return size;
}

/* Make a frame and, unless it is aborted, decode it; gives its size. */
static size_t pass(const char *node, bool abort_it)
{
    struct control control = send_to(node);
    struct control seen;
    struct cn_term tuple, payload, heard;
    struct encoded_frame frame;
    uint8_t bytes[512];

    ck_assert_int_eq(encoder_frame(&encoder, &control, message, NULL, &frame), 0);
    size_t size = gather(&frame, bytes, sizeof(bytes));
    if (abort_it) {
        encoder_abort(&encoder);
        return size;
    }
    struct cn_bytes content = {bytes + FRAME_LENGTH_BYTES, size - FRAME_LENGTH_BYTES};
    ck_assert_int_eq(decoder_take(&decoder, content, &tuple, &payload), 0);
    ck_assert_int_eq(control_decode(tuple, payload, &seen, &heard), 0);
    ck_assert_int_eq(seen.op, CONTROL_SEND);
    ck_assert_str_eq(seen.to.node, node);
    ck_assert(cn_term_equal(heard, message));
    return size;
}

/* An atom is told once; then the peer knows it. */
START_TEST(atoms_are_told_once)
{
    size_t first = pass("b@somewhere", false);
    size_t second = pass("b@somewhere", false);

    ck_assert_uint_lt(second, first);
    ck_assert_uint_eq(pass("b@somewhere", false), second);
}
END_TEST

/* What an aborted frame would have told is told by the next one. */
START_TEST(aborted_frame_has_told_nothing)
{
    size_t aborted = pass("b@somewhere", true);

    ck_assert_uint_eq(pass("b@somewhere", false), aborted);
}
END_TEST

/* A signal that the peer cannot understand makes no frame, and tells nothing. */
START_TEST(refused_signal_tells_nothing)
{
    struct control control = send_to("b@somewhere");
    struct encoded_frame frame;
    size_t first;

    encoder.flags = FLAGS_OURS & ~FLAG_ALIAS;
    control.op = CONTROL_ALIAS_SEND;
    control.ref = (struct cn_ref){.count = 1, .node = "b@somewhere"};
    ck_assert_int_eq(encoder_frame(&encoder, &control, message, NULL, &frame), -ENOTSUP);
    encoder.flags = FLAGS_OURS;
    first = pass("b@somewhere", false);
    ck_assert_uint_gt(first, pass("b@somewhere", false));
}
END_TEST

/* A plain frame can be read without any state. */
START_TEST(plain_frame_stands_alone)
{
    struct control control = send_to("b@b");
    struct control seen;
    struct cn_term tuple, payload, heard;
    struct encoded_frame frame;
    struct cn_writer writer;
    uint8_t bytes[512];

    cn_writer_init(&writer, 0);
    ck_assert_int_eq(encode_plain(&control, message, NULL, FLAGS_OURS, &writer, &frame), 0);
    size_t size = gather(&frame, bytes, sizeof(bytes));
    struct cn_bytes content = {bytes + FRAME_LENGTH_BYTES, size - FRAME_LENGTH_BYTES};
    ck_assert_int_eq(frame_parse(content, &tuple, &payload), 0);
    ck_assert_int_eq(control_decode(tuple, payload, &seen, &heard), 0);
    ck_assert_str_eq(seen.to.node, "b@b");
    ck_assert(cn_term_equal(heard, message));
    cn_writer_free(&writer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dist/encoder");
    TCase *tcase = tcase_create("encoder");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, atoms_are_told_once);
    tcase_add_test(tcase, aborted_frame_has_told_nothing);
    tcase_add_test(tcase, refused_signal_tells_nothing);
    tcase_add_test(tcase, plain_frame_stands_alone);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
