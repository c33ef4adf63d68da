/*
 * The incoming atom cache of a connection, and distribution headers.
 *
 * A header names the atoms of its frame by their slots in a cache of 2048, which both sides keep in
 * step: a new entry carries the atom's text and replaces what the slot held, an old one is read
 * from the cache. The order of headers is the order of frames.
 *
 *     NumberOfAtomCacheRefs, (flags: half a byte each, and one more), references...
 *
 * The cache is bounded by its number of slots and the length of an atom. Texts that a header has
 * named stay valid until the next header, even when the same header gives their slot away again.
 *
 * Source: "Distribution Header", External Term Format, ERTS User's Guide; distribution.md A.3.
 */
#ifndef DIST_ATOM_CACHE_IN_H
#define DIST_ATOM_CACHE_IN_H

#include <cnode/term.h>

/** Slots of an atom cache. */
#define ATOM_CACHE_SLOTS 2048
/** The most atoms that a header can name. */
#define ATOM_CACHE_REFS_MAX 255

/** The atoms that a header names. */
struct atom_table {
    uint32_t count;
    struct cn_bytes texts[ATOM_CACHE_REFS_MAX];
};

struct atom_cache_in;

/** Make an empty cache. Errors: NULL without memory. */
struct atom_cache_in *atom_cache_in_new(void);
/** Release it; returns NULL, takes NULL. */
struct atom_cache_in *atom_cache_in_free(struct atom_cache_in *cache);

/**
 * Read the header (from NumberOfAtomCacheRefs on) at the start of @size bytes, bring the cache up
 * to date and fill @table. @cache NULL: only a header without references is allowed.
 *
 * Errors: CN_E_TERM_SHORT when the bytes end inside it; CN_E_INVALID when it names an empty slot,
 * or any while there is no cache; CN_E_TERM_ATOM; -ENOMEM. After any of them the connection must be
 * closed: the cache is no longer in step.
 */
int atom_cache_in_read(struct atom_cache_in *cache, const uint8_t *data, size_t size,
                       struct atom_table *table, size_t *ret_size);

#endif
