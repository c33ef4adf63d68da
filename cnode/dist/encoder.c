/*
 * Signals become frames.
 *
 * A frame with a header is built in this order: the body's atoms take the first places of the
 * header, then tuple and message are copied with their atoms as references, then the header is
 * written before both. A frame that fails on the way leaves the cache as it was. Of a frame that
 * becomes fragments the terms are kept in the memory in which they were made.
 */
#include "dist/encoder.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/list.h"
#include "dist/control_cached.h"
#include "dist/flags.h"
#include "etf/index.h"
#include "etf/writer.h"

#define SCRATCH_KEEP_BYTES ((size_t)256 << 10)
#define HEAD_BYTES         6 /* the length, 131, 'D' */
#define HEADER_FLAGS       (FLAG_DIST_HDR_ATOM_CACHE | FLAG_FRAGMENTS)

void encoder_scratch_init(struct encoder_scratch *scratch)
{
    cn_writer_init(&scratch->tuple, 0);
    cn_writer_init(&scratch->frame, 0);
}

void encoder_scratch_deinit(struct encoder_scratch *scratch)
{
    cn_writer_free(&scratch->tuple);
    cn_writer_free(&scratch->frame);
}

void encoder_init(struct encoder *encoder, uint64_t flags, struct encoder_scratch *scratch)
{
    /* Sequence id 0 ends a BEAM (OTP 25), as if by a wrong pointer. */
    *encoder = (struct encoder){.flags = flags, .scratch = scratch, .next_sequence = 1};
}

void encoder_deinit(struct encoder *encoder)
{
    encoder->cache = atom_cache_out_free(encoder->cache);
}

void encoder_abort(struct encoder *encoder)
{
    if (encoder->cache != NULL)
        atom_cache_out_abort(encoder->cache);
}

/* Start @writer anew, without the memory that one huge frame would leave behind for ever. */
static void reset(struct cn_writer *writer)
{
    if (writer->capacity > SCRATCH_KEEP_BYTES)
        cn_writer_free(writer);
    cn_writer_reset(writer);
}

/* Write the tuple; *@message becomes empty when it went into the tuple. */
static int encode_tuple(const struct control *control, uint64_t flags, struct cn_writer *writer,
                        struct cn_term *message)
{
    bool follows = false;
    int rc;

    reset(writer);
    rc = control_encode(control, *message, flags, writer, &follows);
    if (rc != 0)
        return rc;
    if (follows && message->size == 0)
        return -EINVAL;
    if (!follows)
        *message = (struct cn_term){NULL, 0};
    return 0;
}

static size_t frame_bytes(const struct encoded_frame *frame)
{
    size_t size = frame->tail.size;

    for (size_t i = 0; i < frame->count; i++)
        size += frame->parts[i].size;
    return size;
}

static int plain_frame(struct cn_term tuple, struct cn_term message, struct etf_body *body,
                       struct encoded_frame *ret_frame)
{
    static const uint8_t version = 131;
    struct cn_term end = {NULL, 0};
    size_t message_size;
    int rc = body != NULL ? etf_body_plain(body) : 0;

    if (rc != 0)
        return rc;
    if (body != NULL)
        end = body->plain;
    message_size = message.size + end.size;
    if (frame_size(tuple.size, message_size) > UINT32_MAX)
        return -E2BIG;
    frame_write_head(ret_frame->head, tuple.size, message_size);
    ret_frame->parts[0] = (struct cn_bytes){ret_frame->head, FRAME_HEAD_BYTES};
    ret_frame->parts[1] = (struct cn_bytes){tuple.data, tuple.size};
    ret_frame->parts[2] = (struct cn_bytes){&version, message_size > 0 ? 1 : 0};
    ret_frame->parts[3] = (struct cn_bytes){message.data, message.size};
    ret_frame->count = 4;
    ret_frame->tail = (struct shared_bytes){end.data, end.size, NULL};
    ret_frame->fragments = 1;
    ret_frame->size = frame_bytes(ret_frame);
    return 0;
}

int encode_plain(const struct control *control, struct cn_term message, struct etf_body *body,
                 uint64_t flags, struct cn_writer *scratch, struct encoded_frame *ret_frame)
{
    int rc = encode_tuple(control, flags, scratch, &message);

    return rc != 0 ? rc : plain_frame(cn_writer_term(scratch), message, body, ret_frame);
}

/* Put the body's table first into the header; false when it does not fit. */
static bool begin_with_body(struct atom_cache_out *cache, struct etf_body *body)
{
    if (etf_body_index(body) != 0)
        return false;
    if (body->words != NULL)
        return atom_cache_out_words(cache, body->words);
    for (uint32_t i = 0; i < body->atom_count; i++)
        if (atom_cache_out_index(cache, body->atoms[i].text, body->atoms[i].hash) != (int)i)
            return false;
    return true;
}

