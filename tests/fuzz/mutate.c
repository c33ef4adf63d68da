/*
 * Changes inputs that are made of terms, for libFuzzer: one part of a term takes the place of
 * another.
 *
 * Bytes changed at random are rarely a term any more, and a struct with a wrong length somewhere
 * never gets beyond the walker. Half of all changes are libFuzzer's own, so that it is not spared
 * those either.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "etf/tags.h"
#include "etf/walk.h"

#define PARTS_MAX 4096

/** libFuzzer's own change of @size bytes, to at most @size_max. Gives the new size. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);
/** Called by libFuzzer to change an input. Gives the new size. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed);

/* Values that are right in one place and wrong in most others. */
static const struct cn_bytes spares[] = {
    {(const uint8_t *)"\x6a", 1},
    {(const uint8_t *)"\x61\x00", 2},
    {(const uint8_t *)"\x61\x01", 2},
    {(const uint8_t *)"\x62\xff\xff\xff\xff", 5},
    {(const uint8_t *)"\x6e\x08\x00\xff\xff\xff\xff\xff\xff\xff\x7f", 11},
    {(const uint8_t *)"\x6e\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01", 12},
    {(const uint8_t *)"\x46\x3f\xf0\x00\x00\x00\x00\x00\x00", 9},
    {(const uint8_t *)"\x46\x80\x00\x00\x00\x00\x00\x00\x00", 9},
    {(const uint8_t *)"\x77\x03nil", 5},
    {(const uint8_t *)"\x77\x00", 2},
    {(const uint8_t *)"\x6d\x00\x00\x00\x00", 5},
    {(const uint8_t *)"\x6d\x00\x00\x00\x01\xff", 6},
    {(const uint8_t *)"\x6b\x00\x02\x01\x02", 5},
    {(const uint8_t *)"\x68\x00", 2},
    {(const uint8_t *)"\x74\x00\x00\x00\x00", 5},
    {(const uint8_t *)"\x6c\x00\x00\x00\x01\x61\x01\x61\x02", 9},
};

/* Bytes from the start of a term to its first element; 0 for a term without any. */
static size_t head_bytes(uint8_t tag)
{
    switch (tag) {
    case TAG_SMALL_TUPLE:
        return 2;
    case TAG_LARGE_TUPLE:
    case TAG_LIST:
    case TAG_MAP:
        return 5;
    default:
        return 0;
    }
}

/* Find where the parts of all terms from @at on begin, outer ones first. */
static size_t find_parts(const uint8_t *data, size_t size, size_t at, size_t *parts)
{
    size_t count = 0;
    size_t step = 0;

    while (at < size && count < PARTS_MAX) {
        if (data[at] == TAG_VERSION) { /* between the terms of a frame */
            at++;
        } else if (etf_skip(data + at, size - at, &step) == 0) {
            size_t head = head_bytes(data[at]);

            parts[count++] = at;
            at += head > 0 ? head : step;
        } else {
            break;
        }
    }
    return count;
}

/* Where the first term begins: behind the head of a frame and of fuzz_frame.c, or a first byte. */
static size_t first_term(const uint8_t *data, size_t size)
{
    size_t ignored = 0;

    if (size > 6 && data[4] == 'p' && data[5] == TAG_VERSION)
        return 6;
    return size > 0 && etf_skip(data, size, &ignored) != 0 ? 1 : 0;
}

static struct cn_bytes part_at(const uint8_t *data, size_t size, size_t at)
{
    size_t step = 0;

    (void)etf_skip(data + at, size - at, &step);
    return (struct cn_bytes){data + at, step};
}

/* Put @part in the place of @place. Gives the new size; 0 when it would not fit. */
static size_t put(uint8_t *data, size_t size, size_t size_max, struct cn_bytes place,
                  struct cn_bytes part)
{
    size_t at = (size_t)(place.data - data);
    size_t rest = size - at - place.size;
    struct cn_term copy;

    if (size - place.size + part.size > size_max)
        return 0;
    copy = fuzz_exact((struct cn_term){part.data, part.size});
    memmove(data + at + part.size, data + at + place.size, rest);
    memcpy(data + at, copy.data, part.size);
    free((void *)(uintptr_t)copy.data);
    return size - place.size + part.size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
    static size_t parts[PARTS_MAX];
    size_t count = find_parts(data, size, first_term(data, size), parts);
    struct cn_bytes place, part;
    size_t made = 0;

    if (count > 0 && seed % 2 == 0) {
        unsigned other = seed / 2 * 2654435761u >> 8;

        place = part_at(data, size, parts[seed / 2 % count]);
        part = other % 3 == 0 ? spares[other / 3 % (sizeof(spares) / sizeof(spares[0]))]
                              : part_at(data, size, parts[other / 3 % count]);
        made = put(data, size, size_max, place, part);
    }
    return made > 0 ? made : LLVMFuzzerMutate(data, size, size_max);
}
