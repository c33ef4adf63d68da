/*
 * global_name_server: what comes in, sorted.
 *
 * Calls are answered at once, whatever is going on: locks, names, lists; only who waits for nodes
 * to be in sync is answered when they are. What only the node itself asks of its own server in OTP
 * (a registrar's fun, traces) is answered with an error, so that nobody waits.
 */
#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/trace.h"
#include "registry/member_internal.h"
#include "registry/member_sync.h"

/* A call, and its answer in the making. */
struct query {
    struct member *member;
    const struct gen_from *from;
    struct cn_reader reader; /* behind the verb */
    struct cn_writer *answer;
    bool later; /* nothing is answered now */
};

/* Somebody who waits until nodes are in sync. */
struct syncer {
    struct procs *procs;
    struct gen_from *from;
};

static const uint8_t ok_atom[] = {0x77, 2, 'o', 'k'};

static void answer_error(struct query *query, const char *reason)
{
    cn_write_tuple(query->answer, 2);
    cn_write_atom(query->answer, "error");
    cn_write_atom(query->answer, reason);
}

static void answer_set_lock(struct query *query)
{
    struct cn_term id;
    int r = CN_E_INVALID;

    if (cn_read_term(&query->reader, &id))
        r = locks_set(query->member, id, &query->from->pid);
    cn_write_bool(query->answer, r == 0);
}

static void answer_del_lock(struct query *query)
{
    struct cn_term id;

    if (cn_read_term(&query->reader, &id))
        locks_delete(query->member, id, &query->from->pid);
    cn_write_bool(query->answer, true);
}

/* {register, Name, Pid, Method} or {register_ext, Name, Pid, Method, Node} */
static void take_name(struct query *query, bool external)
{
    struct member *member = query->member;
    char node[CN_NODE_NAME_MAX + 1];
    struct cn_term name;
    struct cn_pid pid;
    struct cn_term method;
    struct name *before = NULL;

    if (!cn_read_term(&query->reader, &name) || !cn_read_pid(&query->reader, &pid) ||
        !cn_read_term(&query->reader, &method) ||
        (external && !known_read_node(&query->reader, &node)))
        return;
    if (locks_allow_pid(member, &query->from->pid)) {
        if (roster_insert(member, name, &pid, method, external ? node : NULL) != 0)
            member_part(member, query->from->pid.node);
        return;
    }
    before = roster_find(member, name);
    if (before != NULL)
        roster_delete(member, before);
}

static void answer_register(struct query *query)
{
    take_name(query, false);
    cn_write_atom(query->answer, "yes");
}

static void answer_register_ext(struct query *query)
{
    take_name(query, true);
    cn_write_atom(query->answer, "yes");
}

static void answer_unregister(struct query *query)
{
    struct cn_term term;
    struct name *name = NULL;

    if (cn_read_term(&query->reader, &term))
        name = roster_find(query->member, term);
    if (name != NULL)
        roster_delete(query->member, name);
    cn_write_atom(query->answer, "ok");
}

static void answer_known(struct query *query)
{
    known_write_nodes(query->member, false, query->answer);
}

static void answer_synced(struct query *query)
{
    known_write_nodes(query->member, true, query->answer);
}

static void answer_names_ext(struct query *query)
{
    roster_write_external(query->member, query->answer);
}

static void answer_version(struct query *query)
{
    cn_write_integer(query->answer, GLOBAL_VERSION);
}

static void answer_info(struct query *query)
{
    cn_write_tuple(query->answer, 3);
    cn_write_atom(query->answer, "state");
    known_write_nodes(query->member, false, query->answer);
    known_write_nodes(query->member, true, query->answer);
}

static void on_sync(void *context, bool done)
{
    struct syncer *syncer = context;

    if (done)
        (void)gen_reply(syncer->procs, syncer->from, (struct cn_term){ok_atom, sizeof(ok_atom)});
    gen_from_free(syncer->from);
    mem_free(syncer);
}

