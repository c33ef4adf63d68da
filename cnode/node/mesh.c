/*
 * The mesh.
 *
 * One gen_server, since it makes calls; its name is for those of other C nodes. It owns a table of
 * neighbours: everybody who is up, and everybody a peer has named. A neighbour that is down waits
 * `delay_ms` before the next dial; the delay doubles with each failure up to 30 s and starts anew
 * once the neighbour was up for a while. A visible peer that went is dialled again for some minutes
 * even if nobody names it: all who could may have parted from us at once, as members of :global do
 * when one of them lost its connection to us. Only who has said {leaving, Node}, as C nodes do
 * before they end or leave, is let go, as BEAM nodes let go of everybody. A call that fails needs
 * no care: the next round asks again. Names that peers give are taken up to a limit, so a peer that
 * names nodes without end fills the table and no more; who is up always has a place. Who is neither
 * up nor named any more is forgotten, for a node may outlive any number of others, each with a name
 * of its own.
 *
 * A newcomer that some seconds later still leaves out somebody whom we see is told to connect to
 * all whom we see, once: BEAM nodes that met only us need not wait for :global's lock for ever.
 * Usually :global has joined and connected them by then. Told at once they would meet each other
 * and be joined through us at the same moment, and what they say to each other then comes too late:
 * OTP 27 and 29 answer that by deleting each other's names (registry/member_meetings.c). One that
 * was started with connect_all false is left alone.
 */
#include "node/mesh.h"

#include "base/alloc.h"
#include "base/map.h"
#include "otp/call.h"

#include <errno.h>
#include <string.h>

#define ASK_EVERY_MS   3000
#define ASK_TIMEOUT_MS 5000
#define JOIN_MS        2500 /* :global joins most newcomers sooner */
#define DELAY_MIN_MS   500
#define DELAY_MAX_MS   30000
#define FORGET_MS      60000 /* longer than any delay, so who is still named is not forgotten */
#define STEADY_MS      10000
#define REDIAL_MS      600000
#define NEIGHBOURS_MAX 4096
#define MESH_NAME      "minotaur_mesh"

struct neighbour {
    char node[CN_NODE_NAME_MAX + 1];
    bool up;
    bool asked;             /* a visible peer, to be asked for its nodes */
    bool met;               /* has met all whom we see, or was told of them, since it came up */
    bool leaving;           /* has said that it goes */
    uint64_t dial_after_ms; /* not before; when down: at least when it went down */
    uint64_t delay_ms;
    uint64_t named_in; /* the last answer that named it */
    uint64_t up_ms;    /* when it came up */
    uint64_t down_ms;  /* a visible peer's: when it went; 0 while it is up */
    unsigned open;     /* questions whose end will come back to it */
    struct mesh *mesh;
    struct map_handle hh;
};

struct mesh {
    struct gen_server *server; /* NULL when somebody has killed it: nobody is dialled any more */
    int (*dial)(void *context, const char *node);
    void *context;
    struct neighbour *neighbours;
    uint64_t answers; /* so far */
    bool waiting;     /* for the next round */
    bool failed;      /* mesh_new could not finish */
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
    if (size > CN_NODE_NAME_MAX)
        return NULL;
    neighbour = mem_zalloc(sizeof *neighbour);
    if (!neighbour)
        return NULL;
    memcpy(neighbour->node, node, size);
    neighbour->delay_ms = DELAY_MIN_MS;
    neighbour->mesh = mesh;
    if (!map_add(mesh->neighbours, neighbour->node, size, neighbour)) {
        mem_free(neighbour);
        return NULL;
    }
    return neighbour;
}

/* Dial who is down, ever more slowly. */
static void redial(struct neighbour *neighbour)
{
    struct mesh *mesh = neighbour->mesh;
    uint64_t now_ms = procs_now_ms(gen_server_procs(mesh->server));

    if (neighbour->up || now_ms < neighbour->dial_after_ms)
        return;
    neighbour->dial_after_ms = now_ms + neighbour->delay_ms;
    neighbour->delay_ms *= 2;
    if (neighbour->delay_ms > DELAY_MAX_MS)
        neighbour->delay_ms = DELAY_MAX_MS;
    mesh->dial(mesh->context, neighbour->node);
}

static void learn(struct mesh *mesh, struct cn_bytes node)
{
    const char *us = procs_node(gen_server_procs(mesh->server));

    if (cn_bytes_equal(node, us) || !memchr(node.data, '@', node.size))
        return;
    struct neighbour *neighbour = find(mesh, (const char *)node.data, node.size);
    if (!neighbour && map_count(mesh->neighbours) < NEIGHBOURS_MAX)
        neighbour = find_or_add(mesh, (const char *)node.data, node.size);
    if (!neighbour)
        return;
    neighbour->named_in = mesh->answers;
    redial(neighbour);
}

