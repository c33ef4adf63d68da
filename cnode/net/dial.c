/*
 * Reaching a node, step by step. The request to the resolver outlives a cancelled dial: libuv
 * cannot take it back once a thread works on it, so it is its own piece of memory with a pointer
 * that is cut.
 */
#include "net/dial.h"

#include <errno.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/list.h"
#include "base/sm.h"
#include "base/text.h"
#include "dist/node_name.h"
#include "net/tcp_client.h"

enum dial_state {
    DIAL_RESOLVING,
    DIAL_LOOKING_UP,
    DIAL_CONNECTING,
    DIAL_OVER
};

static const struct sm_state dial_states[] = {
    [DIAL_RESOLVING] = {"resolving", SM_TO(DIAL_LOOKING_UP) | SM_TO(DIAL_OVER), .initial = true},
    [DIAL_LOOKING_UP] = {"looking-up",
                         SM_TO(DIAL_LOOKING_UP) | SM_TO(DIAL_CONNECTING) | SM_TO(DIAL_OVER)},
    [DIAL_CONNECTING] = {"connecting", SM_TO(DIAL_LOOKING_UP) | SM_TO(DIAL_OVER)},
    [DIAL_OVER] = {"over", 0, .final = true},
};
static const struct sm_table dial_table = SM_TABLE("dial", dial_states);

struct resolving {
    uv_getaddrinfo_t request;
    struct dial *dial; /* NULL: nobody waits any more */
};

struct dial {
    struct sm sm;
    struct connections *connections;
    struct node_name name;
    uint16_t epmd_port;
    struct dial_events events;
    void *context;
    struct loop_timer timer;
    struct resolving *resolving;
    struct tcp_client *lookup;
    struct connection *connection;
    struct address addresses[DIAL_ADDRESSES_MAX];
    size_t address_count;
    size_t next;
    char detail[256];
};

static void release(struct dial *dial)
{
    sm_move(&dial->sm, DIAL_OVER);
    loop_timer_stop(&dial->timer);
    if (dial->resolving != NULL) {
        dial->resolving->dial = NULL;
        uv_cancel((uv_req_t *)&dial->resolving->request);
    }
    tcp_client_close(dial->lookup);
    if (dial->connection != NULL)
        connection_drop(dial->connection);
    mem_free(dial);
}

struct dial *dial_cancel(struct dial *dial)
{
    if (dial != NULL)
        release(dial);
    return NULL;
}

static void fail(struct dial *dial)
{
    struct dial_events events = dial->events;
    void *context = dial->context;
    char detail[sizeof(dial->detail)];

    text_copy(detail, sizeof(detail), dial->detail);
    release(dial);
    events.failed(context, detail);
}

static void look_up_next(struct dial *dial);

/* This address did not work: remember why and try the next one. */
static void try_next(struct dial *dial, const char *what, const char *why)
{
    char where[ADDRESS_TEXT_MAX];

    address_text(&dial->addresses[dial->next - 1], where);
    text_format(dial->detail, sizeof(dial->detail), "%s %s: %s", what, where, why);
    dial->lookup = tcp_client_close(dial->lookup);
    if (dial->connection != NULL)
        connection_drop(dial->connection);
    dial->connection = NULL;
    look_up_next(dial);
}

static void on_connected(void *context, struct connection *connection)
{
    struct dial *dial = context;
    struct dial_events events = dial->events;
    void *owner = dial->context;

    dial->connection = NULL;
    release(dial);
    events.reached(owner, connection);
}

static void on_connection_closed(void *context, struct connection *connection)
{
    struct dial *dial = context;

    dial->connection = NULL;
    try_next(dial, "connecting to", connection_detail(connection));
}

static void connect_to(struct dial *dial, uint16_t port)
{
    static const struct connection_events events = {.connected = on_connected,
                                                    .closed = on_connection_closed};
    struct address *address = &dial->addresses[dial->next - 1];
    int rc;

    sm_move(&dial->sm, DIAL_CONNECTING);
    loop_timer_start(&dial->timer, DIAL_STEP_MS);
    address_set_port(address, port);
    rc = connection_dial(dial->connections, dial->name.full, address, &events, dial,
                         &dial->connection);
    if (rc != 0)
        try_next(dial, "connecting to", error_name(rc));
}

