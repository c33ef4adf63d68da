/*
 * Fragments that come in: large signals in pieces, between which others go on.
 *
 *     131, 'E', sequence id, fragment id n, header, control tuple, start of the message
 *     131, 'F', sequence id, fragment id n - 1, more bytes
 *     ...
 *     131, 'F', sequence id, fragment id 1, the last bytes
 *
 * A sequence keeps the atoms that its header named, since the cache goes on changing meanwhile. It
 * is bounded like a frame, and all sequences of a peer in number and bytes; memory grows by bytes
 * that are there, and atoms are bounded too, for two bytes of a header can name a thousand of the
 * cache.
 * Sequences that never end are released with the connection.
 *
 * Source: "Distribution Header for fragmented messages", External Term Format, ERTS User's Guide.
 */
#ifndef DIST_FRAGMENTS_H
#define DIST_FRAGMENTS_H

#include "base/bytes.h"
#include "base/map.h"
#include "base/shared.h"
#include "dist/atom_cache_in.h"

/** Bytes before a sequence's: there the start of its message can grow when its atoms do. */
#define FRAGMENTS_ROOM 1024

/** What a peer may have unfinished. */
struct fragment_limits {
    uint32_t sequences_max;
    size_t sequence_bytes_max;
    size_t bytes_max;      /* of all sequences */
    size_t atom_bytes_max; /* of all sequences' atoms */
};

/** A signal that is coming in. When it is complete it can be shared by whoever keeps its bytes. */
struct fragment_sequence {
    struct shared shared;
    struct map_handle hh;
    uint64_t id;
    uint64_t next;     /* the fragment to come */
    struct bytes data; /* FRAGMENTS_ROOM bytes for others, then control tuple and message */
    uint32_t atom_count;
    struct cn_bytes *atoms; /* with their texts in one piece of memory */
    size_t atom_bytes;      /* of that piece */
};

/** The unfinished sequences of a peer. Private. */
struct fragments {
    struct fragment_limits limits;
    struct fragment_sequence *by_id;
    size_t bytes;
    size_t atom_bytes;
};

/** Make an empty set. Allocates nothing. */
void fragments_init(struct fragments *fragments, const struct fragment_limits *limits);
/** Release everything. */
void fragments_deinit(struct fragments *fragments);
/**
 * Start sequence @id with fragment @fragment > 1: @atoms are its header's, @data the bytes behind
 * it. All are copied.
 *
 * Errors: CN_E_INVALID when the sequence was started before or the fragment is the last one;
 * CN_E_LIMIT; -ENOMEM. The connection must be closed.
 */
int fragments_start(struct fragments *fragments, uint64_t id, uint64_t fragment,
                    const struct atom_table *atoms, struct cn_bytes data);
/**
 * Add a fragment. *@ret_done is the sequence when this was its last, else NULL.
 *
 * Ownership: *@ret_done is the caller's, for fragment_sequence_free.
 * Errors: CN_E_INVALID when there is no such sequence or another fragment was due; CN_E_LIMIT;
 * -ENOMEM. The connection must be closed.
 */
int fragments_add(struct fragments *fragments, uint64_t id, uint64_t fragment, struct cn_bytes data,
                  struct fragment_sequence **ret_done);
/** View what a sequence has, control tuple and message. */
struct cn_bytes fragment_sequence_bytes(const struct fragment_sequence *sequence);
/** Let go of a finished sequence; returns NULL, takes NULL. */
struct fragment_sequence *fragment_sequence_free(struct fragment_sequence *sequence);

#endif
