/*
 * The process `global_name_server` of this node, and the interface of the registry.
 *
 * What a BEAM's global_name_server is asked by others is answered as far as somebody could wait for
 * it: set_lock and del_lock say true (we hold no lock against anybody, and any other word
 * crashes the asker), the lists of a member are empty, anything else is an error. Casts of the
 * join protocol are dropped; an init_connect is answered with in_sync, so that its sender stops
 * waiting for us.
 *
 * When somebody kills it, what was asked and not answered is unreachable, and the owner is told.
 */
#include "registry/global_external.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "registry/global_internal.h"

#define AUDIT_EVERY_MS 60000u

/* The first element of a tuple, or the atom itself. */
static struct cn_bytes verb_of(struct cn_term term)
{
    struct cn_reader reader;
    struct cn_bytes verb = {0};
    uint32_t arity = 0;

    cn_reader_init(&reader, term);
    if (cn_peek(&reader) == CN_TYPE_TUPLE)
        (void)cn_read_tuple(&reader, &arity);
    (void)cn_read_atom(&reader, &verb);
    return verb;
}

static void write_answer(struct cn_bytes verb, struct cn_writer *writer)
{
    if (cn_bytes_equal(verb, "set_lock") || cn_bytes_equal(verb, "del_lock")) {
        cn_write_bool(writer, true);
    } else if (cn_bytes_equal(verb, "get_known") || cn_bytes_equal(verb, "get_synced") ||
               cn_bytes_equal(verb, "get_names_ext")) {
        cn_write_nil(writer);
    } else {
        cn_write_tuple(writer, 2);
        cn_write_atom(writer, "error");
        cn_write_atom(writer, "unsupported");
    }
}

static void on_call(struct gen_server *self, void *state, const struct gen_from *from,
                    struct cn_term request)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    write_answer(verb_of(request), &writer);
    if (cn_writer_error(&writer) == 0)
        (void)gen_reply(gen_server_procs(self), from, cn_writer_term(&writer));
    cn_writer_free(&writer);
}

/* {init_connect, Vsn, Node, InitMsg}: the peer has begun to wait for us. */
static void on_cast(struct gen_server *self, void *state, struct cn_term message)
{
    struct global *global = state;
    struct cn_reader reader;
    struct cn_bytes node;
    char text[CN_NODE_NAME_MAX + 1];

    cn_reader_init(&reader, message);
    if (!cn_read_this_tuple(&reader, 4) || !cn_read_this_atom(&reader, "init_connect") ||
        !cn_skip(&reader) || !cn_read_atom(&reader, &node) ||
        text_copy_bytes(text, sizeof(text), node.data, node.size) != 0)
        return;
    if (neighbours_find(global, text) != NULL)
        neighbours_in_sync(global, text);
}

/* A process with names has ended. */
static void on_down(struct global *global, const struct process_down *down)
{
    struct cn_reader reader;
    struct cn_pid pid;

    cn_reader_init(&reader, down->object);
    if (cn_read_pid(&reader, &pid))
        names_owner_down(global, &pid);
}

static void on_info(struct gen_server *self, void *state, struct cn_term message)
{
    struct global *global = state;
    struct process_down down;

    if (cn_term_is_atom(message, "pump")) {
        global->kicked = false;
        requests_pump(global);
    } else if (process_read_down(message, &down)) {
        on_down(global, &down);
    }
}

static int start_audit_timer(struct gen_server *self)
{
    uint64_t timer = 0;

    return process_start_timer(gen_server_process(self), AUDIT_EVERY_MS, &timer);
}

static void on_timer(struct gen_server *self, void *state, uint64_t timer)
{
    struct global *global = state;

    neighbours_audit_all(global);
    requests_pump(global);
    (void)start_audit_timer(self);
}

static void on_terminate(struct gen_server *self, void *state, struct cn_term reason)
{
    struct global *global = state;

    global->server = NULL;
    if (global->failed) {
        mem_free(global);
        return;
    }
    if (procs_closing(global->procs))
        return; /* global_free releases what is asked */
    requests_closed(global);
    if (global->hooks.closed != NULL)
        global->hooks.closed(global->hooks.context);
}

static const struct gen_server_callbacks global_callbacks = {
    .module = "global",
    .handle_call = on_call,
    .handle_cast = on_cast,
    .handle_info = on_info,
    .handle_timer = on_timer,
    .terminate = on_terminate,
};

static int start_server(struct global *global)
{
    struct gen_server *server = NULL;
    int r = gen_server_start(global->procs, &global_callbacks, global, &server);

    if (r != 0)
        return r;
    r = process_register(gen_server_process(server), "global_name_server");
    if (r == 0)
        r = start_audit_timer(server);
    if (r != 0) {
        global->failed = true; /* its end releases the state */
        gen_server_stop_atom(server, "normal");
        return r;
    }
    /* Links of BEAM nodes' processes with ours are kept quiet; a stray one must not end us. */
    process_trap_exit(gen_server_process(server), true);
    global->server = server;
    return 0;
}

int global_new(struct procs *procs, struct functions *functions, const struct global_hooks *hooks,
               struct global **ret_global)
{
    struct global *global = mem_zalloc(sizeof(*global));
    int r = 0;