static bool is_visible_peer(const struct neighbour *neighbour)
{
    return neighbour->up && neighbour->asked;
}

static void ignore_answer(struct gen_server *self, void *context, enum call_outcome outcome,
                          struct cn_term term)
{
    struct neighbour *neighbour = context;

    neighbour->open--;
}

/* Apply a function to @count atoms on a neighbour; what fails is not asked again. */
static void ask_for(struct neighbour *neighbour, const char *module, const char *function,
                    const char *const *atoms, uint32_t count, call_done done)
{
    struct cn_writer arguments;

    cn_writer_init(&arguments, 0);
    if (count > 0)
        cn_write_list(&arguments, count);
    for (uint32_t i = 0; i < count; i++)
        cn_write_atom(&arguments, atoms[i]);
    cn_write_nil(&arguments);
    if (arguments.error == 0 && call_rpc(neighbour->mesh->server, neighbour->node, module, function,
                                         (struct cn_term){arguments.data, arguments.size},
                                         ASK_TIMEOUT_MS, done, neighbour, NULL) == 0)
        neighbour->open++;
    cn_writer_free(&arguments);
}

static bool is_ok_true(struct cn_term term)
{
    struct cn_reader reader;
    struct cn_bytes ok, value;
    uint32_t arity;

    cn_reader_init(&reader, term);
    return cn_read_tuple(&reader, &arity) && arity == 2 && cn_read_atom(&reader, &ok) &&
           cn_bytes_equal(ok, "ok") && cn_read_atom(&reader, &value) &&
           cn_bytes_equal(value, "true");
}

/* Up for long enough; of two newcomers the later one is told of the other, in its turn. */
static bool has_joined(const struct neighbour *neighbour)
{
    uint64_t now_ms = procs_now_ms(gen_server_procs(neighbour->mesh->server));

    return is_visible_peer(neighbour) && now_ms >= neighbour->up_ms + JOIN_MS;
}

/* The newcomer has said whether it connects to all. */
static void introduce(struct gen_server *self, void *context, enum call_outcome outcome,
                      struct cn_term term)
{
    struct neighbour *newcomer = context;
    struct mesh *mesh = newcomer->mesh;
    struct neighbour *other, *next;

    newcomer->open--;
    if (outcome != CALL_REPLY || mesh->stopped || !is_ok_true(term))
        return;
    map_for_each(mesh->neighbours, other, next)
    {
        const char *const node[] = {other->node};

        if (other != newcomer && has_joined(other) && is_visible_peer(newcomer))
            ask_for(newcomer, "net_kernel", "connect_node", node, 1, ignore_answer);
    }
}

/* The newcomer should have joined: does it lack somebody? */
static void meet(struct neighbour *newcomer)
{
    static const char *const parameter[] = {"kernel", "connect_all"};
    struct mesh *mesh = newcomer->mesh;
    struct neighbour *other, *next;
    bool lacking = false;

    newcomer->met = true;
    map_for_each(mesh->neighbours, other, next)
    {
        if (other != newcomer && has_joined(other) && other->named_in != mesh->answers)
            lacking = true;
    }
    if (lacking)
        ask_for(newcomer, "application", "get_env", parameter, 2, introduce);
}

static void learn_all(struct gen_server *self, void *context, enum call_outcome outcome,
                      struct cn_term term)
{
    struct neighbour *neighbour = context;
    struct mesh *mesh = neighbour->mesh;
    struct cn_reader reader;
    struct cn_bytes node;
    uint32_t count;

    (void)self;
    neighbour->open--;
    cn_reader_init(&reader, term);
    if (outcome != CALL_REPLY || mesh->stopped || !cn_read_list(&reader, &count))
        return;
    mesh->answers++;
    for (; count > 0 && cn_read_atom(&reader, &node); count--)
        learn(mesh, node);
    if (!neighbour->met && has_joined(neighbour))
        meet(neighbour);
}

