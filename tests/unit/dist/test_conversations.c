/*
 * Whole conversations of BEAM nodes, of OTP 25, 27 and 29 and under four sets of flags: what our
 * decoder makes of the frames is what the sender says it sent, byte for byte; and our encoder
 * writes the frames that the BEAM wrote, byte for byte but for the numbers of the cache's slots,
 * which are each sender's own choice.
 */
#include "conversations.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "dist/control_ops.h"
#include "dist/decoder.h"
#include "dist/encoder.h"
#include "dist/flags.h"
#include "support.h"

/* Signals of several processes end in another order than they began. */
#define TURNS_MAX 4
/* Atoms in a header. */
#define ATOMS_MAX 255

static struct conversation conversation;
static struct decoder_scratch decoding;
static struct decoder decoder;
static struct encoder_scratch encoding;
static struct encoder encoder;

static void start(int number)
{
    conversation_read(&conversation, (size_t)number);
    decoder_scratch_init(&decoding);
    decoder_init(&decoder, conversation.flags, 0, &decoding);
    encoder_scratch_init(&encoding);
    encoder_init(&encoder, conversation.flags, &encoding);
}

static void stop(void)
{
    conversation_free(&conversation);
    decoder_deinit(&decoder);
    decoder_scratch_deinit(&decoding);
    encoder_deinit(&encoder);
    encoder_scratch_deinit(&encoding);
}

static bool is_cached(void)
{
    return (conversation.flags & FLAG_DIST_HDR_ATOM_CACHE) != 0;
}

/* Decode frame @number; gives whether a signal is complete. */
static bool decode(size_t number, struct cn_term *ret_tuple, struct cn_term *ret_payload)
{
    struct cn_bytes frame = conversation.frames[number];
    uint8_t *copy = exact(frame.data, frame.size);
    static uint8_t *last;
    int rc;

    free(last); /* the terms of the call before were views */
    last = copy;
    rc = decoder_take(&decoder, (struct cn_bytes){copy, frame.size}, ret_tuple, ret_payload);
    ck_assert_msg(rc == 0 || rc == CN_E_MORE, "frame %zu: %d", number, rc);
    return rc == 0;
}

/* Compare with what stands behind a version byte. */
static bool is_behind_version(struct cn_term term, struct cn_bytes bytes)
{
    if (bytes.size == 0)
        return term.size == 0;
    return term.size + 1 == bytes.size && memcmp(term.data, bytes.data + 1, term.size) == 0;
}

static bool tuple_is(struct cn_term tuple, struct cn_bytes expected)
{
    struct cn_reader seen;
    struct cn_reader said;
    struct cn_term element;
    struct cn_term other;
    uint32_t arity;
    uint32_t arity_said;

    cn_reader_init(&seen, tuple);
    cn_reader_init(&said, (struct cn_term){expected.data + 1, expected.size - 1});
    if (!cn_read_tuple(&seen, &arity) || !cn_read_tuple(&said, &arity_said) || arity != arity_said)
        return false;
    while (arity-- > 0) {
        if (!cn_read_term(&seen, &element) || !cn_read_term(&said, &other))
            return false;
        if (!cn_term_is_atom(other, "_") &&
            (element.size != other.size || memcmp(element.data, other.data, other.size) != 0))
            return false;
    }
    return true;
}

/* Find the signal among those that are due, and take it from them. */
static bool take_due(bool *taken, size_t *first, struct cn_term tuple, struct cn_term payload)
{
    for (size_t i = *first; i < conversation.signal_count && i < *first + TURNS_MAX; i++) {
        if (taken[i] || !tuple_is(tuple, conversation.tuples[i]) ||
            !is_behind_version(payload, conversation.messages[i]))
            continue;
        taken[i] = true;
        while (*first < conversation.signal_count && taken[*first])
            (*first)++;
        return true;
    }
    return false;
}

/* Each signal comes out as its sender tells it, and is one that we know. */
START_TEST(frames_are_what_was_sent)
{
    bool taken[CONVERSATION_MAX] = {false};
    size_t first = 0;

    start(_i);
    for (size_t i = 0; i < conversation.frame_count; i++) {
        struct control control;
        struct cn_term tuple;
        struct cn_term payload;
        struct cn_term message;

        if (!decode(i, &tuple, &payload))
            continue;
        ck_assert_msg(take_due(taken, &first, tuple, payload), "frame %zu, signal %zu", i, first);
        ck_assert_int_eq(control_decode(tuple, payload, &control, &message), 0);
    }
    ck_assert_uint_eq(first, conversation.signal_count);
    stop();
}
END_TEST

/* The atoms of a header, and where the terms begin. */
struct header {
    size_t count;
    size_t size;
    struct cn_bytes atoms[ATOMS_MAX];
};

