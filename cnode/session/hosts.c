/*
 * Putting the parts together, and taking them apart.
 *
 * The parts know each other through `struct hosts` only, so the order is short: the host process
 * first, for everything waits through it; the engine's functions last, for they let callers in. How
 * it fails: whatever was started before the failing part is taken back. Functions that were added
 * before functions_add failed stay in the table, so the caller then gives the table up too.
 */
#include "session/hosts.h"

#include <errno.h>

#include "base/alloc.h"
#include "session/conductor.h"
#include "session/drain.h"
#include "session/ended.h"
#include "session/engine.h"
#include "session/host.h"
#include "session/members.h"
#include "session/supervisor.h"

#define CAPACITY_DEFAULT       1000000u
#define DRAIN_SECONDS_DEFAULT  30u
#define HELD_MESSAGES_DEFAULT  100000u
#define HELD_BYTES_DEFAULT     (UINT64_C(64) << 20)
#define LISTED_DEFAULT         100000u
#define ORDERS_DEFAULT         100000u
#define SNAPSHOT_BYTES_DEFAULT (64u << 20)
#define NAMES_WAIT_MS_DEFAULT  4u

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value == 0 ? otherwise : value;
}

static void set_config(struct hosts *hosts, const struct hosts_config *config)
{
    hosts->config = *config;
    if (config->app_version == NULL)
        hosts->config.app_version = "0";
    hosts->config.capacity = or_default(config->capacity, CAPACITY_DEFAULT);
    hosts->config.drain_seconds = or_default(config->drain_seconds, DRAIN_SECONDS_DEFAULT);
    hosts->config.held_messages_max = or_default(config->held_messages_max, HELD_MESSAGES_DEFAULT);
    if (config->held_bytes_max == 0)
        hosts->config.held_bytes_max = HELD_BYTES_DEFAULT;
    hosts->config.listed_max = or_default(config->listed_max, LISTED_DEFAULT);
    hosts->config.orders_max = or_default(config->orders_max, ORDERS_DEFAULT);
    hosts->config.names_wait_ms = or_default(config->names_wait_ms, NAMES_WAIT_MS_DEFAULT);
    hosts->config.snapshot_bytes_max = or_default(config->snapshot_bytes_max,
                                                  SNAPSHOT_BYTES_DEFAULT);
}

static struct hosts *hosts_alloc(struct procs *procs, const struct session_names *names,
                                 const struct cn_game *game, const struct hosts_config *config)
{
    struct hosts *hosts = mem_zalloc(sizeof(*hosts));

    if (hosts == NULL)
        return NULL;
    hosts->procs = procs;
    hosts->game = game;
    if (names != NULL) {
        hosts->names = *names;
        hosts->has_names = true;
    }
    set_config(hosts, config);
    session_callbacks_init(&hosts->session_callbacks, game);
    list_init(&hosts->members);
    session_table_init(&hosts->table);
    list_init(&hosts->moves_waiting);
    list_init(&hosts->arrived);
    list_init(&hosts->unsure);
    list_init(&hosts->contested);
    list_init(&hosts->asking);
    list_init(&hosts->timers);
    list_init(&hosts->operations);
    return hosts;
}

int hosts_new(struct procs *procs, struct functions *functions, const struct session_names *names,
              const struct cn_game *game, const struct hosts_config *config,
              struct hosts **ret_hosts)
{
    struct hosts *hosts = hosts_alloc(procs, names, game, config);
    int error;

    if (hosts == NULL)
        return -ENOMEM;
    error = host_start(hosts);
    if (error != 0)
        goto out;
    error = supervisor_start(hosts);
    if (error != 0)
        goto out;
    error = engine_start(hosts, functions);
    if (error != 0)
        goto out;
    /* nothing can fail below */
    *ret_hosts = hosts;
    return 0;
out:
    supervisor_forget(hosts);
    host_forget(hosts);
    mem_free(hosts);
    return error;
}

void hosts_close(struct hosts *hosts)
{
    hosts->closing = true;
}

struct hosts *hosts_free(struct hosts *hosts)
{
    struct list *link;

    if (hosts == NULL)
        return NULL;
    hosts->closing = true;
    supervisor_forget(hosts);
    host_forget(hosts);
    while ((link = list_first(&hosts->operations)) != NULL) {
        struct operation *operation = container_of(link, struct operation, link);

        operation->release(operation);
    }
    drain_free(hosts);
    conductor_free(hosts);
    members_clear(hosts);
    ended_clear(hosts);
    engine_free(hosts);
    mem_free(hosts);
    return NULL;
}

void hosts_node_up(struct hosts *hosts, const char *node)
{
    members_greet(hosts, node);
}

static void start_drain(struct hosts *hosts)
{
    struct hosts_summary summary = {.sessions = session_table_owned(&hosts->table)};

    if (drain_start(hosts) == 0)
        return;
    summary.lost = summary.sessions;
    host_log(hosts, HOSTS_LOG_ERROR, "no memory to drain");
    if (hosts->config.drained != NULL)
        hosts->config.drained(hosts->config.context, HOSTS_EXIT_LOST, &summary);
}

static void carry_out(struct hosts *hosts)
{
    start_drain(hosts);
    if (hosts->hurry)
        drain_hurry(hosts);
}

static void order_is_due(struct host_timer *timer)
{
    carry_out(container_of(timer, struct hosts, order_timer));
}

/*
 * Carry out an order that comes from outside of procs_run, a signal, in the next procs_run: only
 * there procs_now_ms is now, and deadlines that count from it are right.
 */
static void order(struct hosts *hosts)
{
    if (host_timer_start(hosts, &hosts->order_timer, 0, order_is_due) != 0)
        carry_out(hosts);
}

void hosts_drain(struct hosts *hosts)
{
    order(hosts);
}

void hosts_drain_hurry(struct hosts *hosts)
{
    hosts->hurry = true;
    order(hosts);
}

void hosts_names_closed(struct hosts *hosts)
{
    hosts->nameless = true;
}

void hosts_drain_abort(struct hosts *hosts)
{
    if (hosts->drain == NULL)
        start_drain(hosts);
    drain_abort(hosts);
}

void hosts_counts(const struct hosts *hosts, struct hosts_counts *ret_counts)
{
    *ret_counts = (struct hosts_counts){
        .sessions = session_table_owned(&hosts->table),
        .forwarders = hosts->table.forwarders,
        .hosts = hosts->members_count,
        .draining = host_draining(hosts),
    };
}
