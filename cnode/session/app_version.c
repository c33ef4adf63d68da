/*
 * Numbers are read from both texts by turns, so that nothing is kept of either. Nothing can fail:
 * what is no number is passed over, what is too large counts as the largest.
 */
#include "session/app_version.h"

#include <stdbool.h>

#define NUMBER_MAX UINT64_C(1000000000000000000)

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* Take the next number out of @text; -1: there is none. */
static int64_t next_number(struct cn_bytes *text)
{
    uint64_t number = 0; /* never above 10 * NUMBER_MAX, which fits */

    while (text->size > 0 && !is_digit(text->data[0])) {
        text->data++;
        text->size--;
    }
    if (text->size == 0)
        return -1;
    while (text->size > 0 && is_digit(text->data[0])) {
        if (number < NUMBER_MAX)
            number = number * 10 + (uint64_t)(text->data[0] - '0');
        text->data++;
        text->size--;
    }
    return (int64_t)(number < NUMBER_MAX ? number : NUMBER_MAX);
}

int app_version_compare(struct cn_bytes a, struct cn_bytes b)
{
    int64_t left, right;

    do {
        left = next_number(&a);
        right = next_number(&b);
    } while (left == right && left >= 0);
    return left < right ? -1 : left > right ? 1 : 0;
}
