/*
 * Large signals on their way out: cut where a BEAM cuts them, byte for byte (fragments_*.tsv, which
 * record_fragments.escript made), as views of what was given, and whole for who knows no fragments.
 */
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "dist/decoder.h"
#include "dist/encoder.h"
#include "dist/flags.h"
#include "dist/fragments_out.h"
#include "vectors.h"

#define FLAGS_PLAIN (FLAGS_OURS & ~FLAG_DIST_HDR_ATOM_CACHE)

static struct encoder_scratch scratch;
static struct encoder encoder;
static struct decoder_scratch decoding;
static struct decoder decoder;

static void start(uint64_t flags)
{
    encoder_scratch_init(&scratch);
    encoder_init(&encoder, flags, &scratch);
    decoder_scratch_init(&decoding);
    decoder_init(&decoder, flags, 0, &decoding);
}

static void stop(void)
{
    encoder_deinit(&encoder);
    encoder_scratch_deinit(&scratch);
    decoder_deinit(&decoder);
    decoder_scratch_deinit(&decoding);
}

/* A signal as frames, without their lengths. Ownership: the caller's, for made_free. */
struct made {
    struct cn_bytes frames[64];
    size_t count;
};

static void made_free(struct made *made)
{
    while (made->count > 0)
        free((void *)(uintptr_t)made->frames[--made->count].data);
}

static void add(struct made *made, struct cn_bytes head, const struct shared_bytes *views,
                size_t count)
{
    struct bytes bytes;

    bytes_init(&bytes, 0);
    ck_assert_int_eq(bytes_append(&bytes, head.data, head.size), 0);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(bytes_append(&bytes, views[i].data, views[i].size), 0);
    ck_assert_uint_eq(be32_get(bytes_data(&bytes)), bytes_size(&bytes) - 4);
    made->frames[made->count++] = (struct cn_bytes){
        exact(bytes_data(&bytes) + 4, bytes_size(&bytes) - 4), bytes_size(&bytes) - 4};
    bytes_deinit(&bytes);
}

static void make(const struct control *control, struct cn_term message, struct etf_body *body,
                 struct made *ret_made)
{
    struct encoded_frame frame;
    struct fragments_out out;
    struct shared_bytes views[FRAGMENT_PIECES_MAX];
    uint8_t head[FRAGMENT_HEAD_BYTES];

    ret_made->count = 0;
    ck_assert_int_eq(encoder_frame(&encoder, control, message, body, &frame), 0);
    if (frame.fragments == 1) {
        struct bytes start;

        bytes_init(&start, 0);
        for (size_t i = 0; i < frame.count; i++)
            ck_assert_int_eq(bytes_append(&start, frame.parts[i].data, frame.parts[i].size), 0);
        add(ret_made, (struct cn_bytes){bytes_data(&start), bytes_size(&start)}, &frame.tail, 1);
        bytes_deinit(&start);
        return;
    }
    ck_assert_int_eq(encoder_split(&encoder, &frame, &out), 0);
    ck_assert_uint_eq(out.left, frame.fragments);
    add(ret_made, frame.parts[0], views, fragments_out_cut(&out, views));
    while (out.left > 0) {
        fragments_out_write_head(&out, false, 0, head);
        add(ret_made, (struct cn_bytes){head, sizeof(head)}, views, fragments_out_cut(&out, views));
    }
    ck_assert_uint_eq(fragments_out_bytes(&out), 0);
    fragments_out_deinit(&out);
}

/* Where the terms of a frame begin; @cached: what its header says. */
static size_t terms_at(struct cn_bytes frame, bool cached)
{
    size_t at = frame.data[1] == 'D' ? 2 : 18;
    size_t count = frame.data[at];
    size_t end;

    if (frame.data[1] == 'F' || count == 0 || !cached)
        return frame.data[1] == 'F' ? 18 : at + 1;
    end = at + 1 + count / 2 + 1;
    for (size_t i = 0; i < count; i++) {
        unsigned flags = frame.data[at + 1 + i / 2] >> (i % 2 * 4) & 0xf;

        end += (flags & 8) != 0 ? 2 + (size_t)frame.data[end + 1] : 1;
    }
    return end;
}

/*
 * Our frame is the BEAM's but for the sequence id and, with a cache, for the slots of the atoms. A
 * BEAM of OTP 25 that has counted the bytes of its atoms too high sends one fragment; we a frame.
 */
static void compare(struct cn_bytes ours, struct cn_bytes theirs, bool cached)
{
    size_t ours_at = terms_at(ours, cached);
    size_t theirs_at = terms_at(theirs, cached);

    if (!(theirs.data[1] == 'E' && be64_get(theirs.data + 10) == 1)) {
        ck_assert_uint_eq(ours.data[1], theirs.data[1]);
        ck_assert_uint_eq(ours_at, theirs_at);
        if (ours.data[1] != 'D')
            ck_assert_mem_eq(ours.data + 10, theirs.data + 10, 8);
    }
    ck_assert_uint_eq(ours.size - ours_at, theirs.size - theirs_at);
    ck_assert_mem_eq(ours.data + ours_at, theirs.data + theirs_at, ours.size - ours_at);
}

