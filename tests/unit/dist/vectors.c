/*
 * Reading what a BEAM really sent: lines of a kind and hexadecimal text, in which runs are counted.
 * A file that cannot be read fails the test.
 */
#include "vectors.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

static void append(struct bytes *bytes, const uint8_t *data, size_t size)
{
    if (bytes_append(bytes, data, size) != 0)
        ck_abort_msg("no memory"); /* an assertion for each would take seconds */
}

static uint8_t byte_at(const char *text)
{
    char digits[3] = {text[0], text[1], '\0'};

    return (uint8_t)strtoul(digits, NULL, 16);
}

struct cn_bytes vectors_unpack(const char *text)
{
    struct bytes bytes;

    bytes_init(&bytes, 0);
    while (*text != '\0' && *text != '\n') {
        bool repeated = *text == '(';
        uint8_t unit[4];
        size_t size = 0;

        text += repeated ? 1 : 0;
        do {
            unit[size++] = byte_at(text);
            text += 2;
        } while (repeated && *text != '*');
        for (unsigned long left = repeated ? strtoul(text + 1, NULL, 10) : 1; left > 0; left--)
            append(&bytes, unit, size);
        text = repeated ? strchr(text, ')') + 1 : text;
    }
    return (struct cn_bytes){bytes_data(&bytes), bytes_size(&bytes)};
}

void vectors_read(struct vectors *vectors, const char *name)
{
    static char line[64 << 10];
    char path[4096];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", getenv("CNODE_VECTORS"), name);
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    *vectors = (struct vectors){.frame_count = 0};
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "frame\t", 6) == 0)
            vectors->frames[vectors->frame_count++] = vectors_unpack(line + 6);
        else if (strncmp(line, "message\t", 8) == 0)
            vectors->messages[vectors->message_count++] = vectors_unpack(line + 8);
    }
    ck_assert_int_eq(fclose(file), 0);
}

void vectors_free(struct vectors *vectors)
{
    while (vectors->frame_count > 0)
        free((void *)(uintptr_t)vectors->frames[--vectors->frame_count].data);
    while (vectors->message_count > 0)
        free((void *)(uintptr_t)vectors->messages[--vectors->message_count].data);
}
