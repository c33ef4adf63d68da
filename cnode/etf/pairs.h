/*
 * A map's pairs in the order of their keys.
 *
 * Maps arrive in whatever order their sender keeps them; comparing two of them needs one order. The
 * pairs are sorted once; if there is no memory for that, each step looks through the whole map for
 * the next key instead, so a comparison never has to fail.
 */
#ifndef CNODE_ETF_PAIRS_H
#define CNODE_ETF_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

#include <cnode/term.h>

#include "etf/compare.h"

/** One pair. */
struct etf_pair {
    struct cn_term key;
    struct cn_term value;
};

/** A walk over the pairs of one map. The fields are private. */
struct etf_pairs {
    struct etf_pair *sorted; /* NULL: no memory */
    struct cn_term body;
    struct etf_pair last;
    uint32_t count;
    uint32_t at;
    struct etf_comparison how;
};

/**
 * Start with the @count pairs that @reader has next, and move @reader behind them. Keys are
 * compared exactly, with the depth and the effort of @how. Gives false with the reader in error.
 *
 * Ownership: etf_pairs_deinit, also after false.
 */
bool etf_pairs_init(struct etf_pairs *pairs, struct cn_reader *reader, uint32_t count,
                    struct etf_comparison how);
/** Give the pair with the next greater key; false after the last one. */
bool etf_pairs_next(struct etf_pairs *pairs, struct etf_pair *ret_pair);
/** Release what it holds; zeroed pairs are fine. */
void etf_pairs_deinit(struct etf_pairs *pairs);

#endif
