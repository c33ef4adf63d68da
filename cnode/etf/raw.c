/*
 * Integers of any size, bits, identifiers, funs and lists, as views.
 *
 * Bytes were validated before, yet each function compares with what is left before it reads: a
 * forgotten walk is then a reader in error, not a read beyond the end.
 */
#include "etf/raw.h"

#include <string.h>

#include "base/bytes.h"
#include "etf/tags.h"

#define FUN_BYTES 30

/* Give @size bytes and move on; false without a move when fewer are left. */
static bool take(struct cn_reader *reader, size_t size, const uint8_t **ret_data)
{
    if (reader->failed || reader->size - reader->at < size)
        return false;
    *ret_data = reader->data + reader->at;
    reader->at += size;
    return true;
}

static void set_small(struct etf_integer *integer, int32_t value)
{
    uint32_t magnitude = value < 0 ? 0 - (uint32_t)value : (uint32_t)value;

    *integer = (struct etf_integer){.negative = value < 0};
    for (; magnitude != 0; magnitude >>= 8)
        integer->small[integer->size++] = (uint8_t)magnitude;
}

static bool set_big(struct cn_reader *reader, size_t length_bytes, struct etf_integer *integer)
{
    const uint8_t *head;
    const uint8_t *data;
    size_t size;

    if (!take(reader, length_bytes + 1, &head))
        return false;
    size = length_bytes == 1 ? head[0] : be32_get(head);
    if (!take(reader, size, &data))
        return false;
    while (size > 0 && data[size - 1] == 0)
        size--;
    *integer = (struct etf_integer){
        .negative = size > 0 && head[length_bytes] != 0, .size = size, .big = data};
    return true;
}

static bool string_element(struct cn_reader *reader, struct etf_integer *integer)
{
    const uint8_t *data;

    if (reader->string_left == 0 || !take(reader, 1, &data))
        return false;
    set_small(integer, data[0]);
    reader->string_left--;
    reader->string_tail = reader->string_left == 0;
    return true;
}

static bool any_integer(struct cn_reader *reader, struct etf_integer *integer)
{
    const uint8_t *data;

    if (etf_in_string(reader))
        return string_element(reader, integer);
    if (!take(reader, 1, &data))
        return false;
    switch (data[0]) {
    case TAG_SMALL_INTEGER:
        if (!take(reader, 1, &data))
            return false;
        set_small(integer, data[0]);
        return true;
    case TAG_INTEGER:
        if (!take(reader, 4, &data))
            return false;
        set_small(integer, (int32_t)be32_get(data));
        return true;
    case TAG_SMALL_BIG:
        return set_big(reader, 1, integer);
    case TAG_LARGE_BIG:
        return set_big(reader, 4, integer);
    default:
        return false;
    }
}

bool etf_read_integer(struct cn_reader *reader, struct etf_integer *ret_integer)
{
    struct etf_integer integer;

    if (reader->failed || !any_integer(reader, &integer))
        return cn_reader_fail(reader);
    *ret_integer = integer;
    return true;
}

