/*
 * Signals as frames: written once, rewritten only for peers with fewer flags than ours.
 */
#include "net/sending.h"

#include <errno.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "dist/flags.h"
#include "dist/frame.h"

/* The flags that change how a signal is written. */
#define ENCODING_FLAGS                                                                 \
    (FLAG_SEND_SENDER | FLAG_UNLINK_ID | FLAG_EXIT_PAYLOAD | FLAG_ALIAS | FLAG_SPAWN | \
     FLAG_DIST_MONITOR | FLAG_DIST_MONITOR_NAME)

int sending_append(struct outbox *outbox, const struct control *control, struct cn_term message,
                   uint64_t flags, struct cn_writer *scratch)
{
    static const uint8_t version = 131;
    uint8_t head[FRAME_HEAD_BYTES];
    bool follows = false;
    struct cn_term tuple;
    size_t message_size;
    int rc;

    cn_writer_reset(scratch);
    rc = control_encode(control, message, flags, scratch, &follows);
    if (rc != 0)
        return rc;
    tuple = cn_writer_term(scratch);
    message_size = follows ? message.size : 0;
    if (frame_size(tuple.size, message_size) > UINT32_MAX)
        return -E2BIG;
    frame_write_head(head, tuple.size, message_size);
    return outbox_append(outbox,
                         (struct cn_bytes[]){
                             {head, sizeof(head)},
                             {tuple.data, tuple.size},
                             {&version, message_size > 0 ? 1 : 0},
                             {message.data, message_size},
                         },
                         4);
}

/* Write one of our own frames anew. */
static int rewrite(struct outbox *to, struct cn_bytes frame, uint64_t flags,
                   struct cn_writer *scratch)
{
    struct cn_term tuple;
    struct cn_term payload;
    struct cn_term message;
    struct control control;
    int rc;

    cn_assert(frame_parse(frame, &tuple, &payload) == 0);
    cn_assert(control_decode(tuple, payload, &control, &message) == 0);
    rc = sending_append(to, &control, message, flags, scratch);
    return rc == -ENOTSUP ? 0 : rc;
}

int sending_move(struct outbox *to, struct outbox *from, uint64_t flags, struct cn_writer *scratch)
{
    struct cn_bytes piece;
    int rc = 0;

    if ((flags & ENCODING_FLAGS) == ENCODING_FLAGS) {
        outbox_splice(to, from);
        return 0;
    }
    while (rc >= 0 && outbox_view(from, &piece, 1) == 1) {
        uint32_t size = be32_get(piece.data);

        rc = rewrite(to, (struct cn_bytes){piece.data + FRAME_LENGTH_BYTES, size}, flags, scratch);
        outbox_consume(from, FRAME_LENGTH_BYTES + (size_t)size);
    }
    outbox_deinit(from);
    return rc < 0 ? rc : 0;
}
