/*
 * The incoming atom cache.
 *
 * A slot owns its text. A text that is replaced goes to the retired ones until the next header is
 * read, since the table of the present header may view it.
 */
#include "dist/atom_cache_in.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "dist/atom_cache_wire.h"
#include "etf/walk.h"

struct slot_text {
    uint16_t size;
    uint8_t bytes[];
};

struct atom_cache_in {
    struct slot_text *slots[ATOM_CACHE_SLOTS];
    uint32_t retired_count;
    struct slot_text *retired[ATOM_CACHE_REFS_MAX];
};

/* What is still to be read of a header. */
struct cursor {
    const uint8_t *data;
    size_t size;
    size_t at;
};

struct atom_cache_in *atom_cache_in_new(void)
{
    return mem_zalloc(sizeof(struct atom_cache_in));
}

static void drop_retired(struct atom_cache_in *cache)
{
    while (cache->retired_count > 0)
        mem_free(cache->retired[--cache->retired_count]);
}

struct atom_cache_in *atom_cache_in_free(struct atom_cache_in *cache)
{
    if (cache == NULL)
        return NULL;
    drop_retired(cache);
    for (size_t i = 0; i < ATOM_CACHE_SLOTS; i++)
        mem_free(cache->slots[i]);
    mem_free(cache);
    return NULL;
}

static int set_slot(struct atom_cache_in *cache, uint32_t slot, const uint8_t *text, size_t size)
{
    struct slot_text *entry;
    size_t characters;

    if (!utf8_valid(text, size, &characters) || characters > ETF_ATOM_CHARACTERS_MAX)
        return CN_E_TERM_ATOM;
    entry = mem_alloc(sizeof(*entry) + size);
    if (entry == NULL)
        return -ENOMEM;
    entry->size = (uint16_t)size;
    if (size > 0)
        memcpy(entry->bytes, text, size);
    if (cache->slots[slot] != NULL)
        cache->retired[cache->retired_count++] = cache->slots[slot];
    cache->slots[slot] = entry;
    return 0;
}

/* The text of a new entry, which fills @slot. */
static int read_new(struct atom_cache_in *cache, struct cursor *cursor, uint32_t slot,
                    bool long_atoms)
{
    size_t head = long_atoms ? 2 : 1;
    const uint8_t *data = cursor->data + cursor->at;
    size_t left = cursor->size - cursor->at;
    size_t size;

    if (left < head)
        return CN_E_TERM_SHORT;
    size = long_atoms ? be16_get(data) : data[0];
    if (left - head < size)
        return CN_E_TERM_SHORT;
    cursor->at += head + size;
    return set_slot(cache, slot, data + head, size);
}

static int read_reference(struct atom_cache_in *cache, struct cursor *cursor, uint8_t flags,
                          bool long_atoms, struct cn_bytes *ret_text)
{
    uint32_t slot;
    int rc = 0;

    if (cursor->at == cursor->size)
        return CN_E_TERM_SHORT;
    slot = (uint32_t)(flags & ATOM_CACHE_SEGMENT) << 8 | cursor->data[cursor->at++];
    if ((flags & ATOM_CACHE_NEW) != 0)
        rc = read_new(cache, cursor, slot, long_atoms);
    if (rc != 0)
        return rc;
    if (cache->slots[slot] == NULL)
        return CN_E_INVALID;
    *ret_text = (struct cn_bytes){cache->slots[slot]->bytes, cache->slots[slot]->size};
    return 0;
}

static uint8_t half_byte(const uint8_t *flags, uint32_t index)
{
    return index % 2 == 0 ? flags[index / 2] & 0xf : flags[index / 2] >> 4;
}

int atom_cache_in_read(struct atom_cache_in *cache, const uint8_t *data, size_t size,
                       struct atom_table *table, size_t *ret_size)
{
    struct cursor cursor = {data, size, 1};
    const uint8_t *flags = data + 1;
    bool long_atoms;
    int rc = 0;

    if (size == 0)
        return CN_E_TERM_SHORT;
    table->count = data[0];
    *ret_size = 1;
    if (table->count == 0)
        return 0;
    if (cache == NULL)
        return CN_E_INVALID;
    drop_retired(cache);
    cursor.at += ATOM_CACHE_FLAG_BYTES(table->count);
    if (cursor.at > size)
        return CN_E_TERM_SHORT;
    long_atoms = (half_byte(flags, table->count) & ATOM_CACHE_LONG) != 0;
    for (uint32_t i = 0; i < table->count && rc == 0; i++)
        rc = read_reference(cache, &cursor, half_byte(flags, i), long_atoms, &table->texts[i]);
    if (rc == 0)
        *ret_size = cursor.at;
    return rc;
}
