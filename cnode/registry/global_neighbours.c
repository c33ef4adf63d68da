/*
 * Neighbours: which peers are BEAM nodes, and which of them registers for us.
 *
 * A peer that comes up is told that we are in sync, and told again when its global_name_server
 * asks us to join (init_connect), since the first word may have come before it knew of us. Then it
 * is asked for its protocol version by a call to that same server: only a full member of
 * :global answers with a number, and the answer comes after the server has worked off the end of
 * an earlier connection, so what is asked afterwards is not answered from a table that is
 * about to lose our names. A second question tells a BEAM from another C node, which is a full
 * member too, but registers for nobody. A third gives the server's pid, whose links must not end
 * anybody here. Only then it is used. While the first neighbour is being asked, requests wait:
 * decided without it, two nodes would take one name. One that stays silent is asked again and
 * again, but nobody waits for it any more.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/trace.h"
#include "registry/global_internal.h"

#define PROBE_TIMEOUT_MS 10000u

/* Whom a question was put to. It outlives the neighbour. */
struct probe {
    struct question question;
    struct global *global;
    uint64_t incarnation;
    char node[];
};

struct neighbour *neighbours_find(struct global *global, const char *node)
{
    struct neighbour *neighbour = NULL;

    map_find(global->neighbours, node, strlen(node), neighbour);
    return neighbour;
}

bool neighbours_pending(struct global *global)
{
    struct neighbour *neighbour = NULL;
    struct neighbour *next = NULL;
    bool asked = false;

    map_for_each(global->neighbours, neighbour, next)
    {
        if (neighbour->kind == NEIGHBOUR_BEAM)
            return false;
        asked = asked || neighbour->kind == NEIGHBOUR_ASKED;
    }
    return asked;
}

const char *neighbours_registrar(struct global *global)
{
    struct neighbour *neighbour = NULL;
    struct neighbour *next = NULL;
    const char *best = NULL;

    map_for_each(global->neighbours, neighbour, next)
    {
        if (neighbour->kind == NEIGHBOUR_BEAM &&
            (best == NULL || strcmp(neighbour->node, best) > 0))
            best = neighbour->node;
    }
    return best;
}

void neighbours_in_sync(struct global *global, const char *node)
{
    struct dest dest = {.kind = DEST_NAME, .name = "global_name_server", .node = node};
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 3);
    cn_write_atom(&writer, "in_sync");
    cn_write_atom(&writer, procs_node(global->procs));
    cn_write_bool(&writer, true);
    if (cn_writer_error(&writer) == 0)
        (void)gen_cast(global->procs, gen_server_process(global->server), &dest,
                       cn_writer_term(&writer));
    cn_writer_free(&writer);
}

static struct probe *probe_free(struct probe *probe)
{
    if (probe != NULL)
        list_remove(&probe->question.link);
    mem_free(probe);
    return NULL;
}

static void probe_release(struct question *question)
{
    probe_free(container_of(question, struct probe, question));
}

/* End a question; gives the neighbour if it is still the one that was asked. */
static struct neighbour *probe_end(struct probe *probe)
{
    struct neighbour *neighbour = neighbours_find(probe->global, probe->node);
    bool same = neighbour != NULL && neighbour->incarnation == probe->incarnation;

    probe_free(probe);
    return same ? neighbour : NULL;
}

static struct probe *probe_new(const struct neighbour *neighbour)
{
    size_t size = strlen(neighbour->node) + 1;
    struct probe *probe = mem_alloc(sizeof(*probe) + size);

    if (probe == NULL)
        return NULL;
    probe->question.release = probe_release;
    list_append(&neighbour->global->questions, &probe->question.link);
    probe->global = neighbour->global;
    probe->incarnation = neighbour->incarnation;
    memcpy(probe->node, neighbour->node, size);
    return probe;
}

static int ask_version(struct neighbour *neighbour);

/* The neighbour is no member of :global that could register for us. */
static void settle_other(struct neighbour *neighbour)
{
    neighbour->kind = NEIGHBOUR_OTHER;
    requests_pump(neighbour->global);
}

/* No answer: nobody waits any longer, but it may have been slow only. */
static void ask_again(struct neighbour *neighbour)
{
    neighbour->kind = NEIGHBOUR_SILENT;
    if (ask_version(neighbour) != 0)
        neighbour->kind = NEIGHBOUR_OTHER;
    requests_pump(neighbour->global);
}

static void on_server_pid(struct gen_server *self, void *context, enum call_outcome outcome,
                          struct cn_term term)
{
    struct neighbour *neighbour = probe_end(context);
    struct cn_reader reader;
    struct cn_pid pid;

    cn_reader_init(&reader, term);
    if (neighbour == NULL)
        return;
    if (outcome == CALL_TIMEOUT) {
        ask_again(neighbour);
    } else if (outcome != CALL_REPLY || !cn_read_pid(&reader, &pid) ||
               procs_quiet_partner(gen_server_procs(self), &pid) != 0) {
        settle_other(neighbour);
    } else {
        trace("registry", "%s registers names", neighbour->node);
        neighbour->kind = NEIGHBOUR_BEAM;
        audit_start(neighbour);
        requests_pump(neighbour->global);
    }
}

/* Call erlang:Function by rpc. Ownership: @arguments is freed. */
static int ask_erlang(struct neighbour *neighbour, const char *function,
                      struct cn_writer *arguments, call_done done)
{
    struct probe *probe = probe_new(neighbour);
    int r = -ENOMEM;

