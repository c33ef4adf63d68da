/*
 * The sending side of a connection that is up: what is sent is made a frame at the moment when it
 * takes its place in the outbox, for with an atom cache the order of frames is part of their
 * meaning.
 *
 * The layers above keep off the outbox: everything for a peer that is up goes through here.
 */
#ifndef NET_SENDER_H
#define NET_SENDER_H

#include "dist/encoder.h"
#include "net/outbox.h"

/** The sending side. Private. */
struct sender {
    struct encoder encoder;
    struct outbox *outbox;
};

/** Start sending into @outbox, to a peer with the effective @flags. Allocates nothing. */
void sender_init(struct sender *sender, struct outbox *outbox, uint64_t flags,
                 struct encoder_scratch *scratch);
/** Release what it holds; the outbox stays. */
void sender_deinit(struct sender *sender);
/**
 * Send @control and @message, with @body (NULL: none) as its end, as encoder_frame takes them.
 *
 * Errors: CN_E_LIMIT when the queue is full; -ENOTSUP, -ENOMEM, -E2BIG, -EINVAL as control_encode.
 */
int sender_append(struct sender *sender, const struct control *control, struct cn_term message,
                  struct etf_body *body);
/**
 * Send the frames of @from, which were made by sending_append while the peer was not connected;
 * what it cannot understand is dropped. @from is empty afterwards.
 *
 * Errors: -ENOMEM, with some frames sent.
 */
int sender_move(struct sender *sender, struct outbox *from);

#endif
