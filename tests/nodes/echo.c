/*
 * cnode-echo: a GenServer in C, as an example and as a target for tests.
 *
 * It registers `conformance_echo`, echoes what it is asked, and does on request whatever a process
 * can do: send, call, monitor, link, exit, register itself in :global. Each request is a row of a
 * table, with its arguments and a handler of a few lines. What is not in the table, or has other
 * arguments, is answered {echo, Request}; what memory or limits forbid ends the process with
 * system_limit, as it would on a BEAM.
 *
 *     cnode-echo --name echo@127.0.0.1 --cookie-file ~/.erlang.cookie
 *     iex> GenServer.call({:conformance_echo, :"echo@127.0.0.1"}, :hello)
 *     {:echo, :hello}
 */
#include "inbox.h"
#include "namer.h"

#include <cnode/node.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOB_BYTES_MAX (100 << 20)
#define BLOB_PERIOD    251

/* What a process remembers: what came since the last {inbox}. */
struct echo {
    struct inbox inbox;
};

typedef int (*global_function)(struct cn_server *self, struct cn_term name, cn_done done,
                               void *context);

/* A call under way. */
struct request {
    struct cn_server *self;
    struct echo *echo;
    const struct cn_from *from;
    struct cn_writer reply;
    /* The arguments, by their kind; see read_arguments. */
    struct cn_term term[2];
    struct cn_pid pid;
    struct cn_ref ref;
    int64_t number;
    bool flag;
    global_function ask;
};

enum answer {
    ECHO,  /* not a request of the table: echo it */
    REPLY, /* send what was written */
    LATER, /* the reply comes later, or never */
};

static int start_echo(struct cn_node *node, struct cn_server **ret_server);

/* Ways to answer. */

/* Write {Tag, Term}: the term must follow. */
static void write_tagged(struct cn_writer *writer, const char *tag)
{
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, tag);
}

static void reply_written(struct cn_server *self, const struct cn_from *from,
                          struct cn_writer *reply)
{
    if (cn_reply_written(self, from, reply) != 0)
        cn_server_stop_atom(self, "system_limit");
}

static enum answer ok(struct request *request)
{
    cn_write_atom(&request->reply, "ok");
    return REPLY;
}

static enum answer refuse(struct request *request, int error)
{
    if (error == -EINVAL)
        return ECHO;
    cn_server_stop_atom(request->self, "system_limit");
    return LATER;
}

static enum answer ok_unless(struct request *request, int error)
{
    return error == 0 ? ok(request) : refuse(request, error);
}

/* Requests that are answered at once. */

static enum answer start_target(struct request *request)
{
    struct cn_server *target;
    int error = start_echo(cn_server_node(request->self), &target);

    if (error != 0)
        return refuse(request, error);
    write_tagged(&request->reply, "ok");
    cn_write_pid(&request->reply, cn_server_pid(target));
    return REPLY;
}

static enum answer whoami(struct request *request)
{
    cn_write_pid(&request->reply, cn_server_pid(request->self));
    return REPLY;
}

static enum answer make_ref(struct request *request)
{
    struct cn_ref ref;

    cn_make_ref(request->self, &ref);
    cn_write_ref(&request->reply, &ref);
    return REPLY;
}

static enum answer nodes(struct request *request)
{
    cn_write_nodes(cn_server_node(request->self), &request->reply);
    return REPLY;
}

static enum answer blob(struct request *request)
{
    size_t size = (size_t)request->number;
    uint8_t *bytes;

    if (request->number > BLOB_BYTES_MAX)
        return refuse(request, -ENOMEM);
    write_tagged(&request->reply, "blob");
    bytes = cn_write_binary_room(&request->reply, size);
    if (!bytes)
        return refuse(request, -ENOMEM);
    for (size_t at = 0; at < size && at < BLOB_PERIOD; at++)
        bytes[at] = (uint8_t)at;
    for (size_t at = BLOB_PERIOD; at < size; at += BLOB_PERIOD)
        memcpy(bytes + at, bytes, size - at < BLOB_PERIOD ? size - at : BLOB_PERIOD);
    return REPLY;
}

static enum answer noreply(struct request *request)
{
    (void)request;
    return LATER;
}

static enum answer inbox(struct request *request)
{
    inbox_write(&request->echo->inbox, &request->reply);
    inbox_clear(&request->echo->inbox);
    return REPLY;
}

static enum answer send_message(struct request *request)
{
    return ok_unless(request, cn_send(request->self, request->term[0], request->term[1]));
}

static enum answer monitor(struct request *request)
{
    struct cn_ref ref;
    int error = cn_monitor(request->self, request->term[0], &ref);

