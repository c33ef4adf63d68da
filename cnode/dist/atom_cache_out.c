/*
 * The outgoing atom cache.
 *
 * Slots by number, and a table of slot numbers by hash, open addressed and at most half full. A
 * slot remembers the frame in which it was named last and its index there, so that a look-up is
 * also the look-up in the frame's own table. Giving a slot anew takes its old entry out of the
 * table by moving later ones back.
 *
 * The remembered words ("standing") keep for each of their slots the index in a frame that begins
 * with them. They are forgotten when one of their slots is given anew.
 */
#include "dist/atom_cache_out.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "dist/atom_cache_in.h"
#include "dist/atom_cache_wire.h"
#include "etf/index.h"

#define TABLE_SIZE 4096 /* twice the slots: a power of two */
#define NO_SLOT    UINT16_MAX
#define GROWTH     128 /* slots that memory is added for at once */

struct slot {
    uint8_t *text; /* NULL: empty */
    uint32_t hash;
    uint32_t frame; /* in which it was named last... */
    uint16_t size;
    uint8_t index;    /* ...under this index */
    uint8_t standing; /* its index + 1 among the standing words; 0: it is none of them */
};

/* Words that the peer has, all old: their part of a header. */
struct standing {
    const struct cn_words *words; /* NULL: none */
    uint32_t count;
    uint16_t named[CN_WORDS_MAX];
    uint8_t flags[ATOM_CACHE_FLAG_BYTES(CN_WORDS_MAX)];
    uint8_t references[CN_WORDS_MAX];
};

struct atom_cache_out {
    uint32_t frame;
    uint32_t next;     /* the slot to be given next */
    uint32_t capacity; /* slots there is memory for */
    struct slot *slots;
    uint32_t count;     /* atoms in the frame's header */
    size_t fresh_bytes; /* of their texts that the peer does not have */
    uint32_t fresh_count;
    bool long_atoms;
    bool stands; /* the frame begins with the standing words */
    struct standing standing;
    uint16_t named[ATOM_CACHE_REFS_MAX]; /* from the standing words on, if the frame has them */
    bool fresh[ATOM_CACHE_REFS_MAX];
    uint16_t table[TABLE_SIZE];
};

struct atom_cache_out *atom_cache_out_new(void)
{
    struct atom_cache_out *cache = mem_zalloc(sizeof(*cache));

    if (cache != NULL)
        memset(cache->table, 0xff, sizeof(cache->table));
    return cache;
}

struct atom_cache_out *atom_cache_out_free(struct atom_cache_out *cache)
{
    if (cache == NULL)
        return NULL;
    for (uint32_t i = 0; i < cache->capacity; i++)
        mem_free(cache->slots[i].text);
    mem_free(cache->slots);
    mem_free(cache);
    return NULL;
}

void atom_cache_out_begin(struct atom_cache_out *cache)
{
    cache->count = 0;
    cache->fresh_bytes = 0;
    cache->fresh_count = 0;
    cache->long_atoms = false;
    cache->stands = false;
    if (++cache->frame == 0) { /* slots that were never named have frame 0 */
        for (uint32_t i = 0; i < cache->capacity; i++)
            cache->slots[i].frame = 0;
        cache->frame = 1;
    }
}

/* The place in the table of the slot with @text, or of the gap where it would stand. */
static uint32_t place_of(const struct atom_cache_out *cache, struct cn_bytes text, uint32_t hash)
{
    uint32_t place = hash % TABLE_SIZE;

    for (; cache->table[place] != NO_SLOT; place = (place + 1) % TABLE_SIZE) {
        const struct slot *slot = &cache->slots[cache->table[place]];

        if (slot->hash == hash && slot->size == text.size &&
            (text.size == 0 || memcmp(slot->text, text.data, text.size) == 0))
            break;
    }
    return place;
}

/* Tell whether an entry that belongs at @home and stands at @from may move to the gap @to. */
static bool may_move(uint32_t home, uint32_t from, uint32_t to)
{
    return (from - home) % TABLE_SIZE >= (from - to) % TABLE_SIZE;
}