/* Begin a frame, with the atoms of the body; gives the form in which the body must be sent. */
static int begin_frame(struct encoder *encoder, struct etf_body *body, struct cn_term *ret_end)
{
    int rc;

    *ret_end = (struct cn_term){NULL, 0};
    if (encoder->cache != NULL)
        atom_cache_out_begin(encoder->cache);
    if (body == NULL)
        return 0;
    if (encoder->cache != NULL && begin_with_body(encoder->cache, body)) {
        *ret_end = body->indexed;
        return 0;
    }
    encoder_abort(encoder);
    rc = etf_body_plain(body);
    if (rc == 0)
        *ret_end = body->plain;
    return rc;
}

static int copy_terms(struct encoder *encoder, struct cn_term terms, struct cn_writer *to)
{
    if (encoder->cache != NULL)
        return etf_index(terms.data, terms.size, atom_cache_out_find, encoder->cache, to);
    etf_write_raw(to, terms.data, terms.size);
    return cn_writer_error(to);
}

/* Write the frame's start: length, form, header. @size counts the bytes behind the header. */
static int write_whole_head(struct encoder *encoder, size_t header, size_t size,
                            uint8_t **ret_header)
{
    struct cn_writer *to = &encoder->scratch->tuple;
    size_t frame = HEAD_BYTES - FRAME_LENGTH_BYTES + header + size;
    uint8_t *place;

    if (frame > UINT32_MAX)
        return -E2BIG;
    place = etf_write_room(to, HEAD_BYTES + header);
    if (place == NULL)
        return cn_writer_error(to);
    be32_put(place, (uint32_t)frame);
    place[4] = 131;
    place[5] = 'D';
    *ret_header = place + HEAD_BYTES;
    return 0;
}

/* The same of the first of @fragments; the others' sequence id is that of the next signal. */
static int write_fragment_head(struct encoder *encoder, size_t header, uint64_t fragments,
                               uint8_t **ret_header)
{
    struct cn_writer *to = &encoder->scratch->tuple;
    struct fragments_out out = {.id = encoder->next_sequence, .left = fragments};
    uint8_t *place = etf_write_room(to, FRAGMENT_HEAD_BYTES + header);

    if (place == NULL)
        return cn_writer_error(to);
    fragments_out_write_head(&out, true, header, place);
    *ret_header = place + FRAGMENT_HEAD_BYTES;
    return 0;
}

static int write_head(struct encoder *encoder, size_t size, uint64_t fragments)
{
    size_t header = encoder->cache != NULL ? atom_cache_out_header_size(encoder->cache) : 1;
    uint8_t *place = NULL;
    int rc;

    cn_writer_reset(&encoder->scratch->tuple);
    rc = fragments > 1 ? write_fragment_head(encoder, header, fragments, &place)
                       : write_whole_head(encoder, header, size, &place);
    if (rc != 0)
        return rc;
    if (encoder->cache != NULL)
        atom_cache_out_write_header(encoder->cache, place);
    else
        *place = 0;
    return 0;
}

/*
 * In how many fragments the terms leave: @tuple bytes of control tuple, @size of tuple and message.
 * The first must hold the whole tuple.
 */
static uint64_t count_fragments(const struct encoder *encoder, size_t tuple, size_t size)
{
    if ((encoder->flags & FLAG_FRAGMENTS) == 0 || tuple == size || tuple > FRAGMENT_TERM_BYTES)
        return 1;
    return fragments_out_count(size);
}

/* Put the tuple into the frame: of @control, or the one that was begun when that is NULL. */
static int put_tuple(struct encoder *encoder, const struct control *control)
{
    struct cn_writer *tuple = &encoder->scratch->tuple;
    struct cn_term none = {NULL, 0};
    bool follows;
    int rc = 0;

    if (control != NULL && control_write_cached(control, encoder->cache, &encoder->scratch->frame))
        return cn_writer_error(&encoder->scratch->frame);
    if (control != NULL) {
        reset(tuple);
        rc = control_encode(control, none, encoder->flags, tuple, &follows);
    }
    return rc != 0 ? rc : copy_terms(encoder, cn_writer_term(tuple), &encoder->scratch->frame);
}

static int frame_with_header(struct encoder *encoder, const struct control *control,
                             struct cn_term message, struct etf_body *body,
                             struct encoded_frame *ret_frame)
{
    struct cn_writer *tuple = &encoder->scratch->tuple;
    struct cn_writer *frame = &encoder->scratch->frame;
    struct cn_term end;
    uint64_t fragments = 1;
    size_t tuple_size;
    int rc = begin_frame(encoder, body, &end);

