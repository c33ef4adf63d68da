/*
 * A ring of hashed tags that grows from 4 to CARRIED_OUT_MAX; then the oldest makes room.
 *
 * As a binary: <<Repeats:8, ForgottenAgeMs:32, (Hash:16/binary, AgeMs:32)*>>, newest first. Ages,
 * for two nodes share no clock; UINT32_MAX is "never" for what was forgotten.
 */
#include "session/carried_out.h"

#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "base/alloc.h"
#include "base/error.h"

#define FIRST_CAPACITY 4u
#define HASH_BYTES     16u
#define HEAD_BYTES     5u
#define ENTRY_BYTES    (HASH_BYTES + 4u)
#define NEVER          UINT32_MAX

struct entry {
    uint8_t hash[HASH_BYTES];
    uint64_t ms;
};

struct carried_out {
    uint32_t capacity;
    uint32_t count;
    uint32_t next; /* where the next entry goes */
    bool repeats;  /* a call was carried out by its repetition */
    bool forgot;   /* something was, at the latest of `forgotten_ms` */
    uint64_t forgotten_ms;
    struct entry entries[];
};

static bool hash_tag(const struct cn_ref *tag, uint8_t ret_hash[HASH_BYTES])
{
    uint8_t digest[crypto_generichash_BYTES_MAX];
    struct cn_writer writer;
    bool ok;

    cn_writer_init(&writer, 0);
    cn_write_ref(&writer, tag);
    ok = cn_writer_error(&writer) == 0;
    if (ok) {
        struct cn_term term = cn_writer_term(&writer);

        crypto_generichash(digest, sizeof(digest), term.data, term.size, NULL, 0);
        memcpy(ret_hash, digest, HASH_BYTES);
    }
    cn_writer_free(&writer);
    return ok;
}

static struct carried_out *done_new(uint32_t capacity)
{
    struct carried_out *done = mem_zalloc(sizeof(*done) + capacity * sizeof(struct entry));

    if (done != NULL)
        done->capacity = capacity;
    return done;
}

/* View the entry that is the @age-th youngest, from 0. */
static const struct entry *entry_at(const struct carried_out *done, uint32_t age)
{
    return &done->entries[(done->next + done->capacity - 1 - age) % done->capacity];
}

static void forget_at(struct carried_out *done, uint64_t ms)
{
    if (!done->forgot || ms > done->forgotten_ms)
        done->forgotten_ms = ms;
    done->forgot = true;
}

static void put(struct carried_out *done, const uint8_t hash[HASH_BYTES], uint64_t ms)
{
    struct entry *entry = &done->entries[done->next];

    if (done->count == done->capacity)
        forget_at(done, entry->ms);
    else
        done->count++;
    memcpy(entry->hash, hash, HASH_BYTES);
    entry->ms = ms;
    done->next = (done->next + 1) % done->capacity;
}

/* Make room in *@done for one more; without memory the oldest will have to go. */
static void grow(struct carried_out **done)
{
    struct carried_out *old = *done;
    struct carried_out *larger;

    if (old != NULL && (old->count < old->capacity || old->capacity >= CARRIED_OUT_MAX))
        return;
    larger = done_new(old == NULL ? FIRST_CAPACITY : 2 * old->capacity);
    if (larger == NULL)
        return;
    if (old != NULL) {
        larger->repeats = old->repeats;
        larger->forgot = old->forgot;
        larger->forgotten_ms = old->forgotten_ms;
        for (uint32_t age = old->count; age > 0; age--)
            put(larger, entry_at(old, age - 1)->hash, entry_at(old, age - 1)->ms);
    }
    mem_free(old);
    *done = larger;
}

void carried_out_add(struct carried_out **done, const struct cn_ref *tag, uint64_t now_ms)
{
    uint8_t hash[HASH_BYTES];
    bool hashed = hash_tag(tag, hash);

    grow(done);
    if (*done == NULL)
        return;
    if (hashed)
        put(*done, hash, now_ms);
    else
        forget_at(*done, now_ms);
}

