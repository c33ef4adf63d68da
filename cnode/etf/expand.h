/*
 * Expanding: terms that name their atoms by number become terms that stand for themselves.
 *
 * Behind a distribution header an atom may be ATOM_CACHE_REF, an index into the header's table.
 * What is above the connection knows only whole terms, so such a term is checked and copied in one
 * pass, with its atoms written out. Everything between two references is copied in one piece; a
 * term without any reference is not copied at all.
 */
#ifndef CNODE_ETF_EXPAND_H
#define CNODE_ETF_EXPAND_H

#include <cnode/term.h>

/**
 * Check the term at the start of @size bytes, in which ATOM_CACHE_REF i stands for the atom whose
 * checked text is @atoms[i], i < @count <= 255, and give it without references.
 *
 * Ownership: *@ret_term views @data or what was appended to @writer: valid as long as both are
 * unchanged. *@ret_size counts the bytes of @data that the term took.
 * Errors: as etf_walk, CN_E_TERM_VALUE for an index beyond @count; -ENOMEM; -E2BIG when the result
 * is beyond the writer's limit.
 */
int etf_expand(const uint8_t *data, size_t size, const struct cn_bytes *atoms, uint32_t count,
               struct cn_writer *writer, struct cn_term *ret_term, size_t *ret_size);
/**
 * The same, without copying what follows the last reference: the term is *@ret_start, in the
 * writer, and then *@ret_end, in @data. Without any reference the start is empty. When *@ret_maps
 * is set, the caller must put both together and call etf_keys_check before anybody reads them.
 */
int etf_expand_start(const uint8_t *data, size_t size, const struct cn_bytes *atoms, uint32_t count,
                     struct cn_writer *writer, struct cn_bytes *ret_start, struct cn_bytes *ret_end,
                     bool *ret_maps);

#endif
