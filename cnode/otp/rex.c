/*
 * `rex`, the server behind rpc: what rpc:block_call, rpc:server_call, old nodes and C nodes use.
 *
 * A node that has just connected asks features_request and must get an answer; the other shapes are
 * those that the rpc module of OTP 23 to 29 sends. An unknown call is answered, never left. It
 * starts again when somebody ends it.
 *
 * Source: the module rpc.
 */
#include "base/error.h"
#include "otp/internal.h"

/* Read {Verb, M, F, A, GroupLeader} into @apply; the group leader is not for us. */
static bool read_request(struct cn_term request, const char *verb, struct apply_request *apply)
{
    struct cn_reader reader;

    cn_reader_init(&reader, request);
    return cn_read_this_tuple(&reader, 5) && cn_read_this_atom(&reader, verb) &&
           cn_peek(&reader) == CN_TYPE_ATOM && cn_read_term(&reader, &apply->module) &&
           cn_peek(&reader) == CN_TYPE_ATOM && cn_read_term(&reader, &apply->function) &&
           cn_read_term(&reader, &apply->arguments);
}

/* {badrpc, {'EXIT', system_limit}} */
static void reply_limit(struct functions *functions, const struct gen_from *from)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "badrpc");
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "EXIT");
    cn_write_atom(&writer, "system_limit");
    if (cn_writer_error(&writer) == 0)
        (void)gen_reply(functions->procs, from, cn_writer_term(&writer));
    cn_writer_free(&writer);
}

static void reply_unknown(struct functions *functions, const struct gen_from *from)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "badrpc");
    cn_write_atom(&writer, "unknown_request");
    if (cn_writer_error(&writer) == 0)
        (void)gen_reply(functions->procs, from, cn_writer_term(&writer));
    cn_writer_free(&writer);
}

static void on_call(struct gen_server *self, void *state, const struct gen_from *from,
                    struct cn_term request)
{
    struct functions *functions = state;
    struct apply_request apply = {.kind = APPLY_REX, .from = from};
    struct process *process = NULL;

    if (!read_request(request, "call", &apply) && !read_request(request, "block_call", &apply))
        reply_unknown(functions, from);
    else if (apply_start(functions, &apply, &process) != 0)
        reply_limit(functions, from);
}

static void on_cast(struct gen_server *self, void *state, struct cn_term message)
{
    struct apply_request apply = {.kind = APPLY_SPAWN};
    struct process *process = NULL;

    if (read_request(message, "cast", &apply))
        (void)apply_start(state, &apply, &process);
}

/* {features_reply, node(), [erpc]} */
static void send_features(struct functions *functions, const struct cn_pid *to)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 3);
    cn_write_atom(&writer, "features_reply");
    cn_write_atom(&writer, procs_node(functions->procs));
    cn_write_list(&writer, 1);
    cn_write_atom(&writer, "erpc");
    cn_write_nil(&writer);
    if (cn_writer_error(&writer) == 0)
        (void)procs_send_pid(functions->procs, NULL, to, cn_writer_term(&writer));
    cn_writer_free(&writer);
}

/* {rex, node(), node()}, or {rex, node(), {nonexisting_name, Name}}. */
static void send_outcome(struct functions *functions, const struct cn_pid *to, struct cn_bytes name,
                         bool found)
{
    const char *node = procs_node(functions->procs);
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 3);
    cn_write_atom(&writer, "rex");
    cn_write_atom(&writer, node);
    if (found) {
        cn_write_atom(&writer, node);
    } else {
        cn_write_tuple(&writer, 2);
        cn_write_atom(&writer, "nonexisting_name");
        cn_write_atom_bytes(&writer, name);
    }
    if (cn_writer_error(&writer) == 0)
        (void)procs_send_pid(functions->procs, NULL, to, cn_writer_term(&writer));
    cn_writer_free(&writer);
}

/* rpc:sbcast: deliver and say so. */
static void take_sbcast(struct functions *functions, const struct cn_pid *from,
                        struct cn_reader *reader)
{
    struct cn_bytes name;
    struct cn_term message;
    struct process *process = NULL;

    if (!cn_read_atom(reader, &name) || !cn_read_term(reader, &message))
        return;
    process = procs_whereis(functions->procs, name);
    if (process != NULL)
        (void)procs_send_pid(functions->procs, NULL, process_pid(process), message);
    send_outcome(functions, from, name, process != NULL);
}

/* rpc:safe_multi_server_call: deliver {From, Message}, whose receiver answers. */
static void take_send(struct functions *functions, const struct cn_pid *from,
                      struct cn_reader *reader)
{
    struct cn_bytes name;
    struct cn_term message;
    struct process *process = NULL;
    struct cn_writer writer;

    if (!cn_read_atom(reader, &name) || !cn_read_term(reader, &message))
        return;
    process = procs_whereis(functions->procs, name);
    if (process == NULL) {
        send_outcome(functions, from, name, false);
        return;
    }
    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_pid(&writer, from);
    cn_write_term(&writer, message);
    if (cn_writer_error(&writer) == 0)
        (void)procs_send_pid(functions->procs, NULL, process_pid(process), cn_writer_term(&writer));
    cn_writer_free(&writer);
}

/* {From, {call, M, F, A, GroupLeader}}, answered {rex, Value}. */
static void take_old_call(struct functions *functions, const struct cn_pid *from,
                          struct cn_term request)
{
    struct gen_from caller = {.pid = *from};
    struct apply_request apply = {.kind = APPLY_OLD, .from = &caller};
    struct process *process = NULL;

    caller.tag = request; /* never looked at; a copy must have bytes */
    if (read_request(request, "call", &apply))
        (void)apply_start(functions, &apply, &process);
}

static void on_info(struct gen_server *self, void *state, struct cn_term message)
{
    struct functions *functions = state;
    struct cn_reader reader;
    struct cn_reader inner;
    struct cn_pid from;
    struct cn_term request;
    struct cn_bytes verb;
    uint32_t arity = 0;

    cn_reader_init(&reader, message);
    if (!cn_read_this_tuple(&reader, 2) || !cn_read_pid(&reader, &from) ||
        !cn_read_term(&reader, &request))
        return;
    if (cn_term_is_atom(request, "features_request")) {
        send_features(functions, &from);
        return;
    }
    cn_reader_init(&inner, request);
    if (!cn_read_tuple(&inner, &arity) || !cn_read_atom(&inner, &verb))
        return;
    if (arity == 3 && cn_bytes_equal(verb, "sbcast"))
        take_sbcast(functions, &from, &inner);
    else if (arity == 3 && cn_bytes_equal(verb, "send"))
        take_send(functions, &from, &inner);
    else if (arity == 5)
        take_old_call(functions, &from, request);
}

/* Whoever kills it finds it again. (A BEAM would stop.) */
static void on_terminate(struct gen_server *self, void *state, struct cn_term reason)
{
    struct functions *functions = state;

    if (!procs_closing(functions->procs))
        (void)rex_start(functions);
}

static const struct gen_server_callbacks rex_callbacks = {
    .module = "rpc",
    .handle_call = on_call,
    .handle_cast = on_cast,
    .handle_info = on_info,
    .terminate = on_terminate,
};

int rex_start(struct functions *functions)
{
    struct gen_server *server = NULL;
    int r = gen_server_start(functions->procs, &rex_callbacks, functions, &server);

    if (r != 0)
        return r;
    r = process_register(gen_server_process(server), "rex");
    if (r != 0)
        gen_server_stop_atom(server, "normal");
    return r;
}
