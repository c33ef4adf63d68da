/*
 * Bounded text.
 *
 * Cutting backs up over continuation bytes, so that what is left of valid UTF-8 stays valid. The
 * UTF-8 check has a fast path of eight ASCII bytes at a time, since it runs over every atom that a
 * peer sends.
 */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/error.h"

#define FORMAT_MAX 512

/* The most of @size bytes up to @limit < @size that ends between two characters. */
static size_t cut_at(const char *data, size_t limit)
{
    size_t size = limit;

    while (size > 0 && limit - size < 4 && ((uint8_t)data[size] & 0xc0) == 0x80)
        size--;
    return ((uint8_t)data[size] & 0xc0) == 0x80 ? limit : size;
}

/* Drop the beginning of a character at the end of text that was cut anywhere. */
static void drop_partial(char *text, size_t size)
{
    size_t at = size;
    uint32_t character;

    while (at > 0 && size - at < 4 && ((uint8_t)text[at - 1] & 0xc0) == 0x80)
        at--;
    if (at > 0 && (uint8_t)text[at - 1] >= 0xc0 &&
        utf8_decode((uint8_t *)text + at - 1, size - (at - 1), &character) == 0)
        text[at - 1] = '\0';
}

int text_copy_bytes(char *to, size_t to_size, const void *from, size_t size)
{
    int r = 0;

    cn_assert(to_size > 0);
    if (size >= to_size) {
        size = cut_at(from, to_size - 1);
        r = CN_E_TRUNCATED;
    }
    if (size > 0)
        memcpy(to, from, size);
    to[size] = '\0';
    return r;
}

int text_copy(char *to, size_t to_size, const char *from)
{
    return text_copy_bytes(to, to_size, from, strlen(from));
}

int text_format(char *to, size_t to_size, const char *format, ...)
{
    va_list arguments;
    int size;

    cn_assert(to_size > 0);
    va_start(arguments, format);
    size = vsnprintf(to, to_size, format, arguments);
    va_end(arguments);
    cn_assert(size >= 0);
    if ((size_t)size < to_size)
        return 0;
    drop_partial(to, to_size - 1);
    return CN_E_TRUNCATED;
}

int text_to_number(const char *text, uint64_t max, uint64_t *ret_number)
{
    uint64_t number = 0;

    if (*text == '\0')
        return CN_E_INVALID;
    for (; *text != '\0'; text++) {
        unsigned digit = (unsigned)*text - '0';

        if (digit > 9 || number > max / 10 || number * 10 > max - digit || digit > max)
            return CN_E_INVALID;
        number = number * 10 + digit;
    }
    *ret_number = number;
    return 0;
}

bool text_begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Decode a character of two to four bytes. */
static size_t decode_long(const uint8_t *data, size_t size, uint32_t *ret_character)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = data[0] >= 0xf0 ? 4 : data[0] >= 0xe0 ? 3 : 2;
    uint32_t character = data[0] & (0x7fu >> length);

    if (data[0] < 0xc2 || data[0] > 0xf4 || size < length)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if (!is_continuation(data[i]))
            return 0;
        character = character << 6 | (data[i] & 0x3f);
    }
    if (character < smallest[length] || character > 0x10ffff ||
        (character >= 0xd800 && character <= 0xdfff))
        return 0;
    *ret_character = character;
    return length;
}

size_t utf8_decode(const uint8_t *data, size_t size, uint32_t *ret_character)
{
    if (data[0] >= 0x80)
        return decode_long(data, size, ret_character);
    *ret_character = data[0];
    return 1;
}

static size_t skip_ascii(const uint8_t *data, size_t size)
{
    size_t at = 0;
    uint64_t word;

    while (size - at >= sizeof(word)) {
        memcpy(&word, data + at, sizeof(word));
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            break;
        at += sizeof(word);
    }
    while (at < size && data[at] < 0x80)
        at++;
    return at;
}

bool utf8_valid(const void *data, size_t size, size_t *ret_characters)
{
    const uint8_t *bytes = data;
    size_t at = skip_ascii(bytes, size);
    size_t characters = at;
    uint32_t character;

    while (at < size) {
        size_t length = utf8_decode(bytes + at, size - at, &character);

        if (length == 0)
            return false;
        at += length;
        characters++;
    }
    if (ret_characters != NULL)
        *ret_characters = characters;
    return true;
}

void text_init(struct text *text, char *buffer, size_t capacity)
{
    cn_assert(capacity > 0);
    *text = (struct text){.data = buffer, .capacity = capacity};
    buffer[0] = '\0';
}

void text_add_bytes(struct text *text, const void *more, size_t size)
{
    size_t room = text->capacity - text->size;

    if (text->truncated)
        return;
    if (text_copy_bytes(text->data + text->size, room, more, size) == 0) {
        text->size += size;
        return;
    }
    text->size += strlen(text->data + text->size);
    text->truncated = true;
}

void text_add(struct text *text, const char *more)
{
    text_add_bytes(text, more, strlen(more));
}

void text_add_format(struct text *text, const char *format, ...)
{
    char piece[FORMAT_MAX];
    va_list arguments;
    int size;

    va_start(arguments, format);
    size = vsnprintf(piece, sizeof(piece), format, arguments);
    va_end(arguments);
    cn_assert(size >= 0);
    if ((size_t)size >= sizeof(piece))
        drop_partial(piece, sizeof(piece) - 1);
    text_add(text, piece);
    if ((size_t)size >= sizeof(piece))
        text->truncated = true;
}