static void ask(struct mesh *mesh, struct neighbour *neighbour)
{
    if (is_visible_peer(neighbour) && !mesh->stopped)
        ask_for(neighbour, "erlang", "nodes", NULL, 0, learn_all);
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

static bool is_past(const struct neighbour *neighbour, uint64_t now_ms)
{
    return !neighbour->up && neighbour->open == 0 && now_ms > neighbour->dial_after_ms + FORGET_MS;
}

/* A visible peer that went not long ago: nobody need be left who could name it. */
static bool is_lost(const struct neighbour *neighbour, uint64_t now_ms)
{
    return neighbour->down_ms > 0 && now_ms < neighbour->down_ms + REDIAL_MS &&
           !neighbour->mesh->stopped;
}

static void forget(struct mesh *mesh, struct neighbour *neighbour)
{
    map_remove(mesh->neighbours, neighbour);
    mem_free(neighbour);
}

static void on_timer(struct gen_server *self, void *state, uint64_t timer)
{
    struct mesh *mesh = state;
    uint64_t now_ms = procs_now_ms(gen_server_procs(self));
    struct neighbour *neighbour, *next;

    (void)timer;
    mesh->waiting = false;
    map_for_each(mesh->neighbours, neighbour, next)
    {
        if (is_past(neighbour, now_ms))
            forget(mesh, neighbour);
        else if (is_lost(neighbour, now_ms))
            redial(neighbour);
        else
            ask(mesh, neighbour);
    }
    ask_again_later(mesh);
}

/* Who was asked before may still name it. */
static void let_go(struct neighbour *neighbour, uint64_t now_ms)
{
    neighbour->down_ms = 0;
    neighbour->dial_after_ms = now_ms + ASK_TIMEOUT_MS;
}

/* {leaving, Node}, as any peer may say of any. It may be handled after the connection's end. */
static void on_info(struct gen_server *self, void *state, struct cn_term message)
{
    struct cn_reader reader;
    struct cn_bytes node;

    cn_reader_init(&reader, message);
    if (cn_peek(&reader) != CN_TYPE_TUPLE || !cn_read_this_tuple(&reader, 2) ||
        !cn_read_this_atom(&reader, "leaving") || !cn_read_atom(&reader, &node))
        return;
    struct neighbour *neighbour = find(state, (const char *)node.data, node.size);
    if (neighbour && neighbour->up)
        neighbour->leaving = true;
    else if (neighbour)
        let_go(neighbour, procs_now_ms(gen_server_procs(self)));
}

static void release(struct gen_server *self, void *state, struct cn_term reason)
{
    struct mesh *mesh = state;
    struct neighbour *neighbour, *next;

    (void)self;
    (void)reason;
    map_for_each(mesh->neighbours, neighbour, next) forget(mesh, neighbour);
    mesh->server = NULL;
    if (mesh->failed)
        mem_free(mesh);
}

static const struct gen_server_callbacks callbacks = {
    .module = "mesh",
    .handle_info = on_info,
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
    error = process_register(gen_server_process(mesh->server), MESH_NAME);
    if (error != 0) {
        mesh->failed = true; /* its end releases it */
        gen_server_stop_atom(mesh->server, "normal");
        return error;
    }
    *ret_mesh = mesh;
    return 0;
}

struct mesh *mesh_free(struct mesh *mesh)
{
    mem_free(mesh);
    return NULL;
}

int mesh_peer_up(struct mesh *mesh, const char *node, bool hidden)
{
    if (!mesh->server)
        return 0;
    struct neighbour *neighbour = find_or_add(mesh, node, strlen(node));
    if (!neighbour)
        return -ENOMEM;
    neighbour->up = true;
    neighbour->down_ms = 0;
    neighbour->asked = !hidden;
    neighbour->met = false;
    neighbour->leaving = false;
    neighbour->up_ms = procs_now_ms(gen_server_procs(mesh->server));
    ask(mesh, neighbour);
    return ask_again_later(mesh);
}

void mesh_peer_down(struct mesh *mesh, const char *node)
{
    struct neighbour *neighbour = find(mesh, node, strlen(node));

    if (!neighbour)
        return;
    uint64_t now_ms = procs_now_ms(gen_server_procs(mesh->server));
    if (is_visible_peer(neighbour))
        neighbour->down_ms = now_ms;
    if (neighbour->up && now_ms >= neighbour->up_ms + STEADY_MS)
        neighbour->delay_ms = DELAY_MIN_MS;
    neighbour->up = false;
    if (neighbour->leaving)
        let_go(neighbour, now_ms);
    else if (neighbour->dial_after_ms < now_ms)
        neighbour->dial_after_ms = now_ms;
    neighbour->leaving = false;
}

void mesh_say_leaving(struct mesh *mesh)
{
    struct neighbour *neighbour, *next;
    struct cn_writer message;

    if (!mesh->server)
        return;
    struct procs *procs = gen_server_procs(mesh->server);
    cn_writer_init(&message, 0);
    cn_write_tuple(&message, 2);
    cn_write_atom(&message, "leaving");
    cn_write_atom(&message, procs_node(procs));
    map_for_each(mesh->neighbours, neighbour, next)
    {
        struct dest dest = {.kind = DEST_NAME, .name = MESH_NAME, .node = neighbour->node};

        if (is_visible_peer(neighbour) && cn_writer_error(&message) == 0)
            (void)procs_send(procs, gen_server_process(mesh->server), &dest,
                             cn_writer_term(&message));
    }
    cn_writer_free(&message);
}

void mesh_forget_peers(struct mesh *mesh)
{
    struct neighbour *neighbour, *next;

    mesh_say_leaving(mesh);
    map_for_each(mesh->neighbours, neighbour, next)
    {
        neighbour->asked = false;
        neighbour->down_ms = 0;
    }
}

void mesh_stop(struct mesh *mesh)
{
    mesh->stopped = true;
}