static size_t compare_with(const char *name, uint64_t flags)
{
    bool cached = (flags & FLAG_DIST_HDR_ATOM_CACHE) != 0;
    struct vectors vectors;
    size_t first = 0;
    size_t fragmented = 0;

    start(flags);
    vectors_read(&vectors, name);
    for (size_t i = 0; i < vectors.frame_count; i++) {
        struct cn_term tuple;
        struct cn_term payload;
        struct cn_term message;
        struct control control;
        struct made made;
        int rc = decoder_take(&decoder, vectors.frames[i], &tuple, &payload);

        ck_assert(rc == 0 || rc == CN_E_MORE);
        if (rc == CN_E_MORE)
            continue;
        ck_assert_int_eq(control_decode(tuple, payload, &control, &message), 0);
        make(&control, message, NULL, &made);
        ck_assert_uint_eq(made.count, i + 1 - first);
        for (size_t k = 0; k < made.count; k++)
            compare(made.frames[k], vectors.frames[first + k], cached);
        fragmented += made.count > 1;
        made_free(&made);
        first = i + 1;
    }
    vectors_free(&vectors);
    stop();
    return fragmented;
}

/* Messages by name, pid and alias, exits, the end of a monitored name, a spawn request. */
START_TEST(fragments_equal_a_beams)
{
    ck_assert_uint_eq(compare_with("fragments_plain.tsv", FLAGS_PLAIN), 11);
    ck_assert_uint_eq(compare_with("fragments_cached.tsv", FLAGS_OURS), 11);
}
END_TEST

static struct control send_to(const char *node)
{
    struct control control = {.op = CONTROL_SEND, .has_from = true, .from = {.id = 1}};

    strncpy(control.from.node, "a@a", sizeof(control.from.node) - 1);
    strncpy(control.to.node, node, sizeof(control.to.node) - 1);
    return control;
}

/* A binary of @size bytes as a term. Ownership: @writer is the caller's. */
static struct cn_term binary(struct cn_writer *writer, size_t size)
{
    uint8_t *bytes = malloc(size);

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i % 251);
    cn_writer_init(writer, 0);
    cn_write_binary(writer, (struct cn_bytes){bytes, size});
    free(bytes);
    return cn_writer_term(writer);
}

/* Who knows no fragments gets one frame, whatever its size and form. */
START_TEST(whole_frames_without_the_flag)
{
    static const uint64_t flags[] = {FLAGS_OURS & ~FLAG_FRAGMENTS,
                                     FLAGS_OURS & ~(FLAG_FRAGMENTS | FLAG_DIST_HDR_ATOM_CACHE)};

    for (size_t i = 0; i < 2; i++) {
        struct control control = send_to("b@b");
        struct cn_writer writer;
        struct cn_term message = binary(&writer, 300000);
        struct cn_term tuple;
        struct cn_term payload;
        struct made made;

        start(flags[i]);
        make(&control, message, NULL, &made);
        ck_assert_uint_eq(made.count, 1);
        ck_assert_int_eq(decoder_take(&decoder, made.frames[0], &tuple, &payload), 0);
        ck_assert_uint_eq(payload.size, message.size);
        made_free(&made);
        cn_writer_free(&writer);
        stop();
    }
}
END_TEST

/* A body is cut where it lies, in the form that the peer can read. */
START_TEST(body_is_viewed)
{
    struct control control = send_to("b@b");
    struct cn_term begin = {(const uint8_t *)"\x68\x02\x77\x02ok", 6};
    struct cn_writer writer;
    struct etf_body *body;
    struct encoded_frame frame;
    struct fragments_out out;
    struct shared_bytes views[FRAGMENT_PIECES_MAX];
    struct made made;

    (void)binary(&writer, 200000);
    ck_assert_int_eq(etf_body_new(&writer, &body), 0);
    start(FLAGS_PLAIN);
    ck_assert_int_eq(encoder_frame(&encoder, &control, begin, body, &frame), 0);
    ck_assert_uint_eq(frame.fragments, 4);
    ck_assert_int_eq(encoder_split(&encoder, &frame, &out), 0);
    ck_assert_uint_eq(body->shared.owners, 2);
    ck_assert_uint_eq(fragments_out_cut(&out, views), 2);
    ck_assert_ptr_eq(views[1].data, body->plain.data);
    ck_assert_uint_eq(views[0].size + views[1].size, FRAGMENT_TERM_BYTES);
    ck_assert_uint_eq(fragments_out_cut(&out, views), 1);
    ck_assert_ptr_eq(views[0].owner, &body->shared);
    fragments_out_deinit(&out);
    ck_assert_uint_eq(body->shared.owners, 1);
    make(&control, begin, body, &made);
    for (size_t i = 0; i < made.count; i++) {
        struct cn_term tuple;
        struct cn_term payload;
        int rc = decoder_take(&decoder, made.frames[i], &tuple, &payload);

        ck_assert_int_eq(rc, i + 1 < made.count ? CN_E_MORE : 0);
        if (rc == 0)
            ck_assert_mem_eq(payload.data + 6, body->plain.data, body->plain.size);
    }
    made_free(&made);
    stop();
    etf_body_put(body);
}
END_TEST

