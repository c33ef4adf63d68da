/*
 * Bundles: what all servers are told under one lock.
 *
 * The last change of a bundle is an ordinary call (register, unregister), whose answers say that
 * each server has it. All changes before it go in one message ahead of the call, from the same
 * process, so they are in the tables when the answer comes: as the list of ops of a new_nodes
 * without any nodes, which every member applies while the lock stands that the message names. So a
 * server handles one message for a thousand names, not a thousand calls with a monitor each; a
 * bundle of one is the call alone, as stock OTP makes it.
 *
 * Without memory nobody, or not everybody, knows the changes: who asked is told that nobody could
 * be reached, and the connection to a server that lacks some is closed, so that joining again
 * repairs its table.
 */
#include <errno.h>

#include "etf/writer.h"
#include "registry/global_resolve.h"
#include "registry/member_internal.h"

static bool is_gone(const struct request *request)
{
    return request->kind == REQUEST_UNREGISTER;
}

static struct request *last_of(const struct bundle *bundle)
{
    return container_of(list_last(&bundle->requests), struct request, in_bundle);
}

/* {insert, {Name, Pid, Method}} or {delete, Name} */
static void write_op(const struct request *request, struct cn_writer *writer)
{
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, is_gone(request) ? "delete" : "insert");
    if (!is_gone(request))
        cn_write_tuple(writer, 3);
    cn_write_term(writer, request_name(request));
    if (is_gone(request))
        return;
    cn_write_pid(writer, &request->pid);
    global_method_write(&request->member->hooks, request->method, writer);
}

/* {new_nodes, Node, Ops, [], [], [{vsn, Version}, {lock, {global, Registrar}}]} */
static void write_ops(const struct bundle *bundle, const struct claim *claim,
                      struct cn_writer *writer)
{
    const struct request *last = last_of(bundle);

    cn_write_tuple(writer, 6);
    cn_write_atom(writer, "new_nodes");
    cn_write_atom(writer, procs_node(bundle->member->procs));
    cn_write_list(writer, bundle->told - 1);
    list_for_each(item, &bundle->requests) {
        const struct request *request = container_of(item, struct request, in_bundle);

        if (request != last)
            write_op(request, writer);
    }
    cn_write_nil(writer);
    cn_write_nil(writer);
    cn_write_nil(writer);
    cn_write_list(writer, 2);
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "vsn");
    cn_write_integer(writer, GLOBAL_VERSION);
    cn_write_tuple(writer, 2);
    cn_write_atom(writer, "lock");
    cn_write_term(writer, kept_term(&claim->id));
    cn_write_nil(writer);
}

/* {register, Name, Pid, Method} or {unregister, Name} */
static void write_last(const struct request *request, struct cn_writer *writer)
{
    cn_write_tuple(writer, is_gone(request) ? 2 : 4);
    cn_write_atom(writer, is_gone(request) ? "unregister" : "register");
    cn_write_term(writer, request_name(request));
    if (is_gone(request))
        return;
    cn_write_pid(writer, &request->pid);
    global_method_write(&request->member->hooks, request->method, writer);
}

static void on_answer(struct gen_server *self, void *context, enum call_outcome outcome,
                      struct cn_term term)
{
    struct bundle *bundle = context;

    if (--bundle->open == 0)
        registrar_told(bundle);
}

/* @ops: empty when there is but one change. */
static int tell_one(struct bundle *bundle, const char *node, struct cn_term ops,
                    struct cn_term last)
{
    struct member *member = bundle->member;
    struct dest dest = {.kind = DEST_NAME, .name = "global_name_server", .node = node};
    int r = 0;

    if (ops.size > 0)
        r = gen_cast(member->procs, gen_server_process(member->registrar_server), &dest, ops);
    if (r == -ENOMEM || r == -E2BIG)
        return r;
    return call_start(member->registrar_server, &dest, last, 0, on_answer, bundle, NULL);
}

static void tell_all(struct bundle *bundle, const struct claim *claim, struct cn_term ops,
                     struct cn_term last)
{
    for (size_t i = 0; i < claim->count; i++) {
        if (!claim_reaches(claim, i))
            continue;
        if (tell_one(bundle, claim->nodes[i], ops, last) != 0)
            member_part(bundle->member, claim->nodes[i]);
        else
            bundle->open++;
    }
}

void bundle_tell(struct bundle *bundle, const struct claim *claim)
{
    struct cn_writer ops;
    struct cn_writer last;

    cn_writer_init(&ops, 0);
    cn_writer_init(&last, 0);
    if (bundle->told > 1)
        write_ops(bundle, claim, &ops);
    write_last(last_of(bundle), &last);
    if (cn_writer_error(&ops) == 0 && cn_writer_error(&last) == 0)
        tell_all(bundle, claim, bundle->told > 1 ? cn_writer_term(&ops) : (struct cn_term){0},
                 cn_writer_term(&last));
    cn_writer_free(&ops);
    cn_writer_free(&last);
    if (bundle->open > 0)
        return;
    while (!list_empty(&bundle->requests))
        request_finish(last_of(bundle), GLOBAL_UNREACHABLE, NULL);
}
