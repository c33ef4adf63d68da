/*
 * Hash maps: uthash, over our allocation seam, with a keyed hash.
 *
 * uthash is intrusive and long proven, so we add only what a node needs of it. Running out of
 * memory is an outcome, not an exit: after map_add the item's handle tells whether it went in. Keys
 * come from peers (names, pids, references), so the hash is SipHash under a random key of this
 * process and nobody can aim at one bucket. Order of iteration is order of insertion, hence a
 * simulation does not depend on that key.
 *
 *     struct name {
 *         char text[256];
 *         uint32_t pid;
 *         struct map_handle hh;
 *     };
 *     struct name *names = NULL;
 *
 *     if (!map_add(names, name->text, strlen(name->text), name))
 *         return -ENOMEM; // @name is not in the map, the map is as it was
 *     name = map_find(names, text, size)  --  written map_find(names, text, size, name)
 *
 * An empty map costs nothing; the first item costs about 600 bytes, so tiny per-process sets are
 * better kept as lists.
 */
#ifndef CNODE_BASE_MAP_H
#define CNODE_BASE_MAP_H

#include <stddef.h>

#include "base/alloc.h"

/** Hash @size bytes under this process' random key. */
unsigned map_hash(const void *key, size_t size);

#define HASH_NONFATAL_OOM                1
#define HASH_FUNCTION(key, size, result) ((result) = map_hash((key), (size)))
#define uthash_malloc(size)              mem_alloc(size)
#define uthash_free(memory, size)        mem_free(memory)
#include <uthash.h>

/*
 * A bucket is split when it has six items, not ten: of a million sessions each item on the way is a
 * cache miss, and a session is looked for in five maps as it starts (a sixth of that time). With
 * four the buckets themselves are the misses.
 */
#undef HASH_BKT_CAPACITY_THRESH
#define HASH_BKT_CAPACITY_THRESH 6U

/** The links inside an item; the member must be called hh. */
#define map_handle UT_hash_handle

/**
 * Add @item under the @key_size bytes at @key, which lie in the item and stay as they are. The key
 * must not be in the map yet: look first. Gives true, or false for lack of memory, with the map
 * unchanged. Not inside another macro that prints its arguments: this expands to pages.
 */
#define map_add(map, key_pointer, key_size, item)              \
    __extension__({                                            \
        HASH_ADD_KEYPTR(hh, map, key_pointer, key_size, item); \
        (item)->hh.tbl != NULL;                                \
    })

/** Set @ret_item to the item under the @key_size bytes at @key, or to NULL. */
#define map_find(map, key_pointer, key_size, ret_item) \
    HASH_FIND(hh, map, key_pointer, key_size, ret_item)

/** The two above with the key's hash, from map_hash, for who needs it twice. */
#define map_add_hashed(map, key_pointer, key_size, hash, item)                   \
    __extension__({                                                              \
        HASH_ADD_KEYPTR_BYHASHVALUE(hh, map, key_pointer, key_size, hash, item); \
        (item)->hh.tbl != NULL;                                                  \
    })
#define map_find_hashed(map, key_pointer, key_size, hash, ret_item) \
    HASH_FIND_BYHASHVALUE(hh, map, key_pointer, key_size, hash, ret_item)

/** Take @item, which is in the map, out of it. The item stays its owner's. */
#define map_remove(map, item) HASH_DELETE(hh, map, item)

/** Count the items. */
#define map_count(map) ((size_t)HASH_COUNT(map))

/** Walk over all items in order of insertion; the current one may be removed and freed. */
#define map_for_each(map, item, next) HASH_ITER(hh, map, item, next)

/** Forget all items and release the map's own memory; the items stay their owner's. */
#define map_clear(map) HASH_CLEAR(hh, map)

#endif
