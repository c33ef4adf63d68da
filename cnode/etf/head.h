/*
 * The head of a term: its bytes up to the first term inside it.
 *
 * Numbers, atoms, binaries, pids and references are nothing but head. Whoever copies terms and
 * changes something on the way goes from head to head, as the walker does.
 */
#ifndef CNODE_ETF_HEAD_H
#define CNODE_ETF_HEAD_H

#include <stddef.h>
#include <stdint.h>

/** A head. */
struct etf_head {
    size_t size;       /* bytes of the head */
    uint64_t children; /* terms that follow in it */
    size_t end;        /* of a fun with children: where its last must end, from the head; else 0 */
};

/** Bytes of a fun before its module; bytes 1 to 4 are the size of the whole without the tag. */
#define ETF_FUN_BYTES 30

/**
 * Check the head of the term at the start of @size bytes. ATOM_CACHE_REF may stand for an atom when
 * its index is below @refs.
 *
 * Errors: as etf_walk, without CN_E_TERM_DEEP.
 */
int etf_head_read(const uint8_t *data, size_t size, uint32_t refs, struct etf_head *ret_head);

/**
 * The same for bytes that were checked before; a local fun is one head, as a whole.
 *
 * Errors: CN_E_TERM_SHORT, CN_E_TERM_TAG, CN_E_TERM_COUNT, CN_E_TERM_VALUE.
 */
int etf_head_pass(const uint8_t *data, size_t size, struct etf_head *ret_head);

#endif