    if (error != 0)
        return refuse(request, error);
    write_tagged(&request->reply, "ok");
    cn_write_ref(&request->reply, &ref);
    return REPLY;
}

static enum answer demonitor(struct request *request)
{
    cn_demonitor(request->self, &request->ref);
    return ok(request);
}

static enum answer link_me(struct request *request)
{
    return ok_unless(request, cn_link(request->self, &request->pid));
}

static enum answer unlink_me(struct request *request)
{
    cn_unlink(request->self, &request->pid);
    return ok(request);
}

static enum answer trap_exit(struct request *request)
{
    cn_server_trap_exit(request->self, request->flag);
    return ok(request);
}

static enum answer exit_signal(struct request *request)
{
    return ok_unless(request, cn_exit(request->self, &request->pid, request->term[0]));
}

static enum answer exit_with(struct request *request)
{
    cn_server_stop(request->self, request->term[0]);
    return ok(request);
}

static enum answer crash(struct request *request)
{
    cn_server_stop(request->self, request->term[0]);
    return LATER;
}

/* Requests that are answered later; until then the caller is kept. */

struct sleeper {
    struct cn_from *from;
    struct cn_writer reply;
};

static void wake(struct cn_server *self, void *context, enum cn_outcome outcome,
                 struct cn_term term)
{
    struct sleeper *sleeper = context;

    (void)term;
    if (outcome == CN_DONE)
        reply_written(self, sleeper->from, &sleeper->reply);
    cn_from_free(sleeper->from);
    cn_writer_free(&sleeper->reply);
    free(sleeper);
}

static enum answer sleep_echo(struct request *request)
{
    struct sleeper *sleeper = malloc(sizeof *sleeper);

    if (!sleeper)
        return refuse(request, -ENOMEM);
    sleeper->from = cn_from_keep(request->from);
    cn_writer_init(&sleeper->reply, 0);
    write_tagged(&sleeper->reply, "echo");
    cn_write_term(&sleeper->reply, request->term[0]);
    if (sleeper->from &&
        cn_after(request->self, (uint64_t)request->number, wake, sleeper, NULL) == 0)
        return LATER;
    wake(request->self, sleeper, CN_ENDED, request->term[0]);
    return refuse(request, -ENOMEM);
}

static void call_ended(struct cn_server *self, void *context, enum cn_outcome outcome,
                       struct cn_term term)
{
    struct cn_from *from = context;
    struct cn_writer reply;

    cn_writer_init(&reply, 0);
    if (outcome != CN_ENDED) {
        write_tagged(&reply, outcome == CN_DONE ? "ok" : "exit");
        cn_write_term(&reply, term);
        reply_written(self, from, &reply);
    }
    cn_writer_free(&reply);
    cn_from_free(from);
}

static enum answer call(struct request *request)
{
    struct cn_from *from = cn_from_keep(request->from);
    int64_t ms = request->number;
    int error = from ? cn_call(request->self, request->term[0], request->term[1],
                               ms < CN_INFINITY ? (uint32_t)ms : CN_INFINITY, call_ended, from)
                     : -ENOMEM;

    if (error == 0)
        return LATER;
    cn_from_free(from);
    if (error != -EDEADLK)
        return refuse(request, error);
    write_tagged(&request->reply, "exit");
    cn_write_atom(&request->reply, "calling_self");
    return REPLY;
}

/* When :global gives no answer there is none to pass on: the caller's own timeout tells. */
static void global_answered(struct cn_server *self, void *context, enum cn_outcome outcome,
                            struct cn_term term)
{
    struct cn_from *from = context;

    if (outcome == CN_DONE && cn_reply(self, from, term) != 0)
        cn_server_stop_atom(self, "system_limit");
    cn_from_free(from);
}

static enum answer ask_global(struct request *request)
{
    struct cn_from *from = cn_from_keep(request->from);
    int error = from ? request->ask(request->self, request->term[0], global_answered, from)
                     : -ENOMEM;

    if (error == 0)
        return LATER;
    cn_from_free(from);
    return refuse(request, error);
}

/* The table: {Name, Argument...}, with t for any term, p a pid, r a reference, n a number of at
 * least 0, b a boolean. */

static const struct row {
    const char *name;
    const char *arguments;
    enum answer (*run)(struct request *request);
    global_function ask; /* by ask_global */
} rows[] = {
    {"start_target", "", start_target},
    {"whoami", "", whoami},
    {"make_ref", "", make_ref},
    {"nodes", "", nodes},
    {"blob", "n", blob},
    {"sleep_echo", "nt", sleep_echo},
    {"noreply", "", noreply},
    {"inbox", "", inbox},
    {"send", "tt", send_message},
    {"call", "ttn", call},
    {"monitor", "t", monitor},
    {"demonitor", "r", demonitor},
    {"link_me", "p", link_me},
    {"unlink_me", "p", unlink_me},
    {"trap_exit", "b", trap_exit},
    {"exit_signal", "pt", exit_signal},
    {"exit", "t", exit_with},
    {"crash", "t", crash},
    {"global_register", "t", ask_global, cn_global_register},
    {"global_unregister", "t", ask_global, cn_global_unregister},
    {"global_whereis", "t", ask_global, cn_global_whereis},
};

