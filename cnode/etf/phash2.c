/*
 * phash2 over bytes in external term format.
 *
 * One accumulator of 32 bits is mixed with each part of the term in turn (Bob Jenkins' mixing of
 * 1996, as the BEAM uses it). It does not matter how a list was cut up on the wire or in what order
 * a map's pairs come: lists are walked element by element, and the hashes of pairs are combined by
 * exclusive or. Recursion is as deep as the walker allows terms to nest.
 */
#include "etf/phash2.h"

#include <string.h>

#include "base/bytes.h"
#include "etf/raw.h"
#include "etf/walk.h"

#define GOLDEN      UINT32_C(0x9e3779b9)
#define CONSTANT(n) ((uint32_t)((n)*UINT64_C(0x9e3779b9)))

static void hash_next(struct cn_reader *reader, uint32_t *hash, unsigned depth);

static void mix(uint32_t *a, uint32_t *b, uint32_t *c)
{
    static const uint8_t shifts[3][3] = {{13, 8, 13}, {12, 16, 5}, {3, 10, 15}};

    for (int i = 0; i < 3; i++) {
        *a = (*a - *b - *c) ^ (*c >> shifts[i][0]);
        *b = (*b - *c - *a) ^ (*a << shifts[i][1]);
        *c = (*c - *a - *b) ^ (*b >> shifts[i][2]);
    }
}

/* Mix two words into the hash. */
static void fold(uint32_t *hash, uint32_t x, uint32_t y, uint32_t constant)
{
    uint32_t a = constant + x;
    uint32_t b = constant + y;

    mix(&a, &b, hash);
}

static uint32_t le32_get(const uint8_t *from)
{
    return (uint32_t)from[3] << 24 | (uint32_t)from[2] << 16 | (uint32_t)from[1] << 8 | from[0];
}

/* A word of 4, or fewer, bytes with the lowest first. */
static uint32_t le32_part(const uint8_t *from, size_t size)
{
    uint8_t word[4] = {0};

    if (size > 0)
        memcpy(word, from, size < sizeof(word) ? size : sizeof(word));
    return le32_get(word);
}

/* Jenkins' hash of a block of bytes. */
static uint32_t hash_block(const uint8_t *data, size_t size, uint32_t start)
{
    uint32_t a = GOLDEN;
    uint32_t b = GOLDEN;
    uint32_t c = start;
    size_t left = size;

    for (; left >= 12; left -= 12, data += 12) {
        a += le32_get(data);
        b += le32_get(data + 4);
        c += le32_get(data + 8);
        mix(&a, &b, &c);
    }
    c += (uint32_t)size;
    a += le32_part(data, left);
    b += left > 4 ? le32_part(data + 4, left - 4) : 0;
    c += left > 8 ? le32_part(data + 8, left - 8) << 8 : 0;
    mix(&a, &b, &c);
    return c;
}

/* The PJW hash of an atom's text; what fits Latin-1 counts as one byte. */
static uint32_t hash_text(struct cn_bytes text)
{
    uint32_t hash = 0;

    for (size_t i = 0; i < text.size; i++) {
        uint32_t value = text.data[i];
        uint32_t high;

        if ((value & 0xfe) == 0xc2 && i + 1 < text.size) {
            i++;
            value = (value & 3) << 6 | (text.data[i] & 0x3f);
        }
        hash = (hash << 4) + value;
        high = hash & 0xf0000000;
        hash ^= high >> 24;
        hash ^= high;
    }
    return hash;
}

static void hash_atom(struct cn_reader *reader, uint32_t *hash)
{
    struct cn_bytes text;

    if (!cn_read_atom(reader, &text))
        return;
    if (*hash == 0)
        *hash = hash_text(text);
    else
        fold(hash, hash_text(text), 0, CONSTANT(3));
}

static void hash_small(uint32_t *hash, int64_t value)
{
    if (value < 0)
        fold(hash, (uint32_t)-value, 0, CONSTANT(1));
    fold(hash, (uint32_t)value, 0, CONSTANT(1));
}

static void hash_integer(struct cn_reader *reader, uint32_t *hash)
{
    struct etf_integer integer;
    int64_t value;

    if (!etf_read_integer(reader, &integer))
        return;
    if (etf_integer_value(&integer, &value) && value >= -(1 << 27) && value < 1 << 27) {
        hash_small(hash, value);
        return;
    }
    for (size_t at = 0; at < integer.size; at += 8) {
        const uint8_t *limb = etf_magnitude(&integer) + at;
        size_t size = integer.size - at;

        fold(hash, le32_part(limb, size), size > 4 ? le32_part(limb + 4, size - 4) : 0,
             integer.negative ? CONSTANT(10) : CONSTANT(11));
    }
}

static void hash_float(struct cn_reader *reader, uint32_t *hash)
{
    double value;
    uint64_t bits;

    if (!cn_read_float(reader, &value))
        return;
    if (value == 0)
        value = 0; /* -0.0 too */
    memcpy(&bits, &value, sizeof(bits));
    fold(hash, (uint32_t)(bits >> 32), (uint32_t)bits, CONSTANT(12));
}

static void hash_bits(struct cn_reader *reader, uint32_t *hash)
{
    struct etf_bits bits;
    uint32_t start = CONSTANT(13) + *hash;

    if (!etf_read_bits(reader, &bits))
        return;
    if (bits.size == 0 && bits.extra == 0) {
        *hash = start;
        return;
    }
    *hash = hash_block(bits.data, bits.size, start);
    if (bits.extra > 0)
        fold(hash, bits.extra, bits.data[bits.size] >> (8 - bits.extra), CONSTANT(15));
}

