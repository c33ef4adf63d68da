/*
 * Erlang's term order and exact equality, over bytes.
 *
 * Source: "Term Comparisons", Erlang Reference Manual. number < atom < reference < fun < port < pid
 * < tuple < map < empty list < list < bitstring; numbers by value; tuples and maps by size first;
 * maps then by their sorted keys, then by values in key order, where among keys every integer is
 * less than every float. As on OTP 27 and later, 0.0 and -0.0 are exactly different.
 *
 * Terms were walked before. Bytes that are no term after all, or nest deeper than ETF_DEPTH_MAX,
 * are compared as bytes: the answer is then without meaning, but nothing breaks. The same goes for
 * maps built to make sorting their keys expensive (maps in keys of maps in keys): effort is bounded
 * by the terms' size. Maps whose pairs come in different orders take memory; without any the answer
 * is the same, slower.
 */
#ifndef CNODE_ETF_COMPARE_H
#define CNODE_ETF_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include <cnode/term.h>

/** Compare as erlang's <, == and > do: < 0, 0, > 0. */
int etf_compare(struct cn_term a, struct cn_term b);
/** Compare as keys of a map do: < 0, 0 exactly when cn_term_equal, > 0. */
int etf_compare_exact(struct cn_term a, struct cn_term b);

/** How a comparison is to be made. */
struct etf_comparison {
    bool exact;       /* integers and floats differ, as in keys */
    bool equal_only;  /* any answer but 0 will do when they differ */
    uint32_t depth;   /* levels of nesting passed so far */
    uint64_t *effort; /* steps that may still be made */
};

/** Compare two terms that stand inside others. */
int etf_compare_inside(struct cn_term a, struct cn_term b, struct etf_comparison how);

#endif