    if (global == NULL)
        return -ENOMEM;
    global->procs = procs;
    if (hooks != NULL)
        global->hooks = *hooks;
    list_init(&global->all);
    list_init(&global->questions);
    list_init(&global->ready);
    r = global_functions_add(global, functions);
    if (r == 0)
        r = start_server(global);
    if (r != 0) {
        if (!global->failed)
            mem_free(global);
        return r;
    }
    *ret_global = global;
    return 0;
}

struct global *global_free(struct global *global)
{
    if (global == NULL)
        return NULL;
    global->server = NULL;
    while (!list_empty(&global->questions)) {
        struct question *question = container_of(list_first(&global->questions), struct question,
                                                 link);

        question->release(question);
    }
    global_resolver_deinit(&global->resolver);
    requests_free_all(global);
    neighbours_free_all(global);
    names_free_all(global);
    mem_free(global);
    return NULL;
}

int global_peer_up(struct global *global, const char *node)
{
    return global->server != NULL ? neighbours_up(global, node) : 0;
}

void global_peer_down(struct global *global, const char *node)
{
    if (global->server != NULL)
        neighbours_down(global, node);
}

int global_register(struct global *global, struct cn_term name, const struct cn_pid *pid,
                    enum global_method method, global_done done, void *context)
{
    return requests_add(global,
                        &(struct wish){REQUEST_REGISTER, name, pid, method, NULL, done, context});
}

int global_unregister(struct global *global, struct cn_term name, const struct cn_pid *pid,
                      global_done done, void *context)
{
    return requests_add(global, &(struct wish){.kind = REQUEST_UNREGISTER,
                                               .name = name,
                                               .pid = pid,
                                               .done = done,
                                               .context = context});
}

int global_re_register(struct global *global, struct cn_term name, const struct cn_pid *pid,
                       enum global_method method, global_done done, void *context)
{
    return requests_add(global,
                        &(struct wish){REQUEST_MOVE, name, pid, method, NULL, done, context});
}

int global_whereis(struct global *global, struct cn_term name, global_done done, void *context)
{
    return requests_add(
        global,
        &(struct wish){.kind = REQUEST_WHEREIS, .name = name, .done = done, .context = context});
}

int global_adopt(struct global *global, struct cn_term name, const struct cn_pid *pid,
                 enum global_method method)
{
    return global->server != NULL && procs_find(global->procs, pid) != NULL
               ? names_hold(global, name, pid, method)
               : 0;
}

void global_lost(struct global *global, struct cn_term name, const struct cn_pid *pid)
{
    struct held_name *held = names_find(global, name);

    if (held != NULL && cn_pid_equal(&held->owner->pid, pid))
        names_release(global, held);
}

bool global_whereis_local(struct global *global, struct cn_term name, struct cn_pid *ret_pid)
{
    struct held_name *held = names_find(global, name);

    if (held == NULL)
        return false;
    *ret_pid = held->owner->pid;
    return true;
}

size_t global_count(const struct global *global)
{
    return map_count(global->names);
}

/* The table of functions. */

static int table_register(void *context, struct cn_term name, const struct cn_pid *pid,
                          enum global_method method, global_done done, void *done_context)
{
    return global_register(context, name, pid, method, done, done_context);
}

static int table_unregister(void *context, struct cn_term name, const struct cn_pid *pid,
                            global_done done, void *done_context)
{
    return global_unregister(context, name, pid, done, done_context);
}

static int table_move(void *context, struct cn_term name, const struct cn_pid *pid,
                      enum global_method method, global_done done, void *done_context)
{
    return global_re_register(context, name, pid, method, done, done_context);
}

static int table_adopt(void *context, struct cn_term name, const struct cn_pid *pid,
                       enum global_method method)
{
    return global_adopt(context, name, pid, method);
}

static void table_lost(void *context, struct cn_term name, const struct cn_pid *pid)
{
    global_lost(context, name, pid);
}

static int table_whereis(void *context, struct cn_term name, global_done done, void *done_context)
{
    return global_whereis(context, name, done, done_context);
}

static bool table_whereis_local(void *context, struct cn_term name, struct cn_pid *ret_pid)
{
    return global_whereis_local(context, name, ret_pid);
}

static int table_set_lock(void *context, struct gen_server *owner, struct cn_term id,
                          uint32_t retries, global_locked done, void *done_context)
{
    return CN_E_UNSUPPORTED;
}

static int table_del_lock(void *context, struct gen_server *owner, struct cn_term id,
                          global_locked done, void *done_context)
{
    return CN_E_UNSUPPORTED;
}

static void table_locks_owner_ends(void *context, struct gen_server *owner)
{
}

static int table_peer_up(void *context, const char *node)
{
    return global_peer_up(context, node);
}

static void table_peer_down(void *context, const char *node)
{
    global_peer_down(context, node);
}

void global_registry(struct global *global, struct registry *ret_registry)
{
    *ret_registry = (struct registry){
        .context = global,
        .register_name = table_register,
        .unregister_name = table_unregister,
        .move_name = table_move,
        .adopt_name = table_adopt,
        .lost_name = table_lost,
        .whereis_name = table_whereis,
        .whereis_local = table_whereis_local,
        .set_lock = table_set_lock,
        .del_lock = table_del_lock,
        .locks_owner_ends = table_locks_owner_ends,
        .peer_up = table_peer_up,
        .peer_down = table_peer_down,
    };
}