/* Tell whether the present frame names the slot. */
static bool is_named(const struct atom_cache_out *cache, const struct slot *slot)
{
    return slot->frame == cache->frame || (cache->stands && slot->standing > 0);
}

static void forget_standing(struct atom_cache_out *cache)
{
    struct standing *standing = &cache->standing;

    for (uint32_t i = 0; i < standing->count; i++)
        cache->slots[standing->named[i]].standing = 0;
    standing->words = NULL;
    standing->count = 0;
}

static void clear_slot(struct atom_cache_out *cache, uint32_t number)
{
    struct slot *slot = &cache->slots[number];
    uint32_t gap = place_of(cache, (struct cn_bytes){slot->text, slot->size}, slot->hash);
    uint32_t place = gap;

    for (;;) {
        place = (place + 1) % TABLE_SIZE;
        if (cache->table[place] == NO_SLOT)
            break;
        if (!may_move(cache->slots[cache->table[place]].hash % TABLE_SIZE, place, gap))
            continue;
        cache->table[gap] = cache->table[place];
        gap = place;
    }
    cache->table[gap] = NO_SLOT;
    if (slot->standing > 0)
        forget_standing(cache);
    mem_free(slot->text);
    *slot = (struct slot){NULL};
}

static bool grow(struct atom_cache_out *cache)
{
    uint32_t capacity = cache->capacity + GROWTH;
    struct slot *slots = mem_realloc(cache->slots, capacity * sizeof(*slots));

    if (slots == NULL)
        return false;
    memset(slots + cache->capacity, 0, GROWTH * sizeof(*slots));
    cache->slots = slots;
    cache->capacity = capacity;
    return true;
}

/* Find a slot that the present frame does not name; its old entry is forgotten. */
static uint32_t obtain_slot(struct atom_cache_out *cache)
{
    uint32_t number;

    for (;;) {
        number = cache->next;
        if (number == cache->capacity && !grow(cache))
            return NO_SLOT;
        cache->next = (number + 1) % ATOM_CACHE_SLOTS;
        if (!is_named(cache, &cache->slots[number]))
            break;
    }
    if (cache->slots[number].text != NULL)
        clear_slot(cache, number);
    return number;
}

/* Remember a new atom; returns its slot. */
static uint32_t add(struct atom_cache_out *cache, struct cn_bytes text, uint32_t hash)
{
    uint8_t *copy = mem_dup(text.data, text.size);
    uint32_t number;

    if (copy == NULL)
        return NO_SLOT;
    number = obtain_slot(cache);
    if (number == NO_SLOT) {
        mem_free(copy);
        return NO_SLOT;
    }
    cache->table[place_of(cache, text, hash)] = (uint16_t)number;
    cache->slots[number] = (struct slot){.text = copy, .hash = hash, .size = (uint16_t)text.size};
    cache->fresh_bytes += text.size;
    cache->fresh_count++;
    if (text.size > UINT8_MAX)
        cache->long_atoms = true;
    return number;
}

int atom_cache_out_index(struct atom_cache_out *cache, struct cn_bytes text, uint32_t hash)
{
    uint32_t number = cache->table[place_of(cache, text, hash)];
    bool fresh = number == NO_SLOT;
    struct slot *slot;

    if (!fresh && cache->slots[number].frame == cache->frame)
        return cache->slots[number].index;
    if (!fresh && is_named(cache, &cache->slots[number]))
        return cache->slots[number].standing - 1;
    if (cache->count == ATOM_CACHE_REFS_MAX)
        return -1;
    if (fresh)
        number = add(cache, text, hash);
    if (number == NO_SLOT)
        return -1;
    slot = &cache->slots[number];
    slot->frame = cache->frame;
    slot->index = (uint8_t)cache->count;
    cache->named[cache->count] = (uint16_t)number;
    cache->fresh[cache->count] = fresh;
    return (int)cache->count++;
}

