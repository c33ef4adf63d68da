/*
 * One caller, kept until the other host has answered; nothing else is remembered. Whatever fails is
 * answered with nil at once.
 */
#include "session/relay.h"

#include "base/alloc.h"
#include "base/text.h"
#include "session/members.h"
#include "session/words.h"

struct relay {
    struct operation operation;
    struct hosts *hosts;
    struct gen_from *from;
};

static void relay_free(struct relay *relay)
{
    operation_end(&relay->operation);
    gen_from_free(relay->from);
    mem_free(relay);
}

static void relay_release(struct operation *operation)
{
    relay_free(container_of(operation, struct relay, operation));
}

/* Answer @pid; NULL: nil. */
static void answer(struct hosts *hosts, const struct gen_from *from, const struct cn_pid *pid)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    if (pid == NULL)
        cn_write_atom(&writer, "nil");
    else
        cn_write_pid(&writer, pid);
    gen_reply(hosts->procs, from, words_answer(&writer));
    cn_writer_free(&writer);
}

static void answered(struct gen_server *self, void *context, enum call_outcome outcome,
                     struct cn_term term)
{
    struct relay *relay = context;
    struct cn_reader reader;
    struct cn_pid pid;
    bool found;

    cn_reader_init(&reader, term);
    found = outcome == CALL_REPLY && cn_peek(&reader) == CN_TYPE_PID && cn_read_pid(&reader, &pid);
    answer(relay->hosts, relay->from, found ? &pid : NULL);
    relay_free(relay);
}

/* Ask the host of @node, whose answer goes to @from; false: it cannot be asked. */
static bool pass_on(struct hosts *hosts, const struct gen_from *from, struct cn_bytes id,
                    const char *node)
{
    const struct member *member = members_find(hosts, node);
    struct relay *relay = member == NULL ? NULL : mem_zalloc(sizeof(*relay));
    struct cn_writer question;
    struct dest dest;
    bool asked;

    if (relay == NULL)
        return false;
    dest = words_to_pid(&member->pid);
    relay->hosts = hosts;
    relay->from = gen_from_copy(from);
    operation_begin(hosts, &relay->operation, relay_release);
    cn_writer_init(&question, 0);
    relay_write(&question, id, NULL);
    asked = relay->from != NULL && cn_writer_error(&question) == 0 &&
            host_call(hosts, &dest, cn_writer_term(&question), RELAY_MS, answered, relay, NULL) ==
                0;
    cn_writer_free(&question);
    if (!asked)
        relay_free(relay);
    return asked;
}

static const struct cn_pid *owner_here(const struct hosts *hosts, struct cn_bytes id)
{
    const struct session *session = session_table_by_id(&hosts->table, id);

    if (session == NULL ||
        (session_state(session) != SESSION_RUNNING && session_state(session) != SESSION_FROZEN))
        return NULL;
    return session_pid(session);
}

bool relay_call(struct hosts *hosts, const struct gen_from *from, struct cn_term request)
{
    char node[CN_NODE_NAME_MAX + 1];
    struct cn_bytes id, name;
    struct cn_reader reader;
    uint32_t arity;

    cn_reader_init(&reader, request);
    if (cn_peek(&reader) != CN_TYPE_TUPLE || !cn_read_tuple(&reader, &arity) || arity < 2 ||
        arity > 3 || !cn_read_this_atom(&reader, "owner") || !cn_read_binary(&reader, &id))
        return false;
    if (arity == 2) {
        answer(hosts, from, owner_here(hosts, id));
        return true;
    }
    if (!cn_read_atom(&reader, &name))
        return false;
    text_copy_bytes(node, sizeof(node), name.data, name.size);
    if (!pass_on(hosts, from, id, node))
        answer(hosts, from, NULL);
    return true;
}

void relay_write(struct cn_writer *writer, struct cn_bytes id, const char *node)
{
    cn_write_tuple(writer, node == NULL ? 2 : 3);
    cn_write_atom(writer, "owner");
    cn_write_binary(writer, id);
    if (node != NULL)
        cn_write_atom(writer, node);
}
