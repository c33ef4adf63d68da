/*
 * The sending side of a connection that is up: signals become frames, in the form that both nodes
 * agreed on.
 *
 * With the atom cache a frame begins with a header that names its atoms; the cache changes with
 * each header, so a frame is built at the moment when it takes its place in the outbox. Without,
 * a frame is passed through ('p'). A shared body is never copied: the outbox points to it.
 *
 * The layers above keep off the outbox: everything for a peer that is up goes through here.
 */
#ifndef NET_SENDER_H
#define NET_SENDER_H

#include "dist/atom_cache_out.h"
#include "dist/control.h"
#include "etf/body.h"
#include "net/outbox.h"

/** What senders share: memory for one signal at a time. */
struct sender_scratch {
    struct cn_writer tuple;
    struct cn_writer frame;
};

/** The sending side. Private. */
struct sender {
    uint64_t flags;
    struct outbox *outbox;
    struct sender_scratch *scratch;
    struct atom_cache_out *cache; /* NULL: not used yet */
};

/** Make an empty scratch memory. Allocates nothing. */
void sender_scratch_init(struct sender_scratch *scratch);
/** Release it. */
void sender_scratch_deinit(struct sender_scratch *scratch);

/** Start sending into @outbox, to a peer with the effective @flags. Allocates nothing. */
void sender_init(struct sender *sender, struct outbox *outbox, uint64_t flags,
                 struct sender_scratch *scratch);
/** Release what it holds; the outbox stays. */
void sender_deinit(struct sender *sender);
/**
 * Send @control and @message. With a @body (NULL: none) @message is the start of a term, whole
 * heads only, and the body its end.
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
