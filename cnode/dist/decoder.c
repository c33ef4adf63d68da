/*
 * The decoder of frames.
 *
 * A header is read in the order of frames, also those of fragments, since each may change the
 * cache. A control tuple of the ordinary kind is read where it is (control_cached.h). Terms behind
 * it are expanded into scratch memory, or viewed where they are when they name no atom by number;
 * the memory is given back after a large one. Large messages in fragments are viewed where they
 * were put together, and can be kept there (decoder_owner).
 */
#include "dist/decoder.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "dist/control_cached.h"
#include "dist/flags.h"
#include "dist/frame.h"
#include "etf/expand.h"
#include "etf/keys.h"

#define VERSION_MAGIC      131
#define DIST_HEADER        'D'
#define FRAGMENT_FIRST     'E'
#define FRAGMENT_NEXT      'F'
#define FRAGMENT_BYTES     18 /* 131, the tag, sequence id, fragment id */
#define SEQUENCES_MAX      16384
#define ATOM_BYTES_MAX     ((size_t)16 << 20) /* of all sequences */
#define SCRATCH_KEEP_BYTES ((size_t)256 << 10)

void decoder_scratch_init(struct decoder_scratch *scratch)
{
    cn_writer_init(&scratch->tuple, 0);
    cn_writer_init(&scratch->message, 0);
    scratch->atoms.count = 0;
}

void decoder_scratch_deinit(struct decoder_scratch *scratch)
{
    cn_writer_free(&scratch->tuple);
    cn_writer_free(&scratch->message);
}

void decoder_init(struct decoder *decoder, uint64_t flags, uint32_t frame_bytes_max,
                  struct decoder_scratch *scratch)
{
    uint32_t bytes_max = frame_bytes_max > 0 ? frame_bytes_max : FRAME_BYTES_MAX;

    *decoder = (struct decoder){.flags = flags, .frame_bytes_max = bytes_max, .scratch = scratch};
    fragments_init(&decoder->fragments, &(struct fragment_limits){
                                            .sequences_max = SEQUENCES_MAX,
                                            .sequence_bytes_max = bytes_max,
                                            .bytes_max = (size_t)bytes_max * 2,
                                            .atom_bytes_max = ATOM_BYTES_MAX,
                                        });
}

void decoder_deinit(struct decoder *decoder)
{
    decoder->cache = atom_cache_in_free(decoder->cache);
    decoder->done = fragment_sequence_free(decoder->done);
    fragments_deinit(&decoder->fragments);
}

static void renew(struct cn_writer *writer, size_t size_max)
{
    if (writer->capacity > SCRATCH_KEEP_BYTES)
        cn_writer_free(writer);
    else
        cn_writer_reset(writer);
    writer->size_max = size_max;
}

/* What a frame holds. */
struct taken {
    struct control *control; /* where a tuple may be read at once; NULL: it is wanted as a term */
    struct cn_term tuple;    /* size 0: it was read */
    struct cn_term message;
};

/* What follows a header: the tuple and at most one message. */
static int take_terms(struct decoder *decoder, struct cn_bytes data, const struct cn_bytes *atoms,
                      uint32_t atom_count, struct taken *taken)
{
    struct decoder_scratch *scratch = decoder->scratch;
    size_t used;
    size_t message_used = 0;
    int rc = 0;

    taken->tuple = (struct cn_term){NULL, 0};
    taken->message = (struct cn_term){NULL, 0};
    if (taken->control == NULL ||
        !control_read_cached(data, atoms, atom_count, taken->control, &used))
        rc = etf_expand(data.data, data.size, atoms, atom_count, &scratch->tuple, &taken->tuple,
                        &used);
    if (rc == 0 && used < data.size)
        rc = etf_expand(data.data + used, data.size - used, atoms, atom_count, &scratch->message,
                        &taken->message, &message_used);
    if (rc == 0 && used + message_used < data.size)
        rc = CN_E_TERM_TRAILING;
    return rc == -E2BIG ? CN_E_LIMIT : rc;
}

/*
 * The tuple and the message of a sequence. What follows the last reference to an atom, mostly a
 * large binary, stays where it is; the start is put before it, where the tuple was, or before that.
 */
static int take_sequence(struct decoder *decoder, struct taken *taken)
{
    struct fragment_sequence *done = decoder->done;
    struct cn_bytes data = fragment_sequence_bytes(done);
    struct decoder_scratch *scratch = decoder->scratch;
    struct cn_term control;
    struct cn_bytes start;
    struct cn_bytes end;
    struct cn_term message;
    bool maps;
    size_t used;
    int rc;

    rc = etf_expand(data.data, data.size, done->atoms, done->atom_count, &scratch->tuple, &control,
                    &used);
    if (rc != 0 || used == data.size)
        return take_terms(decoder, data, done->atoms, done->atom_count, taken);
    rc = etf_expand_start(data.data + used, data.size - used, done->atoms, done->atom_count,
                          &scratch->message, &start, &end, &maps);
    if (rc == 0 && end.data + end.size != data.data + data.size)
        rc = CN_E_TERM_TRAILING;
    if (rc != 0)
        return rc == -E2BIG ? CN_E_LIMIT : rc;
    if (start.size > 0 &&
        (control.data == data.data || start.size > (size_t)(end.data - bytes_data(&done->data)))) {
        renew(&scratch->tuple, decoder->frame_bytes_max);
        renew(&scratch->message, decoder->frame_bytes_max);
        return take_terms(decoder, data, done->atoms, done->atom_count, taken);
    }
    if (start.size > 0)
        memcpy((uint8_t *)(uintptr_t)end.data - start.size, start.data, start.size);
    message = (struct cn_term){end.data - start.size, start.size + end.size};
    rc = maps ? etf_keys_check(message.data, message.size) : 0;
    taken->tuple = control;
    taken->message = message;
    return rc;
}

