/*
 * A bounded byte queue, and big-endian numbers.
 *
 * What a connection reads and writes passes through one of these: bytes are appended at the end,
 * consumed at the front, and never exceed the limit the buffer was given. It grows only by bytes
 * that are really there, never by a length that a peer claims. Consuming moves an offset; the rest
 * is moved down when that gains more room than it costs.
 */
#ifndef CNODE_BASE_BYTES_H
#define CNODE_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** A byte queue. The fields are private; use bytes_data and bytes_size. */
struct bytes {
    uint8_t *memory;
    size_t start;
    size_t end;
    size_t capacity;
    size_t size_max;
};

/** Make an empty queue of at most @size_max bytes (0: no limit). Allocates nothing. */
void bytes_init(struct bytes *bytes, size_t size_max);
/** Release the memory; the queue is empty and usable. */
void bytes_deinit(struct bytes *bytes);

/** View the first byte that waits (NULL before any came); valid until the next change. */
static inline uint8_t *bytes_data(const struct bytes *bytes)
{
    return bytes->memory == NULL ? NULL : bytes->memory + bytes->start;
}

/** Count the bytes that wait. */
static inline size_t bytes_size(const struct bytes *bytes)
{
    return bytes->end - bytes->start;
}

/**
 * Make room for @size more bytes and give the place to write them (of 0 bytes perhaps NULL);
 * bytes_commit then counts those that were written. The place is valid until the next change.
 *
 * Errors: -ENOMEM; -E2BIG beyond the limit; the queue unchanged.
 */
int bytes_reserve(struct bytes *bytes, size_t size, uint8_t **ret_place);
/** Count @size bytes, at most those reserved, as appended. */
void bytes_commit(struct bytes *bytes, size_t size);
/** Append @size bytes. Errors: -ENOMEM, -E2BIG, with nothing appended. */
int bytes_append(struct bytes *bytes, const void *data, size_t size);
/** Append one byte. Errors: as bytes_append. */
int bytes_append_u8(struct bytes *bytes, uint8_t value);
/** Append a big-endian number of 2 bytes. Errors: as bytes_append. */
int bytes_append_u16(struct bytes *bytes, uint16_t value);
/** Append a big-endian number of 4 bytes. Errors: as bytes_append. */
int bytes_append_u32(struct bytes *bytes, uint32_t value);
/** Drop @size bytes, at most those that wait, from the front. */
void bytes_consume(struct bytes *bytes, size_t size);
/** Drop all bytes, keep the memory. */
void bytes_clear(struct bytes *bytes);
/** Give memory back when the queue is empty and holds more than @keep bytes of it. */
void bytes_shrink(struct bytes *bytes, size_t keep);

/** Read a big-endian number of 2 bytes. */
static inline uint16_t be16_get(const uint8_t *from)
{
    return (uint16_t)((unsigned)from[0] << 8 | from[1]);
}

/** Read a big-endian number of 4 bytes. */
static inline uint32_t be32_get(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

/** Read a big-endian number of 8 bytes. */
static inline uint64_t be64_get(const uint8_t *from)
{
    return (uint64_t)be32_get(from) << 32 | be32_get(from + 4);
}

/** Write a big-endian number of 2 bytes. */
static inline void be16_put(uint8_t *to, uint16_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

/** Write a big-endian number of 4 bytes. */
static inline void be32_put(uint8_t *to, uint32_t value)
{
    be16_put(to, (uint16_t)(value >> 16));
    be16_put(to + 2, (uint16_t)value);
}

/** Write a big-endian number of 8 bytes. */
static inline void be64_put(uint8_t *to, uint64_t value)
{
    be32_put(to, (uint32_t)(value >> 32));
    be32_put(to + 4, (uint32_t)value);
}

#endif
