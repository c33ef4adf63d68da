/*
 * The reader: a cursor over one validated term, with a sticky first error.
 *
 * Texts, binaries and terms are views; floats are decoded by ei, after their length is known to be
 * there; pids and references are not, since every call has several and ei copies names twice. A
 * STRING_EXT shows itself as the list it is: while the cursor is inside, every byte is an integer,
 * and behind the last one the empty list is still to be read. Terms of such elements are views into
 * a table of all bytes.
 *
 * Although bytes are walked before, nothing here reads beyond the end, and no count is believed
 * that the bytes left cannot hold, so that a loop over it ends.
 */
#include <cnode/term.h>

#include <math.h>
#include <string.h>

#include <ei.h>

#include "base/bytes.h"
#include "base/text.h"
#include "etf/raw.h"
#include "etf/tags.h"
#include "etf/walk.h"

#define REF_WORDS_MAX 5

#define BYTE_TERM(n)           \
    {                          \
        TAG_SMALL_INTEGER, (n) \
    }
#define BYTE_TERMS4(n) BYTE_TERM(n), BYTE_TERM((n) + 1), BYTE_TERM((n) + 2), BYTE_TERM((n) + 3)
#define BYTE_TERMS16(n) \
    BYTE_TERMS4(n), BYTE_TERMS4((n) + 4), BYTE_TERMS4((n) + 8), BYTE_TERMS4((n) + 12)
#define BYTE_TERMS64(n) \
    BYTE_TERMS16(n), BYTE_TERMS16((n) + 16), BYTE_TERMS16((n) + 32), BYTE_TERMS16((n) + 48)

static const uint8_t byte_terms[256][2] = {BYTE_TERMS64(0), BYTE_TERMS64(64), BYTE_TERMS64(128),
                                           BYTE_TERMS64(192)};
static const uint8_t nil_term[1] = {TAG_NIL};

void cn_reader_init(struct cn_reader *reader, struct cn_term term)
{
    *reader = (struct cn_reader){.data = term.data, .size = term.size};
}

bool cn_reader_failed(const struct cn_reader *reader)
{
    return reader->failed;
}

bool cn_reader_done(const struct cn_reader *reader)
{
    return !reader->failed && !etf_in_string(reader) && reader->at == reader->size;
}

bool cn_reader_fail(struct cn_reader *reader)
{
    reader->failed = true;
    return false;
}

static enum cn_type integer_type(const struct cn_reader *reader)
{
    struct cn_reader probe = *reader;
    struct etf_integer integer;
    int64_t value;

    if (!etf_read_integer(&probe, &integer))
        return CN_TYPE_NONE;
    return etf_integer_value(&integer, &value) ? CN_TYPE_INTEGER : CN_TYPE_BIG;
}

static enum cn_type bits_type(const struct cn_reader *reader)
{
    struct cn_reader probe = *reader;
    struct etf_bits bits;

    if (!etf_read_bits(&probe, &bits))
        return CN_TYPE_NONE;
    return bits.extra == 0 ? CN_TYPE_BINARY : CN_TYPE_BITSTRING;
}

enum cn_type cn_peek(const struct cn_reader *reader)
{
    if (reader->failed)
        return CN_TYPE_NONE;
    if (etf_in_string(reader))
        return reader->string_left > 0 ? CN_TYPE_INTEGER : CN_TYPE_LIST;
    if (reader->at == reader->size)
        return CN_TYPE_NONE;
    switch (reader->data[reader->at]) {
    case TAG_SMALL_ATOM_UTF8:
    case TAG_ATOM_UTF8:
    case TAG_SMALL_ATOM:
    case TAG_ATOM:
        return CN_TYPE_ATOM;
    case TAG_SMALL_INTEGER:
    case TAG_INTEGER:
        return CN_TYPE_INTEGER;
    case TAG_SMALL_BIG:
    case TAG_LARGE_BIG:
        return integer_type(reader);
    case TAG_NEW_FLOAT:
        return CN_TYPE_FLOAT;
    case TAG_BINARY:
        return CN_TYPE_BINARY;
    case TAG_BIT_BINARY:
        return bits_type(reader);
    case TAG_NIL:
    case TAG_STRING:
    case TAG_LIST:
        return CN_TYPE_LIST;
    case TAG_SMALL_TUPLE:
    case TAG_LARGE_TUPLE:
        return CN_TYPE_TUPLE;
    case TAG_MAP:
        return CN_TYPE_MAP;
    case TAG_NEW_PID:
        return CN_TYPE_PID;
    case TAG_NEW_PORT:
    case TAG_V4_PORT:
        return CN_TYPE_PORT;
    case TAG_NEWER_REFERENCE:
        return CN_TYPE_REF;
    case TAG_NEW_FUN:
    case TAG_EXPORT:
        return CN_TYPE_FUN;
    default:
        return CN_TYPE_NONE;
    }
}

