/*
 * What the tests of this layer share: sample terms of every tag, and terms from hexadecimal text.
 *
 * The samples are what term_to_binary/2 wrote on OTP 25, or follow the external term format where
 * a BEAM does not write that form any more.
 */
#ifndef TESTS_UNIT_ETF_SUPPORT_H
#define TESTS_UNIT_ETF_SUPPORT_H

#include <check.h>

#include <cnode/term.h>

/** A valid term. */
struct sample {
    const char *name;
    const char *hex;
};

extern const struct sample samples[];
extern const size_t sample_count;

/** Turn hexadecimal text into bytes, in memory that lives as long as the test. */
struct cn_term term_from_hex(const char *hex);
/** Give a copy of @size bytes that ends where its memory ends, for a sanitizer to guard. */
uint8_t *exact_copy(const uint8_t *data, size_t size);
/** Write a tuple of all samples. */
void write_all_samples(struct cn_writer *writer);
/** Copy a term by reading it value by value; lists element by element when @open_strings. */
bool copy_by_value(struct cn_reader *reader, struct cn_writer *writer, bool open_strings);
/** Call everything that looks at terms; the bytes may be anything. */
void touch_everything(struct cn_term term);
/** Run @suite; gives the exit code of a test program. */
int run_suite(Suite *suite);

#endif
