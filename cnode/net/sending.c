/*
 * Signals as plain frames, for peers that are not there yet: whatever they turn out to understand,
 * these frames can be read back and written anew.
 */
#include "net/sending.h"

int sending_append(struct outbox *outbox, const struct control *control, struct cn_term message,
                   struct etf_body *body, uint64_t flags, struct cn_writer *scratch)
{
    struct encoded_frame frame;
    int rc = encode_plain(control, message, body, flags, scratch, &frame);

    if (rc != 0)
        return rc;
    return outbox_append(outbox,
                         (struct cn_bytes[]){frame.parts[0],
                                             frame.parts[1],
                                             frame.parts[2],
                                             frame.parts[3],
                                             {frame.tail.data, frame.tail.size}},
                         5);
}
