/*
 * Outgoing bytes of one connection: a list of buffers.
 *
 * Frames are copied into buffers of OUTBOX_CHUNK_BYTES; a larger frame gets a buffer of its own,
 * so appending never moves what is there already and a write in flight can point into it. Each
 * frame lies in one buffer as a whole. The total is bounded: a peer that does not read must not
 * cost the node its memory.
 */
#ifndef NET_OUTBOX_H
#define NET_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include <cnode/term.h>

#include "base/list.h"

/** Bytes of an ordinary buffer. */
#define OUTBOX_CHUNK_BYTES 16384

/** The queue. Private. */
struct outbox {
    struct list chunks;
    size_t bytes;
    size_t bytes_max;
};

/** Make an empty queue of at most @bytes_max bytes. */
void outbox_init(struct outbox *outbox, size_t bytes_max);
/** Release everything; the queue is empty and usable. */
void outbox_deinit(struct outbox *outbox);
/** Count the bytes that wait. */
size_t outbox_bytes(const struct outbox *outbox);
/**
 * Append one frame, made of @count parts, as a whole. An empty queue takes a frame of any size.
 *
 * Errors: CN_E_LIMIT; -ENOMEM; the queue unchanged.
 */
int outbox_append(struct outbox *outbox, const struct cn_bytes *parts, size_t count);
/** View the first bytes in at most @max pieces; returns the number of pieces. */
size_t outbox_view(const struct outbox *outbox, struct cn_bytes *ret_pieces, size_t max);
/** Drop @size bytes, at most outbox_bytes, from the front. */
void outbox_consume(struct outbox *outbox, size_t size);
/** Move everything in @from to the end of @to, whatever the limit of @to. */
void outbox_splice(struct outbox *to, struct outbox *from);

#endif
