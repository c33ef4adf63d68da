/*
 * Names and locks of :global, on request:
 *
 *     {change, [{Verb, Name, Pid}]}                                   [yes | no | ok | timeout]
 *     {each, [{Verb, Name, Pid}]}      the same, one after the other  ok
 *     {re_register, Name, Pid}                                        yes
 *     {set_lock, Id, Retries}, {del_lock, Id}                         true | false
 *     {trans, Id, Retries}                                            locked | aborted
 *     {call, Name, Request}                                           {ok, Reply} | {exit, Reason}
 *     {block, Millions}                count so far, seconds long     ok
 *     inbox                                                           [Message], and empty it
 *
 * A Verb is register, unregister, re_register, or register_exit: the loser of a conflict is killed.
 * Anything else is answered badarg. What cannot be done for want of memory is not answered: the
 * caller's own timeout tells.
 */
#include "namer.h"

#include <stdlib.h>

#include "inbox.h"

#define CALL_MS 5000

static struct inbox inbox;

static void answer_atom(struct cn_server *self, const struct cn_from *from, const char *text)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_atom(&writer, text);
    (void)cn_reply_written(self, from, &writer);
}

static void answered(struct cn_server *self, void *context, enum cn_outcome outcome,
                     struct cn_term term)
{
    struct cn_from *from = context;

    if (outcome != CN_ENDED)
        (void)cn_reply(self, from, term);
    cn_from_free(from);
}

static void called(struct cn_server *self, void *context, enum cn_outcome outcome,
                   struct cn_term term)
{
    struct cn_from *from = context;
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, outcome == CN_DONE ? "ok" : "exit");
    if (outcome != CN_ENDED) {
        cn_write_term(&writer, term);
        (void)cn_reply_written(self, from, &writer);
    }
    cn_writer_free(&writer);
    cn_from_free(from);
}

static void body(struct cn_server *self, void *context, struct cn_writer *result)
{
    (void)self;
    (void)context;
    cn_write_atom(result, "locked");
}

/* What is asked. */
struct query {
    struct cn_server *self;
    struct cn_reader reader; /* behind the verb */
    struct cn_from *from;    /* goes to `answered`, or is freed when that is not called */
};

static bool read_change(struct cn_reader *reader, struct cn_global_change *change)
{
    struct cn_bytes verb;

    if (!cn_read_this_tuple(reader, 3) || !cn_read_atom(reader, &verb) ||
        !cn_read_term(reader, &change->name) || !cn_read_pid(reader, &change->pid))
        return false;
    change->conflict = cn_bytes_equal(verb, "register_exit") ? CN_EXIT_ONE : CN_NOTIFY_ALL;
    change->verb = CN_REGISTER;
    if (cn_bytes_equal(verb, "unregister"))
        change->verb = CN_UNREGISTER;
    if (cn_bytes_equal(verb, "re_register"))
        change->verb = CN_RE_REGISTER;
    return true;
}

static int change(struct query *query)
{
    struct cn_global_change *changes;
    uint32_t count = 0;
    uint32_t read = 0;
    int error = -1;

    if (!cn_read_list(&query->reader, &count))
        return error;
    changes = calloc(count + 1, sizeof *changes);
    while (changes && read < count && read_change(&query->reader, &changes[read]))
        read++;
    if (changes && read == count)
        error = cn_global_change(query->self, changes, count, answered, query->from);
    free(changes);
    return error;
}

/* Changes that are made one after the other, each when the one before is done. */
struct each {
    struct cn_from *from;
    struct cn_writer list;
    struct cn_reader reader; /* in the list */
    uint32_t left;
};

static void each_next(struct cn_server *self, void *context, enum cn_outcome outcome,
                      struct cn_term term)
{
    struct each *each = context;
    struct cn_global_change next;

    (void)term;
    if (outcome == CN_DONE && each->left > 0 && read_change(&each->reader, &next)) {
        each->left--;
        if (cn_global_change(self, &next, 1, each_next, each) == 0)
            return;
    }
    if (outcome == CN_DONE)
        answer_atom(self, each->from, "ok");
    cn_from_free(each->from);
    cn_writer_free(&each->list);
    free(each);
}

static int each(struct query *query)
{
    struct each *each = calloc(1, sizeof *each);
    struct cn_term list;

    if (!each || !cn_read_term(&query->reader, &list)) {
        free(each);
        return -1;
    }
    each->from = query->from;
    cn_writer_init(&each->list, 0);
    cn_write_term(&each->list, list);
    cn_reader_init(&each->reader, cn_writer_term(&each->list));
    (void)cn_read_list(&each->reader, &each->left);
    each_next(query->self, each, CN_DONE, list);
    return 0;
}

