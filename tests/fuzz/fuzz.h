/*
 * What the fuzz targets share: the entry that libFuzzer calls, and a cursor over its bytes.
 *
 * A target takes any bytes and returns; it fails by an assertion, a sanitizer's finding, or by
 * taking too long. The same function is called by libFuzzer and by replay.c, which gives it the
 * corpus and what was found earlier.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cnode/term.h>

/** Try one input. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** The bytes that are still to be used. */
struct input {
    const uint8_t *data;
    size_t size;
};

/** Take a byte; 0 when there is none left. */
static inline uint8_t input_u8(struct input *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->data++;
}

/** Take @size bytes, fewer when fewer are left. */
static inline struct cn_bytes input_bytes(struct input *input, size_t size)
{
    struct cn_bytes taken = {input->data, size < input->size ? size : input->size};

    input->data += taken.size;
    input->size -= taken.size;
    return taken;
}

/** Give the processor time that this program has used, in milliseconds. */
uint64_t fuzz_cpu_ms(void);
/** Abort unless less than @ms_max of processor time has passed since @from_ms. */
void fuzz_check_time(uint64_t from_ms, uint64_t ms_max);
/** Copy @term into memory of just its size, for a sanitizer to guard; the caller frees it. */
struct cn_term fuzz_exact(struct cn_term term);
/** Tell whether both are the same bytes. */
bool fuzz_same(struct cn_bytes a, struct cn_bytes b);

#endif
