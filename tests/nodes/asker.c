/*
 * cnode-asker: a GenServer in C that applies functions on other nodes for whoever asks it.
 *
 * The contract of cnode-echo has no request for that, so here is a second small program. It
 * registers `asker`, and answers {rpc, Node, Module, Function, Arguments, Ms} with {ok, Value}, or
 * with what :erpc.call/5 would raise: {error, Reason}, {exit, Reason}, {throw, Term}. {cast, To,
 * Message} casts, and is answered ok. {join, Group}, {leave, Group} and {members, Group} are about
 * the pg scope `asker_groups`, and answered {ok, Members}. Anything else is {error,
 * unknown_request}.
 *
 *     cnode-asker --name asker@127.0.0.1 --cookie-file ~/.erlang.cookie
 *     iex> GenServer.call({:asker, :"asker@127.0.0.1"}, {:rpc, node(), :lists, :seq, [1, 3], 1000})
 *     {:ok, [1, 2, 3]}
 */
#include <cnode/node.h>
#include <cnode/pg.h>

#include <stdlib.h>
#include <string.h>

#define ATOM_MAX (4 * 255 + 1)

/* A request, taken apart. */
struct rpc {
    char text[3][ATOM_MAX]; /* node, module, function */
    struct cn_rpc_call call;
    int64_t ms;
};

static bool read_text(struct cn_reader *reader, char text[ATOM_MAX])
{
    struct cn_bytes atom;

    if (!cn_read_atom(reader, &atom) || atom.size >= ATOM_MAX)
        return false;
    memcpy(text, atom.data, atom.size);
    text[atom.size] = 0;
    return true;
}

static bool read_request(struct cn_term message, struct rpc *rpc)
{
    struct cn_reader reader;

    cn_reader_init(&reader, message);
    if (!cn_read_this_tuple(&reader, 6) || !cn_read_this_atom(&reader, "rpc"))
        return false;
    for (int i = 0; i < 3; i++)
        if (!read_text(&reader, rpc->text[i]))
            return false;
    rpc->call.node = rpc->text[0];
    rpc->call.module = rpc->text[1];
    rpc->call.function = rpc->text[2];
    return cn_read_term(&reader, &rpc->call.arguments) && cn_read_integer(&reader, &rpc->ms) &&
           rpc->ms >= 0;
}

static void reply(struct cn_server *self, const struct cn_from *from, const char *tag,
                  struct cn_term term)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, tag);
    cn_write_term(&writer, term);
    if (cn_writer_error(&writer) != 0 || cn_reply(self, from, cn_writer_term(&writer)) != 0)
        cn_server_stop_atom(self, "system_limit");
    cn_writer_free(&writer);
}

static void applied(struct cn_server *self, void *context, enum cn_outcome outcome,
                    struct cn_term term)
{
    struct cn_from *from = context;

    if (outcome == CN_DONE)
        reply(self, from, "ok", term);
    else if (outcome == CN_EXIT && cn_reply(self, from, term) != 0)
        cn_server_stop_atom(self, "system_limit");
    cn_from_free(from);
}

static bool cast(struct cn_server *self, struct cn_term message)
{
    struct cn_reader reader;
    struct cn_term to, what;

    cn_reader_init(&reader, message);
    return cn_read_this_tuple(&reader, 3) && cn_read_this_atom(&reader, "cast") &&
           cn_read_term(&reader, &to) && cn_read_term(&reader, &what) &&
           cn_cast(self, to, what) == 0;
}

/* Join or leave, and answer who is in the group then; false when it is something else. */
static bool groups(struct cn_server *self, struct cn_pg *pg, const struct cn_from *from,
                   struct cn_term message)
{
    struct cn_reader reader;
    struct cn_bytes verb;
    struct cn_term group;
    struct cn_writer members;
    int error = 0;

    cn_reader_init(&reader, message);
    if (!cn_read_this_tuple(&reader, 2) || !cn_read_atom(&reader, &verb) ||
        !cn_read_term(&reader, &group))
        return false;
    if (cn_bytes_equal(verb, "join"))
        error = cn_pg_join(pg, self, group);
    else if (cn_bytes_equal(verb, "leave"))
        error = cn_pg_leave(pg, self, group);
    else if (!cn_bytes_equal(verb, "members"))
        return false;
    cn_writer_init(&members, 0);
    cn_pg_write_members(pg, group, false, &members);
    if ((error != 0 && error != CN_UNKNOWN) || cn_writer_error(&members) != 0)
        cn_server_stop_atom(self, "system_limit");
    else
        reply(self, from, "ok", cn_writer_term(&members));
    cn_writer_free(&members);
    return true;
}

static void handle_call(struct cn_server *self, void *state, const struct cn_from *from,
                        struct cn_term message)
{
    static const uint8_t unknown[] = "\x77\x0funknown_request";
    static const uint8_t ok[] = "\x77\x02ok";
    struct rpc rpc;

    if (groups(self, state, from, message))
        return;
    if (cast(self, message)) {
        (void)cn_reply(self, from, (struct cn_term){ok, sizeof ok - 1});
        return;
    }
    if (!read_request(message, &rpc)) {
        reply(self, from, "error", (struct cn_term){unknown, sizeof unknown - 1});
        return;
    }
    struct cn_from *kept = cn_from_keep(from);
    uint32_t ms = rpc.ms < CN_INFINITY ? (uint32_t)rpc.ms : CN_INFINITY;
    if (kept && cn_rpc(self, &rpc.call, ms, applied, kept) == 0)
        return;
    cn_from_free(kept);
    cn_server_stop_atom(self, "system_limit");
}

static int start(struct cn_node *node)
{
    static const struct cn_server_callbacks callbacks = {
        .module = "asker",
        .handle_call = handle_call,
    };
    struct cn_server *server;
    struct cn_pg *pg;
    int error = cn_pg_start(node, "asker_groups", &pg);

    if (error == 0)
        error = cn_server_start(node, &callbacks, pg, &server);
    return error != 0 ? error : cn_server_register(server, "asker");
}

int main(int argc, char **argv)
{
    static const struct cn_application application = {.name = "cnode-asker", .start = start};

    return cn_node_main(&application, argc, argv);
}