bool etf_integer_value(const struct etf_integer *integer, int64_t *ret_value)
{
    const uint8_t *bytes = etf_magnitude(integer);
    uint64_t value = 0;

    if (integer->size > 8)
        return false;
    for (size_t i = integer->size; i > 0; i--)
        value = value << 8 | bytes[i - 1];
    if (value > (uint64_t)INT64_MAX + integer->negative)
        return false;
    *ret_value = integer->negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

static bool any_bits(struct cn_reader *reader, struct etf_bits *bits)
{
    const uint8_t *head;
    bool binary;

    if (etf_in_string(reader) || !take(reader, 5, &head))
        return false;
    binary = head[0] == TAG_BINARY;
    if (!binary && (head[0] != TAG_BIT_BINARY || reader->at == reader->size))
        return false;
    *bits = (struct etf_bits){.size = be32_get(head + 1)};
    if (!binary) {
        unsigned used = reader->data[reader->at++];

        if (used < 1 || used > 8 || bits->size == 0)
            return false;
        bits->extra = used & 7;
    }
    if (!take(reader, bits->size, &bits->data))
        return false;
    bits->size -= bits->extra > 0;
    return true;
}

bool etf_read_bits(struct cn_reader *reader, struct etf_bits *ret_bits)
{
    struct etf_bits bits;

    if (!any_bits(reader, &bits))
        return cn_reader_fail(reader);
    *ret_bits = bits;
    return true;
}

static bool fill_reference(struct cn_reader *reader, struct etf_identifier *id)
{
    const uint8_t *data;

    if (!take(reader, 2, &data))
        return false;
    id->count = be16_get(data);
    if (id->count < 1 || id->count > 5 || !cn_read_atom(reader, &id->node) ||
        !take(reader, 4 + 4 * (size_t)id->count, &data))
        return false;
    id->creation = be32_get(data);
    for (uint32_t i = 0; i < id->count; i++)
        id->words[i] = be32_get(data + 4 + 4 * (size_t)i);
    return true;
}

static bool fill_identifier(struct cn_reader *reader, struct etf_identifier *id)
{
    const uint8_t *data;
    uint8_t tag;

    *id = (struct etf_identifier){0};
    if (etf_in_string(reader) || !take(reader, 1, &data))
        return false;
    tag = data[0];
    if (tag == TAG_NEWER_REFERENCE)
        return fill_reference(reader, id);
    if (tag != TAG_NEW_PID && tag != TAG_NEW_PORT && tag != TAG_V4_PORT)
        return false;
    if (!cn_read_atom(reader, &id->node) || !take(reader, tag == TAG_NEW_PORT ? 8 : 12, &data))
        return false;
    id->id = tag == TAG_V4_PORT ? be64_get(data) : be32_get(data);
    id->serial = tag == TAG_NEW_PID ? be32_get(data + 4) : 0;
    id->creation = be32_get(data + (tag == TAG_NEW_PORT ? 4 : 8));
    return true;
}

bool etf_read_identifier(struct cn_reader *reader, struct etf_identifier *ret_identifier)
{
    struct etf_identifier id;

    if (!fill_identifier(reader, &id))
        return cn_reader_fail(reader);
    *ret_identifier = id;
    return true;
}

static bool fill_export(struct cn_reader *reader, struct etf_fun *fun)
{
    int64_t arity;

    fun->external = true;
    if (!cn_read_atom(reader, &fun->module) || !cn_read_atom(reader, &fun->function) ||
        !cn_read_integer(reader, &arity) || arity < 0 || arity > 255)
        return false;
    fun->arity = (uint32_t)arity;
    return true;
}

/* A local fun, in a reader of its own bytes after the tag and size. */
static bool fill_local(struct cn_reader *reader, struct etf_fun *fun)
{
    const uint8_t *data;
    struct etf_identifier pid;

    if (!take(reader, FUN_BYTES - 5, &data))
        return false;
    fun->arity = data[0];
    fun->uniq = data + 1;
    fun->index = be32_get(data + 17);
    fun->free_count = be32_get(data + 21);
    if (!cn_read_atom(reader, &fun->module) || !cn_read_integer(reader, &fun->old_index) ||
        !cn_read_integer(reader, &fun->old_uniq) || !fill_identifier(reader, &pid))
        return false;
    fun->free = (struct cn_term){reader->data + reader->at, reader->size - reader->at};
    return fun->free_count <= fun->free.size;
}

static bool fill_fun(struct cn_reader *reader, struct etf_fun *fun)
{
    const uint8_t *data;
    struct cn_reader inner;
    size_t size;

    *fun = (struct etf_fun){0};
    if (etf_in_string(reader) || !take(reader, 1, &data))
        return false;
    if (data[0] == TAG_EXPORT)
        return fill_export(reader, fun);
    if (data[0] != TAG_NEW_FUN || !take(reader, 4, &data))
        return false;
    size = be32_get(data);
    if (size < 4 || !take(reader, size - 4, &data))
        return false;
    cn_reader_init(&inner, (struct cn_term){data, size - 4});
    return fill_local(&inner, fun);
}

bool etf_read_fun(struct cn_reader *reader, struct etf_fun *ret_fun)
{
    struct etf_fun fun;

    if (!fill_fun(reader, &fun))
        return cn_reader_fail(reader);
    *ret_fun = fun;
    return true;
}

enum etf_step etf_list_step(struct cn_reader *reader, uint32_t *left)
{
    if (*left == 0) {
        if (!reader->failed && cn_peek(reader) != CN_TYPE_LIST && reader->at < reader->size)
            return ETF_STEP_TAIL;
        if (!cn_read_list(reader, left))
            return ETF_STEP_IN_ERROR;
        if (*left == 0)
            return ETF_STEP_END;
    }
    --*left;
    return ETF_STEP_ELEMENT;
}