/* {sync, Nodes}. Without memory nothing is answered, as if a node were never in sync. */
static void answer_sync(struct query *query)
{
    struct member *member = query->member;
    struct syncer *syncer = mem_zalloc(sizeof(*syncer));
    struct cn_term nodes;
    int r = CN_E_INVALID;

    query->later = true;
    if (syncer != NULL)
        syncer->from = gen_from_copy(query->from);
    if (syncer == NULL || syncer->from == NULL) {
        mem_free(syncer);
        return;
    }
    syncer->procs = member->procs;
    if (cn_read_term(&query->reader, &nodes))
        r = sync_start(member, nodes, on_sync, syncer);
    if (r != 0)
        on_sync(syncer, false);
    query->later = r != CN_E_INVALID && r != CN_E_LIMIT;
    if (!query->later)
        answer_error(query, r == CN_E_LIMIT ? "system_limit" : "badarg");
}

static void answer_disconnect(struct query *query)
{
    (void)leave_start(query->member, query->answer);
}

/* What can be asked. */
static const struct {
    const char *verb;
    void (*answer)(struct query *query);
} verbs[] = {
    {"set_lock", answer_set_lock},
    {"del_lock", answer_del_lock},
    {"register", answer_register},
    {"register_ext", answer_register_ext},
    {"unregister", answer_unregister},
    {"get_known", answer_known},
    {"get_synced", answer_synced},
    {"get_names_ext", answer_names_ext},
    {"get_protocol_version", answer_version},
    {"info", answer_info},
    {"sync", answer_sync},
    {"disconnect", answer_disconnect},
};

static void write_answer(struct query *query, struct cn_bytes verb)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (cn_bytes_equal(verb, verbs[i].verb)) {
            verbs[i].answer(query);
            return;
        }
    }
    answer_error(query, "unsupported");
}

static void on_call(struct gen_server *self, void *state, const struct gen_from *from,
                    struct cn_term term)
{
    struct cn_writer writer;
    struct query query = {.member = state, .from = from, .answer = &writer};
    struct cn_bytes verb = {0};
    uint32_t arity = 0;

    cn_reader_init(&query.reader, term);
    if (cn_peek(&query.reader) == CN_TYPE_TUPLE)
        (void)cn_read_tuple(&query.reader, &arity);
    (void)cn_read_atom(&query.reader, &verb);
    cn_writer_init(&writer, 0);
    write_answer(&query, verb);
    if (!query.later && cn_writer_error(&writer) == 0)
        (void)gen_reply(gen_server_procs(self), from, cn_writer_term(&writer));
    cn_writer_free(&writer);
}

static void on_cast(struct gen_server *self, void *state, struct cn_term message)
{
    if (!meetings_take_cast(state, message) && !exchange_take_new_nodes(state, message))
        trace("registry", "an unknown cast");
}

/* {whereis, Name, From} */
static void take_whereis(struct member *member, struct cn_term message)
{
    struct cn_reader reader;
    struct cn_term name;
    struct cn_term term;
    struct gen_from from;
    struct name *found = NULL;
    struct cn_writer writer;

    cn_reader_init(&reader, message);
    if (!cn_read_this_tuple(&reader, 3) || !cn_read_this_atom(&reader, "whereis") ||
        !cn_read_term(&reader, &name) || !cn_read_term(&reader, &term) ||
        gen_from_read(term, &from) != 0)
        return;
    found = roster_find(member, name);
    cn_writer_init(&writer, 0);
    if (found != NULL)
        watched_write(found->watched, &writer);
    else
        cn_write_atom(&writer, "undefined");
    if (cn_writer_error(&writer) == 0)
        (void)gen_reply(member->procs, &from, cn_writer_term(&writer));
    cn_writer_free(&writer);
}

static void on_info(struct gen_server *self, void *state, struct cn_term message)
{
    struct process_down down;
    struct cn_reader reader;
    struct cn_pid pid;

    if (process_read_down(message, &down)) {
        cn_reader_init(&reader, down.object);
        if (!sync_take_down(state, &down) && cn_read_pid(&reader, &pid))
            watched_down(state, &pid);
    } else if (!meetings_take_info(state, message) && !known_take_event(state, message) &&
               !known_take_lost(state, message) && !known_take_remove(state, message)) {
        take_whereis(state, message);
    }
}

static void on_timer(struct gen_server *self, void *state, uint64_t timer)
{
    if (!leave_timer(state, timer))
        trans_timer(state, timer);
}

static void on_terminate(struct gen_server *self, void *state, struct cn_term reason)
{
    member_server_ended(state, self);
}

const struct gen_server_callbacks member_server_callbacks = {
    .module = "global",
    .handle_call = on_call,
    .handle_cast = on_cast,
    .handle_info = on_info,
    .handle_timer = on_timer,
    .terminate = on_terminate,
};
