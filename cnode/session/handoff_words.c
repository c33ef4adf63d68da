/*
 * The words of a handoff as terms: one table of names and sizes, and what follows the transfer.
 */
#include "session/handoff_words.h"

#include "session/session.h"
#include "session/snapshot.h"
#include "session/words.h"

#define WORDS (sizeof(words) / sizeof(words[0]))

static const struct {
    const char *name;
    uint32_t arity;
} words[] = {
    [HANDOFF_NONE] = {"", 0},
    [HANDOFF_STATE] = {"handoff_state", 5},
    [HANDOFF_DIGEST] = {"handoff_digest", 4},
    [HANDOFF_READY] = {"handoff_ready", 3},
    [HANDOFF_REFUSE] = {"handoff_refuse", 3},
    [HANDOFF_ACTIVATE] = {"handoff_activate", 2},
    [HANDOFF_ACTIVE] = {"handoff_active", 3},
    [HANDOFF_CANCEL] = {"handoff_cancel", 2},
};

/* Read the head of a message: its size and first element. */
static enum handoff_word read_word(struct cn_reader *reader)
{
    struct cn_bytes name;
    uint32_t arity;

    if (cn_peek(reader) != CN_TYPE_TUPLE || !cn_read_tuple(reader, &arity) || arity < 2 ||
        cn_peek(reader) != CN_TYPE_ATOM || !cn_read_atom(reader, &name))
        return HANDOFF_NONE;
    for (size_t i = 1; i < WORDS; i++)
        if (words[i].arity == arity && cn_bytes_equal(name, words[i].name))
            return (enum handoff_word)i;
    return HANDOFF_NONE;
}

enum handoff_word handoff_word(struct cn_term message)
{
    struct cn_reader reader;

    cn_reader_init(&reader, message);
    return read_word(&reader);
}

static bool read_rest(struct cn_reader *reader, struct handoff_message *message)
{
    switch (message->word) {
    case HANDOFF_STATE:
        return words_read_unsigned(reader, &message->index) &&
               words_read_unsigned(reader, &message->count) &&
               cn_read_binary(reader, &message->bytes);
    case HANDOFF_DIGEST:
        return cn_read_binary(reader, &message->bytes) &&
               words_read_unsigned(reader, &message->hash);
    case HANDOFF_READY:
        return cn_read_pid(reader, &message->pid);
    case HANDOFF_REFUSE:
        return cn_read_term(reader, &message->reason);
    case HANDOFF_ACTIVE:
        return words_read_unsigned(reader, &message->epoch);
    case HANDOFF_ACTIVATE:
    case HANDOFF_CANCEL:
        return true;
    case HANDOFF_NONE:
        break;
    }
    return false;
}

bool handoff_read(struct cn_term message, struct handoff_message *ret_message)
{
    struct cn_reader reader;

    cn_reader_init(&reader, message);
    ret_message->word = read_word(&reader);
    return ret_message->word != HANDOFF_NONE && cn_read_ref(&reader, &ret_message->transfer) &&
           read_rest(&reader, ret_message);
}

void handoff_write(struct cn_writer *writer, const struct handoff_message *message)
{
    cn_write_tuple(writer, words[message->word].arity);
    cn_write_atom(writer, words[message->word].name);
    cn_write_ref(writer, &message->transfer);
    switch (message->word) {
    case HANDOFF_STATE:
        cn_write_unsigned(writer, message->index);
        cn_write_unsigned(writer, message->count);
        cn_write_binary(writer, message->bytes);
        break;
    case HANDOFF_DIGEST:
        cn_write_binary(writer, message->bytes);
        cn_write_unsigned(writer, message->hash);
        break;
    case HANDOFF_READY:
        cn_write_pid(writer, &message->pid);
        break;
    case HANDOFF_REFUSE:
        cn_write_term(writer, message->reason);
        break;
    case HANDOFF_ACTIVE:
        cn_write_unsigned(writer, message->epoch);
        break;
    case HANDOFF_ACTIVATE:
    case HANDOFF_CANCEL:
    case HANDOFF_NONE:
        break;
    }
}

int handoff_say(struct session *session, const struct cn_pid *to,
                const struct handoff_message *message)
{
    struct cn_writer writer;
    int error;

    cn_writer_init(&writer, 0);
    handoff_write(&writer, message);
    error = cn_writer_error(&writer);
    if (error == 0)
        error = session_send(session, to, cn_writer_term(&writer));
    cn_writer_free(&writer);
    return error;
}

static int say_chunks(struct session *session, const struct cn_pid *to,
                      const struct cn_ref *transfer, struct cn_bytes bytes)
{
    size_t count = snapshot_chunks(bytes.size);
    int error = 0;

    for (size_t i = 0; i < count && error == 0; i++) {
        struct handoff_message message = {
            .word = HANDOFF_STATE,
            .transfer = *transfer,
            .index = i,
            .count = count,
            .bytes = snapshot_chunk(bytes.data, bytes.size, i),
        };

        error = handoff_say(session, to, &message);
    }
    return error;
}

int handoff_say_state(struct session *session, const struct cn_pid *to,
                      const struct cn_ref *transfer, struct cn_bytes bytes, uint32_t hash)
{
    uint8_t digest[SNAPSHOT_DIGEST_BYTES];
    struct handoff_message message = {
        .word = HANDOFF_DIGEST,
        .transfer = *transfer,
        .bytes = {.data = digest, .size = sizeof(digest)},
        .hash = hash,
    };
    int error = say_chunks(session, to, transfer, bytes);

    if (error != 0)
        return error;
    snapshot_digest(bytes.data, bytes.size, digest);
    return handoff_say(session, to, &message);
}
