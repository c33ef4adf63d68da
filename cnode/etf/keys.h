/*
 * Keys of maps: no map may have one twice.
 *
 * A BEAM closes the connection on which a map with twin keys comes, so such a term must not lie in
 * a state or go on to another node; and nobody here need ask which of two values counts.
 */
#ifndef CNODE_ETF_KEYS_H
#define CNODE_ETF_KEYS_H

#include <stddef.h>
#include <stdint.h>

/** Keys that the maps of one term may have together, those of maps with one key aside. */
#define ETF_KEYS_MAX (UINT32_C(1) << 18)
/** Bytes that those of them may have that are not simply atoms, each as often as it is hashed. */
#define ETF_KEY_BYTES_MAX ((size_t)16 << 20)

/**
 * Look for twin keys in the term of @size bytes, whose form was checked before.
 *
 * Errors: CN_E_TERM_TWINS; CN_E_TERM_LIMIT when telling needs more than the limits above, or more
 * comparisons than honest keys need; -ENOMEM.
 */
int etf_keys_check(const uint8_t *data, size_t size);

#endif