/* The bytes that are left, 0 where none may be read as a term's head. */
static size_t left(const struct cn_reader *reader)
{
    return reader->failed || etf_in_string(reader) ? 0 : reader->size - reader->at;
}

static const uint8_t *here(const struct cn_reader *reader)
{
    return reader->data + reader->at;
}

/* The bytes of an atom's head, 0 when no atom is next. */
static size_t atom_head(const struct cn_reader *reader)
{
    if (left(reader) < 2)
        return 0;
    switch (here(reader)[0]) {
    case TAG_SMALL_ATOM_UTF8:
    case TAG_SMALL_ATOM:
        return 2;
    case TAG_ATOM_UTF8:
    case TAG_ATOM:
        return left(reader) < 3 ? 0 : 3;
    default:
        return 0;
    }
}

bool cn_read_atom(struct cn_reader *reader, struct cn_bytes *ret_text)
{
    size_t head = atom_head(reader);
    size_t size;

    if (head == 0)
        return cn_reader_fail(reader);
    size = head == 2 ? here(reader)[1] : be16_get(here(reader) + 1);
    if (left(reader) - head < size)
        return cn_reader_fail(reader);
    *ret_text = (struct cn_bytes){here(reader) + head, size};
    reader->at += head + size;
    return true;
}

bool cn_read_this_atom(struct cn_reader *reader, const char *text)
{
    struct cn_bytes found;

    if (!cn_read_atom(reader, &found))
        return false;
    return cn_bytes_equal(found, text) || cn_reader_fail(reader);
}

bool cn_read_bool(struct cn_reader *reader, bool *ret_value)
{
    struct cn_bytes text;

    if (!cn_read_atom(reader, &text))
        return false;
    if (!cn_bytes_equal(text, "true") && !cn_bytes_equal(text, "false"))
        return cn_reader_fail(reader);
    *ret_value = cn_bytes_equal(text, "true");
    return true;
}

bool cn_read_integer(struct cn_reader *reader, int64_t *ret_value)
{
    struct etf_integer integer;

    if (left(reader) >= 2 && here(reader)[0] == TAG_SMALL_INTEGER) { /* nearly all of them */
        *ret_value = here(reader)[1];
        reader->at += 2;
        return true;
    }
    return etf_read_integer(reader, &integer) &&
           (etf_integer_value(&integer, ret_value) || cn_reader_fail(reader));
}

bool cn_read_float(struct cn_reader *reader, double *ret_value)
{
    double value;
    int index = 0;

    if (left(reader) < 9 || here(reader)[0] != TAG_NEW_FLOAT ||
        ei_decode_double((const char *)here(reader), &index, &value) != 0 || !isfinite(value))
        return cn_reader_fail(reader);
    *ret_value = value;
    reader->at += 9;
    return true;
}

bool cn_read_binary(struct cn_reader *reader, struct cn_bytes *ret_bytes)
{
    struct etf_bits bits;

    if (!etf_read_bits(reader, &bits))
        return false;
    if (bits.extra > 0)
        return cn_reader_fail(reader);
    *ret_bytes = (struct cn_bytes){bits.data, bits.size};
    return true;
}

/* Read a head of 5 bytes: @tag and a count, each of which needs @factor bytes at least. */
static bool read_count(struct cn_reader *reader, uint8_t tag, size_t factor, uint32_t *ret_count)
{
    uint32_t count;

    if (left(reader) < 5 || here(reader)[0] != tag)
        return cn_reader_fail(reader);
    count = be32_get(here(reader) + 1);
    if (count > (left(reader) - 5) / factor)
        return cn_reader_fail(reader);
    reader->at += 5;
    *ret_count = count;
    return true;
}

bool cn_read_tuple(struct cn_reader *reader, uint32_t *ret_arity)
{
    uint32_t arity;

    if (left(reader) < 2 || here(reader)[0] != TAG_SMALL_TUPLE)
        return read_count(reader, TAG_LARGE_TUPLE, 1, ret_arity);
    arity = here(reader)[1];
    if (arity > left(reader) - 2)
        return cn_reader_fail(reader);
    reader->at += 2;
    *ret_arity = arity;
    return true;
}

bool cn_read_this_tuple(struct cn_reader *reader, uint32_t arity)
{
    uint32_t found;

    return cn_read_tuple(reader, &found) && (found == arity || cn_reader_fail(reader));
}

