/*
 * Reading recorded conversations: lines of a kind and hexadecimal text, in which repetitions are
 * counted. A file that cannot be read fails the test.
 */
#include "conversations.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vectors.h"

static struct cn_bytes copy_of(struct cn_bytes bytes)
{
    uint8_t *copy = malloc(bytes.size);

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes.data, bytes.size);
    return (struct cn_bytes){copy, bytes.size};
}

static void add_line(struct conversation *into, const char *kind, const char *first,
                     const char *second)
{
    size_t number = into->signal_count;

    ck_assert_uint_lt(number, CONVERSATION_MAX);
    ck_assert_uint_lt(into->frame_count, CONVERSATION_MAX);
    if (strcmp(kind, "frame") == 0) {
        into->frames[into->frame_count++] = vectors_unpack(first);
        return;
    }
    ck_assert_str_eq(kind, "signal");
    into->tuples[number] = strcmp(first, "=") == 0 ? copy_of(into->tuples[number - 1])
                                                   : vectors_unpack(first);
    into->messages[number] = second != NULL ? vectors_unpack(second) : (struct cn_bytes){NULL, 0};
    into->signal_count++;
}

void conversation_read(struct conversation *conversation, size_t number)
{
    static const unsigned releases[] = CONVERSATION_RELEASES;
    static const char *const names[] = CONVERSATION_NAMES;
    static char line[64 << 10];
    const char *name = names[number % 4];
    bool here = false;
    char path[4096];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/signals_otp%u.tsv", getenv("CNODE_VECTORS"),
                   releases[number / 4]);
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    *conversation = (struct conversation){.frame_count = 0};
    while (fgets(line, sizeof(line), file) != NULL) {
        const char *kind = strtok(line, "\t\n");
        const char *first = strtok(NULL, "\t\n");
        const char *second = strtok(NULL, "\t\n");

        if (strcmp(kind, "conversation") == 0) {
            here = strcmp(first, name) == 0;
            conversation->flags = here ? strtoull(second, NULL, 16) : conversation->flags;
        } else if (here) {
            add_line(conversation, kind, first, second);
        }
    }
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_uint_gt(conversation->signal_count, 30);
}

static void free_bytes(struct cn_bytes *all, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)all[i].data);
}

void conversation_free(struct conversation *conversation)
{
    free_bytes(conversation->frames, conversation->frame_count);
    free_bytes(conversation->tuples, conversation->signal_count);
    free_bytes(conversation->messages, conversation->signal_count);
}
