/*
 * The writer: terms into one growing buffer, with a sticky first error.
 *
 * Binaries and floats are encoded by ei. Integers are not, since ei writes those beyond 27 bits as
 * bignums where a BEAM has a shorter form, and equal terms should be equal bytes; nor is what every
 * call or state is full of: atoms, heads, pids and references, for which ei copies and checks names
 * again and again. A test holds these against ei's. Room is made before anything is written. Memory
 * comes from the allocation seam, doubles, and what is written stays within the limit.
 *
 * A writer that uses words writes those as references to a table, and notes (`mixed`) when anything
 * came that the table does not cover; see body.h.
 */
#include <cnode/term.h>

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include <ei.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/text.h"
#include "etf/head.h"
#include "etf/tags.h"
#include "etf/walk.h"
#include "etf/writer.h"

#define CAPACITY_MIN  256
#define REF_WORDS_MAX 5

void cn_writer_init(struct cn_writer *writer, size_t size_max)
{
    if (size_max == 0 || size_max > INT_MAX)
        size_max = ETF_SIZE_MAX;
    *writer = (struct cn_writer){.size_max = size_max};
}

void cn_writer_use_words(struct cn_writer *writer, const struct cn_words *words)
{
    cn_assert(writer->size == 0 && (words == NULL || words->count <= CN_WORDS_MAX));
    writer->words = words;
}

void cn_writer_free(struct cn_writer *writer)
{
    const struct cn_words *words = writer->words;

    mem_free(writer->data);
    cn_writer_init(writer, writer->size_max);
    writer->words = words;
}