    if (probe != NULL && cn_writer_error(arguments) == 0)
        r = call_rpc(neighbour->global->server, neighbour->node, "erlang", function,
                     cn_writer_term(arguments), PROBE_TIMEOUT_MS, done, probe, NULL);
    cn_writer_free(arguments);
    if (r != 0)
        probe_free(probe);
    return r;
}

static int ask_server_pid(struct neighbour *neighbour)
{
    struct cn_writer arguments;

    cn_writer_init(&arguments, 0);
    cn_write_list(&arguments, 1);
    cn_write_atom(&arguments, "global_name_server");
    cn_write_nil(&arguments);
    return ask_erlang(neighbour, "whereis", &arguments, on_server_pid);
}

static void on_exported(struct gen_server *self, void *context, enum call_outcome outcome,
                        struct cn_term term)
{
    struct neighbour *neighbour = probe_end(context);

    (void)self;
    if (neighbour == NULL)
        return;
    if (outcome == CALL_TIMEOUT)
        ask_again(neighbour);
    else if (outcome != CALL_REPLY || !cn_term_is_atom(term, "true") ||
             ask_server_pid(neighbour) != 0)
        settle_other(neighbour);
}

/* erlang:function_exported(global, register_name_external, 3), which no C node answers. */
static int ask_exported(struct neighbour *neighbour)
{
    struct cn_writer arguments;

    cn_writer_init(&arguments, 0);
    cn_write_list(&arguments, 3);
    cn_write_atom(&arguments, "global");
    cn_write_atom(&arguments, "register_name_external");
    cn_write_integer(&arguments, 3);
    cn_write_nil(&arguments);
    return ask_erlang(neighbour, "function_exported", &arguments, on_exported);
}

static void on_version(struct gen_server *self, void *context, enum call_outcome outcome,
                       struct cn_term term)
{
    struct neighbour *neighbour = probe_end(context);
    struct cn_reader reader;
    int64_t version = 0;

    cn_reader_init(&reader, term);
    if (neighbour == NULL)
        return;
    if (outcome == CALL_TIMEOUT)
        ask_again(neighbour);
    else if (outcome != CALL_REPLY || !cn_read_integer(&reader, &version) ||
             ask_exported(neighbour) != 0)
        settle_other(neighbour);
}

static int ask_version(struct neighbour *neighbour)
{
    static const uint8_t request[] = "\x77\x14get_protocol_version";
    struct dest dest = {.kind = DEST_NAME, .name = "global_name_server", .node = neighbour->node};
    struct probe *probe = probe_new(neighbour);
    int r = -ENOMEM;

    if (probe != NULL)
        r = call_start(neighbour->global->server, &dest,
                       (struct cn_term){request, sizeof(request) - 1}, PROBE_TIMEOUT_MS, on_version,
                       probe, NULL);
    if (r != 0)
        probe_free(probe);
    return r;
}

static struct neighbour *neighbour_new(struct global *global, const char *node)
{
    size_t size = strlen(node);
    struct neighbour *neighbour = mem_zalloc(sizeof(*neighbour) + size + 1);

    if (neighbour == NULL)
        return NULL;
    neighbour->global = global;
    neighbour->incarnation = ++global->next_incarnation;
    neighbour->cursor.marker = true;
    list_init(&neighbour->cursor.list);
    memcpy(neighbour->node, node, size);
    if (!map_add(global->neighbours, neighbour->node, size, neighbour)) {
        mem_free(neighbour);
        return NULL;
    }
    return neighbour;
}

static void neighbour_free(struct neighbour *neighbour)
{
    audit_stop(neighbour);
    map_remove(neighbour->global->neighbours, neighbour);
    mem_free(neighbour);
}

int neighbours_up(struct global *global, const char *node)
{
    struct neighbour *neighbour = neighbours_find(global, node);
    int r = 0;

    if (neighbour != NULL)
        neighbour_free(neighbour);
    neighbour = neighbour_new(global, node);
    if (neighbour == NULL)
        return -ENOMEM;
    neighbours_in_sync(global, node);
    r = ask_version(neighbour);
    if (r != 0)
        neighbour_free(neighbour);
    return r;
}

void neighbours_down(struct global *global, const char *node)
{
    struct neighbour *neighbour = neighbours_find(global, node);
    const char *registrar = neighbours_registrar(global);
    bool registered = registrar != NULL && strcmp(registrar, node) == 0;

    if (neighbour == NULL)
        return;
    neighbour_free(neighbour);
    (void)requests_kick(global); /* what waited for its answer */
    registrar = neighbours_registrar(global);
    if (registered && registrar != NULL)
        audit_start(neighbours_find(global, registrar));
}

void neighbours_audit_all(struct global *global)
{
    struct neighbour *neighbour = NULL;
    struct neighbour *next = NULL;

    map_for_each(global->neighbours, neighbour, next)
    {
        if (neighbour->kind == NEIGHBOUR_BEAM && !neighbour->auditing)
            audit_start(neighbour);
    }
}

size_t global_neighbours(const struct global *global)
{
    size_t count = 0;

    for (const struct neighbour *neighbour = global->neighbours; neighbour != NULL;
         neighbour = neighbour->hh.next)
        count += neighbour->kind == NEIGHBOUR_BEAM ? 1 : 0;
    return count;
}

void neighbours_free_all(struct global *global)
{
    struct neighbour *neighbour = NULL;
    struct neighbour *next = NULL;

    map_for_each(global->neighbours, neighbour, next) neighbour_free(neighbour);
}
