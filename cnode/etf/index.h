/*
 * Indexing: atoms become references into the table of a distribution header. The reverse of
 * expand.h.
 *
 * Nothing is nested here: heads are copied one after the other, so the bytes may also be the start
 * of a term whose end comes from elsewhere, as a reply's tag does before its shared body.
 */
#ifndef CNODE_ETF_INDEX_H
#define CNODE_ETF_INDEX_H

#include <cnode/term.h>

/** Give the index of the atom @text in a header's table, 0 to 254; below 0: write it out. */
typedef int (*etf_atom_index)(void *context, struct cn_bytes text);

/**
 * Append @size bytes of whole heads, checked before, to @writer, with each atom to which @index
 * gives an index as ATOM_CACHE_REF. Atoms inside local funs stay as they are.
 *
 * Errors: -EINVAL when the bytes are no terms; -ENOMEM; -E2BIG.
 */
int etf_index(const uint8_t *data, size_t size, etf_atom_index index, void *context,
              struct cn_writer *writer);

/** Hash the text of an atom: for tables of our own, whose collisions cost nobody else anything. */
static inline uint32_t etf_atom_hash(struct cn_bytes text)
{
    uint64_t hash = 0x9e3779b97f4a7c15u ^ text.size;
    size_t at = 0;

    for (; at + 8 <= text.size; at += 8) {
        uint64_t word;

        __builtin_memcpy(&word, text.data + at, 8);
        hash = (hash ^ word) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    for (; at < text.size; at++)
        hash = (hash ^ text.data[at]) * 0x100000001b3u;
    hash *= 0xc4ceb9fe1a85ec53u;
    return (uint32_t)(hash >> 32);
}

#endif
