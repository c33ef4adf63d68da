/*
 * The walker over bytes in external term format.
 *
 * One function reads a term's head: how many bytes it takes, and how many terms follow inside it.
 * For most terms (numbers, atoms, binaries, pids) the head is everything. The walk is then a loop
 * with a small stack of "how many are left on this level"; skipping, over bytes that were checked
 * before, needs only a sum of terms to come. The head reader is compiled twice, with and without
 * the checks that skipping can do without.
 *
 * A count is compared with the bytes left before anybody believes it, since each element takes at
 * least one byte: a list that claims two thousand million elements fails at once.
 */
#include "etf/walk.h"

#include <stdbool.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "etf/head.h"
#include "etf/keys.h"
#include "etf/levels.h"
#include "etf/tags.h"

#define PID_BYTES     12 /* id, serial, creation */
#define PORT_BYTES    8  /* id, creation */
#define V4_PORT_BYTES 12
#define FUN_BYTES     ETF_FUN_BYTES
#define REF_WORDS_MAX 5

/* Bytes that head_* functions may read, from a term's tag on. */
struct view {
    const uint8_t *data;
    size_t size;
    uint32_t refs; /* ATOM_CACHE_REF may name so many atoms; 0: not allowed */
};

static int head_fixed(struct view view, size_t size, struct etf_head *head)
{
    if (view.size < size)
        return CN_E_TERM_SHORT;
    head->size = size;
    return 0;
}

/* A head of @fixed bytes and @more bytes of content. */
static int head_content(struct view view, size_t fixed, size_t more, struct etf_head *head)
{
    if (view.size - fixed < more)
        return CN_E_TERM_SHORT;
    head->size = fixed + more;
    return 0;
}

static bool atom_is_fine(const uint8_t *text, size_t size, bool latin1)
{
    size_t characters;

    if (!utf8_valid(text, size, &characters) || characters > ETF_ATOM_CHARACTERS_MAX)
        return false;
    return !latin1 || characters == size;
}

/* An atom with a length of @length_bytes. */
static inline int head_atom(struct view view, size_t length_bytes, bool latin1, bool check,
                            struct etf_head *head)
{
    size_t fixed = 1 + length_bytes;
    size_t size;

    if (view.size < fixed)
        return CN_E_TERM_SHORT;
    size = length_bytes == 1 ? view.data[1] : be16_get(view.data + 1);
    if (view.size - fixed < size)
        return CN_E_TERM_SHORT;
    if (check && !atom_is_fine(view.data + fixed, size, latin1))
        return CN_E_TERM_ATOM;
    head->size = fixed + size;
    return 0;
}

/* A reference to an atom that the distribution header before the term names. */
static int head_atom_ref(struct view view, struct etf_head *head)
{
    if (view.refs == 0)
        return CN_E_TERM_TAG;
    if (view.size < 2)
        return CN_E_TERM_SHORT;
    if (view.data[1] >= view.refs)
        return CN_E_TERM_VALUE;
    head->size = 2;
    return 0;
}

/* An atom of any tag, where nothing else may stand. */
static int head_any_atom(struct view view, bool check, struct etf_head *head)
{
    if (view.size < 1)
        return CN_E_TERM_SHORT;
    switch (view.data[0]) {
    case TAG_SMALL_ATOM_UTF8:
        return head_atom(view, 1, false, check, head);
    case TAG_ATOM_UTF8:
        return head_atom(view, 2, false, check, head);
    case TAG_SMALL_ATOM:
        return head_atom(view, 1, true, check, head);
    case TAG_ATOM:
        return head_atom(view, 2, true, check, head);
    case TAG_ATOM_CACHE_REF:
        return head_atom_ref(view, head);
    default:
        return CN_E_TERM_TAG;
    }
}

static struct view view_from(struct view view, size_t at)
{
    return (struct view){view.data + at, view.size - at, view.refs};
}

/* A pid or port: @before bytes, the node's atom, @after bytes. */
static int head_identifier(struct view view, size_t before, size_t after, bool check,
                           struct etf_head *head)
{
    int r;

    if (view.size < before)
        return CN_E_TERM_SHORT;
    r = head_any_atom(view_from(view, before), check, head);
    if (r != 0)
        return r;
    return head_content(view, before + head->size, after, head);
}

static int head_reference(struct view view, bool check, struct etf_head *head)
{
    size_t words;

    if (view.size < 3)
        return CN_E_TERM_SHORT;
    words = be16_get(view.data + 1);
    if (words < 1 || words > REF_WORDS_MAX)
        return CN_E_TERM_COUNT;
    return head_identifier(view, 3, 4 + 4 * words, check, head);
}