static bool has(const struct carried_out *done, const uint8_t *hash)
{
    for (uint32_t age = 0; done != NULL && age < done->count; age++)
        if (memcmp(entry_at(done, age)->hash, hash, HASH_BYTES) == 0)
            return true;
    return false;
}

enum carried_out_answer carried_out_judge(const struct carried_out *done, const struct cn_ref *tag,
                                          uint64_t age_ms, uint64_t now_ms)
{
    uint8_t hash[HASH_BYTES];

    if (done == NULL)
        return CARRIED_OUT_NOT;
    if (!hash_tag(tag, hash))
        return CARRIED_OUT_IN_DOUBT;
    if (has(done, hash))
        return CARRIED_OUT_DONE;
    if (done->forgot && (age_ms >= now_ms || done->forgotten_ms >= now_ms - age_ms))
        return CARRIED_OUT_IN_DOUBT;
    return CARRIED_OUT_NOT;
}

void carried_out_repeated(struct carried_out **done)
{
    if (*done == NULL)
        grow(done);
    if (*done != NULL)
        (*done)->repeats = true;
}

bool carried_out_repeats(const struct carried_out *done)
{
    return done != NULL && done->repeats;
}

static void put_u32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t get_u32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static uint32_t age_of(uint64_t ms, uint64_t now_ms)
{
    uint64_t age = now_ms > ms ? now_ms - ms : 0;

    return age < NEVER ? (uint32_t)age : NEVER - 1;
}

static uint64_t moment_of(uint32_t age, uint64_t now_ms)
{
    return age < now_ms ? now_ms - age : 0;
}

size_t carried_out_write(const struct carried_out *done, uint64_t now_ms,
                         uint8_t to[CARRIED_OUT_BYTES_MAX])
{
    uint8_t *next = to + HEAD_BYTES;

    if (done == NULL)
        return 0;
    to[0] = done->repeats;
    put_u32(to + 1, done->forgot ? age_of(done->forgotten_ms, now_ms) : NEVER);
    for (uint32_t age = 0; age < done->count; age++) {
        memcpy(next, entry_at(done, age)->hash, HASH_BYTES);
        put_u32(next + HASH_BYTES, age_of(entry_at(done, age)->ms, now_ms));
        next += ENTRY_BYTES;
    }
    return (size_t)(next - to);
}

size_t carried_out_unknown(const struct carried_out *done, struct cn_bytes bytes)
{
    size_t unknown = 0;

    if (bytes.size > CARRIED_OUT_BYTES_MAX) /* nobody remembers so many */
        return 0;
    for (size_t at = HEAD_BYTES; at + ENTRY_BYTES <= bytes.size; at += ENTRY_BYTES)
        unknown += has(done, bytes.data + at) ? 0 : 1;
    return unknown;
}

int carried_out_read(struct cn_bytes bytes, uint64_t now_ms, struct carried_out **ret_done)
{
    struct carried_out *done;
    uint32_t capacity = FIRST_CAPACITY;
    size_t count;

    if (bytes.size == 0) {
        *ret_done = NULL;
        return 0;
    }
    if (bytes.size < HEAD_BYTES || (bytes.size - HEAD_BYTES) % ENTRY_BYTES != 0 ||
        (bytes.size - HEAD_BYTES) / ENTRY_BYTES > CARRIED_OUT_MAX || bytes.data[0] > 1)
        return CN_E_INVALID;
    count = (bytes.size - HEAD_BYTES) / ENTRY_BYTES;
    while (capacity < count)
        capacity *= 2;
    done = done_new(capacity);
    if (done == NULL)
        return -ENOMEM;
    done->repeats = bytes.data[0] == 1;
    if (get_u32(bytes.data + 1) != NEVER)
        forget_at(done, moment_of(get_u32(bytes.data + 1), now_ms));
    for (size_t age = count; age > 0; age--) {
        const uint8_t *entry = bytes.data + HEAD_BYTES + (age - 1) * ENTRY_BYTES;

        put(done, entry, moment_of(get_u32(entry + HASH_BYTES), now_ms));
    }
    *ret_done = done;
    return 0;
}

struct carried_out *carried_out_free(struct carried_out *done)
{
    mem_free(done);
    return NULL;
}