static int re_register(struct query *query)
{
    struct cn_term name;
    struct cn_pid pid;

    if (!cn_read_term(&query->reader, &name) || !cn_read_pid(&query->reader, &pid))
        return -1;
    return cn_global_re_register(query->self, name, &pid, answered, query->from);
}

static int set_lock(struct query *query)
{
    struct cn_term id;
    int64_t retries = 0;

    if (!cn_read_term(&query->reader, &id) || !cn_read_integer(&query->reader, &retries))
        return -1;
    return cn_global_set_lock(query->self, id, (uint32_t)retries, answered, query->from);
}

static int del_lock(struct query *query)
{
    struct cn_term id;

    if (!cn_read_term(&query->reader, &id))
        return -1;
    return cn_global_del_lock(query->self, id, answered, query->from);
}

static int trans(struct query *query)
{
    struct cn_term id;
    int64_t retries = 0;

    if (!cn_read_term(&query->reader, &id) || !cn_read_integer(&query->reader, &retries))
        return -1;
    return cn_global_trans(query->self, id, (uint32_t)retries, body, answered, query->from);
}

static int call(struct query *query)
{
    struct cn_writer to;
    struct cn_term name;
    struct cn_term request;
    int error = -1;

    if (!cn_read_term(&query->reader, &name) || !cn_read_term(&query->reader, &request))
        return error;
    cn_writer_init(&to, 0);
    cn_write_tuple(&to, 2);
    cn_write_atom(&to, "global");
    cn_write_term(&to, name);
    if (cn_writer_error(&to) == 0)
        error = cn_call(query->self, cn_writer_term(&to), request, CALL_MS, called, query->from);
    cn_writer_free(&to);
    return error;
}

/* What no server may do: nothing else of the node goes on meanwhile. */
static int block(struct query *query)
{
    int64_t millions = 0;

    if (!cn_read_integer(&query->reader, &millions))
        return -1;
    for (volatile int64_t left = millions * 1000000; left > 0;)
        left = left - 1;
    answer_atom(query->self, query->from, "ok");
    cn_from_free(query->from);
    return 0;
}

static const struct {
    const char *verb;
    uint32_t arity;
    int (*run)(struct query *query);
} verbs[] = {
    {"change", 2, change},     {"each", 2, each},         {"re_register", 3, re_register},
    {"set_lock", 3, set_lock}, {"del_lock", 2, del_lock}, {"trans", 3, trans},
    {"call", 3, call},         {"block", 2, block},
};

static void run(struct query *query, struct cn_bytes verb, uint32_t arity,
                const struct cn_from *from)
{
    int error = -1;

    for (size_t i = 0; query->from && i < sizeof verbs / sizeof *verbs; i++)
        if (cn_bytes_equal(verb, verbs[i].verb) && arity == verbs[i].arity)
            error = verbs[i].run(query);
    if (error == 0)
        return;
    cn_from_free(query->from);
    answer_atom(query->self, from, "badarg");
}

static void answer_inbox(struct cn_server *self, const struct cn_from *from)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    inbox_write(&inbox, &writer);
    inbox_clear(&inbox);
    (void)cn_reply_written(self, from, &writer);
}

static void handle_call(struct cn_server *self, void *state, const struct cn_from *from,
                        struct cn_term request)
{
    struct query query = {.self = self};
    struct cn_bytes verb = {0};
    uint32_t arity = 0;

    (void)state;
    if (cn_term_is_atom(request, "inbox")) {
        answer_inbox(self, from);
        return;
    }
    cn_reader_init(&query.reader, request);
    if (cn_peek(&query.reader) == CN_TYPE_TUPLE)
        (void)cn_read_tuple(&query.reader, &arity);
    (void)cn_read_atom(&query.reader, &verb);
    query.from = cn_from_keep(from);
    run(&query, verb, arity, from);
}

static void handle_info(struct cn_server *self, void *state, struct cn_term message)
{
    (void)state;
    (void)inbox_add(&inbox, self, "info", message);
}

static void terminate(struct cn_server *self, void *state, struct cn_term reason)
{
    (void)self;
    (void)state;
    (void)reason;
    inbox_clear(&inbox);
}

int namer_start(struct cn_node *node)
{
    static const struct cn_server_callbacks callbacks = {
        .module = "namer",
        .handle_call = handle_call,
        .handle_info = handle_info,
        .terminate = terminate,
    };
    struct cn_server *server;
    int error = cn_server_start(node, &callbacks, NULL, &server);

    return error != 0 ? error : cn_server_register(server, "namer");
}
