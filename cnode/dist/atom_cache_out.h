/*
 * The outgoing atom cache of a connection, and the header of the frame that is being written.
 *
 * A frame is begun, its atoms are looked up one by one, which gives each its index in the header,
 * then the header is written and the frame ended. The headers must leave in the order in which
 * frames were begun. A frame that cannot be sent after all is taken back, with the entries that it
 * would have brought.
 *
 * Frames that begin with the same words as an earlier one begin with the same bytes: the latest
 * words that the peer has completely are remembered with their part of the header.
 *
 * Slots are given out in order; when all 2048 are used the oldest that the present frame does not
 * name is given anew. So two atoms of one frame never want the same slot, whatever their texts.
 * Memory grows with the atoms that are used, up to about 100 kB and their texts.
 */
#ifndef DIST_ATOM_CACHE_OUT_H
#define DIST_ATOM_CACHE_OUT_H

#include <cnode/term.h>

struct atom_cache_out;

/** Make an empty cache. Errors: NULL without memory. */
struct atom_cache_out *atom_cache_out_new(void);
/** Release it; returns NULL, takes NULL. */
struct atom_cache_out *atom_cache_out_free(struct atom_cache_out *cache);

/** Begin a frame: no atom is in its header. */
void atom_cache_out_begin(struct atom_cache_out *cache);
/**
 * Give the index of @text, whose etf_atom_hash is @hash, in the frame's header, adding it when it
 * is not there; -1 when the header is full or memory is lacking: the atom is then written out. The
 * first atom of a frame has index 0, the next new one 1, ...
 */
int atom_cache_out_index(struct atom_cache_out *cache, struct cn_bytes text, uint32_t hash);
/**
 * Give the atoms of @words the indices 0, 1, 2 ... in a frame just begun; false when they do not
 * fit or memory is lacking: the frame must be aborted. Once the peer has them all this costs a copy
 * of their part of the header, whatever their number.
 */
bool atom_cache_out_words(struct atom_cache_out *cache, const struct cn_words *words);
/** atom_cache_out_index as an etf_atom_index; the context is the cache. */
int atom_cache_out_find(void *cache, struct cn_bytes text);
/** Give the number of bytes that the frame's header takes, from NumberOfAtomCacheRefs on. */
size_t atom_cache_out_header_size(const struct atom_cache_out *cache);
/** Write the header into those bytes. */
void atom_cache_out_write_header(const struct atom_cache_out *cache, uint8_t *to);
/** Take back the frame: its header will not be sent. */
void atom_cache_out_abort(struct atom_cache_out *cache);

#endif