/* Read the header at @at of the frame; *ret_rest is what follows it. */
static int take_header(struct decoder *decoder, struct cn_bytes frame, size_t at,
                       struct cn_bytes *ret_rest)
{
    size_t size;
    int rc;

    if ((decoder->flags & FLAG_DIST_HDR_ATOM_CACHE) != 0 && decoder->cache == NULL) {
        decoder->cache = atom_cache_in_new();
        if (decoder->cache == NULL)
            return -ENOMEM;
    }
    rc = atom_cache_in_read(decoder->cache, frame.data + at, frame.size - at,
                            &decoder->scratch->atoms, &size);
    if (rc == 0)
        *ret_rest = (struct cn_bytes){frame.data + at + size, frame.size - at - size};
    return rc;
}

static int take_whole(struct decoder *decoder, struct cn_bytes frame, size_t at,
                      struct taken *taken)
{
    const struct atom_table *atoms = &decoder->scratch->atoms;
    struct cn_bytes rest;
    int rc = take_header(decoder, frame, at, &rest);

    return rc != 0 ? rc : take_terms(decoder, rest, atoms->texts, atoms->count, taken);
}

static int take_first(struct decoder *decoder, struct cn_bytes frame, struct taken *taken)
{
    uint64_t fragment = be64_get(frame.data + 10);
    struct cn_bytes rest;
    int rc;

    if (fragment == 1) /* the first is the last */
        return take_whole(decoder, frame, FRAGMENT_BYTES, taken);
    rc = take_header(decoder, frame, FRAGMENT_BYTES, &rest);
    if (rc == 0)
        rc = fragments_start(&decoder->fragments, be64_get(frame.data + 2), fragment,
                             &decoder->scratch->atoms, rest);
    return rc == 0 ? CN_E_MORE : rc;
}

static int take_next(struct decoder *decoder, struct cn_bytes frame, struct taken *taken)
{
    struct cn_bytes data = {frame.data + FRAGMENT_BYTES, frame.size - FRAGMENT_BYTES};
    int rc = fragments_add(&decoder->fragments, be64_get(frame.data + 2), be64_get(frame.data + 10),
                           data, &decoder->done);

    if (rc != 0 || decoder->done == NULL)
        return rc == 0 ? CN_E_MORE : rc;
    return take_sequence(decoder, taken);
}

static int take(struct decoder *decoder, struct cn_bytes frame, struct taken *taken)
{
    bool fragments = (decoder->flags & FLAG_FRAGMENTS) != 0;

    decoder->done = fragment_sequence_free(decoder->done);
    renew(&decoder->scratch->tuple, decoder->frame_bytes_max);
    renew(&decoder->scratch->message, decoder->frame_bytes_max);
    if (frame.size < 2 || frame.data[0] != VERSION_MAGIC)
        return frame_parse(frame, &taken->tuple, &taken->message);
    if (!fragments && (decoder->flags & FLAG_DIST_HDR_ATOM_CACHE) == 0)
        return CN_E_INVALID;
    if (frame.data[1] == DIST_HEADER)
        return take_whole(decoder, frame, 2, taken);
    if (!fragments || frame.size < FRAGMENT_BYTES)
        return CN_E_INVALID;
    if (frame.data[1] == FRAGMENT_FIRST)
        return take_first(decoder, frame, taken);
    if (frame.data[1] == FRAGMENT_NEXT)
        return take_next(decoder, frame, taken);
    return CN_E_INVALID;
}

int decoder_take(struct decoder *decoder, struct cn_bytes frame, struct cn_term *ret_control,
                 struct cn_term *ret_message)
{
    struct taken taken = {NULL};
    int rc = take(decoder, frame, &taken);

    if (rc != 0)
        return rc;
    *ret_control = taken.tuple;
    *ret_message = taken.message;
    return 0;
}

int decoder_signal(struct decoder *decoder, struct cn_bytes frame,
                   const struct control **ret_control, struct cn_term *ret_message)
{
    struct control *control = &decoder->scratch->control;
    struct taken taken = {.control = control};
    int rc = take(decoder, frame, &taken);

    if (rc != 0)
        return rc;
    if (taken.tuple.size > 0 &&
        control_decode(taken.tuple, taken.message, control, &taken.message) != 0)
        return CN_E_UNKNOWN;
    control->owner = decoder_owner(decoder, taken.message);
    *ret_control = control;
    *ret_message = taken.message;
    return 0;
}

struct shared *decoder_owner(const struct decoder *decoder, struct cn_term message)
{
    const struct fragment_sequence *done = decoder->done;
    const uint8_t *start = done != NULL ? bytes_data(&done->data) : NULL;

    if (start == NULL || message.data < start || message.data >= start + bytes_size(&done->data))
        return NULL;
    return &decoder->done->shared;
}
