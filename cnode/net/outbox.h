/*
 * Outgoing bytes of one connection: a list of pieces.
 *
 * Small frames are copied into buffers of OUTBOX_CHUNK_BYTES, next to each other, so that many of
 * them are one piece for writev. Bytes that somebody else keeps, such as the encoded state of a
 * game or a large binary, are not copied: the piece points to them and shares them until they are
 * written. Nothing that was appended moves, so a write in flight can point into it.
 *
 * The total is bounded: a peer that does not read must not cost the node its memory. One buffer is
 * kept while the queue is empty.
 */
#ifndef NET_OUTBOX_H
#define NET_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include <cnode/term.h>

#include "base/shared.h"

/** Bytes of an ordinary buffer. */
#define OUTBOX_CHUNK_BYTES 16384

/** The queue. Private. */
struct outbox {
    struct shared_bytes *pieces; /* a ring; capacity is a power of two */
    uint32_t first;
    uint32_t count;
    uint32_t capacity;
    struct outbox_chunk *open; /* the buffer that small frames are copied into */
    size_t bytes;
    size_t bytes_max;
};

/** The most tails of outbox_append_shared. */
#define OUTBOX_TAILS_MAX 2

/** Make an empty queue of at most @bytes_max bytes. Allocates nothing. */
void outbox_init(struct outbox *outbox, size_t bytes_max);
/** Release everything; the queue is empty and usable. */
void outbox_deinit(struct outbox *outbox);
/** Count the bytes that wait. */
size_t outbox_bytes(const struct outbox *outbox);
/**
 * Append one frame, made of @count parts, as a whole and in one piece. An empty queue takes a frame
 * of any size.
 *
 * Errors: CN_E_LIMIT; -ENOMEM; the queue unchanged.
 */
int outbox_append(struct outbox *outbox, const struct cn_bytes *parts, size_t count);
/**
 * The same with @tail_count tails behind the parts, which are not copied: their owners keep them,
 * and are shared by the queue until they are written. The limit is the caller's to keep.
 *
 * Errors: -ENOMEM; the queue unchanged.
 */
int outbox_append_shared(struct outbox *outbox, const struct cn_bytes *parts, size_t count,
                         const struct shared_bytes *tails, size_t tail_count);
/** View the first bytes in at most @max pieces; returns the number of pieces. */
size_t outbox_view(const struct outbox *outbox, struct cn_bytes *ret_pieces, size_t max);
/** Drop @size bytes, at most outbox_bytes, from the front. */
void outbox_consume(struct outbox *outbox, size_t size);

#endif
