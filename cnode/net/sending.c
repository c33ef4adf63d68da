/*
 * Signals as plain frames: for peers that are not there yet.
 */
#include "net/sending.h"

#include <errno.h>

#include "dist/frame.h"

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
