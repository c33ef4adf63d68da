/*
 * Bounded text: copies that report what they cut, lines built piece by piece, UTF-8.
 *
 * Every output has a size and is always terminated; cutting is a condition that the caller sees,
 * never silent, and never leaves half a character of UTF-8 behind.
 */
#ifndef CNODE_BASE_TEXT_H
#define CNODE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Copy @from to @to of @to_size > 0 bytes. Errors: CN_E_TRUNCATED, with @to cut and terminated. */
int text_copy(char *to, size_t to_size, const char *from);
/** Copy @size bytes to @to of @to_size > 0 bytes, and terminate. Errors: as text_copy. */
int text_copy_bytes(char *to, size_t to_size, const void *from, size_t size);
/** Format into @to of @to_size > 0 bytes, as printf does. Errors: as text_copy. */
int text_format(char *to, size_t to_size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** Read all of @text as a decimal number of at most @max. Errors: CN_E_INVALID. */
int text_to_number(const char *text, uint64_t max, uint64_t *ret_number);
/** Tell whether @text begins with @prefix. */
bool text_begins(const char *text, const char *prefix);

/**
 * Tell whether @size bytes are valid UTF-8 (RFC 3629: shortest forms, no surrogates, at most
 * U+10FFFF) and count their characters; @ret_characters may be NULL.
 */
bool utf8_valid(const void *data, size_t size, size_t *ret_characters);
/**
 * Decode the first character of @size > 0 bytes. Gives its length in bytes, or 0 if it is not
 * valid.
 */
size_t utf8_decode(const uint8_t *data, size_t size, uint32_t *ret_character);

/** A line under construction in somebody's buffer; always terminated. */
struct text {
    char *data;
    size_t size;
    size_t capacity; /* with the terminator */
    bool truncated;  /* something did not fit: the end was cut and nothing more is added */
};

/** Start an empty line in @buffer of @capacity > 0 bytes. */
void text_init(struct text *text, char *buffer, size_t capacity);
/** Add a C string. */
void text_add(struct text *text, const char *more);
/** Add @size bytes. */
void text_add_bytes(struct text *text, const void *more, size_t size);
/** Add what printf would print, at most 511 bytes at a time. */
void text_add_format(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