static int head_float(struct view view, bool check, struct etf_head *head)
{
    int r = head_fixed(view, 9, head);

    if (r == 0 && check && (be16_get(view.data + 1) & 0x7ff0) == 0x7ff0)
        return CN_E_TERM_VALUE; /* infinity or NaN */
    return r;
}

static int head_big(struct view view, size_t length_bytes, bool check, struct etf_head *head)
{
    size_t fixed = 2 + length_bytes;

    if (view.size < fixed)
        return CN_E_TERM_SHORT;
    if (check && view.data[fixed - 1] > 1)
        return CN_E_TERM_VALUE; /* the sign */
    return head_content(view, fixed, length_bytes == 1 ? view.data[1] : be32_get(view.data + 1),
                        head);
}

static int head_string(struct view view, struct etf_head *head)
{
    size_t size;

    if (view.size < 3)
        return CN_E_TERM_SHORT;
    size = be16_get(view.data + 1);
    return size == 0 ? CN_E_TERM_COUNT : head_content(view, 3, size, head);
}

static int head_binary(struct view view, struct etf_head *head)
{
    return view.size < 5 ? CN_E_TERM_SHORT : head_content(view, 5, be32_get(view.data + 1), head);
}

static int head_bit_binary(struct view view, struct etf_head *head)
{
    size_t size;

    if (view.size < 6)
        return CN_E_TERM_SHORT;
    size = be32_get(view.data + 1);
    if (size == 0 || view.data[5] < 1 || view.data[5] > 8)
        return CN_E_TERM_VALUE;
    return head_content(view, 6, size, head);
}

/* A container: @size bytes with a count in the last ones, @factor terms for each, @extra terms. */
static int head_container(struct view view, size_t size, unsigned factor, unsigned extra,
                          struct etf_head *head)
{
    int r = head_fixed(view, size, head);
    uint64_t count;

    if (r != 0)
        return r;
    count = size == 2 ? view.data[1] : be32_get(view.data + 1);
    if (count == 0 && extra > 0)
        return CN_E_TERM_COUNT; /* a list without elements is NIL */
    head->children = count * factor + extra;
    return head->children > view.size - size ? CN_E_TERM_COUNT : 0;
}

/* One of the two old integers inside a fun; moves @at behind it. */
static int pass_integer(struct view view, size_t *at)
{
    size_t size;

    if (view.size - *at < 1)
        return CN_E_TERM_SHORT;
    if (view.data[*at] != TAG_SMALL_INTEGER && view.data[*at] != TAG_INTEGER)
        return CN_E_TERM_TAG;
    size = view.data[*at] == TAG_INTEGER ? 5 : 2;
    if (view.size - *at < size)
        return CN_E_TERM_SHORT;
    *at += size;
    return 0;
}

/* Module, old index, old uniq and pid of a fun, from FUN_BYTES on. */
static int fun_fixed_part(struct view view, struct etf_head *head)
{
    size_t at = FUN_BYTES;
    int r = head_any_atom(view_from(view, at), true, head);

    at += head->size;
    if (r == 0)
        r = pass_integer(view, &at);
    if (r == 0)
        r = pass_integer(view, &at);
    if (r != 0)
        return r;
    if (view.size - at < 1)
        return CN_E_TERM_SHORT;
    if (view.data[at] != TAG_NEW_PID)
        return CN_E_TERM_TAG;
    r = head_identifier(view_from(view, at), 1, PID_BYTES, true, head);
    head->size += at;
    return r;
}

static int head_fun(struct view view, bool check, struct etf_head *head)
{
    size_t size;
    int r;

    if (view.size < FUN_BYTES)
        return CN_E_TERM_SHORT;
    size = be32_get(view.data + 1);
    r = head_content(view, 1, size, head);
    if (r != 0 || !check)
        return r;
    if (size < FUN_BYTES - 1)
        return CN_E_TERM_VALUE;
    view.size = 1 + size;
    r = fun_fixed_part(view, head);
    if (r != 0)
        return r;
    head->children = be32_get(view.data + 26);
    head->end = view.size;
    if (head->children > view.size - head->size)
        return CN_E_TERM_COUNT;
    return head->children == 0 && head->size != head->end ? CN_E_TERM_VALUE : 0;
}

static int head_export(struct view view, bool check, struct etf_head *head)
{
    size_t at = 1;
    int r;

    for (int i = 0; i < 2; i++) {
        r = head_any_atom(view_from(view, at), check, head);
        if (r != 0)
            return r;
        at += head->size;
    }
    if (view.size - at < 2)
        return CN_E_TERM_SHORT;
    if (view.data[at] != TAG_SMALL_INTEGER)
        return CN_E_TERM_TAG;
    head->size = at + 2;
    return 0;
}

