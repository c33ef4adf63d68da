/*
 * A list of scopes, their logs, and whom they may part from.
 */
#include "node/scopes.h"

#include "base/alloc.h"
#include "base/list.h"
#include "node/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SESSIONS    "Elixir.Minotaur.PubSub"
#define PHOENIX     "Elixir.Phoenix.PubSub"
#define ADAPTER_MAX (sizeof "Elixir." + CONFIG_PUBSUB_MAX + sizeof ".Adapter")

struct scope {
    struct list link;
    struct pg *pg;
};

struct scopes {
    struct procs *procs;
    struct network *network;
    struct list all;           /* struct scope.link */
    char adapter[ADAPTER_MAX]; /* the group of Phoenix's adapter */
};

static void on_log(void *context, const char *line)
{
    (void)context;
    log_event(LOG_WARNING, "pg", line);
}

static void hang_up(void *context, const char *node)
{
    struct scopes *scopes = context;

    if (scopes->network)
        (void)network_disconnect(scopes->network, node);
}

int scopes_new(struct procs *procs, struct functions *functions, struct network *network,
               struct scopes **ret_scopes)
{
    struct scopes *scopes = mem_zalloc(sizeof *scopes);

    if (!scopes)
        return -ENOMEM;
    scopes->procs = procs;
    scopes->network = network;
    list_init(&scopes->all);
    int error = pg_functions_add(functions);
    if (error != 0)
        mem_free(scopes);
    else
        *ret_scopes = scopes;
    return error;
}

struct scopes *scopes_free(struct scopes *scopes)
{
    struct list *link;

    if (!scopes)
        return NULL;
    while ((link = list_pop(&scopes->all))) {
        struct scope *scope = container_of(link, struct scope, link);

        pg_free(scope->pg);
        mem_free(scope);
    }
    mem_free(scopes);
    return NULL;
}

static struct scope *find(const struct scopes *scopes, const char *name)
{
    list_for_each(link, &scopes->all) {
        struct scope *scope = container_of(link, struct scope, link);

        if (strcmp(pg_scope(scope->pg), name) == 0)
            return scope;
    }
    return NULL;
}

static void discover(void *context, const struct peer_info *peer)
{
    if (peer->published && pg_peer_up(context, peer->node) != 0)
        log_eventf(LOG_ERROR, "pg", "%s: no memory to discover its scope", peer->node);
}

static int start(struct scopes *scopes, const char *name, struct scope **ret_scope)
{
    struct pg_config config = {
        .scope = name, .context = scopes, .log = on_log, .disconnect = hang_up};
    struct scope *scope = mem_zalloc(sizeof *scope);

    if (!scope)
        return -ENOMEM;
    int error = pg_new(scopes->procs, &config, &scope->pg);
    if (error != 0) {
        mem_free(scope);
        return error;
    }
    list_append(&scopes->all, &scope->link);
    if (scopes->network)
        network_each_peer(scopes->network, discover, scope->pg);
    *ret_scope = scope;
    return 0;
}

int scopes_start(struct scopes *scopes, const char *name, struct pg **ret_pg)
{
    struct scope *scope = find(scopes, name);
    int error = scope ? 0 : start(scopes, name, &scope);

    if (error == 0)
        *ret_pg = scope->pg;
    return error;
}

int scopes_for_game(struct scopes *scopes, const struct config *config, struct hosts_config *hosts)
{
    int error = scopes_start(scopes, SESSIONS, &hosts->pubsub);

    if (error != 0 || !config->pubsub)
        return error;
    snprintf(scopes->adapter, sizeof scopes->adapter, "Elixir.%s.Adapter", config->pubsub);
    hosts->phoenix_adapter = scopes->adapter;
    return scopes_start(scopes, PHOENIX, &hosts->phoenix);
}

int scopes_peer_up(struct scopes *scopes, const struct peer_info *peer)
{
    int error = 0;

    if (!peer->published)
        return 0;
    list_for_each(link, &scopes->all) {
        if (error == 0)
            error = pg_peer_up(container_of(link, struct scope, link)->pg, peer->node);
    }
    return error;
}

void scopes_peer_down(struct scopes *scopes, const char *node)
{
    list_for_each(link, &scopes->all)
        pg_peer_down(container_of(link, struct scope, link)->pg, node);
}