void cn_writer_reset(struct cn_writer *writer)
{
    writer->size = 0;
    writer->error = 0;
    writer->mixed = false;
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

/* As take, when room must be made or nothing may be written. Apart, to keep take short. */
static __attribute__((noinline)) uint8_t *take_slowly(struct cn_writer *writer, size_t size)
{
    if (!content_room(writer, 0, size))
        return NULL;
    writer->size += size;
    return writer->data + writer->size - size;
}

/* Take @size bytes at the end; NULL after an error. */
static inline uint8_t *take(struct cn_writer *writer, size_t size)
{
    size_t start = writer->size;

    if (writer->error != 0 || size > writer->capacity - start || size > writer->size_max - start)
        return take_slowly(writer, size);
    writer->size = start + size;
    return writer->data + start;
}

void etf_write_raw(struct cn_writer *writer, const void *data, size_t size)
{
    uint8_t *to = size > 0 ? take(writer, size) : NULL;

    if (to != NULL)
        memcpy(to, data, size);
}

uint8_t *etf_write_room(struct cn_writer *writer, size_t size)
{
    return take(writer, size);
}

/* Append @from, with its words as texts. From head to head, whatever is inside what. */
static void write_expanded(struct cn_writer *writer, const struct cn_writer *from)
{
    struct etf_head head;
    size_t copied = 0;

    for (size_t at = 0; at < from->size; at += head.size) {
        int rc = etf_head_read(from->data + at, from->size - at, from->words->count, &head);

        cn_assert(rc == 0);
        if (from->data[at] != TAG_ATOM_CACHE_REF)
            continue;
        etf_write_raw(writer, from->data + copied, at - copied);
        cn_write_atom(writer, from->words->texts[from->data[at + 1]]);
        copied = at + head.size;
    }
    etf_write_raw(writer, from->data + copied, from->size - copied);
}

void cn_write_written(struct cn_writer *writer, const struct cn_writer *from)
{
    if (from->error != 0) {
        fail(writer, from->error);
    } else if (from->words == writer->words) {
        etf_write_raw(writer, from->data, from->size);
        writer->mixed = writer->mixed || from->mixed;
    } else {
        writer->mixed = writer->words != NULL;
        if (from->words == NULL)
            etf_write_raw(writer, from->data, from->size);
        else
            write_expanded(writer, from);
    }
}

static inline void write_two(struct cn_writer *writer, uint8_t tag, uint8_t value)
{
    uint8_t *to = take(writer, 2);

    if (to == NULL)
        return;
    to[0] = tag;
    to[1] = value;
}

void cn_write_word(struct cn_writer *writer, const struct cn_words *words, uint32_t number)
{
    cn_assert(number < words->count);
    if (writer->words == words)
        write_two(writer, TAG_ATOM_CACHE_REF, (uint8_t)number);
    else
        cn_write_atom(writer, words->texts[number]);
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
    writer->mixed = writer->words != NULL;
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
    uint8_t data[5] = {TAG_INTEGER};

    if (value >= 0 && value <= 255) {
        write_two(writer, TAG_SMALL_INTEGER, (uint8_t)value);
    } else if (value >= INT32_MIN && value <= INT32_MAX) {
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

uint8_t *cn_write_binary_room(struct cn_writer *writer, size_t size)
{
    uint8_t *to;

    if (!content_room(writer, 5, size))
        return NULL;
    to = writer->data + writer->size;
    to[0] = TAG_BINARY;
    be32_put(to + 1, (uint32_t)size);
    used(writer, 5 + size);
    return to + 5;
}

void cn_write_string(struct cn_writer *writer, const char *text)
{
    cn_write_binary(writer, (struct cn_bytes){(const uint8_t *)text, strlen(text)});
}

/* Write a tag and a count of four bytes. */
static void write_count(struct cn_writer *writer, uint8_t tag, uint32_t count)
{
    uint8_t *to;

    if (count > INT_MAX) {
        fail(writer, -E2BIG);
        return;
    }
    to = take(writer, 5);
    if (to == NULL)
        return;
    to[0] = tag;
    be32_put(to + 1, count);
}

void cn_write_tuple(struct cn_writer *writer, uint32_t arity)
{
    if (arity <= UINT8_MAX)
        write_two(writer, TAG_SMALL_TUPLE, (uint8_t)arity);
    else
        write_count(writer, TAG_LARGE_TUPLE, arity);
}

void cn_write_list(struct cn_writer *writer, uint32_t count)
{
    if (count > 0)
        write_count(writer, TAG_LIST, count);
}

void cn_write_nil(struct cn_writer *writer)
{
    etf_write_raw(writer, (const uint8_t[]){TAG_NIL}, 1);
}

void cn_write_map(struct cn_writer *writer, uint32_t count)
{
    write_count(writer, TAG_MAP, count);
}

/*
 * Write @before bytes at @head and a node's name, which must be text, and give the place of @after
 * bytes behind it; NULL after an error.
 */
static uint8_t *write_node(struct cn_writer *writer, const uint8_t *head, size_t before,
                           const char *node, size_t after)
{
    size_t size = strnlen(node, CN_NODE_NAME_MAX + 1);
    uint8_t *to;

    if (size > CN_NODE_NAME_MAX || !utf8_valid((const uint8_t *)node, size, NULL)) {
        fail(writer, -EINVAL);
        return NULL;
    }
    to = take(writer, before + 2 + size + after);
    if (to == NULL)
        return NULL;
    writer->mixed = writer->words != NULL;
    memcpy(to, head, before);
    to += before;
    *to++ = TAG_SMALL_ATOM_UTF8;
    *to++ = (uint8_t)size;
    memcpy(to, node, size);
    return to + size;
}

void cn_write_pid(struct cn_writer *writer, const struct cn_pid *pid)
{
    uint8_t *to = write_node(writer, (const uint8_t[]){TAG_NEW_PID}, 1, pid->node, 12);

    if (to == NULL)
        return;
    be32_put(to, pid->id);
    be32_put(to + 4, pid->serial);
    be32_put(to + 8, pid->creation);
}

void cn_write_ref(struct cn_writer *writer, const struct cn_ref *ref)
{
    uint8_t head[3] = {TAG_NEWER_REFERENCE, 0, (uint8_t)ref->count};
    uint8_t *to;

    if (ref->count < 1 || ref->count > REF_WORDS_MAX) {
        fail(writer, -EINVAL);
        return;
    }
    to = write_node(writer, head, sizeof(head), ref->node, 4 + 4 * (size_t)ref->count);
    if (to == NULL)
        return;
    be32_put(to, ref->creation);
    for (uint32_t i = 0; i < ref->count; i++)
        be32_put(to + 4 + 4 * (size_t)i, ref->words[i]);
}

/* Tell whether no atom can be inside a term that starts with @tag. */
static bool is_plain_value(uint8_t tag)
{
    return tag == TAG_BINARY || tag == TAG_SMALL_INTEGER || tag == TAG_INTEGER ||
           tag == TAG_SMALL_BIG || tag == TAG_NIL || tag == TAG_STRING || tag == TAG_NEW_FLOAT;
}

void cn_write_term(struct cn_writer *writer, struct cn_term term)
{
    if (term.size == 0)
        fail(writer, -EINVAL);
    else if (writer->words != NULL && !is_plain_value(term.data[0]))
        writer->mixed = true;
    etf_write_raw(writer, term.data, term.size);
}
