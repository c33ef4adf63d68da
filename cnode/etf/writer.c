/*
 * The writer: terms into one growing buffer, with a sticky first error.
 *
 * Heads, binaries, floats, pids and references are encoded by ei, whose forms are those of a BEAM.
 * Integers are not, since ei writes those beyond 27 bits as bignums where a BEAM has a shorter
 * form, and equal terms should be equal bytes; nor are atoms, which are most of a game's state and
 * which ei checks once more, character by character. Room is made before ei is called, which knows
 * no end either. Memory comes from the allocation seam, doubles, and what is written stays within
 * the limit.
 */
#include <cnode/term.h>

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include <ei.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/text.h"
#include "etf/tags.h"
#include "etf/walk.h"
#include "etf/writer.h"

#define CAPACITY_MIN 256
#define HEAD_MAX     8    /* no head without a text is longer */
#define ID_MAX       2048 /* a pid or reference, whatever its node is called */

void cn_writer_init(struct cn_writer *writer, size_t size_max)
{
    if (size_max == 0 || size_max > INT_MAX)
        size_max = ETF_SIZE_MAX;
    *writer = (struct cn_writer){.size_max = size_max};
}

void cn_writer_free(struct cn_writer *writer)
{
    mem_free(writer->data);
    cn_writer_init(writer, writer->size_max);
}

void cn_writer_reset(struct cn_writer *writer)
{
    writer->size = 0;
    writer->error = 0;
}

int cn_writer_error(const struct cn_writer *writer)
{
    return writer->error;
}

struct cn_term cn_writer_term(const struct cn_writer *writer)
{
    if (writer->error != 0)
        return (struct cn_term){NULL, 0};
    return (struct cn_term){writer->data, writer->size};
}

static void fail(struct cn_writer *writer, int error)
{
    if (writer->error == 0)
        writer->error = error;
}

uint8_t *cn_writer_take(struct cn_writer *writer, size_t *ret_size)
{
    uint8_t *data = writer->data;
    int error = writer->error;

    if (error != 0) {
        cn_writer_free(writer);
        fail(writer, error);
        return NULL;
    }
    if (data == NULL)
        return NULL;
    *ret_size = writer->size;
    mem_forget(data);
    cn_writer_init(writer, writer->size_max);
    return data;
}

/* Grow to hold @size bytes, which are within the limit. */
static bool grow(struct cn_writer *writer, size_t size)
{
    size_t capacity = writer->capacity * 2 > CAPACITY_MIN ? writer->capacity * 2 : CAPACITY_MIN;
    uint8_t *data;

    if (capacity < size)
        capacity = size;
    data = mem_realloc(writer->data, capacity);
    if (data == NULL) {
        fail(writer, -ENOMEM);
        return false;
    }
    writer->data = data;
    writer->capacity = capacity;
    return true;
}

/* Make room for @size bytes in memory; the limit counts what is used of it, in used(). */
static bool room(struct cn_writer *writer, size_t size)
{
    if (writer->error != 0)
        return false;
    if (writer->capacity - writer->size >= size)
        return true;
    return grow(writer, writer->size + size);
}

static void used(struct cn_writer *writer, size_t size)
{
    if (size > writer->size_max - writer->size)
        fail(writer, -E2BIG);
    else
        writer->size += size;
}

/* Make room for @size bytes of content, none of which may be beyond the limit. */
static bool content_room(struct cn_writer *writer, size_t head, size_t size)
{
    if (writer->error == 0 &&
        (size > writer->size_max || head + size > writer->size_max - writer->size))
        fail(writer, -E2BIG);
    return room(writer, head + size);
}

static char *end(struct cn_writer *writer)
{
    return (char *)writer->data + writer->size;
}

void etf_write_raw(struct cn_writer *writer, const void *data, size_t size)
{
    if (!content_room(writer, 0, size))
        return;
    if (size > 0)
        memcpy(end(writer), data, size);
    used(writer, size);
}

uint8_t *etf_write_room(struct cn_writer *writer, size_t size)
{
    uint8_t *place;

    if (!content_room(writer, 0, size))
        return NULL;
    place = writer->data + writer->size;
    used(writer, size);
    return place;
}

void cn_write_atom(struct cn_writer *writer, const char *text)
{
    cn_write_atom_bytes(writer, (struct cn_bytes){(const uint8_t *)text, strlen(text)});
}

void cn_write_atom_bytes(struct cn_writer *writer, struct cn_bytes text)
{
    size_t head = text.size <= UINT8_MAX ? 2 : 3;
    size_t characters;
    uint8_t *to;

    if (text.size > 4 * ETF_ATOM_CHARACTERS_MAX || !utf8_valid(text.data, text.size, &characters) ||
        characters > ETF_ATOM_CHARACTERS_MAX) {
        fail(writer, -EINVAL);
        return;
    }
    if (!content_room(writer, head, text.size))
        return;
    to = writer->data + writer->size;
    to[0] = head == 2 ? TAG_SMALL_ATOM_UTF8 : TAG_ATOM_UTF8;
    if (head == 2)
        to[1] = (uint8_t)text.size;
    else
        be16_put(to + 1, (uint16_t)text.size);
    if (text.size > 0)
        memcpy(to + head, text.data, text.size);
    used(writer, head + text.size);
}

