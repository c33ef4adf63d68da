/*
 * Signals that one node sends are the signals that another one hears.
 *
 * The first four bytes seed flags, cuts and turns; then comes, again and again, a byte that chooses
 * a signal and a term that is its message. The encoder makes frames of them, large ones are cut
 * into fragments that take turns, the stream is cut anywhere, and reader and decoder must give the
 * same signals: each where its last fragment stands, whatever the caches did meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/error.h"
#include "dist/decoder.h"
#include "dist/encoder.h"
#include "dist/flags.h"
#include "etf/body.h"
#include "etf/walk.h"
#include "etf/writer.h"

#define SIGNALS_MAX     64
#define SMALL_SEQUENCES 1000000 /* their ids, from it on, are not the encoder's */
#define OPEN_MAX        4
#define FRAGMENT        40     /* bytes of a fragment; few, so that small inputs have many */
#define LARGE           150000 /* bytes by which a signal is made large */

/* A signal, and what is to be heard. */
struct signal {
    struct control control;
    struct cn_term message; /* in memory of its own */
};

/* A frame of which not all fragments are sent: cut by the encoder, or here. */
struct open_frame {
    size_t signal;
    bool large;
    struct fragments_out out; /* large */
    uint64_t left;            /* not large */
    struct bytes rest;
};

static struct {
    uint32_t seed;
    uint64_t flags;
    struct signal signals[SIGNALS_MAX];
    size_t count;
    struct open_frame open[OPEN_MAX];
    size_t open_count;
    struct bytes stream;
    size_t order[SIGNALS_MAX]; /* in which signals become complete */
    size_t complete;
} talk;

static uint32_t next_random(uint32_t below)
{
    talk.seed = talk.seed * 1664525 + 1013904223;
    return (talk.seed >> 8) % below;
}

static struct control choose_control(uint8_t choice)
{
    static const enum control_op ops[] = {CONTROL_SEND,         CONTROL_REG_SEND,
                                          CONTROL_ALIAS_SEND,   CONTROL_EXIT,
                                          CONTROL_EXIT2,        CONTROL_LINK,
                                          CONTROL_MONITOR_EXIT, CONTROL_UNLINK};
    static const char *const names[] = {"a", "rex", "a rather long name of a process", "\xc3\xa9"};
    const char *name = names[choice / 8 % 4];
    struct control control = {.op = ops[choice % 8],
                              .has_from = true,
                              .from = {1, 2, 3, "from@here"},
                              .to = {choice, 0, 7, "to@there"},
                              .ref = {.count = 3, .creation = 7, .node = "to@there"},
                              .id = 1 + choice};

    if (control.op == CONTROL_REG_SEND)
        control.to_name = (struct cn_bytes){(const uint8_t *)name, strlen(name)};
    control.ref.words[0] = choice;
    return control;
}

static void append(struct bytes *to, const void *data, size_t size)
{
    cn_assert(bytes_append(to, data, size) == 0);
}

static void append_number(struct bytes *to, uint64_t number)
{
    uint8_t data[8];

    be64_put(data, number);
    append(to, data, sizeof(data));
}

/* One fragment with its length; @rest is what is still to go. */
static void append_fragment(char form, size_t sequence, uint64_t fragment, struct cn_bytes data)
{
    uint8_t tag[2] = {131, (uint8_t)form};

    cn_assert(bytes_append_u32(&talk.stream, (uint32_t)(18 + data.size)) == 0);
    append(&talk.stream, tag, 2);
    append_number(&talk.stream, sequence);
    append_number(&talk.stream, fragment);
    append(&talk.stream, data.data, data.size);
}

/* Bytes of the distribution header at the start of @data: it must go whole into the first one. */
static size_t header_bytes(const uint8_t *data)
{
    uint32_t count = data[0];
    size_t at = 1 + (count > 0 ? count / 2 + 1 : 0);
    bool is_long = count > 0 && (data[1 + count / 2] >> (count % 2 == 0 ? 0 : 4) & 1) != 0;

    for (uint32_t i = 0; i < count; i++) {
        bool is_new = (data[1 + i / 2] >> (i % 2 == 0 ? 0 : 4) & 8) != 0;

        at++;
        if (is_new)
            at += is_long ? 2 + (size_t)be16_get(data + at) : 1 + (size_t)data[at];
    }
    return at;
}

/* The terms of the next fragment of a large frame. */
static void append_cut(struct fragments_out *out)
{
    struct shared_bytes views[FRAGMENT_PIECES_MAX];
    size_t count = fragments_out_cut(out, views);

    for (size_t i = 0; i < count; i++)
        append(&talk.stream, views[i].data, views[i].size);
}