static bool read_argument(struct request *request, char kind, struct cn_term *term,
                          struct cn_reader *reader)
{
    switch (kind) {
    case 'p':
        return cn_read_pid(reader, &request->pid);
    case 'r':
        return cn_read_ref(reader, &request->ref);
    case 'n':
        return cn_read_integer(reader, &request->number) && request->number >= 0;
    case 'b':
        return cn_read_bool(reader, &request->flag);
    default:
        return cn_read_term(reader, term);
    }
}

static bool read_arguments(struct request *request, const char *kinds, struct cn_reader *reader)
{
    struct cn_term *term = request->term;

    for (; *kinds; kinds++) {
        if (!read_argument(request, *kinds, term, reader))
            return false;
        if (*kinds == 't')
            term++;
    }
    return true;
}

static enum answer run_row(struct request *request, struct cn_term message)
{
    struct cn_reader reader;
    struct cn_bytes name;
    uint32_t arity;

    cn_reader_init(&reader, message);
    if (!cn_read_tuple(&reader, &arity) || !cn_read_atom(&reader, &name))
        return ECHO;
    for (const struct row *row = rows; row < rows + sizeof rows / sizeof *rows; row++)
        if (cn_bytes_equal(name, row->name) && strlen(row->arguments) + 1 == arity) {
            request->ask = row->ask;
            return read_arguments(request, row->arguments, &reader) ? row->run(request) : ECHO;
        }
    return ECHO;
}

/* The callbacks. */

static void handle_call(struct cn_server *self, void *state, const struct cn_from *from,
                        struct cn_term message)
{
    struct request request = {.self = self, .echo = state, .from = from};

    cn_writer_init(&request.reply, 0);
    enum answer answer = run_row(&request, message);
    if (answer == ECHO) {
        write_tagged(&request.reply, "echo");
        cn_write_term(&request.reply, message);
    }
    if (answer != LATER)
        reply_written(self, from, &request.reply);
    cn_writer_free(&request.reply);
}

static void remember(struct cn_server *self, struct echo *echo, const char *kind,
                     struct cn_term message)
{
    if (inbox_add(&echo->inbox, self, kind, message) != 0)
        cn_server_stop_atom(self, "system_limit");
}

static void handle_cast(struct cn_server *self, void *state, struct cn_term message)
{
    remember(self, state, "cast", message);
}

static void handle_info(struct cn_server *self, void *state, struct cn_term message)
{
    remember(self, state, "info", message);
}

static void terminate(struct cn_server *self, void *state, struct cn_term reason)
{
    struct echo *echo = state;

    (void)self;
    (void)reason;
    inbox_clear(&echo->inbox);
    free(echo);
}

static int start_echo(struct cn_node *node, struct cn_server **ret_server)
{
    static const struct cn_server_callbacks callbacks = {
        .module = "conformance_echo",
        .handle_call = handle_call,
        .handle_cast = handle_cast,
        .handle_info = handle_info,
        .terminate = terminate,
    };
    struct echo *echo = calloc(1, sizeof *echo);

    if (!echo)
        return -ENOMEM;
    int error = cn_server_start(node, &callbacks, echo, ret_server);
    if (error != 0)
        free(echo);
    return error;
}

/* The program. */

static int start(struct cn_node *node)
{
    struct cn_server *server;
    int error = start_echo(node, &server);

    if (error == 0)
        error = namer_start(node);
    return error != 0 ? error : cn_server_register(server, "conformance_echo");
}

static enum cn_function_outcome echo_1(const struct cn_term *arguments, struct cn_writer *result)
{
    cn_write_term(result, arguments[0]);
    return CN_RETURN;
}

static enum cn_function_outcome fail_1(const struct cn_term *arguments, struct cn_writer *result)
{
    cn_write_term(result, arguments[0]);
    return CN_ERROR;
}

int main(int argc, char **argv)
{
    static const struct cn_function functions[] = {
        {"conformance_echo", "echo", 1, echo_1},
        {"conformance_echo", "fail", 1, fail_1},
        {0},
    };
    static const struct cn_application application = {
        .name = "cnode-echo",
        .functions = functions,
        .start = start,
    };

    return cn_node_main(&application, argc, argv);
}