/* The head of the term at @view, which is not empty. */
static inline __attribute__((always_inline)) int head_read(struct view view, bool check,
                                                           struct etf_head *head)
{
    head->children = 0;
    head->end = 0;
    switch (view.data[0]) {
    case TAG_SMALL_INTEGER:
        return head_fixed(view, 2, head);
    case TAG_INTEGER:
        return head_fixed(view, 5, head);
    case TAG_NIL:
        return head_fixed(view, 1, head);
    case TAG_SMALL_ATOM_UTF8:
        return head_atom(view, 1, false, check, head);
    case TAG_ATOM_UTF8:
    case TAG_SMALL_ATOM:
    case TAG_ATOM:
        return head_any_atom(view, check, head);
    case TAG_BINARY:
        return head_binary(view, head);
    case TAG_MAP:
        return head_container(view, 5, 2, 0, head);
    case TAG_SMALL_TUPLE:
        return head_container(view, 2, 1, 0, head);
    case TAG_LARGE_TUPLE:
        return head_container(view, 5, 1, 0, head);
    case TAG_LIST:
        return head_container(view, 5, 1, 1, head);
    case TAG_STRING:
        return head_string(view, head);
    case TAG_NEW_FLOAT:
        return head_float(view, check, head);
    case TAG_SMALL_BIG:
        return head_big(view, 1, check, head);
    case TAG_LARGE_BIG:
        return head_big(view, 4, check, head);
    case TAG_BIT_BINARY:
        return head_bit_binary(view, head);
    case TAG_NEW_PID:
        return head_identifier(view, 1, PID_BYTES, check, head);
    case TAG_NEW_PORT:
        return head_identifier(view, 1, PORT_BYTES, check, head);
    case TAG_V4_PORT:
        return head_identifier(view, 1, V4_PORT_BYTES, check, head);
    case TAG_NEWER_REFERENCE:
        return head_reference(view, check, head);
    case TAG_NEW_FUN:
        return head_fun(view, check, head);
    case TAG_EXPORT:
        return head_export(view, check, head);
    case TAG_ATOM_CACHE_REF:
        return head_atom_ref(view, head);
    case TAG_COMPRESSED:
        return CN_E_TERM_COMPRESSED;
    default:
        return CN_E_TERM_TAG;
    }
}

int etf_head_read(const uint8_t *data, size_t size, uint32_t refs, struct etf_head *ret_head)
{
    return size == 0 ? CN_E_TERM_SHORT : head_read((struct view){data, size, refs}, true, ret_head);
}

int etf_head_pass(const uint8_t *data, size_t size, struct etf_head *ret_head)
{
    return size == 0 ? CN_E_TERM_SHORT : head_read((struct view){data, size, 0}, false, ret_head);
}

int etf_walk(const uint8_t *data, size_t size, const struct etf_limits *limits, size_t *ret_size)
{
    struct etf_levels levels;
    size_t at = 0;

    etf_levels_init(&levels, limits);
    while (levels.now.left > 0) {
        struct etf_head head;
        int r;

        if (at == size)
            return CN_E_TERM_SHORT;
        r = head_read((struct view){data + at, size - at, 0}, true, &head);
        if (r == 0)
            r = etf_levels_enter(&levels, &head, at, data[at]);
        if (r != 0)
            return r;
        at += head.size;
        while (etf_levels_done(&levels)) {
            if (levels.now.end > 0 && levels.now.end != at)
                return CN_E_TERM_VALUE;
            etf_levels_leave(&levels);
        }
    }
    if (levels.maps) {
        int r = etf_keys_check(data, at);

        if (r != 0)
            return r;
    }
    *ret_size = at;
    return 0;
}

int etf_check(const uint8_t *data, size_t size, const struct etf_limits *limits,
              struct cn_term *ret_term)
{
    size_t term_size;
    int r = etf_walk(data, size, limits, &term_size);

    if (r != 0)
        return r;
    if (term_size != size)
        return CN_E_TERM_TRAILING;
    *ret_term = (struct cn_term){data, size};
    return 0;
}

int etf_check_versioned(const uint8_t *data, size_t size, const struct etf_limits *limits,
                        struct cn_term *ret_term)
{
    if (size == 0)
        return CN_E_TERM_SHORT;
    if (data[0] != TAG_VERSION)
        return CN_E_TERM_TAG;
    return etf_check(data + 1, size - 1, limits, ret_term);
}

int etf_skip(const uint8_t *data, size_t size, size_t *ret_size)
{
    uint64_t left = 1;
    size_t at = 0;

    while (left > 0) {
        struct etf_head head;
        int r;

        if (left > size - at)
            return CN_E_TERM_SHORT;
        r = head_read((struct view){data + at, size - at, 0}, false, &head);
        if (r != 0)
            return r;
        at += head.size;
        left += head.children - 1;
    }
    *ret_size = at;
    return 0;
}
