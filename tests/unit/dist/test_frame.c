/*
 * Frames: cutting a stream in any pieces, limits, parsing. The stream is made of what a BEAM
 * really sent (recorded.h) with ticks between.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "dist/frame.h"
#include "recorded.h"

/* All recorded frames with their lengths, a tick before each. */
static struct bytes make_stream(void)
{
    struct bytes stream;

    bytes_init(&stream, 0);
    for (size_t i = 0; i < RECORDED_COUNT; i++) {
        struct cn_bytes frame = from_hex(recorded[i].hex);

        ck_assert_int_eq(bytes_append_u32(&stream, 0), 0);
        ck_assert_int_eq(bytes_append_u32(&stream, (uint32_t)frame.size), 0);
        ck_assert_int_eq(bytes_append(&stream, frame.data, frame.size), 0);
    }
    return stream;
}

/* Take all frames that are there and compare them with the recorded ones. */
static void take_all(struct frame_reader *reader, size_t *ticks, size_t *frames)
{
    struct cn_bytes frame;
    int rc;

    while ((rc = frame_reader_next(reader, &frame)) == 0) {
        struct cn_bytes expected;

        if (frame.size == 0) {
            (*ticks)++;
            continue;
        }
        expected = from_hex(recorded[*frames].hex);
        ck_assert_uint_eq(frame.size, expected.size);
        ck_assert_mem_eq(frame.data, expected.data, expected.size);
        (*frames)++;
    }
    ck_assert_int_eq(rc, CN_E_MORE);
}

static void cut_into(const struct bytes *stream, size_t (*next_piece)(void))
{
    struct frame_reader reader;
    size_t ticks = 0;
    size_t frames = 0;
    size_t at = 0;

    frame_reader_init(&reader, 0);
    while (at < bytes_size(stream)) {
        size_t size = next_piece();
        uint8_t *piece;

        if (size > bytes_size(stream) - at)
            size = bytes_size(stream) - at;
        piece = exact(bytes_data(stream) + at, size);
        frame_reader_feed(&reader, piece, size);
        take_all(&reader, &ticks, &frames);
        free(piece);
        at += size;
    }
    ck_assert_uint_eq(ticks, RECORDED_COUNT);
    ck_assert_uint_eq(frames, RECORDED_COUNT);
    frame_reader_deinit(&reader);
}

static size_t one(void)
{
    return 1;
}

static size_t everything(void)
{
    return SIZE_MAX;
}

static size_t some(void)
{
    return 1 + random_below(random_below(4) == 0 ? 600 : 9);
}

/* The same frames come out however the stream is cut. */
START_TEST(any_cuts_give_the_same_frames)
{
    struct bytes stream = make_stream();

    cut_into(&stream, everything);
    cut_into(&stream, one);
    for (uint64_t seed = 0; seed < 200; seed++) {
        seed_random(seed);
        cut_into(&stream, some);
    }
    bytes_deinit(&stream);
}
END_TEST

/* A length beyond the limit is refused at once, whole or in pieces; nothing is reserved for it. */
START_TEST(claimed_lengths_are_not_believed)
{
    static const uint32_t lengths[] = {101, 0x7fffffff, 0x80000000, 0xffffffff};
    struct frame_reader reader;
    struct cn_bytes frame;
    uint8_t head[4];

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        be32_put(head, lengths[i]);
        frame_reader_init(&reader, 100);
        frame_reader_feed(&reader, head, 4);
        ck_assert_int_eq(frame_reader_next(&reader, &frame), CN_E_LIMIT);
        frame_reader_deinit(&reader);
        frame_reader_init(&reader, 100);
        frame_reader_feed(&reader, head, 3);
        ck_assert_int_eq(frame_reader_next(&reader, &frame), CN_E_MORE);
        frame_reader_feed(&reader, head + 3, 1);
        ck_assert_int_eq(frame_reader_next(&reader, &frame), CN_E_LIMIT);
        frame_reader_deinit(&reader);
    }
}
END_TEST

/* A claim within the limit costs memory only as its bytes come. */
START_TEST(memory_grows_with_the_bytes)
{
    static const uint8_t head[5] = {0x07, 0xff, 0xff, 0xff, 'p'};
    struct frame_reader reader;
    struct cn_bytes frame;

    frame_reader_init(&reader, 0);
    frame_reader_feed(&reader, head, sizeof(head));
    ck_assert_int_eq(frame_reader_next(&reader, &frame), CN_E_MORE);
    ck_assert_uint_lt(reader.partial.capacity, 4096);
    frame_reader_deinit(&reader);
}
END_TEST

