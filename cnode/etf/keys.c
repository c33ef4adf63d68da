/*
 * Looking for twin keys.
 *
 * The keys of a map are gathered on a stack while the map is passed, those of maps inside it above
 * them, so each byte is passed once. Structs and other small maps have atoms as keys, which are
 * compared as they lie there: a BEAM mostly sends them in order. Other keys are hashed and sorted
 * by hash, and only those with the same hash are compared, as values: 1 has several forms on the
 * wire.
 *
 * Somebody may choose keys so that this takes long: keys in keys, each hashed again on every level,
 * many keys of one hash, or maps as keys that are costly to compare. So keys, hashed bytes and
 * steps of comparing are bounded, and a term beyond the bounds is refused. (Pids of one number on
 * several nodes have one hash; some hundreds of them are no hostility, and within the bounds.)
 */
#include "etf/keys.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "etf/compare.h"
#include "etf/head.h"
#include "etf/phash2.h"
#include "etf/tags.h"

#define FEW            32     /* keys that are compared each with each, or sorted by insertion */
#define COMPARE_STEPS  500000 /* in the whole term */
#define COMPARED_BYTES 65536  /* of a key; no two that are longer have one hash by chance */

/* The keys of the maps around the present place, outermost first. */
struct keys {
    const uint8_t *data;
    size_t size;
    struct cn_term *stack; /* `first` until more are needed */
    size_t count;
    size_t capacity;
    size_t seen;   /* keys so far */
    size_t hashed; /* bytes so far */
    uint64_t effort;
    struct cn_term first[FEW];
};

struct hashed_key {
    uint32_t hash;
    uint32_t index;
};

static int pass_term(struct keys *keys, size_t *at);

static int grow(struct keys *keys)
{
    bool first = keys->stack == keys->first;
    size_t size = keys->capacity * sizeof(*keys->stack);
    struct cn_term *stack = mem_realloc(first ? NULL : keys->stack, 2 * size);

    if (stack == NULL)
        return -ENOMEM;
    if (first)
        memcpy(stack, keys->first, size);
    keys->stack = stack;
    keys->capacity *= 2;
    return 0;
}

static int push(struct keys *keys, size_t start, size_t end)
{
    int r = 0;

    if (++keys->seen > ETF_KEYS_MAX)
        return CN_E_TERM_LIMIT;
    if (keys->count == keys->capacity)
        r = grow(keys);
    if (r == 0)
        keys->stack[keys->count++] = (struct cn_term){keys->data + start, end - start};
    return r;
}

/* Tell whether all are atoms in the one form that is sent. */
static bool are_atoms(const struct cn_term *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (keys[i].data[0] != TAG_SMALL_ATOM_UTF8)
            return false;
    }
    return true;
}

/* In term order when all are atoms: by their texts. */
static bool are_in_order(const struct cn_term *keys, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        size_t before = keys[i - 1].data[1];
        size_t size = keys[i].data[1];
        int r = memcmp(keys[i - 1].data + 2, keys[i].data + 2, before < size ? before : size);

        if (r > 0 || (r == 0 && before >= size))
            return false;
    }
    return true;
}

static int check_atoms(const struct cn_term *keys, size_t count)
{
    if (are_in_order(keys, count))
        return 0;
    for (size_t i = 1; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (keys[i].size == keys[j].size &&
                memcmp(keys[i].data, keys[j].data, keys[i].size) == 0)
                return CN_E_TERM_TWINS;
        }
    }
    return 0;
}

/* Sort a few by hash. */
static void sort_few(struct hashed_key *keys, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct hashed_key key = keys[i];
        size_t place = i;

        for (; place > 0 && keys[place - 1].hash > key.hash; place--)
            keys[place] = keys[place - 1];
        keys[place] = key;
    }
}

/* Sort many by hash, byte by byte from the lowest; @spare has the same size. */
static void sort_many(struct hashed_key *keys, struct hashed_key *spare, size_t count)
{
    for (unsigned shift = 0; shift < 32; shift += 8) {
        struct hashed_key *swap = keys;
        size_t places[257] = {0};

        for (size_t i = 0; i < count; i++)
            places[(keys[i].hash >> shift & 0xff) + 1]++;
        for (size_t i = 1; i < 256; i++)
            places[i] += places[i - 1];
        for (size_t i = 0; i < count; i++)
            spare[places[keys[i].hash >> shift & 0xff]++] = keys[i];
        keys = spare;
        spare = swap;
    }
}

