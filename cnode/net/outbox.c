/*
 * Outgoing bytes: appending, viewing, consuming.
 *
 * A buffer is released when its last byte was consumed; one that is kept half empty is at the end
 * of the list only.
 */
#include "net/outbox.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/error.h"

struct chunk {
    struct list link;
    size_t start;
    size_t end;
    size_t capacity;
    uint8_t data[];
};

void outbox_init(struct outbox *outbox, size_t bytes_max)
{
    list_init(&outbox->chunks);
    outbox->bytes = 0;
    outbox->bytes_max = bytes_max;
}

void outbox_deinit(struct outbox *outbox)
{
    struct list *link;

    while ((link = list_pop(&outbox->chunks)) != NULL)
        mem_free(container_of(link, struct chunk, link));
    outbox->bytes = 0;
}

size_t outbox_bytes(const struct outbox *outbox)
{
    return outbox->bytes;
}

/* Find a buffer at the end with room for @size bytes, or add one. */
static struct chunk *chunk_for(struct outbox *outbox, size_t size)
{
    struct list *last = list_last(&outbox->chunks);
    size_t capacity = size > OUTBOX_CHUNK_BYTES ? size : OUTBOX_CHUNK_BYTES;
    struct chunk *chunk;

    if (last != NULL) {
        chunk = container_of(last, struct chunk, link);
        if (chunk->capacity - chunk->end >= size)
            return chunk;
    }
    chunk = mem_alloc(sizeof(*chunk) + capacity);
    if (chunk == NULL)
        return NULL;
    chunk->start = 0;
    chunk->end = 0;
    chunk->capacity = capacity;
    list_append(&outbox->chunks, &chunk->link);
    return chunk;
}

int outbox_append(struct outbox *outbox, const struct cn_bytes *parts, size_t count)
{
    struct chunk *chunk;
    size_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    if (size == 0)
        return 0;
    if (outbox->bytes > 0 && outbox->bytes + size > outbox->bytes_max)
        return CN_E_LIMIT;
    chunk = chunk_for(outbox, size);
    if (chunk == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].size == 0)
            continue;
        memcpy(chunk->data + chunk->end, parts[i].data, parts[i].size);
        chunk->end += parts[i].size;
    }
    outbox->bytes += size;
    return 0;
}

size_t outbox_view(const struct outbox *outbox, struct cn_bytes *ret_pieces, size_t max)
{
    size_t count = 0;

    list_for_each(link, &outbox->chunks) {
        struct chunk *chunk = container_of(link, struct chunk, link);

        if (count == max)
            break;
        ret_pieces[count++] = (struct cn_bytes){chunk->data + chunk->start,
                                                chunk->end - chunk->start};
    }
    return count;
}

void outbox_consume(struct outbox *outbox, size_t size)
{
    cn_assert(size <= outbox->bytes);
    outbox->bytes -= size;
    while (size > 0) {
        struct list *first = list_first(&outbox->chunks);
        struct chunk *chunk = container_of(first, struct chunk, link);
        size_t here = chunk->end - chunk->start;

        if (size < here) {
            chunk->start += size;
            return;
        }
        size -= here;
        list_remove(&chunk->link);
        mem_free(chunk);
    }
}

void outbox_splice(struct outbox *to, struct outbox *from)
{
    list_splice(&to->chunks, &from->chunks);
    to->bytes += from->bytes;
    from->bytes = 0;
}
