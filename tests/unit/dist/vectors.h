/*
 * What a BEAM really sent: the files that tests/vectors/record_fragments.escript makes.
 */
#ifndef TESTS_UNIT_DIST_VECTORS_H
#define TESTS_UNIT_DIST_VECTORS_H

#include <cnode/term.h>

#define VECTORS_MAX 200

/** A file: frames without their length, and the messages in them, with 131 before, in order. */
struct vectors {
    struct cn_bytes frames[VECTORS_MAX];
    struct cn_bytes messages[VECTORS_MAX];
    size_t frame_count;
    size_t message_count;
};

/**
 * Read hexadecimal text in which (xx*n) stands for n times xx, which may be up to four bytes.
 *
 * Ownership: free() the data.
 */
struct cn_bytes vectors_unpack(const char *text);
/** Read tests/vectors/@name. */
void vectors_read(struct vectors *vectors, const char *name);
/** Release. */
void vectors_free(struct vectors *vectors);

#endif
