/*
 * `net_kernel`, as far as others ask it: Node.ping calls {is_auth, Node} and wants yes.
 *
 * Everything else, above all the {spawn, ...} that OTP 23 and 24 fall back to, is answered with an
 * error at once: nobody waits for us.
 */
#include "otp/internal.h"

static void on_call(struct gen_server *self, void *state, const struct gen_from *from,
                    struct cn_term request)
{
    struct cn_reader reader;
    struct cn_writer writer;

    cn_reader_init(&reader, request);
    cn_writer_init(&writer, 0);
    if (cn_read_this_tuple(&reader, 2) && cn_read_this_atom(&reader, "is_auth")) {
        cn_write_atom(&writer, "yes");
    } else {
        cn_write_tuple(&writer, 2);
        cn_write_atom(&writer, "error");
        cn_write_atom(&writer, "unsupported");
    }
    if (cn_writer_error(&writer) == 0)
        (void)gen_reply(gen_server_procs(self), from, cn_writer_term(&writer));
    cn_writer_free(&writer);
}

/* Whoever kills it finds it again. (A BEAM would stop.) */
static void on_terminate(struct gen_server *self, void *state, struct cn_term reason)
{
    struct procs *procs = gen_server_procs(self);

    if (!procs_closing(procs))
        (void)net_kernel_start(procs);
}

static const struct gen_server_callbacks net_kernel_callbacks = {
    .module = "net_kernel",
    .handle_call = on_call,
    .terminate = on_terminate,
};

int net_kernel_start(struct procs *procs)
{
    struct gen_server *server = NULL;
    int r = gen_server_start(procs, &net_kernel_callbacks, NULL, &server);

    if (r != 0)
        return r;
    r = process_register(gen_server_process(server), "net_kernel");
    if (r != 0)
        gen_server_stop_atom(server, "normal");
    return r;
}
