/*
 * The cluster of tests: see cluster.h.
 *
 * Time is that of the world, so nothing waits; a helper that cannot do its part is a broken test
 * and aborts by assertion.
 */
#include "unit/session/cluster.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "session/start.h"

#define CALL_MS 5000

static int64_t wall_ms(void *context)
{
    struct cluster_node *node = context;

    return (int64_t)node->cluster->world.now_ms + node->cluster->wall_offset_ms;
}

static void random_bytes(void *context, uint8_t *data, size_t size)
{
    memset(data, 7, size);
}

static void take_log(void *context, enum hosts_log level, const char *line)
{
    struct cluster_node *node = context;
    char *place = node->logs[node->logs_count % CLUSTER_LOGS];

    (void)snprintf(place, sizeof(node->logs[0]), "%d %s", (int)level, line);
    node->logs_count++;
}

static void drain_started(void *context)
{
    struct cluster_node *node = context;

    node->drain_started++;
}

static void drained(void *context, int exit_code, const struct hosts_summary *summary)
{
    struct cluster_node *node = context;

    node->drained++;
    node->exit_code = exit_code;
    node->summary = *summary;
}

void cluster_init(struct cluster *cluster)
{
    memset(cluster, 0, sizeof(*cluster));
    world_init(&cluster->world);
    world_connect(&cluster->world, 0, 2);
    world_connect(&cluster->world, 1, 2);
    cluster->wall_offset_ms = 1700000000000;
    for (int i = 0; i < CLUSTER_NODES; i++) {
        struct cluster_node *node = &cluster->nodes[i];
        struct procs *procs = world_procs(&cluster->world, i);

        node->cluster = cluster;
        cn_assert(functions_new(procs, &node->functions) == 0);
        node->client = server_start(procs, &node->client_log, NULL);
    }
    cluster_settle(cluster);
}

void cluster_deinit(struct cluster *cluster)
{
    for (int i = 0; i < CLUSTER_NODES; i++)
        if (cluster->nodes[i].hosts != NULL)
            hosts_close(cluster->nodes[i].hosts);
    world_deinit(&cluster->world);
    for (int i = 0; i < CLUSTER_NODES; i++) {
        struct cluster_node *node = &cluster->nodes[i];

        node->hosts = hosts_free(node->hosts);
        node->functions = functions_free(node->functions);
        server_deinit(&node->client_log);
    }
}

struct hosts_config cluster_config(struct cluster *cluster, int node)
{
    return (struct hosts_config){
        .app_version = "1.2.3",
        .capacity = 100,
        .names_wait_ms = 5000, /* tests hold a move by its names */
        .context = &cluster->nodes[node],
        .wall_ms = wall_ms,
        .random = random_bytes,
        .log = take_log,
        .drain_started = drain_started,
        .drained = drained,
    };
}

struct hosts *cluster_host_of(struct cluster *cluster, int node, const struct cn_game *game,
                              const struct hosts_config *config)
{
    struct cluster_node *self = &cluster->nodes[node];
    struct session_names names;

    names_functions(&cluster->names, &names);
    cn_assert(hosts_new(world_procs(&cluster->world, node), self->functions, &names, game, config,
                        &self->hosts) == 0);
    for (int i = 0; i < CLUSTER_NODES; i++)
        if (i != node && cluster->world.up[node][i])
            hosts_node_up(self->hosts, cluster->world.nodes[i].name);
    cluster_settle(cluster);
    return self->hosts;
}

struct hosts *cluster_host(struct cluster *cluster, int node)
{
    struct hosts_config config = cluster_config(cluster, node);

    return cluster_host_of(cluster, node, &toy_game, &config);
}

void cluster_settle(struct cluster *cluster)
{
    do {
        world_settle(&cluster->world);
    } while (names_step(&cluster->names));
}

void cluster_lose(struct cluster *cluster, int a, int b)
{
    /* Who lost it looks again, and then asks its host: neither gets through. */
    for (int i = 0; i < 3; i++) {
        world_cut(&cluster->world, a, b);
        cluster_settle(cluster);
    }
}

void cluster_pass(struct cluster *cluster, uint64_t ms)
{
    while (ms > 0) {
        uint64_t step = ms < 10 ? ms : 10;

        cluster->world.now_ms += step;
        cluster_settle(cluster);
        ms -= step;
    }
}

const char *cluster_name(struct cluster *cluster, int node)
{
    return cluster->world.nodes[node].name;
}