static bool go_on_large(struct open_frame *open)
{
    uint8_t head[FRAGMENT_HEAD_BYTES];

    fragments_out_write_head(&open->out, false, 0, head);
    append(&talk.stream, head, sizeof(head));
    append_cut(&open->out);
    if (open->out.left > 0)
        return true;
    cn_assert(fragments_out_bytes(&open->out) == 0);
    fragments_out_deinit(&open->out);
    return false;
}

static bool go_on_small(struct open_frame *open)
{
    size_t size = bytes_size(&open->rest);

    if (size > FRAGMENT && open->left > 1)
        size = FRAGMENT;
    append_fragment('F', SMALL_SEQUENCES + open->signal, open->left,
                    (struct cn_bytes){bytes_data(&open->rest), size});
    bytes_consume(&open->rest, size);
    if (--open->left > 0)
        return true;
    bytes_deinit(&open->rest);
    return false;
}

/* Send the next fragment of an open frame. */
static void go_on(size_t index)
{
    struct open_frame *open = &talk.open[index];

    if (open->large ? go_on_large(open) : go_on_small(open))
        return;
    talk.order[talk.complete++] = open->signal;
    *open = talk.open[--talk.open_count];
}

/* Send a frame of the form 131, 'D', header, terms in fragments. */
static void cut_up(struct cn_bytes frame, size_t signal)
{
    size_t first = header_bytes(frame.data + 2);
    struct cn_bytes rest = {frame.data + 2 + first, frame.size - 2 - first};
    uint64_t fragments = 1 + (rest.size + FRAGMENT - 1) / FRAGMENT;
    struct open_frame *open = &talk.open[talk.open_count++];

    append_fragment('E', SMALL_SEQUENCES + signal, fragments,
                    (struct cn_bytes){frame.data + 2, first});
    *open = (struct open_frame){.signal = signal, .left = fragments - 1};
    bytes_init(&open->rest, 0);
    append(&open->rest, rest.data, rest.size);
}

/* Send the first fragment of a frame that the encoder wants cut; the rest takes turns with others.
 */
static void split(struct encoder *encoder, const struct encoded_frame *encoded, size_t signal)
{
    struct open_frame *open;

    while (talk.open_count == OPEN_MAX)
        go_on(next_random(OPEN_MAX));
    open = &talk.open[talk.open_count++];
    *open = (struct open_frame){.signal = signal, .large = true};
    cn_assert(encoder_split(encoder, encoded, &open->out) == 0);
    append(&talk.stream, encoded->parts[0].data, encoded->parts[0].size);
    append_cut(&open->out);
    cn_assert(open->out.left + 1 == encoded->fragments);
}

static void send_frame(struct encoder *encoder, const struct encoded_frame *encoded, size_t signal)
{
    struct bytes frame;
    struct cn_bytes content;

    if (encoded->fragments > 1) {
        split(encoder, encoded, signal);
        return;
    }
    bytes_init(&frame, 0);
    for (size_t i = 0; i < encoded->count; i++)
        append(&frame, encoded->parts[i].data, encoded->parts[i].size);
    append(&frame, encoded->tail.data, encoded->tail.size);
    content = (struct cn_bytes){bytes_data(&frame) + 4, bytes_size(&frame) - 4};
    cn_assert(be32_get(bytes_data(&frame)) == content.size);
    if ((talk.flags & FLAG_FRAGMENTS) != 0 && content.data[0] == 131 && content.size > FRAGMENT &&
        talk.open_count < OPEN_MAX && next_random(2) == 0) {
        cut_up(content, signal);
    } else {
        append(&talk.stream, bytes_data(&frame), bytes_size(&frame));
        talk.order[talk.complete++] = signal;
    }
    bytes_deinit(&frame);
}

/* Make the message of @signal {Message, Bytes, Message}, which is large. */
static void enlarge(struct signal *signal)
{
    static const uint8_t zeros[LARGE];
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 3);
    cn_write_term(&writer, signal->message);
    cn_write_binary(&writer, (struct cn_bytes){zeros, 50000 + next_random(LARGE - 50000)});
    cn_write_term(&writer, signal->message);
    free((void *)(uintptr_t)signal->message.data);
    signal->message = fuzz_exact(cn_writer_term(&writer));
    cn_writer_free(&writer);
}

/* Encode the latest signal; its message goes as the shared body of a reply now and then.
 */
static void encode(struct encoder *encoder, size_t index)
{
    struct signal *signal = &talk.signals[index];
    struct etf_body *body = NULL;
    struct encoded_frame frame;
    struct cn_writer writer;
    struct cn_term start = signal->message;

    cn_writer_init(&writer, 0);
    if (signal->control.op <= CONTROL_ALIAS_SEND && next_random(3) == 0) {
        cn_write_term(&writer, signal->message);
        cn_assert(etf_body_new(&writer, &body) == 0);
        start = (struct cn_term){(const uint8_t *)"\x68\x02\x77\x01r", 5};
        etf_write_raw(&writer, start.data, start.size);
        cn_write_term(&writer, signal->message);
        free((void *)(uintptr_t)signal->message.data);
        signal->message = fuzz_exact(cn_writer_term(&writer));
    }
    cn_assert(encoder_frame(encoder, &signal->control, start, body, &frame) == 0);
    send_frame(encoder, &frame, index);
    etf_body_put(body);
    cn_writer_free(&writer);
}

