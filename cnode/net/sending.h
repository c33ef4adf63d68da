/*
 * Signals as plain frames in an outbox.
 *
 * While a peer is being dialled its flags are unknown, and an atom cache begins with the
 * connection, so what waits is encoded without one for a peer that has all of our flags, and
 * written anew when it is there (sender.h).
 */
#ifndef NET_SENDING_H
#define NET_SENDING_H

#include "dist/encoder.h"
#include "net/outbox.h"

/**
 * Append @control and @message, with @body (NULL: none) as its end, as one frame for a peer with
 * @flags. @scratch is any writer, reused.
 *
 * Errors: CN_E_LIMIT when the queue is full; -ENOTSUP, -ENOMEM, -E2BIG, -EINVAL as control_encode.
 */
int sending_append(struct outbox *outbox, const struct control *control, struct cn_term message,
                   struct etf_body *body, uint64_t flags, struct cn_writer *scratch);
#endif
