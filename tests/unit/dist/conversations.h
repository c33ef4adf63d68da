/*
 * Conversations that BEAMs of several releases really had with a peer: the files that
 * tests/vectors/record_signals.escript makes.
 */
#ifndef TESTS_UNIT_DIST_CONVERSATIONS_H
#define TESTS_UNIT_DIST_CONVERSATIONS_H

#include <cnode/term.h>

#define CONVERSATION_MAX 320

/** The releases and the conversations there are. */
#define CONVERSATION_RELEASES \
    {                         \
        25, 27, 29            \
    }
#define CONVERSATION_NAMES                \
    {                                     \
        "all", "old", "uncached", "plain" \
    }
#define CONVERSATION_COUNT 12

/** What was on the wire, without lengths, and what the sender says it was, with 131 before. */
struct conversation {
    uint64_t flags; /* of the peer */
    size_t frame_count;
    size_t signal_count;
    struct cn_bytes frames[CONVERSATION_MAX];
    struct cn_bytes tuples[CONVERSATION_MAX];   /* atom '_': anything */
    struct cn_bytes messages[CONVERSATION_MAX]; /* size 0: none */
};

/** Read conversation @number of CONVERSATION_COUNT. */
void conversation_read(struct conversation *conversation, size_t number);
/** Release. */
void conversation_free(struct conversation *conversation);

#endif
