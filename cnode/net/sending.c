/*
 * Signals as plain frames: for peers that are not there yet.
 */
#include "net/sending.h"

#include <errno.h>

#include "dist/frame.h"

int sending_append(struct outbox *outbox, const struct control *control, struct cn_term message,
                   const struct etf_body *body, uint64_t flags, struct cn_writer *scratch)
{
    static const uint8_t version = 131;
    uint8_t head[FRAME_HEAD_BYTES];
    bool follows = false;
    struct cn_term tuple;
    struct cn_term end = {NULL, 0};
    size_t message_size;
    int rc;

    cn_writer_reset(scratch);
    rc = control_encode(control, message, flags, scratch, &follows);
    if (rc != 0)
        return rc;
    tuple = cn_writer_term(scratch);
    if (follows && message.size == 0)
        return -EINVAL;
    if (!follows)
        message = (struct cn_term){NULL, 0};
    if (body != NULL)
        end = body->plain;
    message_size = message.size + end.size;
    if (frame_size(tuple.size, message_size) > UINT32_MAX)
        return -E2BIG;
    frame_write_head(head, tuple.size, message_size);
    return outbox_append(outbox,
                         (struct cn_bytes[]){
                             {head, sizeof(head)},
                             {tuple.data, tuple.size},
                             {&version, message_size > 0 ? 1 : 0},
                             {message.data, message.size},
                             {end.data, end.size},
                         },
                         5);
}
