/*
 * erlang:phash2, so that this node places and hashes as every BEAM does.
 *
 * Placement of sessions and Horde's hash trees only work when all nodes compute the same number for
 * the same term. The function is documented as stable across releases and machines.
 *
 * Source: erlang:phash2/2; the algorithm in words in our design notes, checked against vectors of a
 * real node.
 */
#ifndef CNODE_ETF_PHASH2_H
#define CNODE_ETF_PHASH2_H

#include <stdint.h>

#include <cnode/term.h>

/** The range of phash2/1. */
#define ETF_PHASH2_RANGE (UINT64_C(1) << 27)
/** The widest range of phash2/2. */
#define ETF_PHASH2_RANGE_MAX (UINT64_C(1) << 32)

/**
 * Hash @term as phash2(Term, 1 bsl 32) does. What nests deeper than ETF_DEPTH_MAX, or is no term
 * after all, is left out.
 */
uint32_t etf_phash2(struct cn_term term);
/** Hash @term into 0 .. @range - 1, as phash2(Term, Range) does; @range is 1 to 2^32. */
uint32_t etf_phash2_range(struct cn_term term, uint64_t range);

#endif