static void hash_identifier(struct cn_reader *reader, uint32_t *hash, enum cn_type type)
{
    struct etf_identifier id;

    if (!etf_read_identifier(reader, &id))
        return;
    if (type == CN_TYPE_PID)
        fold(hash, (uint32_t)id.id, 0, CONSTANT(5));
    else if (type == CN_TYPE_PORT)
        fold(hash, (uint32_t)id.id, (uint32_t)(id.id >> 32), CONSTANT(6));
    else
        fold(hash, id.words[0], 0, CONSTANT(7));
}

static void hash_fun(struct cn_reader *reader, uint32_t *hash, unsigned depth)
{
    struct cn_reader free;
    struct etf_fun fun;

    if (!etf_read_fun(reader, &fun))
        return;
    fold(hash, fun.external ? fun.arity : fun.free_count, hash_text(fun.module), CONSTANT(1));
    if (fun.external) {
        fold(hash, hash_text(fun.function), 0, CONSTANT(14));
        return;
    }
    fold(hash, (uint32_t)fun.old_index, (uint32_t)fun.old_uniq, CONSTANT(1));
    cn_reader_init(&free, fun.free);
    for (uint32_t i = 0; i < fun.free_count && !free.failed; i++)
        hash_next(&free, hash, depth);
}

static void hash_nil(uint32_t *hash)
{
    if (*hash == 0)
        *hash = UINT32_C(3468870702);
    else
        fold(hash, 2, 0, CONSTANT(2));
}

/* Read an integer from 0 to 255; without a move when something else is next. */
static bool read_byte(struct cn_reader *reader, uint32_t *ret_byte)
{
    struct cn_reader probe = *reader;
    int64_t value;

    if (cn_peek(reader) != CN_TYPE_INTEGER || !cn_read_integer(&probe, &value) || value < 0 ||
        value > 255)
        return false;
    *reader = probe;
    *ret_byte = (uint32_t)value;
    return true;
}

/* Lists: bytes in a row are packed four to a word, everything else is hashed by itself. */
static void hash_list(struct cn_reader *reader, uint32_t *hash, unsigned depth)
{
    uint32_t left = 0;
    uint32_t word = 0;
    unsigned packed = 0;

    while (true) {
        enum etf_step step = etf_list_step(reader, &left);
        uint32_t byte;

        if (step == ETF_STEP_ELEMENT && read_byte(reader, &byte)) {
            word = word << 8 | byte;
            if (++packed < 4)
                continue;
        }
        if (packed > 0)
            fold(hash, word, 0, CONSTANT(4));
        if (step == ETF_STEP_END)
            hash_nil(hash);
        else if (packed < 4 && step != ETF_STEP_IN_ERROR)
            hash_next(reader, hash, depth);
        if (step != ETF_STEP_ELEMENT || reader->failed)
            return;
        word = 0;
        packed = 0;
    }
}

static void hash_tuple(struct cn_reader *reader, uint32_t *hash, unsigned depth)
{
    uint32_t arity;

    if (!cn_read_tuple(reader, &arity))
        return;
    fold(hash, arity, 0, CONSTANT(9));
    for (; arity > 0 && !reader->failed; arity--)
        hash_next(reader, hash, depth);
}

static void hash_map(struct cn_reader *reader, uint32_t *hash, unsigned depth)
{
    uint32_t pairs = 0;
    uint32_t count;

    if (!cn_read_map(reader, &count))
        return;
    fold(hash, count, 0, CONSTANT(16));
    if (count == 0)
        return;
    for (; count > 0 && !reader->failed; count--) {
        uint32_t pair = 0;

        hash_next(reader, &pair, depth);
        hash_next(reader, &pair, depth);
        pairs ^= pair;
    }
    fold(hash, pairs, 0, CONSTANT(19));
}

static void hash_container(struct cn_reader *reader, uint32_t *hash, unsigned depth,
                           enum cn_type type)
{
    if (depth > ETF_DEPTH_MAX)
        (void)cn_reader_fail(reader);
    else if (type == CN_TYPE_LIST)
        hash_list(reader, hash, depth + 1);
    else if (type == CN_TYPE_TUPLE)
        hash_tuple(reader, hash, depth + 1);
    else if (type == CN_TYPE_MAP)
        hash_map(reader, hash, depth + 1);
    else
        hash_fun(reader, hash, depth + 1);
}

/* Mix the next term into the hash. */
static void hash_next(struct cn_reader *reader, uint32_t *hash, unsigned depth)
{
    enum cn_type type = cn_peek(reader);

    switch (type) {
    case CN_TYPE_ATOM:
        hash_atom(reader, hash);
        break;
    case CN_TYPE_INTEGER:
    case CN_TYPE_BIG:
        hash_integer(reader, hash);
        break;
    case CN_TYPE_FLOAT:
        hash_float(reader, hash);
        break;
    case CN_TYPE_BINARY:
    case CN_TYPE_BITSTRING:
        hash_bits(reader, hash);
        break;
    case CN_TYPE_PID:
    case CN_TYPE_PORT:
    case CN_TYPE_REF:
        hash_identifier(reader, hash, type);
        break;
    case CN_TYPE_LIST:
    case CN_TYPE_TUPLE:
    case CN_TYPE_MAP:
    case CN_TYPE_FUN:
        hash_container(reader, hash, depth, type);
        break;
    case CN_TYPE_NONE:
        (void)cn_reader_fail(reader);
        break;
    }
}

uint32_t etf_phash2(struct cn_term term)
{
    struct cn_reader reader;
    uint32_t hash = 0;

    cn_reader_init(&reader, term);
    hash_next(&reader, &hash, 0);
    return hash;
}