/* Look @words up one by one; false when they do not get the first indices. */
static bool name_words(struct atom_cache_out *cache, const struct cn_words *words)
{
    for (uint32_t i = 0; i < words->count; i++) {
        struct cn_bytes text = {(const uint8_t *)words->texts[i], strlen(words->texts[i])};

        if (atom_cache_out_index(cache, text, etf_atom_hash(text)) != (int)i)
            return false;
    }
    return true;
}

/* The present header names @words and nothing else, all old: remember it. */
static void remember_words(struct atom_cache_out *cache, const struct cn_words *words)
{
    struct standing *standing = &cache->standing;

    forget_standing(cache);
    standing->words = words;
    standing->count = words->count;
    memset(standing->flags, 0, sizeof(standing->flags));
    for (uint32_t i = 0; i < words->count; i++) {
        uint16_t number = cache->named[i];

        cache->slots[number].standing = (uint8_t)(i + 1);
        standing->named[i] = number;
        standing->flags[i / 2] |= (uint8_t)(number >> 8 << (i % 2 * 4));
        standing->references[i] = (uint8_t)number;
    }
}

bool atom_cache_out_words(struct atom_cache_out *cache, const struct cn_words *words)
{
    cn_assert(cache->count == 0);
    if (cache->standing.words != words) {
        if (!name_words(cache, words))
            return false;
        if (cache->fresh_count == 0)
            remember_words(cache, words);
        return true;
    }
    cache->stands = true;
    cache->count = words->count;
    return true;
}

int atom_cache_out_find(void *cache, struct cn_bytes text)
{
    return atom_cache_out_index(cache, text, etf_atom_hash(text));
}

size_t atom_cache_out_header_size(const struct atom_cache_out *cache)
{
    if (cache->count == 0)
        return 1;
    return 1 + ATOM_CACHE_FLAG_BYTES(cache->count) + cache->count + cache->fresh_bytes +
           (size_t)cache->fresh_count * (cache->long_atoms ? 2 : 1);
}

/* Write the length and text of a fresh entry; returns the place behind it. */
static uint8_t *write_text(const struct slot *slot, bool long_atoms, uint8_t *to)
{
    if (long_atoms) {
        be16_put(to, slot->size);
        to += 2;
    } else {
        *to++ = (uint8_t)slot->size;
    }
    if (slot->size > 0)
        memcpy(to, slot->text, slot->size);
    return to + slot->size;
}

void atom_cache_out_write_header(const struct atom_cache_out *cache, uint8_t *to)
{
    uint32_t standing = cache->stands ? cache->standing.count : 0;
    uint8_t *flags = to + 1;

    to[0] = (uint8_t)cache->count;
    if (cache->count == 0)
        return;
    memset(flags, 0, ATOM_CACHE_FLAG_BYTES(cache->count));
    to = flags + ATOM_CACHE_FLAG_BYTES(cache->count);
    memcpy(flags, cache->standing.flags, (standing + 1) / 2);
    memcpy(to, cache->standing.references, standing);
    to += standing;
    for (uint32_t i = standing; i < cache->count; i++) {
        uint32_t number = cache->named[i];
        unsigned bits = number >> 8 | (cache->fresh[i] ? ATOM_CACHE_NEW : 0u);

        flags[i / 2] |= (uint8_t)(bits << (i % 2 * 4));
        *to++ = (uint8_t)number;
        if (cache->fresh[i])
            to = write_text(&cache->slots[number], cache->long_atoms, to);
    }
    if (cache->long_atoms)
        flags[cache->count / 2] |= (uint8_t)(ATOM_CACHE_LONG << (cache->count % 2 * 4));
}

void atom_cache_out_abort(struct atom_cache_out *cache)
{
    for (uint32_t i = cache->stands ? cache->standing.count : 0; i < cache->count; i++) {
        if (cache->fresh[i])
            clear_slot(cache, cache->named[i]);
    }
    atom_cache_out_begin(cache);
}