/* Make all signals of the input, and the stream. */
static void send_all(struct input *input)
{
    struct encoder_scratch scratch;
    struct encoder encoder;

    encoder_scratch_init(&scratch);
    encoder_init(&encoder, talk.flags, &scratch);
    while (input->size > 0 && talk.count < SIGNALS_MAX) {
        struct signal *signal = &talk.signals[talk.count];
        uint8_t choice = input_u8(input);
        size_t size = 0;

        if (etf_walk(input->data, input->size, NULL, &size) != 0)
            break;
        signal->control = choose_control(choice);
        signal->message = fuzz_exact((struct cn_term){input->data, size});
        (void)input_bytes(input, size);
        if (next_random(16) == 0)
            enlarge(signal);
        encode(&encoder, talk.count++);
        while (talk.open_count > 0 && next_random(3) == 0)
            go_on(next_random((uint32_t)talk.open_count));
    }
    while (talk.open_count > 0)
        go_on(next_random((uint32_t)talk.open_count));
    encoder_deinit(&encoder);
    encoder_scratch_deinit(&scratch);
}

static void check_heard(size_t nth, struct cn_term tuple, struct cn_term payload)
{
    const struct signal *sent = &talk.signals[talk.order[nth]];
    struct cn_term message = {0};
    struct control control;
    bool sends = sent->control.op <= CONTROL_ALIAS_SEND || sent->control.op == CONTROL_EXIT ||
                 sent->control.op == CONTROL_EXIT2 || sent->control.op == CONTROL_MONITOR_EXIT;

    cn_assert(control_decode(tuple, payload, &control, &message) == 0);
    cn_assert(control.op == sent->control.op);
    cn_assert(control.op == CONTROL_ALIAS_SEND || control.op == CONTROL_REG_SEND ||
              cn_pid_equal(&control.to, &sent->control.to));
    cn_assert(fuzz_same(control.to_name, sent->control.to_name));
    cn_assert(sends ? cn_term_equal(message, sent->message) : message.size == 0);
}

/* Read the stream in random pieces. */
static void hear_all(void)
{
    struct cn_bytes stream = {bytes_data(&talk.stream), bytes_size(&talk.stream)};
    struct decoder_scratch scratch;
    struct frame_reader reader;
    struct decoder decoder;
    struct cn_bytes frame;
    size_t heard = 0;

    frame_reader_init(&reader, 0);
    decoder_scratch_init(&scratch);
    decoder_init(&decoder, talk.flags, 0, &scratch);
    for (size_t at = 0, size; at < stream.size; at += size) {
        size = 1 + next_random(next_random(20) == 0 ? 100000 : 200);
        if (size > stream.size - at)
            size = stream.size - at;
        frame_reader_feed(&reader, stream.data + at, size);
        while (frame_reader_next(&reader, &frame) == 0) {
            struct cn_term tuple, payload;
            int r = decoder_take(&decoder, frame, &tuple, &payload);

            cn_assert(r == 0 || r == CN_E_MORE);
            if (r == 0)
                check_heard(heard++, tuple, payload);
        }
    }
    cn_assert(heard == talk.count);
    cn_assert(decoder.fragments.bytes == 0 && bytes_size(&reader.partial) == reader.delivered);
    decoder_deinit(&decoder);
    decoder_scratch_deinit(&scratch);
    frame_reader_deinit(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};

    memset(&talk, 0, sizeof(talk));
    for (int i = 0; i < 4; i++)
        talk.seed = talk.seed << 8 | input_u8(&input);
    talk.flags = FLAGS_OURS;
    if ((talk.seed & 3) == 1)
        talk.flags &= ~FLAG_DIST_HDR_ATOM_CACHE;
    if ((talk.seed & 3) == 2)
        talk.flags &= ~FLAG_FRAGMENTS;
    if ((talk.seed & 3) == 3)
        talk.flags &= ~(FLAG_DIST_HDR_ATOM_CACHE | FLAG_FRAGMENTS | FLAG_EXIT_PAYLOAD);
    bytes_init(&talk.stream, 0);
    send_all(&input);
    hear_all();
    bytes_deinit(&talk.stream);
    for (size_t i = 0; i < talk.count; i++)
        free((void *)(uintptr_t)talk.signals[i].message.data);
    return 0;
}
