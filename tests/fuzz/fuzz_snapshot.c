/*
 * Snapshots of sessions, as another host sends them: any bytes.
 *
 * What is taken for a snapshot is written again and then is the same one; its chunks put together
 * are its bytes. The hash of a state takes time by its size.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "etf/walk.h"
#include "session/snapshot.h"

static bool same(const struct snapshot *a, const struct snapshot *b)
{
    return fuzz_same(a->id, b->id) && fuzz_same(a->code, b->code) && a->epoch == b->epoch &&
           a->version == b->version && a->state_version == b->state_version &&
           a->mailbox_digest == b->mailbox_digest && cn_term_equal(a->state, b->state) &&
           snapshot_hash(a->state) == snapshot_hash(b->state);
}

static void check_again(const struct snapshot *snapshot)
{
    struct snapshot again;
    uint8_t *data = NULL;
    size_t size = 0;

    cn_assert(snapshot_encode(snapshot, &data, &size) == 0);
    cn_assert(snapshot_decode(data, size, &again) == 0);
    cn_assert(same(snapshot, &again));
    mem_free(data);
}

static void check_chunks(const uint8_t *data, size_t size)
{
    size_t sum = 0;

    for (size_t i = 0; i < snapshot_chunks(size); i++) {
        struct cn_bytes chunk = snapshot_chunk(data, size, i);

        cn_assert(chunk.data == data + sum && chunk.size > 0);
        sum += chunk.size;
    }
    cn_assert(sum == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t from_ms = fuzz_cpu_ms();
    uint8_t digest[SNAPSHOT_DIGEST_BYTES];
    struct snapshot snapshot;

    check_chunks(data, size);
    snapshot_digest(data, size, digest);
    if (snapshot_decode(data, size, &snapshot) == 0)
        check_again(&snapshot);
    fuzz_check_time(from_ms, 1000);
    return 0;
}
