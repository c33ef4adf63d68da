/*
 * A peer's stream, cut anywhere: frames, headers and fragments, the terms in them, control
 * messages.
 *
 * The first four bytes seed the cuts, the rest is the stream; when their top bit is set the rest is
 * one frame, whose length is put before it here. The two bits below it say whether the peer agreed
 * on the atom cache and on fragments. However the stream is cut, the same frames and signals come
 * out, and as many bytes are held; what is a control message can be written for a peer with all
 * flags, or with few, and is then the same message. A signal is the same whether its atoms are
 * written out first or not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "base/assert.h"
#include "base/error.h"
#include "dist/control.h"
#include "dist/decoder.h"
#include "dist/flags.h"
#include "dist/frame.h"
#include "etf/walk.h"
#include "etf/writer.h"

#define FRAME_MAX 4096

/* What came out of a stream, as far as it can be compared: a sum over all frames. */
struct seen {
    uint64_t frames;
    uint64_t sum;
    size_t held; /* bytes of fragments in the end */
    int end;     /* CN_E_MORE, or what closed the connection */
};

/* What a connection has for incoming bytes. */
struct incoming {
    struct frame_reader reader;
    struct decoder_scratch scratch;
    struct decoder decoder;
    struct decoder_scratch signal_scratch;
    struct decoder signals; /* takes the same frames, as signals */
};

static bool same_control(const struct control *a, const struct control *b)
{
    return a->op == b->op && (!a->has_from || !b->has_from || cn_pid_equal(&a->from, &b->from)) &&
           cn_pid_equal(&a->to, &b->to) && fuzz_same(a->to_name, b->to_name) &&
           fuzz_same(a->from_name, b->from_name) && cn_ref_equal(&a->ref, &b->ref) &&
           a->id == b->id && a->flags == b->flags && fuzz_same(a->module, b->module) &&
           fuzz_same(a->function, b->function) && a->arity == b->arity;
}

static bool same_term(struct cn_term a, struct cn_term b)
{
    return (a.size == 0 && b.size == 0) || (a.size > 0 && b.size > 0 && cn_term_equal(a, b));
}

/* Write @control for a peer with @flags as a frame, and read that frame. */
static void check_again(const struct control *control, struct cn_term message, uint64_t flags)
{
    struct cn_writer frame;
    struct control again;
    struct cn_term tuple, payload, message_again = {0};
    bool follows = false;
    int r = 0;

    if (control->op == CONTROL_UNLINK && control->id == 0)
        flags &= ~FLAG_UNLINK_ID; /* it came from a peer that lacks it */
    cn_writer_init(&frame, 0);
    etf_write_raw(&frame, "p\x83", 2);
    r = control_encode(control, message, flags, &frame, &follows);
    cn_assert(r == 0 || r == -ENOTSUP);
    if (r == 0) {
        if (follows) {
            etf_write_raw(&frame, "\x83", 1);
            cn_write_term(&frame, message);
        }
        cn_assert(cn_writer_error(&frame) == 0);
        cn_assert(frame_parse((struct cn_bytes){frame.data, frame.size}, &tuple, &payload) == 0);
        cn_assert(control_decode(tuple, payload, &again, &message_again) == 0);
        if ((flags & FLAG_UNLINK_ID) == 0)
            again.id = control->id;
        cn_assert(same_control(control, &again));
        cn_assert(same_term(message, message_again));
    }
    cn_writer_free(&frame);
}

static void note_bytes(struct seen *seen, const uint8_t *data, size_t size)
{
    seen->sum = seen->sum * 31 + size;
    for (size_t i = 0; i < size; i++)
        seen->sum = seen->sum * 31 + data[i];
}

static void check_bounds(const struct incoming *incoming)
{
    const struct decoder *decoder = &incoming->decoder;

    cn_assert(incoming->reader.partial.capacity <= 4 * (FRAME_MAX + FRAME_LENGTH_BYTES));
    cn_assert(incoming->scratch.tuple.size <= FRAME_MAX);
    cn_assert(incoming->scratch.message.size <= FRAME_MAX);
    cn_assert(decoder->fragments.bytes <= decoder->fragments.limits.bytes_max);
}

/* Take the frame as a signal; @r is what decoder_take and control_decode said of it. */
static void check_signal(struct incoming *incoming, struct cn_bytes frame, int r,
                         const struct control *control, struct cn_term message)
{
    const struct control *signal;
    struct cn_term signal_message;
    int signal_r = decoder_signal(&incoming->signals, frame, &signal, &signal_message);

    cn_assert(signal_r == r);
    cn_assert(r != 0 || same_control(control, signal));
    cn_assert(r != 0 || fuzz_same((struct cn_bytes){message.data, message.size},
                                  (struct cn_bytes){signal_message.data, signal_message.size}));
}

