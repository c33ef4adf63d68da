/*
 * Messages that a session holds for later.
 *
 * A session that starts, is frozen or is still paused executes nothing; what arrives is copied here
 * in its order. Allocated with the first message, so that an idle session pays one pointer.
 */
#ifndef SESSION_HELD_H
#define SESSION_HELD_H

#include <cnode/term.h>

#include "base/list.h"

/** A queue of copied messages. The fields are private. */
struct held {
    struct list messages;
    size_t count;
    uint64_t bytes;
};

/** Called for each message, oldest first; false ends the walk. */
typedef bool (*held_visit)(void *context, struct cn_term message);

/**
 * Append a copy of @message, making the queue when *@held is NULL.
 * Errors: CN_E_LIMIT when @count_max messages are held, or it would be more than @bytes_max bytes;
 * -ENOMEM; with nothing changed.
 */
int held_add(struct held **held, struct cn_term message, size_t count_max, uint64_t bytes_max);
/** Count the messages of @held; NULL holds none. */
size_t held_count(const struct held *held);
/** Visit the messages and keep them. @held may be NULL. */
void held_each(const struct held *held, held_visit visit, void *context);
/** Release the queue and its messages; returns NULL, takes NULL. */
struct held *held_free(struct held *held);

#endif