static bool read_string(struct cn_reader *reader, uint32_t *ret_count)
{
    uint32_t count;

    if (left(reader) < 3)
        return cn_reader_fail(reader);
    count = be16_get(here(reader) + 1);
    if (count == 0 || count > left(reader) - 3)
        return cn_reader_fail(reader);
    reader->at += 3;
    reader->string_left = count;
    *ret_count = count;
    return true;
}

/* Whether the empty list is next: the tail of a string, or NIL. */
static bool pass_nil(struct cn_reader *reader)
{
    if (!reader->failed && reader->string_tail) {
        reader->string_tail = false;
        return true;
    }
    if (left(reader) == 0 || here(reader)[0] != TAG_NIL)
        return false;
    reader->at++;
    return true;
}

bool cn_read_list(struct cn_reader *reader, uint32_t *ret_count)
{
    uint32_t count = 0;

    if (!pass_nil(reader)) {
        if (left(reader) > 0 && here(reader)[0] == TAG_STRING)
            return read_string(reader, ret_count);
        if (!read_count(reader, TAG_LIST, 1, &count))
            return false;
        if (count == 0)
            return cn_reader_fail(reader);
    }
    *ret_count = count;
    return true;
}

bool cn_read_nil(struct cn_reader *reader)
{
    return pass_nil(reader) || cn_reader_fail(reader);
}

bool cn_read_map(struct cn_reader *reader, uint32_t *ret_count)
{
    return read_count(reader, TAG_MAP, 2, ret_count);
}

/*
 * Read @before bytes that start with @tag, a node's name into @ret_node, and @after bytes, of which
 * the place is given; NULL when they are not there or the name cannot be a C string.
 */
static const uint8_t *read_node(struct cn_reader *reader, uint8_t tag, size_t before, size_t after,
                                char *ret_node)
{
    struct cn_reader probe = *reader;
    struct cn_bytes node;

    if (left(reader) < before || here(reader)[0] != tag)
        return NULL;
    probe.at += before;
    if (!cn_read_atom(&probe, &node) || left(&probe) < after || node.size > CN_NODE_NAME_MAX ||
        memchr(node.data, 0, node.size) != NULL)
        return NULL;
    memcpy(ret_node, node.data, node.size);
    ret_node[node.size] = '\0';
    reader->at = probe.at + after;
    return here(&probe);
}

bool cn_read_pid(struct cn_reader *reader, struct cn_pid *ret_pid)
{
    const uint8_t *rest = read_node(reader, TAG_NEW_PID, 1, 12, ret_pid->node);

    if (rest == NULL)
        return cn_reader_fail(reader);
    ret_pid->id = be32_get(rest);
    ret_pid->serial = be32_get(rest + 4);
    ret_pid->creation = be32_get(rest + 8);
    return true;
}

bool cn_read_ref(struct cn_reader *reader, struct cn_ref *ret_ref)
{
    size_t count = left(reader) < 3 ? 0 : be16_get(here(reader) + 1);
    const uint8_t *rest;

    if (count < 1 || count > REF_WORDS_MAX)
        return cn_reader_fail(reader);
    rest = read_node(reader, TAG_NEWER_REFERENCE, 3, 4 + 4 * count, ret_ref->node);
    if (rest == NULL)
        return cn_reader_fail(reader);
    ret_ref->creation = be32_get(rest);
    ret_ref->count = (uint32_t)count;
    for (size_t i = 0; i < REF_WORDS_MAX; i++)
        ret_ref->words[i] = i < count ? be32_get(rest + 4 + 4 * i) : 0;
    return true;
}

static struct cn_term string_part(struct cn_reader *reader)
{
    const uint8_t *element;

    if (pass_nil(reader))
        return (struct cn_term){nil_term, sizeof(nil_term)};
    element = byte_terms[here(reader)[0]];
    reader->at++;
    reader->string_left--;
    reader->string_tail = reader->string_left == 0;
    return (struct cn_term){element, sizeof(byte_terms[0])};
}

bool cn_read_term(struct cn_reader *reader, struct cn_term *ret_term)
{
    size_t size;

    if (reader->failed)
        return false;
    if (etf_in_string(reader)) {
        *ret_term = string_part(reader);
        return true;
    }
    if (left(reader) == 0 || etf_skip(here(reader), left(reader), &size) != 0)
        return cn_reader_fail(reader);
    *ret_term = (struct cn_term){here(reader), size};
    reader->at += size;
    return true;
}

bool cn_skip(struct cn_reader *reader)
{
    struct cn_term term;

    return cn_read_term(reader, &term);
}