/*
 * Send {Binary, Atom, ...} or {Atom, ..., Binary} in fragments; gives whether it can be kept where
 * it was put together.
 */
static bool can_be_kept(const char *atom_text, uint32_t atoms, bool binary_first)
{
    struct control control = send_to("b@b");
    struct control seen;
    struct cn_writer writer;
    struct cn_term tuple, payload, heard;
    struct made made;
    uint8_t *room;
    bool kept;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 1 + atoms);
    for (uint32_t i = 0; i < atoms && !binary_first; i++)
        cn_write_atom(&writer, atom_text);
    room = cn_write_binary_room(&writer, 150000);
    ck_assert_ptr_nonnull(room);
    memset(room, 5, 150000);
    for (uint32_t i = 0; i < atoms && binary_first; i++)
        cn_write_atom(&writer, atom_text);
    make(&control, cn_writer_term(&writer), NULL, &made);
    for (size_t i = 0; i < made.count; i++)
        ck_assert_int_eq(decoder_take(&decoder, made.frames[i], &tuple, &payload),
                         i + 1 < made.count ? CN_E_MORE : 0);
    ck_assert_int_eq(control_decode(tuple, payload, &seen, &heard), 0);
    ck_assert_str_eq(seen.to.node, "b@b");
    ck_assert_uint_eq(heard.size, cn_writer_term(&writer).size);
    ck_assert_mem_eq(heard.data, writer.data, heard.size);
    kept = decoder_owner(&decoder, heard) != NULL;
    made_free(&made);
    cn_writer_free(&writer);
    return kept;
}

/* A large message stays where it was put together, unless its atoms need more room than is there.
 */
START_TEST(large_messages_are_not_copied)
{
    char text[251];

    memset(text, 'x', 250);
    text[250] = '\0';
    for (int cached = 0; cached < 2; cached++) {
        start(cached ? FLAGS_OURS : FLAGS_PLAIN);
        ck_assert(can_be_kept("$gen_cast", 1, false));
        ck_assert(can_be_kept(text, 1, false));
        ck_assert(can_be_kept(text, 1, true));
        ck_assert_int_eq(can_be_kept(text, 20, false), !cached);
        ck_assert_int_eq(can_be_kept(text, 20, true), !cached);
        stop();
    }
}
END_TEST

/* A map with twin keys is refused in fragments too, whichever atoms are numbers. */
START_TEST(twin_keys_are_refused)
{
    for (int twins = 0; twins < 2; twins++) {
        struct control control = send_to("b@b");
        struct cn_writer writer;
        struct cn_term tuple, payload;
        struct made made;
        uint8_t *room;
        int rc = 0;

        start(FLAGS_OURS);
        cn_writer_init(&writer, 0);
        cn_write_map(&writer, 2);
        cn_write_atom(&writer, "key");
        room = cn_write_binary_room(&writer, 150000);
        ck_assert_ptr_nonnull(room);
        memset(room, 5, 150000);
        cn_write_atom(&writer, twins ? "key" : "other");
        cn_write_integer(&writer, 1);
        make(&control, cn_writer_term(&writer), NULL, &made);
        for (size_t i = 0; i < made.count; i++)
            rc = decoder_take(&decoder, made.frames[i], &tuple, &payload);
        ck_assert_int_eq(rc != 0, twins);
        ck_assert_int_ne(rc, CN_E_MORE);
        made_free(&made);
        cn_writer_free(&writer);
        stop();
    }
}
END_TEST

/* Without memory a large signal is refused as if it never was, whichever allocation fails. */
START_TEST(no_memory)
{
    struct control control = send_to("b@b");
    struct cn_writer writer;
    struct cn_term message = binary(&writer, 100000);
    size_t failures = 0;

    for (size_t nth = 1;; nth++) {
        struct encoded_frame frame;
        struct fragments_out out = {0};
        bool failed;
        int rc;

        mem_test_begin();
        start(FLAGS_PLAIN);
        mem_test_fail(nth);
        rc = encoder_frame(&encoder, &control, message, NULL, &frame);
        if (rc == 0)
            rc = encoder_split(&encoder, &frame, &out);
        failed = mem_test_failed();
        ck_assert_int_eq(rc, failed ? -ENOMEM : 0);
        ck_assert_uint_eq(fragments_out_bytes(&out) > 0, !failed);
        fragments_out_deinit(&out);
        stop();
        ck_assert_int_eq(mem_test_end(), 0);
        if (!failed)
            break;
        failures++;
    }
    ck_assert_uint_gt(failures, 2);
    cn_writer_free(&writer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fragments_out");
    TCase *tcase = tcase_create("fragments_out");

    tcase_add_test(tcase, fragments_equal_a_beams);
    tcase_add_test(tcase, whole_frames_without_the_flag);
    tcase_add_test(tcase, body_is_viewed);
    tcase_add_test(tcase, large_messages_are_not_copied);
    tcase_add_test(tcase, twin_keys_are_refused);
    tcase_add_test(tcase, no_memory);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
