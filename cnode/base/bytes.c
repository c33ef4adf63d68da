/*
 * The bounded byte queue.
 *
 * Memory doubles, but never beyond the limit; the waiting bytes are moved to the front only when
 * they are fewer than the gap before them, so a byte is moved a bounded number of times.
 */
#include "base/bytes.h"

#include <errno.h>
#include <stdbool.h>

#include "base/alloc.h"
#include "base/assert.h"

#define CAPACITY_MIN 256

void bytes_init(struct bytes *bytes, size_t size_max)
{
    *bytes = (struct bytes){.size_max = size_max > 0 ? size_max : SIZE_MAX};
}

void bytes_deinit(struct bytes *bytes)
{
    size_t size_max = bytes->size_max;

    mem_free(bytes->memory);
    bytes_init(bytes, size_max);
}

static void move_down(struct bytes *bytes)
{
    size_t size = bytes_size(bytes);

    if (size > 0)
        memmove(bytes->memory, bytes->memory + bytes->start, size);
    bytes->start = 0;
    bytes->end = size;
}

/* Grow to hold at least @size bytes, and at least double, within the limit. */
static int grow(struct bytes *bytes, size_t size)
{
    size_t capacity = bytes->capacity > SIZE_MAX / 2 ? SIZE_MAX : bytes->capacity * 2;
    uint8_t *memory;

    if (capacity < CAPACITY_MIN)
        capacity = CAPACITY_MIN;
    if (capacity < size)
        capacity = size;
    if (capacity > bytes->size_max)
        capacity = bytes->size_max;
    if (capacity <= bytes->capacity)
        return 0;
    memory = mem_realloc(bytes->memory, capacity);
    if (memory == NULL)
        return -ENOMEM;
    bytes->memory = memory;
    bytes->capacity = capacity;
    return 0;
}

int bytes_reserve(struct bytes *bytes, size_t size, uint8_t **ret_place)
{
    size_t waiting = bytes_size(bytes);
    bool cheap_to_move = bytes->start >= waiting;
    int r;

    if (size > bytes->size_max - waiting)
        return -E2BIG;
    if (bytes->memory == NULL || bytes->capacity - bytes->end < size) {
        if (!cheap_to_move || bytes->capacity - waiting < size) {
            r = grow(bytes, waiting + size);
            if (r < 0)
                return r;
        }
        if (bytes->capacity - bytes->end < size)
            move_down(bytes);
    }
    *ret_place = bytes->memory == NULL ? NULL : bytes->memory + bytes->end;
    return 0;
}

void bytes_commit(struct bytes *bytes, size_t size)
{
    cn_assert(size <= bytes->capacity - bytes->end);
    bytes->end += size;
}

int bytes_append(struct bytes *bytes, const void *data, size_t size)
{
    uint8_t *place;
    int r = bytes_reserve(bytes, size, &place);

    if (r < 0)
        return r;
    if (size > 0)
        memcpy(place, data, size);
    bytes_commit(bytes, size);
    return 0;
}

int bytes_append_u8(struct bytes *bytes, uint8_t value)
{
    return bytes_append(bytes, &value, 1);
}

int bytes_append_u16(struct bytes *bytes, uint16_t value)
{
    uint8_t data[2];

    be16_put(data, value);
    return bytes_append(bytes, data, sizeof(data));
}

int bytes_append_u32(struct bytes *bytes, uint32_t value)
{
    uint8_t data[4];

    be32_put(data, value);
    return bytes_append(bytes, data, sizeof(data));
}

void bytes_consume(struct bytes *bytes, size_t size)
{
    cn_assert(size <= bytes_size(bytes));
    bytes->start += size;
    if (bytes->start == bytes->end)
        bytes_clear(bytes);
}

void bytes_clear(struct bytes *bytes)
{
    bytes->start = 0;
    bytes->end = 0;
}

void bytes_shrink(struct bytes *bytes, size_t keep)
{
    if (bytes_size(bytes) == 0 && bytes->capacity > keep)
        bytes_deinit(bytes);
}