    reset(frame);
    if (rc == 0)
        rc = put_tuple(encoder, control);
    tuple_size = frame->size;
    if (rc == 0)
        rc = copy_terms(encoder, message, frame);
    if (rc == 0) {
        fragments = count_fragments(encoder, tuple_size, frame->size + end.size);
        rc = write_head(encoder, frame->size + end.size, fragments);
    }
    if (rc != 0) {
        encoder_abort(encoder);
        return rc;
    }
    ret_frame->parts[0] = (struct cn_bytes){tuple->data, tuple->size};
    ret_frame->parts[1] = (struct cn_bytes){frame->data, frame->size};
    ret_frame->count = 2;
    ret_frame->tail = (struct shared_bytes){end.data, end.size, NULL};
    ret_frame->fragments = fragments;
    ret_frame->size = frame_bytes(ret_frame);
    return 0;
}

int encoder_tuple(struct encoder *encoder, const struct control *control, struct cn_term *message)
{
    return encode_tuple(control, encoder->flags, &encoder->scratch->tuple, message);
}

struct cn_term encoder_begun(const struct encoder *encoder)
{
    return cn_writer_term(&encoder->scratch->tuple);
}

int encoder_resume(struct encoder *encoder, struct cn_term tuple)
{
    reset(&encoder->scratch->tuple);
    etf_write_raw(&encoder->scratch->tuple, tuple.data, tuple.size);
    return cn_writer_error(&encoder->scratch->tuple);
}

/* Make the frame of @control, or of the tuple that was begun when that is NULL. */
static int finish(struct encoder *encoder, const struct control *control, struct cn_term message,
                  struct etf_body *body, struct encoded_frame *ret_frame)
{
    int rc;

    if ((encoder->flags & HEADER_FLAGS) == 0)
        rc = plain_frame(encoder_begun(encoder), message, body, ret_frame);
    else
        rc = frame_with_header(encoder, control, message, body, ret_frame);
    if (rc == 0 && body != NULL)
        ret_frame->tail.owner = &body->shared;
    return rc;
}

int encoder_finish(struct encoder *encoder, struct cn_term message, struct etf_body *body,
                   struct encoded_frame *ret_frame)
{
    if ((encoder->flags & FLAG_DIST_HDR_ATOM_CACHE) != 0 && encoder->cache == NULL)
        encoder->cache = atom_cache_out_new(); /* without it atoms are written out, as allowed */
    return finish(encoder, NULL, message, body, ret_frame);
}

/* What @control carries comes behind its tuple, where a body can be. */
static bool is_payload(const struct control *control, uint64_t flags)
{
    switch (control->op) {
    case CONTROL_SEND:
    case CONTROL_REG_SEND:
    case CONTROL_ALIAS_SEND:
        return true;
    case CONTROL_MONITOR_EXIT:
        return (flags & FLAG_EXIT_PAYLOAD) != 0;
    default:
        return false;
    }
}

int encoder_frame(struct encoder *encoder, const struct control *control, struct cn_term message,
                  struct etf_body *body, struct encoded_frame *ret_frame)
{
    int rc;

    cn_assert(body == NULL || is_payload(control, encoder->flags));
    if (encoder->cache != NULL && message.size > 0 && control_is_cached(control, encoder->flags))
        return finish(encoder, control, message, body, ret_frame);
    rc = encoder_tuple(encoder, control, &message);
    return rc != 0 ? rc : encoder_finish(encoder, message, body, ret_frame);
}

/* The memory of terms that were made in the scratch memory. */
struct kept {
    struct shared shared;
    uint8_t *data;
};

static void release(struct shared *shared)
{
    struct kept *kept = container_of(shared, struct kept, shared);

    mem_free(kept->data);
    mem_free(kept);
}

int encoder_split(struct encoder *encoder, const struct encoded_frame *frame,
                  struct fragments_out *ret_out)
{
    struct cn_writer *terms = &encoder->scratch->frame;
    struct kept *kept = mem_alloc(sizeof(*kept));

    cn_assert(frame->fragments > 1 && frame->parts[1].data == terms->data);
    if (kept == NULL)
        return -ENOMEM;
    /* nothing can fail below */
    shared_init(&kept->shared, release);
    kept->data = terms->data;
    *ret_out = (struct fragments_out){.id = encoder->next_sequence++,
                                      .left = frame->fragments,
                                      .pieces = {{terms->data, terms->size, &kept->shared},
                                                 frame->tail}};
    if (frame->tail.owner != NULL)
        shared_take(frame->tail.owner);
    *terms = (struct cn_writer){.size_max = terms->size_max};
    return 0;
}
