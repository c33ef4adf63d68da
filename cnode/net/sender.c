/*
 * The sending side of a connection.
 *
 * A frame with a header is built in this order: the body's atoms take the first places of the
 * header, then tuple and message are copied with their atoms as references, then the header is
 * written before both. When the frame cannot take its place in the outbox after all, the cache
 * forgets what its header would have told.
 */
#include "net/sender.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/list.h"
#include "dist/flags.h"
#include "dist/frame.h"
#include "etf/index.h"
#include "etf/writer.h"
#include "net/sending.h"

#define SCRATCH_KEEP_BYTES ((size_t)256 << 10)
#define HEAD_BYTES         6 /* the length, 131, 'D' */
#define HEADER_FLAGS       (FLAG_DIST_HDR_ATOM_CACHE | FLAG_FRAGMENTS)

void sender_scratch_init(struct sender_scratch *scratch)
{
    cn_writer_init(&scratch->tuple, 0);
    cn_writer_init(&scratch->frame, 0);
}

void sender_scratch_deinit(struct sender_scratch *scratch)
{
    cn_writer_free(&scratch->tuple);
    cn_writer_free(&scratch->frame);
}

void sender_init(struct sender *sender, struct outbox *outbox, uint64_t flags,
                 struct sender_scratch *scratch)
{
    *sender = (struct sender){.flags = flags, .outbox = outbox, .scratch = scratch};
}

void sender_deinit(struct sender *sender)
{
    sender->cache = atom_cache_out_free(sender->cache);
}

/* Append the parts and the body's bytes in one of its forms. */
static int append(struct sender *sender, const struct cn_bytes *parts, size_t count,
                  struct etf_body *body, struct cn_term bytes)
{
    struct cn_bytes tail = {bytes.data, bytes.size};

    return outbox_append_shared(sender->outbox, parts, count, tail,
                                body != NULL ? &body->shared : NULL);
}

static int append_plain(struct sender *sender, struct cn_term tuple, struct cn_term message,
                        struct etf_body *body)
{
    static const uint8_t version = 131;
    struct cn_term end = body != NULL ? body->plain : (struct cn_term){NULL, 0};
    size_t message_size = message.size + end.size;
    uint8_t head[FRAME_HEAD_BYTES];
    struct cn_bytes parts[] = {
        {head, sizeof(head)},
        {tuple.data, tuple.size},
        {&version, message_size > 0 ? 1 : 0},
        {message.data, message.size},
    };

    if (frame_size(tuple.size, message_size) > UINT32_MAX)
        return -E2BIG;
    frame_write_head(head, tuple.size, message_size);
    return append(sender, parts, 4, body, end);
}

/* Begin a frame, with the atoms of the body; gives the form in which the body must be sent. */
static struct cn_term begin_frame(struct sender *sender, struct etf_body *body)
{
    if (sender->cache != NULL)
        atom_cache_out_begin(sender->cache);
    if (body == NULL)
        return (struct cn_term){NULL, 0};
    if (sender->cache == NULL || etf_body_index(body) != 0)
        return body->plain;
    for (uint32_t i = 0; i < body->atom_count; i++) {
        const struct etf_body_atom *atom = &body->atoms[i];

        if (atom_cache_out_index(sender->cache, atom->text, atom->hash) != (int)i) {
            atom_cache_out_abort(sender->cache);
            return body->plain;
        }
    }
    return body->indexed;
}

static int copy_terms(struct sender *sender, struct cn_term terms, struct cn_writer *to)
{
    if (sender->cache != NULL)
        return etf_index(terms.data, terms.size, atom_cache_out_find, sender->cache, to);
    etf_write_raw(to, terms.data, terms.size);
    return cn_writer_error(to);
}

/* Write the frame's start: length, form, header. @size counts the bytes behind the header. */
static int write_head(struct sender *sender, size_t size, struct cn_writer *to)
{
    size_t header = sender->cache != NULL ? atom_cache_out_header_size(sender->cache) : 1;
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
    if (sender->cache != NULL)
        atom_cache_out_write_header(sender->cache, place + HEAD_BYTES);
    else
        place[HEAD_BYTES] = 0;
    return 0;
}

static int append_with_header(struct sender *sender, struct cn_term tuple, struct cn_term message,
                              struct etf_body *body)
{
    struct cn_writer *frame = &sender->scratch->frame;
    struct cn_term end = begin_frame(sender, body);
    struct cn_term head;
    int rc;

    cn_writer_reset(frame);
    rc = copy_terms(sender, tuple, frame);
    if (rc == 0)
        rc = copy_terms(sender, message, frame);
    if (rc == 0)
        rc = write_head(sender, frame->size + end.size, &sender->scratch->tuple);
    if (rc == 0) {
        head = cn_writer_term(&sender->scratch->tuple);
        rc = append(sender, (struct cn_bytes[]){{head.data, head.size}, {frame->data, frame->size}},
                    2, body, end);
    }
    if (rc != 0 && sender->cache != NULL)
        atom_cache_out_abort(sender->cache);
    if (frame->capacity > SCRATCH_KEEP_BYTES)
        cn_writer_free(frame);
    return rc;
}

int sender_append(struct sender *sender, const struct control *control, struct cn_term message,
                  struct etf_body *body)
{
    struct cn_writer *scratch = &sender->scratch->tuple;
    bool follows = false;
    struct cn_term tuple;
    int rc;

    cn_assert(body == NULL || control->op == CONTROL_SEND || control->op == CONTROL_REG_SEND ||
              control->op == CONTROL_ALIAS_SEND);
    if (scratch->capacity > SCRATCH_KEEP_BYTES)
        cn_writer_free(scratch);
    cn_writer_reset(scratch);
    rc = control_encode(control, message, sender->flags, scratch, &follows);
    if (rc != 0)
        return rc;
    tuple = cn_writer_term(scratch);
    if (follows && message.size == 0)
        return -EINVAL;
    if (!follows)
        message = (struct cn_term){NULL, 0};
    if ((sender->flags & HEADER_FLAGS) == 0)
        return append_plain(sender, tuple, message, body);
    if ((sender->flags & FLAG_DIST_HDR_ATOM_CACHE) != 0 && sender->cache == NULL)
        sender->cache = atom_cache_out_new(); /* without it atoms are written out, as is allowed */
    return append_with_header(sender, tuple, message, body);
}

/* Send one of our own plain frames. */
static int move_frame(struct sender *sender, struct cn_bytes frame)
{
    struct cn_term tuple;
    struct cn_term payload;
    struct cn_term message;
    struct control control;
    int rc;

    cn_assert(frame_parse(frame, &tuple, &payload) == 0);
    cn_assert(control_decode(tuple, payload, &control, &message) == 0);
    rc = sender_append(sender, &control, message, NULL);
    return rc == -ENOTSUP ? 0 : rc;
}

int sender_move(struct sender *sender, struct outbox *from)
{
    struct cn_bytes piece;
    int rc = 0;

    while (rc >= 0 && outbox_view(from, &piece, 1) == 1) {
        uint32_t size = be32_get(piece.data);

        rc = move_frame(sender, (struct cn_bytes){piece.data + FRAME_LENGTH_BYTES, size});
        outbox_consume(from, FRAME_LENGTH_BYTES + (size_t)size);
    }
    outbox_deinit(from);
    return rc < 0 ? rc : 0;
}