static void on_lookup_received(void *context, const uint8_t *data, size_t size)
{
    struct dial *dial = context;
    struct epmd_node node;
    int rc = epmd_read_lookup_reply(data, size, dial->name.alive, &node);

    if (rc == CN_E_MORE)
        return;
    if (rc != 0) {
        try_next(dial, "asking EPMD at",
                 rc == CN_E_UNKNOWN ? "no node of this name" : error_name(rc));
        return;
    }
    dial->lookup = tcp_client_close(dial->lookup);
    connect_to(dial, node.port);
}

static void on_lookup_ended(void *context, int error)
{
    try_next(context, "asking EPMD at", error_name(error));
}

static int look_up(struct dial *dial, const struct address *address)
{
    static const struct tcp_client_events events = {.received = on_lookup_received,
                                                    .ended = on_lookup_ended};
    struct bytes request;
    int rc;

    bytes_init(&request, 0);
    rc = epmd_write_lookup(&request, dial->name.alive);
    if (rc == 0)
        rc = tcp_client_new(dial->connections->loop, address, &request, &events, dial,
                            &dial->lookup);
    bytes_deinit(&request);
    return rc;
}

static void look_up_next(struct dial *dial)
{
    struct address *address;
    int rc;

    if (dial->next == dial->address_count) {
        fail(dial);
        return;
    }
    address = &dial->addresses[dial->next++];
    sm_move(&dial->sm, DIAL_LOOKING_UP);
    loop_timer_start(&dial->timer, DIAL_STEP_MS);
    address_set_port(address, dial->epmd_port);
    rc = look_up(dial, address);
    if (rc != 0)
        try_next(dial, "asking EPMD at", error_name(rc));
}

static void on_timer(void *context)
{
    struct dial *dial = context;

    switch (sm_state(&dial->sm)) {
    case DIAL_RESOLVING:
        text_format(dial->detail, sizeof(dial->detail), "resolving %s takes too long",
                    dial->name.host);
        fail(dial);
        break;
    case DIAL_LOOKING_UP:
        try_next(dial, "asking EPMD at", "no answer");
        break;
    default:
        try_next(dial, "connecting to", "no answer");
        break;
    }
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct resolving *resolving = container_of(request, struct resolving, request);
    struct dial *dial = resolving->dial;

    if (dial != NULL) {
        dial->resolving = NULL;
        for (struct addrinfo *info = found; info != NULL; info = info->ai_next) {
            if (dial->address_count < DIAL_ADDRESSES_MAX &&
                address_copy(info->ai_addr, &dial->addresses[dial->address_count]) == 0)
                dial->address_count++;
        }
        text_format(dial->detail, sizeof(dial->detail), "resolving %s: %s", dial->name.host,
                    status == 0 ? "no address" : uv_strerror(status));
        look_up_next(dial);
    }
    uv_freeaddrinfo(found);
    mem_free(resolving);
}

static int resolve(struct dial *dial)
{
    static const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int rc;

    dial->resolving = mem_zalloc(sizeof(*dial->resolving));
    if (dial->resolving == NULL)
        return -ENOMEM;
    dial->resolving->dial = dial;
    rc = uv_getaddrinfo(loop_uv(dial->connections->loop), &dial->resolving->request, on_resolved,
                        dial->name.host, NULL, &hints);
    if (rc != 0) {
        mem_free(dial->resolving);
        dial->resolving = NULL;
    }
    return rc;
}

int dial_new(struct connections *connections, const char *node, uint16_t epmd_port,
             const struct dial_events *events, void *context, struct dial **ret_dial)
{
    struct dial *dial = mem_zalloc(sizeof(*dial));
    int rc;

    if (dial == NULL)
        return -ENOMEM;
    rc = node_name_parse(node, &dial->name);
    if (rc != 0) {
        mem_free(dial);
        return rc;
    }
    sm_init(&dial->sm, &dial_table, ++connections->next_id, DIAL_RESOLVING);
    dial->connections = connections;
    dial->epmd_port = epmd_port;
    dial->events = *events;
    dial->context = context;
    loop_timer_init(&dial->timer, connections->loop, on_timer, dial);
    loop_timer_start(&dial->timer, DIAL_STEP_MS);
    rc = resolve(dial);
    if (rc != 0) {
        release(dial);
        return rc;
    }
    *ret_dial = dial;
    return 0;
}
