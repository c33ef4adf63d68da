/*
 * Outgoing bytes: appending, viewing, consuming.
 *
 * A ring of pieces. Buffers are shared by the pieces that lie in them and, while it has room, by
 * the queue: a buffer of which no piece is left is filled from its start again.
 */
#include "net/outbox.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/error.h"
#include "base/list.h"

#define PIECES_MIN 16

struct outbox_chunk {
    struct shared shared;
    size_t end;
    size_t capacity;
    uint8_t data[];
};

void outbox_init(struct outbox *outbox, size_t bytes_max)
{
    *outbox = (struct outbox){.bytes_max = bytes_max};
}

static struct shared_bytes *piece_at(const struct outbox *outbox, uint32_t index)
{
    return &outbox->pieces[(outbox->first + index) & (outbox->capacity - 1)];
}

void outbox_deinit(struct outbox *outbox)
{
    for (uint32_t i = 0; i < outbox->count; i++)
        shared_put(piece_at(outbox, i)->owner);
    if (outbox->open != NULL)
        shared_put(&outbox->open->shared);
    mem_free(outbox->pieces);
    outbox_init(outbox, outbox->bytes_max);
}

size_t outbox_bytes(const struct outbox *outbox)
{
    return outbox->bytes;
}

static void chunk_release(struct shared *shared)
{
    mem_free(container_of(shared, struct outbox_chunk, shared));
}

static struct outbox_chunk *chunk_new(size_t capacity)
{
    struct outbox_chunk *chunk = mem_alloc(sizeof(*chunk) + capacity);

    if (chunk == NULL)
        return NULL;
    shared_init(&chunk->shared, chunk_release);
    chunk->end = 0;
    chunk->capacity = capacity;
    return chunk;
}

/* Have a buffer with room for @size bytes. */
static bool make_room(struct outbox *outbox, size_t size)
{
    struct outbox_chunk *chunk = outbox->open;

    if (chunk != NULL && chunk->shared.owners == 1)
        chunk->end = 0;
    if (chunk != NULL && chunk->capacity - chunk->end >= size)
        return true;
    chunk = chunk_new(size > OUTBOX_CHUNK_BYTES ? size : OUTBOX_CHUNK_BYTES);
    if (chunk == NULL)
        return false;
    if (outbox->open != NULL)
        shared_put(&outbox->open->shared);
    outbox->open = chunk;
    return true;
}

/* Have room for @count more pieces. */
static bool make_pieces(struct outbox *outbox, uint32_t count)
{
    uint32_t capacity = outbox->capacity > 0 ? outbox->capacity * 2 : PIECES_MIN;
    struct shared_bytes *pieces;

    if (outbox->capacity - outbox->count >= count)
        return true;
    pieces = mem_alloc(capacity * sizeof(*pieces));
    if (pieces == NULL)
        return false;
    for (uint32_t i = 0; i < outbox->count; i++)
        pieces[i] = *piece_at(outbox, i);
    mem_free(outbox->pieces);
    outbox->pieces = pieces;
    outbox->first = 0;
    outbox->capacity = capacity;
    return true;
}

static void add_piece(struct outbox *outbox, const uint8_t *data, size_t size, struct shared *owner)
{
    struct shared_bytes *last;

    if (outbox->count > 0) {
        last = piece_at(outbox, outbox->count - 1);
        if (last->owner == owner && last->data + last->size == data) {
            last->size += size;
            return;
        }
    }
    shared_take(owner);
    *piece_at(outbox, outbox->count++) = (struct shared_bytes){data, size, owner};
}

/* Copy the parts, for which there is room, to the end of the open buffer. */
static void copy_parts(struct outbox *outbox, const struct cn_bytes *parts, size_t count,
                       size_t size)
{
    struct outbox_chunk *chunk = outbox->open;
    uint8_t *start = chunk->data + chunk->end;

    for (size_t i = 0; i < count; i++) {
        if (parts[i].size == 0)
            continue;
        memcpy(chunk->data + chunk->end, parts[i].data, parts[i].size);
        chunk->end += parts[i].size;
    }
    add_piece(outbox, start, size, &chunk->shared);
    if (chunk->capacity > OUTBOX_CHUNK_BYTES) { /* not kept for others */
        shared_put(&chunk->shared);
        outbox->open = NULL;
    }
}

static size_t parts_size(const struct cn_bytes *parts, size_t count)
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    return size;
}

int outbox_append_shared(struct outbox *outbox, const struct cn_bytes *parts, size_t count,
                         const struct shared_bytes *tails, size_t tail_count)
{
    size_t size = parts_size(parts, count);

    cn_assert(tail_count <= OUTBOX_TAILS_MAX);
    if (!make_pieces(outbox, 1 + OUTBOX_TAILS_MAX) || (size > 0 && !make_room(outbox, size)))
        return -ENOMEM;
    /* nothing can fail below */
    if (size > 0)
        copy_parts(outbox, parts, count, size);
    outbox->bytes += size;
    for (size_t i = 0; i < tail_count; i++) {
        if (tails[i].size > 0)
            add_piece(outbox, tails[i].data, tails[i].size, tails[i].owner);
        outbox->bytes += tails[i].size;
    }
    return 0;
}

int outbox_append(struct outbox *outbox, const struct cn_bytes *parts, size_t count)
{
    if (outbox->bytes > 0 && outbox->bytes + parts_size(parts, count) > outbox->bytes_max)
        return CN_E_LIMIT;
    return outbox_append_shared(outbox, parts, count, NULL, 0);
}

size_t outbox_view(const struct outbox *outbox, struct cn_bytes *ret_pieces, size_t max)
{
    size_t count = 0;

    for (; count < max && count < outbox->count; count++) {
        const struct shared_bytes *piece = piece_at(outbox, (uint32_t)count);

        ret_pieces[count] = (struct cn_bytes){piece->data, piece->size};
    }
    return count;
}

void outbox_consume(struct outbox *outbox, size_t size)
{
    cn_assert(size <= outbox->bytes);
    outbox->bytes -= size;
    while (size > 0) {
        struct shared_bytes *piece = piece_at(outbox, 0);

        if (size < piece->size) {
            piece->data += size;
            piece->size -= size;
            return;
        }
        size -= piece->size;
        shared_put(piece->owner);
        outbox->first = (outbox->first + 1) & (outbox->capacity - 1);
        outbox->count--;
    }
}
