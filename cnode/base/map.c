/*
 * The keyed hash under our maps: SipHash-2-4 with a key drawn once per process.
 *
 * An unkeyed hash would let a peer choose names that all land in one bucket and turn every lookup
 * into a walk. Cutting the 64 bits to 32 is enough for buckets; equal hashes are told apart by
 * comparing keys.
 */
#include "base/map.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include <sodium.h>

static unsigned char hash_key[crypto_shorthash_KEYBYTES];
static pthread_once_t hash_key_once = PTHREAD_ONCE_INIT;

static void draw_hash_key(void)
{
    randombytes_buf(hash_key, sizeof(hash_key));
}

unsigned map_hash(const void *key, size_t size)
{
    unsigned char digest[crypto_shorthash_BYTES];
    uint32_t hash;

    pthread_once(&hash_key_once, draw_hash_key);
    crypto_shorthash(digest, key, size, hash_key);
    memcpy(&hash, digest, sizeof(hash));
    return hash;
}
