/*
 * Frames: cutting, parsing, writing.
 *
 * While nothing is kept from earlier input, frames are views into that input. A frame that arrives
 * in pieces is collected in `partial`, which takes no byte of the frame after it, so that this one
 * can be a view again.
 */
#include "dist/frame.h"

#include "base/error.h"
#include "etf/walk.h"

#define PASS_THROUGH  'p'
#define VERSION_MAGIC 131
#define PARTIAL_KEEP  4096 /* bytes of memory that an idle reader may keep */

void frame_reader_init(struct frame_reader *reader, uint32_t frame_bytes_max)
{
    *reader = (struct frame_reader){.frame_bytes_max = frame_bytes_max > 0 ? frame_bytes_max
                                                                           : FRAME_BYTES_MAX};
    bytes_init(&reader->partial, 0);
}

void frame_reader_deinit(struct frame_reader *reader)
{
    bytes_deinit(&reader->partial);
}

void frame_reader_feed(struct frame_reader *reader, const uint8_t *data, size_t size)
{
    reader->input = data;
    reader->input_size = size;
}

/* Move up to @wanted bytes of input to `partial`. */
static int collect(struct frame_reader *reader, size_t wanted)
{
    size_t size = wanted < reader->input_size ? wanted : reader->input_size;
    int rc;

    if (size == 0)
        return 0;
    rc = bytes_append(&reader->partial, reader->input, size);
    if (rc != 0)
        return rc;
    reader->input += size;
    reader->input_size -= size;
    return 0;
}

/* Complete the frame that began in earlier input. */
static int next_of_partial(struct frame_reader *reader, struct cn_bytes *ret_frame)
{
    struct bytes *partial = &reader->partial;
    uint32_t length;
    int rc;

    if (bytes_size(partial) < FRAME_LENGTH_BYTES) {
        rc = collect(reader, FRAME_LENGTH_BYTES - bytes_size(partial));
        if (rc != 0)
            return rc;
        if (bytes_size(partial) < FRAME_LENGTH_BYTES)
            return CN_E_MORE;
    }
    length = be32_get(bytes_data(partial));
    if (length > reader->frame_bytes_max)
        return CN_E_LIMIT;
    rc = collect(reader, FRAME_LENGTH_BYTES + (size_t)length - bytes_size(partial));
    if (rc != 0)
        return rc;
    if (bytes_size(partial) < FRAME_LENGTH_BYTES + (size_t)length)
        return CN_E_MORE;
    *ret_frame = (struct cn_bytes){bytes_data(partial) + FRAME_LENGTH_BYTES, length};
    reader->delivered = bytes_size(partial);
    return 0;
}

int frame_reader_next(struct frame_reader *reader, struct cn_bytes *ret_frame)
{
    uint32_t length;

    if (reader->delivered > 0) {
        bytes_consume(&reader->partial, reader->delivered);
        bytes_shrink(&reader->partial, PARTIAL_KEEP);
        reader->delivered = 0;
    }
    if (bytes_size(&reader->partial) > 0)
        return next_of_partial(reader, ret_frame);
    if (reader->input_size < FRAME_LENGTH_BYTES)
        return reader->input_size == 0 ? CN_E_MORE : next_of_partial(reader, ret_frame);
    length = be32_get(reader->input);
    if (length > reader->frame_bytes_max)
        return CN_E_LIMIT;
    if (length > reader->input_size - FRAME_LENGTH_BYTES)
        return next_of_partial(reader, ret_frame);
    *ret_frame = (struct cn_bytes){reader->input + FRAME_LENGTH_BYTES, length};
    reader->input += FRAME_LENGTH_BYTES + (size_t)length;
    reader->input_size -= FRAME_LENGTH_BYTES + (size_t)length;
    return 0;
}

/* Walk the term behind the version byte at *@at and move on. */
static int parse_term(struct cn_bytes frame, size_t *at, struct cn_term *ret_term)
{
    size_t size;
    int rc;

    if (*at >= frame.size)
        return CN_E_TERM_SHORT;
    if (frame.data[*at] != VERSION_MAGIC)
        return CN_E_TERM_TAG;
    rc = etf_walk(frame.data + *at + 1, frame.size - *at - 1, NULL, &size);
    if (rc != 0)
        return rc;
    *ret_term = (struct cn_term){frame.data + *at + 1, size};
    *at += 1 + size;
    return 0;
}

int frame_parse(struct cn_bytes frame, struct cn_term *ret_control, struct cn_term *ret_message)
{
    struct cn_term control;
    struct cn_term message = {0};
    size_t at = 1;
    int rc;

    if (frame.size == 0 || frame.data[0] != PASS_THROUGH)
        return CN_E_INVALID;
    rc = parse_term(frame, &at, &control);
    if (rc == 0 && at < frame.size)
        rc = parse_term(frame, &at, &message);
    if (rc == 0 && at < frame.size)
        rc = CN_E_TERM_TRAILING;
    if (rc != 0)
        return rc;
    *ret_control = control;
    *ret_message = message;
    return 0;
}

size_t frame_size(size_t control_size, size_t message_size)
{
    return 2 + control_size + (message_size > 0 ? 1 + message_size : 0);
}

void frame_write_head(uint8_t head[FRAME_HEAD_BYTES], size_t control_size, size_t message_size)
{
    be32_put(head, (uint32_t)frame_size(control_size, message_size));
    head[4] = PASS_THROUGH;
    head[5] = VERSION_MAGIC;
}
