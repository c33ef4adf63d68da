/*
 * A large signal on its way out: its terms, cut into fragments one by one.
 *
 * A BEAM cuts control tuple and message together every 64 kB; the header is not counted. The terms
 * lie in up to two pieces of memory that others may share, and every fragment is a view of them:
 * nothing is copied, and what was cut off is let go of when it is written.
 *
 *     131, 'E', sequence id, n, header, 65536 bytes of terms
 *     131, 'F', sequence id, n - 1, 65536 bytes ... 131, 'F', sequence id, 1, the rest
 *
 * Source: "Distribution Header for fragmented messages", External Term Format, ERTS User's Guide.
 */
#ifndef DIST_FRAGMENTS_OUT_H
#define DIST_FRAGMENTS_OUT_H

#include <stdbool.h>

#include "base/shared.h"

/** Bytes of terms in a fragment; the last has fewer. */
#define FRAGMENT_TERM_BYTES 65536
/** Bytes before a fragment's terms, without the header that the first one has. */
#define FRAGMENT_HEAD_BYTES 22

/** The most pieces of memory that the terms, and so a fragment, lie in. */
#define FRAGMENT_PIECES_MAX 2

/** What is left of the signal. */
struct fragments_out {
    uint64_t id;
    uint64_t left; /* fragments to come; the next one has this number */
    struct shared_bytes pieces[FRAGMENT_PIECES_MAX];
};

/** Count the fragments of @size bytes of terms. */
uint64_t fragments_out_count(size_t size);
/** Release what is left. */
void fragments_out_deinit(struct fragments_out *out);
/** Count the bytes that are left. */
size_t fragments_out_bytes(const struct fragments_out *out);
/**
 * Write the head of the fragment that comes next; @first: it begins the sequence, and a header of
 * @header_size bytes follows.
 */
void fragments_out_write_head(const struct fragments_out *out, bool first, size_t header_size,
                              uint8_t head[FRAGMENT_HEAD_BYTES]);
/**
 * Cut off the terms of the next fragment: views that stay valid as long as their owners. An owner
 * of which nothing is left is let go of by fragments_out_deinit only, so that the caller can share
 * it first. Returns the number of views.
 */
size_t fragments_out_cut(struct fragments_out *out,
                         struct shared_bytes ret_views[FRAGMENT_PIECES_MAX]);

#endif
