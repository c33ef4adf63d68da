/*
 * `user`: every write is answered ok, everything else {error, enotsup}; it keeps nothing, so a
 * killed one starts again.
 */
#include "otp/user.h"

#include "otp/internal.h"

static void reply(struct gen_server *self, const struct cn_pid *to, struct cn_term as, bool ok)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 3);
    cn_write_atom(&writer, "io_reply");
    cn_write_term(&writer, as);
    if (ok) {
        cn_write_atom(&writer, "ok");
    } else {
        cn_write_tuple(&writer, 2);
        cn_write_atom(&writer, "error");
        cn_write_atom(&writer, "enotsup");
    }
    if (cn_writer_error(&writer) == 0)
        (void)procs_send_pid(gen_server_procs(self), gen_server_process(self), to,
                             cn_writer_term(&writer));
    cn_writer_free(&writer);
}

/* {put_chars, ...} in its forms, and several requests in one. */
static bool is_output(struct cn_term request)
{
    struct cn_reader reader;
    struct cn_bytes verb;
    uint32_t arity = 0;

    cn_reader_init(&reader, request);
    return cn_peek(&reader) == CN_TYPE_TUPLE && cn_read_tuple(&reader, &arity) &&
           cn_read_atom(&reader, &verb) &&
           (cn_bytes_equal(verb, "put_chars") || cn_bytes_equal(verb, "requests"));
}

/* {io_request, From, ReplyAs, Request} */
static void on_info(struct gen_server *self, void *state, struct cn_term message)
{
    struct cn_reader reader;
    struct cn_pid from;
    struct cn_term as;
    struct cn_term request;

    cn_reader_init(&reader, message);
    if (cn_read_this_tuple(&reader, 4) && cn_read_this_atom(&reader, "io_request") &&
        cn_read_pid(&reader, &from) && cn_read_term(&reader, &as) &&
        cn_read_term(&reader, &request))
        reply(self, &from, as, is_output(request));
}

/* Whoever kills it finds it again. */
static void on_terminate(struct gen_server *self, void *state, struct cn_term reason)
{
    struct procs *procs = gen_server_procs(self);

    if (!procs_closing(procs))
        (void)user_start(procs);
}

static const struct gen_server_callbacks user_callbacks = {
    .module = "user",
    .handle_info = on_info,
    .terminate = on_terminate,
};

int user_start(struct procs *procs)
{
    struct gen_server *server = NULL;
    int r = gen_server_start(procs, &user_callbacks, NULL, &server);

    if (r != 0)
        return r;
    r = process_register(gen_server_process(server), "user");
    if (r != 0)
        gen_server_stop_atom(server, "normal");
    return r;
}
