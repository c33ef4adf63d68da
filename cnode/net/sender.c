/*
 * The sending side of a connection.
 *
 * A frame that cannot take its place in the outbox after all is taken back from the encoder, so
 * that no later frame refers to atoms that the peer was never told.
 */
#include "net/sender.h"

#include <errno.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "net/sending.h"

void sender_init(struct sender *sender, struct outbox *outbox, uint64_t flags,
                 struct encoder_scratch *scratch)
{
    encoder_init(&sender->encoder, flags, scratch);
    sender->outbox = outbox;
}

void sender_deinit(struct sender *sender)
{
    encoder_deinit(&sender->encoder);
}

int sender_append(struct sender *sender, const struct control *control, struct cn_term message,
                  struct etf_body *body)
{
    struct encoded_frame frame;
    int rc = encoder_frame(&sender->encoder, control, message, body, &frame);

    if (rc != 0)
        return rc;
    rc = outbox_append_shared(sender->outbox, frame.parts, frame.count, frame.tail, frame.owner);
    if (rc != 0)
        encoder_abort(&sender->encoder);
    return rc;
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
