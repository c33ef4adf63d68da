/*
 * Signals become frames.
 *
 * A frame with a header is built in this order: the body's atoms take the first places of the
 * header, then tuple and message are copied with their atoms as references, then the header is
 * written before both. A frame that fails on the way leaves the cache as it was.
 */
#include "dist/encoder.h"

#include <errno.h>

#include "base/assert.h"
#include "base/bytes.h"
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
    *encoder = (struct encoder){.flags = flags, .scratch = scratch};
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
    ret_frame->tail = (struct cn_bytes){end.data, end.size};
    ret_frame->owner = NULL;
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
static int write_head(struct encoder *encoder, size_t size, struct cn_writer *to)
{
    size_t header = encoder->cache != NULL ? atom_cache_out_header_size(encoder->cache) : 1;
    size_t frame = HEAD_BYTES - FRAME_LENGTH_BYTES + header + size;
    uint8_t *place;

    if (frame > UINT32_MAX)
        return -E2BIG;
    cn_writer_reset(to);
    place = etf_write_room(to, HEAD_BYTES + header);
    if (place == NULL)
        return cn_writer_error(to);
    be32_put(place, (uint32_t)frame);
    place[4] = 131;
    place[5] = 'D';
    if (encoder->cache != NULL)
        atom_cache_out_write_header(encoder->cache, place + HEAD_BYTES);
    else
        place[HEAD_BYTES] = 0;
    return 0;
}

static int frame_with_header(struct encoder *encoder, struct cn_term message, struct etf_body *body,
                             struct encoded_frame *ret_frame)
{
    struct cn_writer *tuple = &encoder->scratch->tuple;
    struct cn_writer *frame = &encoder->scratch->frame;
    struct cn_term end;
    int rc = begin_frame(encoder, body, &end);

    reset(frame);
    if (rc == 0)
        rc = copy_terms(encoder, cn_writer_term(tuple), frame);
    if (rc == 0)
        rc = copy_terms(encoder, message, frame);
    if (rc == 0)
        rc = write_head(encoder, frame->size + end.size, tuple);
    if (rc != 0) {
        encoder_abort(encoder);
        return rc;
    }
    ret_frame->parts[0] = (struct cn_bytes){tuple->data, tuple->size};
    ret_frame->parts[1] = (struct cn_bytes){frame->data, frame->size};
    ret_frame->count = 2;
    ret_frame->tail = (struct cn_bytes){end.data, end.size};
    return 0;
}

int encoder_frame(struct encoder *encoder, const struct control *control, struct cn_term message,
                  struct etf_body *body, struct encoded_frame *ret_frame)
{
    struct cn_writer *tuple = &encoder->scratch->tuple;
    int rc;

    cn_assert(body == NULL || control->op == CONTROL_SEND || control->op == CONTROL_REG_SEND ||
              control->op == CONTROL_ALIAS_SEND);
    rc = encode_tuple(control, encoder->flags, tuple, &message);
    if (rc != 0)
        return rc;
    if ((encoder->flags & FLAG_DIST_HDR_ATOM_CACHE) != 0 && encoder->cache == NULL)
        encoder->cache = atom_cache_out_new(); /* without it atoms are written out, as allowed */
    if ((encoder->flags & HEADER_FLAGS) == 0)
        rc = plain_frame(cn_writer_term(tuple), message, body, ret_frame);
    else
        rc = frame_with_header(encoder, message, body, ret_frame);
    ret_frame->owner = body != NULL ? &body->shared : NULL;
    return rc;
}
