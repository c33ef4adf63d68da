/*
 * All connections of a node.
 *
 * A check handle marks the turns of the loop: it runs after each poll and lets those read on that
 * had used up their budget. They are few at a time: walks over the list of all are for handshakes,
 * ticks and the end.
 */
#include "net/connections.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "net/connection_state.h"

/* The handle has its own memory: libuv lets go of it later than we may live. */
struct connections_handle {
    uv_check_t check;
};

static void on_check(uv_check_t *check)
{
    struct connections *connections = check->data;
    struct list *link;

    connections->turn++;
    while ((link = list_pop(&connections->paused)) != NULL)
        connection_read_start(container_of(link, struct connection, paused_link));
}

static void on_check_closed(uv_handle_t *handle)
{
    mem_free(container_of(handle, struct connections_handle, check));
}

int connections_new(struct loop *loop, const struct connections_config *config,
                    struct connections **ret_connections)
{
    struct connections *connections = mem_zalloc(sizeof(*connections));

    if (connections == NULL)
        return -ENOMEM;
    connections->handle = mem_zalloc(sizeof(*connections->handle));
    if (connections->handle == NULL) {
        mem_free(connections);
        return -ENOMEM;
    }
    connections->loop = loop;
    connections->config = *config;
    if (connections->config.handshake_ms == 0)
        connections->config.handshake_ms = CONNECTIONS_HANDSHAKE_MS;
    list_init(&connections->all);
    list_init(&connections->dirty);
    list_init(&connections->paused);
    decoder_scratch_init(&connections->decoding);
    encoder_scratch_init(&connections->encoding);
    uv_check_init(loop_uv(loop), &connections->handle->check);
    connections->handle->check.data = connections;
    uv_check_start(&connections->handle->check, on_check);
    *ret_connections = connections;
    return 0;
}

struct connections *connections_free(struct connections *connections)
{
    struct list *link;

    if (connections == NULL)
        return NULL;
    while ((link = list_pop(&connections->all)) != NULL)
        connection_drop(container_of(link, struct connection, link));
    uv_close((uv_handle_t *)&connections->handle->check, on_check_closed);
    decoder_scratch_deinit(&connections->decoding);
    encoder_scratch_deinit(&connections->encoding);
    mem_free(connections);
    return NULL;
}

void connections_set_creation(struct connections *connections, uint32_t creation)
{
    connections->creation = creation;
}

void connections_flush(struct connections *connections)
{
    struct list *link;

    while ((link = list_pop(&connections->dirty)) != NULL)
        connection_flush(container_of(link, struct connection, dirty_link));
}

size_t connections_queued_bytes(const struct connections *connections)
{
    size_t bytes = 0;

    list_for_each(link, &connections->all) {
        struct connection *connection = container_of(link, struct connection, link);

        if (connection_is_up(connection))
            bytes += connection_queued_bytes(connection);
    }
    return bytes;
}

static bool is_pending(const struct connection *connection)
{
    return !connection->initiated && sm_state(&connection->sm) == CONNECTION_GREETING;
}

size_t connections_pending(const struct connections *connections)
{
    size_t count = 0;

    list_for_each(link, &connections->all) {
        if (is_pending(container_of(link, struct connection, link)))
            count++;
    }
    return count;
}

struct connection *connections_expendable(const struct connections *connections)
{
    struct connection *oldest = NULL;

    list_for_each(link, &connections->all) {
        struct connection *connection = container_of(link, struct connection, link);

        if (!is_pending(connection))
            continue;
        if (handshake_peer(&connection->handshake)[0] == '\0')
            return connection;
        if (oldest == NULL)
            oldest = connection;
    }
    return oldest;
}

bool connections_greeted_by(const struct connections *connections, const char *name)
{
    list_for_each(link, &connections->all) {
        struct connection *connection = container_of(link, struct connection, link);

        if (is_pending(connection) && strcmp(handshake_peer(&connection->handshake), name) == 0)
            return true;
    }
    return false;
}

bool connections_outstanding(void *connections, uint32_t challenge)
{
    struct connections *all = connections;

    list_for_each(link, &all->all) {
        if (handshake_has_given(&container_of(link, struct connection, link)->handshake, challenge))
            return true;
    }
    return false;
}
