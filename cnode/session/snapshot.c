/*
 * Snapshots to bytes and back. Bytes that arrive pass the walker before anything reads them.
 */
#include "session/snapshot.h"

#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "base/alloc.h"
#include "base/error.h"
#include "etf/phash2.h"
#include "etf/walk.h"
#include "session/words.h"

#define VERSION_BYTE 131

static void write_snapshot(struct cn_writer *writer, const struct snapshot *snapshot)
{
    cn_write_map(writer, 8);
    cn_write_atom(writer, "id");
    cn_write_binary(writer, snapshot->id);
    cn_write_atom(writer, "join_code");
    words_code(writer, snapshot->code);
    cn_write_atom(writer, "epoch");
    cn_write_unsigned(writer, snapshot->epoch);
    cn_write_atom(writer, "version");
    cn_write_unsigned(writer, snapshot->version);
    cn_write_atom(writer, "state_version");
    cn_write_unsigned(writer, snapshot->state_version);
    cn_write_atom(writer, "state");
    cn_write_term(writer, snapshot->state);
    cn_write_atom(writer, "carried_out");
    cn_write_binary(writer, snapshot->carried_out);
    cn_write_atom(writer, "mailbox_digest");
    cn_write_unsigned(writer, snapshot->mailbox_digest);
}

int snapshot_encode(const struct snapshot *snapshot, uint8_t **ret_data, size_t *ret_size)
{
    struct cn_writer writer;
    struct cn_term term;
    uint8_t *data;
    int error;

    cn_writer_init(&writer, 0);
    write_snapshot(&writer, snapshot);
    error = cn_writer_error(&writer);
    if (error != 0)
        goto out;
    term = cn_writer_term(&writer);
    data = mem_alloc(term.size + 1);
    if (data == NULL) {
        error = -ENOMEM;
        goto out;
    }
    /* nothing can fail below */
    data[0] = VERSION_BYTE;
    memcpy(data + 1, term.data, term.size);
    *ret_data = data;
    *ret_size = term.size + 1;
out:
    cn_writer_free(&writer);
    return error;
}

int snapshot_decode(const uint8_t *data, size_t size, struct snapshot *ret_snapshot)
{
    struct snapshot snapshot;
    struct cn_term term, code;
    int error = etf_check_versioned(data, size, NULL, &term);

    if (error != 0)
        return error;
    if (!words_get_binary(term, "id", &snapshot.id) || !cn_map_get(term, "join_code", &code) ||
        !words_read_code(code, &snapshot.code) ||
        !words_get_unsigned(term, "epoch", &snapshot.epoch) ||
        !words_get_unsigned(term, "version", &snapshot.version) ||
        !words_get_unsigned(term, "state_version", &snapshot.state_version) ||
        !cn_map_get(term, "state", &snapshot.state))
        return CN_E_INVALID;
    if (!words_get_binary(term, "carried_out", &snapshot.carried_out))
        snapshot.carried_out = (struct cn_bytes){.size = 0}; /* of an earlier version */
    if (!words_get_unsigned(term, "mailbox_digest", &snapshot.mailbox_digest))
        snapshot.mailbox_digest = 0;
    *ret_snapshot = snapshot;
    return 0;
}

void snapshot_digest(const uint8_t *data, size_t size, uint8_t ret_digest[SNAPSHOT_DIGEST_BYTES])
{
    crypto_generichash(ret_digest, SNAPSHOT_DIGEST_BYTES, data, size, NULL, 0);
}

uint32_t snapshot_hash(struct cn_term state)
{
    return etf_phash2(state);
}

size_t snapshot_chunks(size_t size)
{
    return (size + SNAPSHOT_CHUNK_BYTES - 1) / SNAPSHOT_CHUNK_BYTES;
}

struct cn_bytes snapshot_chunk(const uint8_t *data, size_t size, size_t index)
{
    size_t start = index * SNAPSHOT_CHUNK_BYTES;
    size_t left = size - start;

    return (struct cn_bytes){
        .data = data + start,
        .size = left < SNAPSHOT_CHUNK_BYTES ? left : SNAPSHOT_CHUNK_BYTES,
    };
}
