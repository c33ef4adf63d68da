/*
 * The mesh.
 *
 * One gen_server without a name, since it makes calls. It owns a table of neighbours: everybody
 * who is up, and everybody a peer has named. A neighbour that is down waits `delay_ms` before
 * the next dial; the delay doubles with each failure up to 30 s and starts anew once the
 * neighbour was up. A call that fails needs no care: the next round asks again. The table is
 * bounded, so a peer that names nodes without end fills it and no more.
 */
#include "node/mesh.h"

#include "base/alloc.h"
#include "base/map.h"
#include "otp/call.h"

#include <errno.h>
#include <string.h>

#define ASK_EVERY_MS   3000
#define ASK_TIMEOUT_MS 5000
#define DELAY_MIN_MS   500
#define DELAY_MAX_MS   30000
#define NEIGHBOURS_MAX 4096

struct neighbour {
    char node[CN_NODE_NAME_MAX + 1];
    bool up;
    bool asked; /* a visible peer, to be asked for its nodes */
    uint64_t dial_after_ms;
    uint64_t delay_ms;
    struct map_handle hh;
};

struct mesh {
    struct gen_server *server;
    int (*dial)(void *context, const char *node);
    void *context;
    struct neighbour *neighbours;
    bool waiting; /* for the next round */
    bool stopped;
};

static struct neighbour *find(struct mesh *mesh, const char *node, size_t size)
{
    struct neighbour *neighbour;

    map_find(mesh->neighbours, node, size, neighbour);
    return neighbour;
}

static struct neighbour *find_or_add(struct mesh *mesh, const char *node, size_t size)
{
    struct neighbour *neighbour = find(mesh, node, size);

    if (neighbour)
        return neighbour;
    if (size > CN_NODE_NAME_MAX || map_count(mesh->neighbours) >= NEIGHBOURS_MAX)
        return NULL;
    neighbour = mem_zalloc(sizeof *neighbour);
    if (!neighbour)
        return NULL;
    memcpy(neighbour->node, node, size);
    neighbour->delay_ms = DELAY_MIN_MS;
    if (!map_add(mesh->neighbours, neighbour->node, size, neighbour)) {
        mem_free(neighbour);
        return NULL;
    }
    return neighbour;
}

static void learn(struct mesh *mesh, struct cn_bytes node)
{
    struct procs *procs = gen_server_procs(mesh->server);
    uint64_t now_ms = procs_now_ms(procs);

    if (cn_bytes_equal(node, procs_node(procs)) || !memchr(node.data, '@', node.size))
        return;
    struct neighbour *neighbour = find_or_add(mesh, (const char *)node.data, node.size);
    if (!neighbour || neighbour->up || now_ms < neighbour->dial_after_ms)
        return;
    neighbour->dial_after_ms = now_ms + neighbour->delay_ms;
    neighbour->delay_ms *= 2;
    if (neighbour->delay_ms > DELAY_MAX_MS)
        neighbour->delay_ms = DELAY_MAX_MS;
    mesh->dial(mesh->context, neighbour->node);
}

static void learn_all(struct gen_server *self, void *context, enum call_outcome outcome,
                      struct cn_term term)
{
    struct mesh *mesh = context;
    struct cn_reader reader;
    struct cn_bytes node;
    uint32_t count;

    (void)self;
    cn_reader_init(&reader, term);
    if (outcome != CALL_REPLY || mesh->stopped || !cn_read_list(&reader, &count))
        return;
    for (; count > 0 && cn_read_atom(&reader, &node); count--)
        learn(mesh, node);
}

static void ask(struct mesh *mesh, const struct neighbour *neighbour)
{
    static const uint8_t no_arguments[] = {106}; /* NIL_EXT */
    struct cn_term arguments = {no_arguments, sizeof no_arguments};

    if (neighbour->up && neighbour->asked && !mesh->stopped)
        call_rpc(mesh->server, neighbour->node, "erlang", "nodes", arguments, ASK_TIMEOUT_MS,
                 learn_all, mesh, NULL);
}

/* Without memory there is no next round until the next peer comes up. */
static int ask_again_later(struct mesh *mesh)
{
    uint64_t timer;
    int error = 0;

    if (!mesh->waiting)
        error = process_start_timer(gen_server_process(mesh->server), ASK_EVERY_MS, &timer);
    mesh->waiting = error == 0;
    return error;
}

static void on_timer(struct gen_server *self, void *state, uint64_t timer)
{
    struct mesh *mesh = state;
    struct neighbour *neighbour, *next;

    (void)self;
    (void)timer;
    mesh->waiting = false;
    map_for_each(mesh->neighbours, neighbour, next) ask(mesh, neighbour);
    ask_again_later(mesh);
}

static void release(struct gen_server *self, void *state, struct cn_term reason)
{
    struct mesh *mesh = state;
    struct neighbour *neighbour, *next;

    (void)self;
    (void)reason;
    map_for_each(mesh->neighbours, neighbour, next)
    {
        map_remove(mesh->neighbours, neighbour);
        mem_free(neighbour);
    }
    mem_free(mesh);
}

static const struct gen_server_callbacks callbacks = {
    .module = "mesh",
    .handle_timer = on_timer,
    .terminate = release,
};

int mesh_new(struct procs *procs, int (*dial)(void *context, const char *node), void *context,
             struct mesh **ret_mesh)
{
    struct mesh *mesh = mem_zalloc(sizeof *mesh);

    if (!mesh)
        return -ENOMEM;
    mesh->dial = dial;
    mesh->context = context;
    int error = gen_server_start(procs, &callbacks, mesh, &mesh->server);
    if (error != 0) {
        mem_free(mesh);
        return error;
    }
    error = ask_again_later(mesh);
    if (error != 0) {
        gen_server_stop_atom(mesh->server, "normal");
        return error;
    }
    *ret_mesh = mesh;
    return 0;
}

int mesh_peer_up(struct mesh *mesh, const char *node, bool hidden)
{
    struct neighbour *neighbour = find_or_add(mesh, node, strlen(node));

    if (!neighbour)
        return -ENOMEM;
    neighbour->up = true;
    neighbour->asked = !hidden;
    neighbour->delay_ms = DELAY_MIN_MS;
    ask(mesh, neighbour);
    return ask_again_later(mesh);
}

void mesh_peer_down(struct mesh *mesh, const char *node)
{
    struct neighbour *neighbour = find(mesh, node, strlen(node));

    if (neighbour)
        neighbour->up = false;
}

void mesh_stop(struct mesh *mesh)
{
    mesh->stopped = true;
}
