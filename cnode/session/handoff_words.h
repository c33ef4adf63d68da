/*
 * The messages of a handoff, between the old process of a session and the new one.
 *
 * Every one carries `transfer`, the reference of one attempt, so that words of an attempt that was
 * given up mean nothing to the next. Source: PROTOCOL.md, "Graceful handoff of one session".
 */
#ifndef SESSION_HANDOFF_WORDS_H
#define SESSION_HANDOFF_WORDS_H

#include <cnode/term.h>

struct session;

/** The words, and who says them. */
enum handoff_word {
    HANDOFF_NONE,     /* not a word of a handoff */
    HANDOFF_STATE,    /* old: index, count, chunk */
    HANDOFF_DIGEST,   /* old: digest, hash */
    HANDOFF_READY,    /* new: pid */
    HANDOFF_REFUSE,   /* new: reason */
    HANDOFF_ACTIVATE, /* old */
    HANDOFF_ACTIVE,   /* new: epoch */
    HANDOFF_CANCEL,   /* old */
};

/** One message; only the fields named beside its word count. Views point into the message. */
struct handoff_message {
    enum handoff_word word;
    struct cn_ref transfer;
    uint64_t index;
    uint64_t count;
    struct cn_bytes bytes; /* chunk, digest */
    uint64_t hash;
    struct cn_pid pid;
    struct cn_term reason;
    uint64_t epoch;
};

/** Tell which word @message is, by its first element and its size. */
enum handoff_word handoff_word(struct cn_term message);
/** Read a message; false when it is no word of a handoff or its elements make no sense. */
bool handoff_read(struct cn_term message, struct handoff_message *ret_message);
/** Write a message. */
void handoff_write(struct cn_writer *writer, const struct handoff_message *message);
/** Say @message to @to in the session's name. Errors: as session_send. */
int handoff_say(struct session *session, const struct cn_pid *to,
                const struct handoff_message *message);
/** Say a snapshot of these @bytes in chunks, then its digest and @hash. Errors: as session_send. */
int handoff_say_state(struct session *session, const struct cn_pid *to,
                      const struct cn_ref *transfer, struct cn_bytes bytes, uint32_t hash);

#endif
