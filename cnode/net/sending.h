/*
 * Signals as frames in an outbox.
 *
 * While a peer is being dialled its flags are unknown, so what waits for it is encoded for a peer
 * that has all of ours (as every OTP since 25 has) and written anew when the peer turns out to
 * lack some.
 */
#ifndef NET_SENDING_H
#define NET_SENDING_H

#include "dist/control.h"
#include "net/outbox.h"

/**
 * Append @control and @message as one frame for a peer with @flags. @scratch is any writer, reused.
 *
 * Errors: CN_E_LIMIT when the queue is full; -ENOTSUP, -ENOMEM, -E2BIG, -EINVAL as control_encode.
 */
int sending_append(struct outbox *outbox, const struct control *control, struct cn_term message,
                   uint64_t flags, struct cn_writer *scratch);
/**
 * Move the frames of @from, encoded for FLAGS_OURS, to the end of @to for a peer with @flags; what
 * such a peer cannot understand is dropped. @from is empty afterwards.
 *
 * Errors: -ENOMEM, with some frames moved.
 */
int sending_move(struct outbox *to, struct outbox *from, uint64_t flags, struct cn_writer *scratch);

#endif
