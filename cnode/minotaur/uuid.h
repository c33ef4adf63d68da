/*
 * Ids of games: UUIDs of version 4 in lower case.
 *
 * Source: RFC 9562, sections 4 and 5.4.
 */
#ifndef CNODE_MINOTAUR_UUID_H
#define CNODE_MINOTAUR_UUID_H

#include <cnode/term.h>

enum {
    UUID_TEXT_BYTES = 36,
    UUID_RANDOM_BYTES = 16,
};

/** Write the UUID made of 16 random bytes, without a terminator. */
void uuid_format(const uint8_t random[UUID_RANDOM_BYTES], char ret_text[UUID_TEXT_BYTES]);
/** Tell whether @text is a UUID (of any version) in lower case with dashes. */
bool uuid_is_valid(struct cn_bytes text);

#endif
