/*
 * The world of the public API (see public.h): the wires are those of proc/'s world, so a test
 * decides when a signal arrives; what goes wrong while making it is an assertion.
 */
#include "unit/node/public.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "node/scopes.h"
#include "registry/global_external.h"

struct world world;
struct beam beam;
struct cn_node node;
struct cn_node other;
static struct global *global;
static struct registry registry;
static struct peer_info peers[] = {{.node = "a@world", .published = true},
                                   {.node = "b@world", .published = true}};

static void each_node(void *context,
                      void (*visit)(void *visit_context, const char *name, bool hidden),
                      void *visit_context)
{
    cn_assert(context == &world);
    visit(visit_context, "b@world", false);
    visit(visit_context, "h@world", true);
}

void public_setup(void)
{
    world_init(&world);
    beam_init(&beam, world_procs(&world, 1));
    node = (struct cn_node){
        .procs = world_procs(&world, 0), .context = &world, .each_node = each_node};
    other = (struct cn_node){.procs = world_procs(&world, 1)};
    api_node_init(&node);
    api_node_init(&other);
    cn_assert(functions_new(node.procs, &node.functions) == 0);
    cn_assert(global_new(node.procs, node.functions, &(struct global_hooks){0}, &global) == 0);
    global_registry(global, &registry);
    node.registry = &registry;
    other.registry = &registry; /* whose servers ask for no name */
    cn_assert(scopes_new(node.procs, node.functions, NULL, &node.scopes) == 0);
    cn_assert(scopes_new(other.procs, beam.functions, NULL, &other.scopes) == 0);
    cn_assert(global_peer_up(global, "b@world") == 0);
    world_settle(&world);
}

void public_teardown(void)
{
    world_deinit(&world);
    global = global_free(global);
    node.scopes = scopes_free(node.scopes);
    other.scopes = scopes_free(other.scopes);
    node.functions = functions_free(node.functions);
    api_node_deinit(&node);
    api_node_deinit(&other);
    beam_deinit(&beam);
}

void public_scopes_meet(void)
{
    cn_assert(scopes_peer_up(node.scopes, &peers[1]) == 0);
    cn_assert(scopes_peer_up(other.scopes, &peers[0]) == 0);
    world_settle(&world);
}

static void note(struct seen *seen, const char *what, struct cn_term term)
{
    cn_assert(seen->count < 64);
    (void)snprintf(seen->log[seen->count++], sizeof seen->log[0], "%s %s", what, show(term));
}

const char *seen_last(const struct seen *seen)
{
    return seen->count > 0 ? seen->log[seen->count - 1] : "";
}

void seen_done(struct cn_server *self, void *context, enum cn_outcome outcome, struct cn_term term)
{
    struct seen *seen = context;

    cn_assert(self == seen->server);
    if (outcome == CN_ENDED)
        (void)snprintf(seen->log[seen->count++], sizeof seen->log[0], "ended");
    else
        note(seen, outcome == CN_DONE ? "done" : "exit", term);
}

static void on_call(struct cn_server *self, void *state, const struct cn_from *from,
                    struct cn_term request)
{
    struct seen *seen = state;
    struct cn_reader reader;
    struct cn_term reason;

    note(seen, "call", request);
    cn_reader_init(&reader, request);
    if (cn_term_is_atom(request, "wait")) {
        seen->kept = cn_from_keep(from);
        return;
    }
    if (cn_read_this_tuple(&reader, 2) && cn_read_this_atom(&reader, "stop") &&
        cn_read_term(&reader, &reason))
        cn_server_stop(self, reason);
    cn_assert(cn_reply(self, from, parse_with("{echo,%t}", &request)) == 0);
}

static void on_cast(struct cn_server *self, void *state, struct cn_term message)
{
    cn_assert(self == ((struct seen *)state)->server);
    note(state, "cast", message);
}

static void on_info(struct cn_server *self, void *state, struct cn_term message)
{
    cn_assert(self == ((struct seen *)state)->server);
    note(state, "info", message);
}

static int on_format(void *state, struct cn_writer *writer)
{
    (void)state;
    cn_write_atom(writer, "seen");
    return cn_writer_error(writer);
}

static void on_terminate(struct cn_server *self, void *state, struct cn_term reason)
{
    struct seen *seen = state;

    cn_assert(self == seen->server);
    (void)snprintf(seen->ended, sizeof seen->ended, "%s", show(reason));
    seen->kept = cn_from_free(seen->kept);
    seen->server = NULL;
}

void seen_start(struct seen *seen, struct cn_node *on, const char *name)
{
    static const struct cn_server_callbacks callbacks = {
        .module = "seen",
        .handle_call = on_call,
        .handle_cast = on_cast,
        .handle_info = on_info,
        .format_state = on_format,
        .terminate = on_terminate,
    };

    memset(seen, 0, sizeof *seen);
    cn_assert(cn_server_start(on, &callbacks, seen, &seen->server) == 0);
    if (name)
        cn_assert(cn_server_register(seen->server, name) == 0);
}

struct cn_term pid_of(const struct seen *seen)
{
    return pid_term(cn_server_pid(seen->server));
}
