/*
 * What the tests of dist/ share: bytes from hexadecimal text, a seeded random source, a runner.
 *
 * Random cuts and mutations come from a generator with a printed seed, so that a failure can be
 * replayed.
 */
#ifndef TESTS_UNIT_DIST_SUPPORT_H
#define TESTS_UNIT_DIST_SUPPORT_H

#include <check.h>
#include <stdint.h>

#include <cnode/term.h>

/** Turn hexadecimal text into bytes, in memory that lives as long as the test. */
struct cn_bytes from_hex(const char *hex);
/** Copy bytes into memory that lives as long as the test. */
struct cn_bytes kept_bytes(const void *data, size_t size);
/** Copy @size bytes into memory of just that size, so that a sanitizer sees one byte too many. */
uint8_t *exact(const void *data, size_t size);
/** Start the generator with @seed. */
void seed_random(uint64_t seed);
/** Give a number below @limit. */
uint32_t random_below(uint32_t limit);
/** Change a few bytes of @size > 0 bytes. */
void mutate(uint8_t *data, size_t size);
/** Run @suite; gives the exit code of a test program. */
int run_suite(Suite *suite);

#endif