/* Compare the keys of one hash. */
static int check_same(struct keys *keys, const struct cn_term *terms, const struct hashed_key *same,
                      size_t count)
{
    struct etf_comparison how = {.exact = true, .equal_only = true, .effort = &keys->effort};

    for (size_t i = 1; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            int r;

            if (terms[same[i].index].size > COMPARED_BYTES)
                return CN_E_TERM_LIMIT;
            r = etf_compare_inside(terms[same[i].index], terms[same[j].index], how);
            if (keys->effort == 0)
                return CN_E_TERM_LIMIT;
            if (r == 0)
                return CN_E_TERM_TWINS;
        }
    }
    return 0;
}

static int check_sorted(struct keys *keys, const struct cn_term *terms,
                        const struct hashed_key *sorted, size_t count)
{
    size_t start = 0;
    int r = 0;

    for (size_t end = 1; end <= count && r == 0; end++) {
        if (end < count && sorted[end].hash == sorted[start].hash)
            continue;
        r = check_same(keys, terms, sorted + start, end - start);
        start = end;
    }
    return r;
}

static void hash_keys(const struct cn_term *terms, size_t count, struct hashed_key *hashed)
{
    for (size_t i = 0; i < count; i++)
        hashed[i] = (struct hashed_key){etf_phash2(terms[i]), (uint32_t)i};
}

static int check_many(struct keys *keys, const struct cn_term *terms, size_t count)
{
    struct hashed_key *hashed = mem_alloc(2 * count * sizeof(*hashed));
    int r;

    if (hashed == NULL)
        return -ENOMEM;
    hash_keys(terms, count, hashed);
    sort_many(hashed, hashed + count, count);
    r = check_sorted(keys, terms, hashed, count);
    mem_free(hashed);
    return r;
}

static int check_keys(struct keys *keys, const struct cn_term *terms, size_t count)
{
    struct hashed_key few[FEW];

    if (count <= FEW && are_atoms(terms, count))
        return check_atoms(terms, count);
    for (size_t i = 0; i < count; i++)
        keys->hashed += terms[i].size;
    if (keys->hashed > ETF_KEY_BYTES_MAX)
        return CN_E_TERM_LIMIT;
    if (count > FEW)
        return check_many(keys, terms, count);
    hash_keys(terms, count, few);
    sort_few(few, count);
    return check_sorted(keys, terms, few, count);
}

/* Pass the pairs of a map and look at its keys. */
static int pass_map(struct keys *keys, size_t *at, uint64_t pairs)
{
    size_t first = keys->count;
    size_t start;
    int r = 0;

    for (; pairs > 0 && r == 0; pairs--) {
        start = *at;
        r = pass_term(keys, at);
        if (r == 0)
            r = push(keys, start, *at);
        if (r == 0)
            r = pass_term(keys, at);
    }
    if (r != 0)
        return r;
    r = check_keys(keys, keys->stack + first, keys->count - first);
    keys->count = first;
    return r;
}

/* Pass one term. What has no map inside is passed head by head; a fun has maps in what it closes
 * over. */
static int pass_term(struct keys *keys, size_t *at)
{
    uint64_t left = 1;
    int r = 0;

    while (left > 0 && r == 0) {
        uint8_t tag = keys->data[*at];
        struct etf_head head;

        r = tag == TAG_NEW_FUN ? etf_head_read(keys->data + *at, keys->size - *at, 0, &head)
                               : etf_head_pass(keys->data + *at, keys->size - *at, &head);
        if (r != 0)
            return r;
        *at += head.size;
        if (tag == TAG_MAP && head.children > 2) {
            left--;
            r = pass_map(keys, at, head.children / 2);
        } else {
            left += head.children - 1;
        }
    }
    return r;
}

int etf_keys_check(const uint8_t *data, size_t size)
{
    struct keys keys;
    size_t at = 0;
    int r;

    keys.data = data;
    keys.size = size;
    keys.stack = keys.first;
    keys.count = 0;
    keys.capacity = FEW;
    keys.seen = 0;
    keys.hashed = 0;
    keys.effort = COMPARE_STEPS;
    r = pass_term(&keys, &at);
    if (keys.stack != keys.first)
        mem_free(keys.stack);
    return r;
}
