/*
 * A snapshot: a session as bytes, to be put together again elsewhere.
 *
 * What travels is term_to_binary(snapshot), cut into chunks. Two figures guard it: a digest over
 * the bytes (BLAKE2b-512), and Erlang's phash2 of the state, which stays the same when another
 * implementation encodes the same maps in another order. Source: PROTOCOL.md, "Graceful handoff".
 */
#ifndef SESSION_SNAPSHOT_H
#define SESSION_SNAPSHOT_H

#include <cnode/game.h>

/** Bytes of a chunk. */
#define SNAPSHOT_CHUNK_BYTES 65536u
/** Bytes of a digest. */
#define SNAPSHOT_DIGEST_BYTES 64u

/** A session. The views belong to whoever made them. */
struct snapshot {
    struct cn_bytes id;
    struct cn_bytes code; /* size 0: no join code */
    uint64_t epoch;
    uint64_t version;
    uint64_t state_version;
    struct cn_term state;
    struct cn_bytes carried_out; /* carried_out.h; size 0: nothing */
    uint64_t mailbox_digest;     /* messages that waited at the freeze: for logs */
};

/**
 * Write @snapshot as term_to_binary would.
 * Ownership: the caller's, for mem_free. Errors: -ENOMEM, -E2BIG.
 */
int snapshot_encode(const struct snapshot *snapshot, uint8_t **ret_data, size_t *ret_size);
/** Read a snapshot; its views point into @data. Errors: CN_E_INVALID, and those of
 * etf_check_versioned. */
int snapshot_decode(const uint8_t *data, size_t size, struct snapshot *ret_snapshot);
/** Compute the digest of @size bytes. */
void snapshot_digest(const uint8_t *data, size_t size, uint8_t ret_digest[SNAPSHOT_DIGEST_BYTES]);
/** Compute phash2 of a state, of 32 bits. */
uint32_t snapshot_hash(struct cn_term state);
/** Count the chunks of @size bytes. */
size_t snapshot_chunks(size_t size);
/** View chunk @index of @size bytes. */
struct cn_bytes snapshot_chunk(const uint8_t *data, size_t size, size_t index);

#endif