/* Every recorded frame has a control tuple, and a message where its operation has one. */
START_TEST(recorded_frames_parse)
{
    for (size_t i = 0; i < RECORDED_COUNT; i++) {
        struct cn_bytes frame = from_hex(recorded[i].hex);
        struct cn_term control;
        struct cn_term message;

        ck_assert_int_eq(frame_parse(frame, &control, &message), 0);
        ck_assert_uint_eq(2 + control.size + (message.size > 0 ? 1 + message.size : 0), frame.size);
    }
}
END_TEST

/* A frame that is cut, or has bytes left over, is refused. */
START_TEST(cut_and_overlong_frames_are_refused)
{
    struct cn_term control;
    struct cn_term message;

    for (size_t i = 0; i < RECORDED_COUNT; i++) {
        struct cn_bytes frame = from_hex(recorded[i].hex);
        uint8_t *longer = malloc(frame.size + 1);
        size_t control_end;
        int rc;

        ck_assert_int_eq(frame_parse(frame, &control, &message), 0);
        control_end = 2 + control.size;
        for (size_t size = 0; size < frame.size; size++) {
            uint8_t *cut = exact(frame.data, size);

            rc = frame_parse((struct cn_bytes){cut, size}, &control, &message);
            ck_assert_int_eq(rc == 0, size == control_end);
            free(cut);
        }
        memcpy(longer, frame.data, frame.size);
        longer[frame.size] = 106;
        ck_assert_int_ne(frame_parse((struct cn_bytes){longer, frame.size + 1}, &control, &message),
                         0);
        free(longer);
    }
}
END_TEST

/* Frames with a distribution header, which we never asked for, are refused. */
START_TEST(other_forms_are_refused)
{
    static const char *const forms[] = {
        "83440000", "8345000000000000000100000000000000010000", "70", "7083", "708461", "00"};
    struct cn_term control;
    struct cn_term message;

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        ck_assert_int_ne(frame_parse(from_hex(forms[i]), &control, &message), 0);
}
END_TEST

/* Mutated frames never do worse than being refused. */
START_TEST(mutated_frames)
{
    struct cn_term control;
    struct cn_term message;

    seed_random(11);
    for (int i = 0; i < 100000; i++) {
        struct cn_bytes frame = from_hex(recorded[random_below(RECORDED_COUNT)].hex);
        uint8_t *copy = exact(frame.data, frame.size);

        mutate(copy, frame.size);
        if (frame_parse((struct cn_bytes){copy, frame.size}, &control, &message) == 0)
            ck_assert_uint_le(2 + control.size + message.size, frame.size);
        free(copy);
    }
}
END_TEST

/* What is written with the head is what is parsed. */
START_TEST(head_and_parse_agree)
{
    uint8_t bytes[64];
    struct cn_term control;
    struct cn_term message;

    frame_write_head(bytes, 1, 2);
    memcpy(bytes + FRAME_HEAD_BYTES, "\x6a\x83\x61\x07", 4);
    ck_assert_uint_eq(be32_get(bytes), 6);
    ck_assert_uint_eq(frame_size(1, 2), 6);
    ck_assert_int_eq(frame_parse((struct cn_bytes){bytes + 4, 6}, &control, &message), 0);
    ck_assert_uint_eq(control.size, 1);
    ck_assert_uint_eq(message.size, 2);
    frame_write_head(bytes, 1, 0);
    ck_assert_uint_eq(be32_get(bytes), 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("frame");
    TCase *tcase = tcase_create("frame");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, any_cuts_give_the_same_frames);
    tcase_add_test(tcase, claimed_lengths_are_not_believed);
    tcase_add_test(tcase, memory_grows_with_the_bytes);
    tcase_add_test(tcase, recorded_frames_parse);
    tcase_add_test(tcase, cut_and_overlong_frames_are_refused);
    tcase_add_test(tcase, other_forms_are_refused);
    tcase_add_test(tcase, mutated_frames);
    tcase_add_test(tcase, head_and_parse_agree);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