void cluster_ask(struct cluster *cluster, int node, const struct cn_pid *pid,
                 struct cn_term request)
{
    struct cluster_node *self = &cluster->nodes[node];
    struct dest dest = to_pid(pid);

    cn_assert(call_start(self->client, &dest, request, CALL_MS, server_done, &self->client_log,
                         NULL) == 0);
}

const char *cluster_call(struct cluster *cluster, int node, const struct cn_pid *pid,
                         struct cn_term request)
{
    cluster_ask(cluster, node, pid, request);
    cluster_settle(cluster);
    return cluster_last(cluster, node);
}

const char *cluster_call_host(struct cluster *cluster, int node, int to, struct cn_term request)
{
    struct cluster_node *self = &cluster->nodes[node];
    struct dest dest = to_name(HOSTS_NAME, cluster_name(cluster, to));

    cn_assert(call_start(self->client, &dest, request, CALL_MS, server_done, &self->client_log,
                         NULL) == 0);
    cluster_settle(cluster);
    return cluster_last(cluster, node);
}

const char *cluster_rpc(struct cluster *cluster, int node, int to, const char *function,
                        struct cn_term arguments)
{
    struct cluster_node *self = &cluster->nodes[node];

    cn_assert(call_rpc(self->client, cluster_name(cluster, to), "Elixir.Toy", function, arguments,
                       CALL_MS * 10, server_done, &self->client_log, NULL) == 0);
    cluster_settle(cluster);
    return cluster_last(cluster, node);
}

void cluster_send(struct cluster *cluster, int node, const struct cn_pid *pid,
                  struct cn_term message)
{
    struct cluster_node *self = &cluster->nodes[node];

    cn_assert(procs_send_pid(world_procs(&cluster->world, node), gen_server_process(self->client),
                             pid, message) == 0);
}

const char *cluster_last(struct cluster *cluster, int node)
{
    return server_last(&cluster->nodes[node].client_log);
}

size_t cluster_answers(struct cluster *cluster, int node)
{
    return cluster->nodes[node].client_log.count;
}

static void started(void *context, struct cn_term answer)
{
    struct cluster *cluster = context;

    (void)snprintf(cluster->started, sizeof(cluster->started), "%s", show(answer));
}

struct session *cluster_start(struct cluster *cluster, int node, const char *id, const char *code)
{
    return cluster_start_fed(cluster, node, id, code, 0);
}

struct session *cluster_start_fed(struct cluster *cluster, int node, const char *id,
                                  const char *code, size_t fail)
{
    struct hosts *hosts = cluster->nodes[node].hosts;
    struct cn_game_env env = host_env(hosts);
    struct cn_bytes code_bytes = code == NULL ? (struct cn_bytes){0} : view(code);
    struct cn_writer error;
    void *game;

    cn_writer_init(&error, 0);
    cn_assert(hosts->game->import(&env, cluster_toy(id), &game, &error) == 0);
    if (fail > 0)
        mem_test_fail(fail);
    cluster->started[0] = '\0';
    start_session(hosts, code_bytes, game, started, cluster);
    cluster_settle(cluster);
    return strncmp(cluster->started, "{ok,", 4) == 0 ? cluster_find(cluster, node, id) : NULL;
}

struct session *cluster_find(struct cluster *cluster, int node, const char *id)
{
    return session_table_by_id(&cluster->nodes[node].hosts->table, view(id));
}

bool cluster_logged(struct cluster *cluster, int node, const char *text)
{
    for (size_t i = 0; i < CLUSTER_LOGS; i++)
        if (strstr(cluster->nodes[node].logs[i], text) != NULL)
            return true;
    return false;
}

struct cn_term cluster_toy(const char *id)
{
    static struct cn_writer writers[8];
    static size_t next;
    struct cn_writer *writer = &writers[next++ % 8];

    if (writer->data == NULL)
        cn_writer_init(writer, 0);
    cn_writer_reset(writer);
    cn_write_map(writer, 4);
    cn_write_atom(writer, "id");
    cn_write_string(writer, id);
    cn_write_atom(writer, "deadline");
    cn_write_integer(writer, 0);
    cn_write_atom(writer, "adds");
    cn_write_nil(writer);
    cn_write_atom(writer, "ballast");
    cn_write_string(writer, "");
    cn_assert(cn_writer_error(writer) == 0);
    return cn_writer_term(writer);
}
