/*
 * Sixteen random bytes as text, of which six bits say version and variant.
 *
 * Ids that come in are only checked for their form: a game may have been made by somebody
 * who numbers games in another way.
 */
#include "uuid.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

static bool is_dash(size_t index)
{
    return index == 8 || index == 13 || index == 18 || index == 23;
}

void uuid_format(const uint8_t random[UUID_RANDOM_BYTES], char ret_text[UUID_TEXT_BYTES])
{
    uint8_t bytes[UUID_RANDOM_BYTES];
    size_t nibble = 0;

    memcpy(bytes, random, sizeof bytes);
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < UUID_TEXT_BYTES; i++) {
        if (is_dash(i)) {
            ret_text[i] = '-';
            continue;
        }
        ret_text[i] = digits[(bytes[nibble / 2] >> (nibble % 2 == 0 ? 4 : 0)) & 0x0f];
        nibble++;
    }
}

bool uuid_is_valid(struct cn_bytes text)
{
    if (text.size != UUID_TEXT_BYTES)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = (char)text.data[i];

        if (is_dash(i) ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}
