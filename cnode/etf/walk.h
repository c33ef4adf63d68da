/*
 * The walker: no byte of a peer reaches a reader, or ei, before it has passed here.
 *
 * ei's decoders know no end of their buffer and recurse; one authenticated frame ends a bare ei
 * node. The walker checks one term completely: every length against the bytes that are left, every
 * atom, every number's form, and the keys of maps (keys.h). It is iterative and looks at each byte
 * a few times at most; depth is a counter with a limit, so later code may recurse that deep, and so
 * is the number of terms, for each costs its reader time, however short it is.
 *
 * What nests: an element of a tuple, map, list or fun is one deeper than its container. A list's
 * tail is not, when it is a list again: it is the same Erlang list, cut up by its sender.
 */
#ifndef CNODE_ETF_WALK_H
#define CNODE_ETF_WALK_H

#include <stddef.h>
#include <stdint.h>

#include <cnode/term.h>

/** The deepest nesting that any limit may allow. */
#define ETF_DEPTH_MAX 512
/** Terms that may stand inside one, on all levels together: what a turn of the loop can bear. */
#define ETF_TERMS_MAX (UINT32_C(1) << 21)
/** Longest atom in characters. */
#define ETF_ATOM_CHARACTERS_MAX 255

/** What a term may be. */
struct etf_limits {
    uint32_t depth_max; /* levels of nesting, at most ETF_DEPTH_MAX; 0 allows no elements */
};

/**
 * Check the term at the start of @size bytes and measure it. @limits NULL: the widest.
 *
 * Errors: CN_E_TERM_SHORT, CN_E_TERM_TAG, CN_E_TERM_DEEP, CN_E_TERM_COUNT, CN_E_TERM_ATOM,
 * CN_E_TERM_COMPRESSED, CN_E_TERM_LIMIT, CN_E_TERM_TWINS, CN_E_TERM_VALUE (error.h tells what each
 * means); -ENOMEM, from looking for twins.
 */
int etf_walk(const uint8_t *data, size_t size, const struct etf_limits *limits, size_t *ret_size);

/** Check that @size bytes are exactly one term. Errors: as etf_walk, and CN_E_TERM_TRAILING. */
int etf_check(const uint8_t *data, size_t size, const struct etf_limits *limits,
              struct cn_term *ret_term);

/**
 * Check that @size bytes are the version byte 131 and exactly one term, as term_to_binary/1 writes
 * it; @ret_term is without that byte. Errors: as etf_check; CN_E_TERM_TAG for another version.
 */
int etf_check_versioned(const uint8_t *data, size_t size, const struct etf_limits *limits,
                        struct cn_term *ret_term);

/**
 * Measure the term at the start of @size bytes that were checked before. Never reads beyond @size,
 * whatever the bytes are, but checks nothing else.
 *
 * Errors: CN_E_TERM_SHORT, CN_E_TERM_TAG, CN_E_TERM_COUNT, CN_E_TERM_VALUE.
 */
int etf_skip(const uint8_t *data, size_t size, size_t *ret_size);

#endif