void cn_write_bool(struct cn_writer *writer, bool value)
{
    cn_write_atom(writer, value ? "true" : "false");
}

static void write_big(struct cn_writer *writer, bool negative, uint64_t magnitude)
{
    uint8_t data[11] = {TAG_SMALL_BIG, 0, negative};

    for (; magnitude != 0; magnitude >>= 8)
        data[3 + data[1]++] = (uint8_t)magnitude;
    etf_write_raw(writer, data, 3 + (size_t)data[1]);
}

void cn_write_integer(struct cn_writer *writer, int64_t value)
{
    uint8_t data[5] = {TAG_SMALL_INTEGER, (uint8_t)value};

    if (value >= 0 && value <= 255) {
        etf_write_raw(writer, data, 2);
    } else if (value >= INT32_MIN && value <= INT32_MAX) {
        data[0] = TAG_INTEGER;
        be32_put(data + 1, (uint32_t)value);
        etf_write_raw(writer, data, sizeof(data));
    } else {
        write_big(writer, value < 0, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
    }
}

void cn_write_unsigned(struct cn_writer *writer, uint64_t value)
{
    if (value <= INT64_MAX)
        cn_write_integer(writer, (int64_t)value);
    else
        write_big(writer, false, value);
}

void cn_write_float(struct cn_writer *writer, double value)
{
    int index = 0;

    if (!isfinite(value))
        fail(writer, -EINVAL);
    if (!room(writer, 16))
        return;
    if (ei_encode_double(end(writer), &index, value) != 0)
        fail(writer, -EINVAL);
    else
        used(writer, (size_t)index);
}

void cn_write_binary(struct cn_writer *writer, struct cn_bytes bytes)
{
    int index = 0;

    if (!content_room(writer, 5, bytes.size))
        return;
    if (ei_encode_binary(end(writer), &index, bytes.size > 0 ? (const void *)bytes.data : "",
                         (long)bytes.size) != 0)
        fail(writer, -EINVAL);
    else
        used(writer, (size_t)index);
}

void cn_write_string(struct cn_writer *writer, const char *text)
{
    cn_write_binary(writer, (struct cn_bytes){(const uint8_t *)text, strlen(text)});
}

/* Write a head through @encode, one of ei's. */
static void write_head(struct cn_writer *writer, int (*encode)(char *, int *, int), uint32_t count)
{
    int index = 0;

    if (count > INT_MAX)
        fail(writer, -E2BIG);
    if (!room(writer, HEAD_MAX))
        return;
    if (encode(end(writer), &index, (int)count) != 0)
        fail(writer, -EINVAL);
    else
        used(writer, (size_t)index);
}

void cn_write_tuple(struct cn_writer *writer, uint32_t arity)
{
    write_head(writer, ei_encode_tuple_header, arity);
}

void cn_write_list(struct cn_writer *writer, uint32_t count)
{
    if (count > 0)
        write_head(writer, ei_encode_list_header, count);
}

void cn_write_nil(struct cn_writer *writer)
{
    write_head(writer, ei_encode_list_header, 0);
}

void cn_write_map(struct cn_writer *writer, uint32_t count)
{
    write_head(writer, ei_encode_map_header, count);
}

/* Copy a node's name, which must be text, for ei. */
static bool copy_node(struct cn_writer *writer, const char *node, char *ret_node)
{
    size_t size = strnlen(node, CN_NODE_NAME_MAX + 1);

    if (size > CN_NODE_NAME_MAX || !utf8_valid(node, size, NULL)) {
        fail(writer, -EINVAL);
        return false;
    }
    memcpy(ret_node, node, size + 1);
    return true;
}

void cn_write_pid(struct cn_writer *writer, const struct cn_pid *pid)
{
    erlang_pid value = {.num = pid->id, .serial = pid->serial, .creation = pid->creation};
    int index = 0;

    if (!copy_node(writer, pid->node, value.node) || !room(writer, ID_MAX))
        return;
    if (ei_encode_pid(end(writer), &index, &value) != 0)
        fail(writer, -EINVAL);
    else
        used(writer, (size_t)index);
}

void cn_write_ref(struct cn_writer *writer, const struct cn_ref *ref)
{
    erlang_ref value = {.len = (int)ref->count, .creation = ref->creation};
    int index = 0;

    if (ref->count < 1 || ref->count > sizeof(ref->words) / sizeof(ref->words[0])) {
        fail(writer, -EINVAL);
        return;
    }
    for (uint32_t i = 0; i < ref->count; i++)
        value.n[i] = ref->words[i];
    if (!copy_node(writer, ref->node, value.node) || !room(writer, ID_MAX))
        return;
    if (ei_encode_ref(end(writer), &index, &value) != 0)
        fail(writer, -EINVAL);
    else
        used(writer, (size_t)index);
}

void cn_write_term(struct cn_writer *writer, struct cn_term term)
{
    if (term.size == 0)
        fail(writer, -EINVAL);
    etf_write_raw(writer, term.data, term.size);
}
