/*
 * A body: a term that is sent to many, encoded once.
 *
 * It exists in two forms, each made when it is needed first: as a plain term, for receivers on this
 * node and peers without an atom cache, and once more with its atoms as references 0, 1, 2 ... to a
 * table of its own. Whoever sends it to a peer with a cache puts exactly these atoms first into the
 * frame's header, and then the bytes as they are. A body that was written with words (term.h) has
 * those as its table, all of them; another one its first 200 different atoms. All its users share
 * it; see base/shared.h.
 */
#ifndef CNODE_ETF_BODY_H
#define CNODE_ETF_BODY_H

#include <cnode/term.h>

#include "base/shared.h"

/** The most atoms that a body refers to by number; the rest of a header is for others. */
#define ETF_BODY_ATOMS_MAX 200

/** An atom of a body. */
struct etf_body_atom {
    struct cn_bytes text;
    uint32_t hash; /* etf_atom_hash */
};

/** A body. To be read only. */
struct etf_body {
    struct shared shared;
    struct cn_term plain;         /* size 0: not made yet, see etf_body_plain */
    struct cn_term indexed;       /* size 0: not made yet, see etf_body_index */
    const struct cn_words *words; /* the table of `indexed`; NULL: it is `atoms` */
    uint32_t atom_count;
    struct etf_body_atom *atoms;
};

/**
 * Make a body of the term that @writer holds, which may use words.
 *
 * Ownership: the caller is its first owner (etf_body_put). @writer is empty afterwards; not on
 * error.
 * Errors: -ENOMEM; -E2BIG when its plain form is too big; -EINVAL when the writer holds nothing or
 * an error.
 */
int etf_body_new(struct cn_writer *writer, struct etf_body **ret_body);
/** Let go; NULL is fine. Returns NULL. */
struct etf_body *etf_body_put(struct etf_body *body);
/** Make sure that `plain` is there. Errors: -ENOMEM; -E2BIG when it is beyond ETF_SIZE_MAX. */
int etf_body_plain(struct etf_body *body);
/**
 * Write @start, the start of a term in whole heads, and @body, its end, as one plain term. Errors:
 * as every cn_write_*, and -E2BIG.
 */
int etf_body_join(struct cn_writer *writer, struct cn_term start, struct etf_body *body);
/** Make sure that `indexed` and its table are there. Errors: -ENOMEM. */
int etf_body_index(struct etf_body *body);

#endif