/* Read a header by the book, with the cache of its connection. */
static void read_header(struct cn_bytes frame, struct cn_bytes *cache, struct header *ret_header)
{
    size_t at = frame.data[1] == 'D' ? 2 : 18;
    size_t count = frame.data[at];
    const uint8_t *flags = frame.data + at + 1;
    bool is_long;

    at += count == 0 ? 1 : 1 + count / 2 + 1;
    is_long = count > 0 && (flags[count / 2] >> (count % 2 * 4) & 1) != 0;
    for (size_t i = 0; i < count; i++) {
        unsigned bits = flags[i / 2] >> (i % 2 * 4) & 0xf;
        struct cn_bytes *slot = &cache[(bits & 7) << 8 | frame.data[at++]];

        if ((bits & 8) != 0) {
            size_t size = is_long ? be16_get(frame.data + at) : frame.data[at];

            *slot = (struct cn_bytes){frame.data + at + (is_long ? 2 : 1), size};
            at = (size_t)(slot->data - frame.data) + size;
        }
        ret_header->atoms[i] = *slot;
    }
    ret_header->count = count;
    ret_header->size = at;
}

static bool same_atoms(const struct header *a, const struct header *b)
{
    bool same = a->count == b->count;

    for (size_t i = 0; same && i < a->count; i++)
        same = a->atoms[i].size == b->atoms[i].size &&
               memcmp(a->atoms[i].data, b->atoms[i].data, a->atoms[i].size) == 0;
    return same;
}

/* Make our frame of a signal, without its length; its memory lives as long as the test. */
static struct cn_bytes encode(const struct control *control, struct cn_term message)
{
    struct encoded_frame frame;
    struct bytes bytes;
    struct cn_bytes made;

    bytes_init(&bytes, 0);
    ck_assert_int_eq(encoder_frame(&encoder, control, message, NULL, &frame), 0);
    for (size_t i = 0; i < frame.count; i++)
        ck_assert_int_eq(bytes_append(&bytes, frame.parts[i].data, frame.parts[i].size), 0);
    ck_assert_int_eq(bytes_append(&bytes, frame.tail.data, frame.tail.size), 0);
    made = kept_bytes(bytes_data(&bytes) + FRAME_LENGTH_BYTES,
                      bytes_size(&bytes) - FRAME_LENGTH_BYTES);
    bytes_deinit(&bytes);
    return made;
}

/* Signals that we send; those with a trace token we only understand. */
static bool is_ours_to_send(struct cn_term tuple)
{
    static const int64_t others[] = {OP_GROUP_LEADER,     OP_SEND_TT,        OP_EXIT_TT,
                                     OP_REG_SEND_TT,      OP_SEND_SENDER_TT, OP_PAYLOAD_EXIT_TT,
                                     OP_SPAWN_REQUEST_TT, OP_ALIAS_SEND_TT};
    struct cn_reader reader;
    uint32_t arity;
    int64_t op = 0;
    bool ours = true;

    cn_reader_init(&reader, tuple);
    ck_assert(cn_read_tuple(&reader, &arity) && cn_read_integer(&reader, &op));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        ours = ours && op != others[i];
    return ours;
}

static void same_bytes(struct cn_bytes ours, struct cn_bytes theirs, size_t number)
{
    ck_assert_msg(ours.size == theirs.size && memcmp(ours.data, theirs.data, ours.size) == 0,
                  "frame %zu differs", number);
}

/* Compare our frame with theirs; gives false when one of us wrote an atom out. */
static bool same_frame(struct cn_bytes ours, struct cn_bytes theirs, const struct header *header,
                       size_t number)
{
    static struct cn_bytes cache[2048];
    struct header own;
    bool same;

    if (!is_cached()) {
        same_bytes(ours, theirs, number);
        return true;
    }
    read_header(ours, cache, &own);
    same = same_atoms(&own, header);
    if (!same && (own.count != header->count || own.count == ATOMS_MAX))
        return false;
    ck_assert_msg(same, "header of frame %zu differs", number);
    same_bytes((struct cn_bytes){ours.data + own.size, ours.size - own.size},
               (struct cn_bytes){theirs.data + header->size, theirs.size - header->size}, number);
    return true;
}

/*
 * We write what a BEAM writes. Where two atoms of a frame want one slot, a BEAM writes one of them
 * out; we have a slot for each, but write out those inside funs. Such frames differ.
 */
START_TEST(our_frames_are_a_beams)
{
    static struct cn_bytes cache[2048];
    size_t same = 0;
    size_t different = 0;

    start(_i);
    for (size_t i = 0; i < conversation.frame_count; i++) {
        struct cn_bytes frame = conversation.frames[i];
        struct header header;
        struct control control;
        struct cn_term tuple;
        struct cn_term payload;
        struct cn_term message;

        if (is_cached() && frame.data[1] != 'F')
            read_header(frame, cache, &header);
        if (!decode(i, &tuple, &payload) || frame.data[1] == 'F' || !is_ours_to_send(tuple))
            continue;
        ck_assert_int_eq(control_decode(tuple, payload, &control, &message), 0);
        if (same_frame(encode(&control, message), frame, &header, i))
            same++;
        else
            different++;
    }
    ck_assert_uint_ge(same, 30);
    ck_assert_uint_le(different, is_cached() ? same / 4 : 0);
    stop();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conversations");
    TCase *tcase = tcase_create("conversations");

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, frames_are_what_was_sent, 0, CONVERSATION_COUNT);
    tcase_add_loop_test(tcase, our_frames_are_a_beams, 0, CONVERSATION_COUNT);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