/* Returns what decoder_take and control_decode say. */
static int take_frame(struct incoming *incoming, struct cn_bytes frame, struct seen *seen)
{
    struct cn_term tuple, payload, message = {0};
    struct control control = {0};
    int r = decoder_take(&incoming->decoder, frame, &tuple, &payload);

    check_bounds(incoming);
    if (r == 0) {
        note_bytes(seen, tuple.data, tuple.size);
        note_bytes(seen, payload.data, payload.size);
        r = control_decode(tuple, payload, &control, &message) == 0 ? 0 : CN_E_UNKNOWN;
    }
    check_signal(incoming, frame, r, &control, message);
    if (r != 0)
        return r;
    check_again(&control, message, FLAGS_OURS);
    check_again(&control, message, FLAGS_OURS_HIDDEN & ~(FLAG_EXIT_PAYLOAD | FLAG_SEND_SENDER));
    check_again(&control, message, FLAGS_REQUIRED);
    return 0;
}

/* Take what is there, as a connection does; an error of a frame is an error of the stream. */
static int take_frames(struct incoming *incoming, struct cn_term piece, struct seen *seen)
{
    struct cn_bytes frame;
    int r;

    frame_reader_feed(&incoming->reader, piece.data, piece.size);
    while ((r = frame_reader_next(&incoming->reader, &frame)) == 0) {
        seen->frames++;
        note_bytes(seen, frame.data, frame.size);
        if (frame.size > 0)
            r = take_frame(incoming, frame, seen);
        if (r != 0 && r != CN_E_MORE)
            return r;
    }
    check_bounds(incoming);
    return r;
}

/* Feed @stream in pieces of at most 1 to @piece_max bytes, chosen by @seed. */
static struct seen feed(struct cn_bytes stream, uint32_t seed, size_t piece_max)
{
    uint64_t flags = FLAGS_OURS & ~((seed >> 30 & 1) != 0 ? 0 : FLAG_DIST_HDR_ATOM_CACHE) &
                     ~((seed >> 29 & 1) != 0 ? 0 : FLAG_FRAGMENTS);
    struct seen seen = {.end = CN_E_MORE};
    struct incoming incoming;
    size_t at = 0;

    frame_reader_init(&incoming.reader, FRAME_MAX);
    decoder_scratch_init(&incoming.scratch);
    decoder_init(&incoming.decoder, flags, FRAME_MAX, &incoming.scratch);
    decoder_scratch_init(&incoming.signal_scratch);
    decoder_init(&incoming.signals, flags, FRAME_MAX, &incoming.signal_scratch);
    while (at < stream.size && seen.end == CN_E_MORE) {
        size_t size = 1 + (seed >> 8) % piece_max;
        struct cn_term piece;

        seed = seed * 1664525 + 1013904223;
        if (size > stream.size - at)
            size = stream.size - at;
        piece = fuzz_exact((struct cn_term){stream.data + at, size});
        seen.end = take_frames(&incoming, piece, &seen);
        free((void *)(uintptr_t)piece.data);
        at += size;
    }
    seen.held = incoming.decoder.fragments.bytes;
    frame_reader_deinit(&incoming.reader);
    decoder_deinit(&incoming.decoder);
    decoder_scratch_deinit(&incoming.scratch);
    decoder_deinit(&incoming.signals);
    decoder_scratch_deinit(&incoming.signal_scratch);
    return seen;
}

static bool same_end(const struct seen *a, const struct seen *b)
{
    return a->end == b->end && a->frames == b->frames && a->sum == b->sum && a->held == b->held;
}

static void check_stream(struct cn_bytes stream, uint32_t seed)
{
    struct seen whole = feed(stream, seed, SIZE_MAX / 2);
    struct seen cut = feed(stream, seed, 64);
    struct seen crumbs = feed(stream, seed, 2);

    cn_assert(whole.end > 0);
    cn_assert(same_end(&whole, &cut));
    cn_assert(same_end(&whole, &crumbs));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    uint32_t seed = 0;
    struct bytes stream;

    for (int i = 0; i < 4; i++)
        seed = seed << 8 | input_u8(&input);
    bytes_init(&stream, 0);
    if (seed >> 31 != 0)
        cn_assert(bytes_append_u32(&stream, (uint32_t)input.size) == 0);
    cn_assert(bytes_append(&stream, input.data, input.size) == 0);
    check_stream((struct cn_bytes){bytes_data(&stream), bytes_size(&stream)}, seed);
    bytes_deinit(&stream);
    return 0;
}
