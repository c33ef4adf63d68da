/*
 * The sending side of a connection that is up: what is sent is made a frame at the moment when it
 * takes its place in the outbox, for with an atom cache the order of frames is part of their
 * meaning.
 *
 * A large signal leaves in fragments. Its first one takes its place at once, the others only when
 * the outbox has become short (sender_fill), those of several large signals in turns; so what is
 * small waits for a few fragments, never for all. The order of signals between two processes is
 * kept by one rule, a BEAM's: **each sender's signals leave in the order in which it sent them,
 * whoever receives them; those of others may pass.** What a process sends while a large signal of
 * its own is unfinished is held back as it is, its body shared, and becomes a frame when its turn
 * comes. Signals of the node itself have one sender.
 *
 * The layers above keep off the outbox: everything for a peer that is up goes through here. What
 * is unfinished when the connection ends is released with it.
 */
#ifndef NET_SENDER_H
#define NET_SENDER_H

#include "base/list.h"
#include "dist/encoder.h"
#include "net/outbox.h"

struct large_signal;

/** The sending side. Private. */
struct sender {
    struct encoder encoder;
    struct outbox *outbox;
    struct large_signal *by_source; /* unfinished; at most one of each sender */
    struct list turns;              /* the same, whose fragment comes first */
    size_t waiting_bytes;           /* of them, and of what they hold back */
};

/** Start sending into @outbox, to a peer with the effective @flags. Allocates nothing. */
void sender_init(struct sender *sender, struct outbox *outbox, uint64_t flags,
                 struct encoder_scratch *scratch);
/** Release what it holds; the outbox stays. */
void sender_deinit(struct sender *sender);
/** Count the bytes that were sent and are not yet written, in the outbox or not. */
size_t sender_bytes(const struct sender *sender);
/** Count those of them that wait for their turn and were sent by the process @from. */
size_t sender_waiting_bytes(const struct sender *sender, const struct cn_pid *from);
/** Tell whether sender_fill has anything to do. */
bool sender_has_fragments(const struct sender *sender);
/**
 * Send @control and @message, with @body (NULL: none) as its end, as encoder_frame takes them.
 *
 * Errors: CN_E_LIMIT when more would wait than the outbox may hold; -ENOTSUP, -ENOMEM, -E2BIG,
 * -EINVAL as control_encode. Nothing was sent then.
 */
int sender_append(struct sender *sender, const struct control *control, struct cn_term message,
                  struct etf_body *body);
/**
 * Give fragments their place, one at least, until the outbox has @bytes bytes or none is left.
 *
 * Errors: -ENOMEM, -E2BIG: a signal is lost, the connection must be closed.
 */
int sender_fill(struct sender *sender, size_t bytes);
/**
 * Send the frames of @from, which were made by sending_append while the peer was not connected;
 * what it cannot understand is dropped. @from is empty afterwards.
 *
 * Errors: -ENOMEM, with some frames sent.
 */
int sender_move(struct sender *sender, struct outbox *from);

#endif
