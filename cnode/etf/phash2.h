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

/**
 * Hash @term as phash2(Term, 1 bsl 32) does; that of a smaller range is the remainder. What nests
 * deeper than ETF_DEPTH_MAX, or is no term after all, is left out.
 */
uint32_t etf_phash2(struct cn_term term);

#endif
