/*
 * The listening socket, on libuv.
 *
 * The socket is its own piece of memory, since a pause closes it and opens a new one on the same
 * port.
 */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/list.h"

#define BACKLOG  512
#define PAUSE_MS 1000

/* The part that libuv holds on to. */
struct listening_socket {
    uv_tcp_t tcp;
    struct listener *listener; /* NULL once closed */
};

struct listener {
    struct loop *loop;
    struct address address;
    struct listener_events events;
    void *context;
    struct listening_socket *socket; /* NULL while paused */
    struct loop_timer pause;
    int spare;      /* a descriptor to give up, or -1 */
    bool accepting; /* hand out connections */
    bool held;      /* one waits in libuv that was not handed out */
    bool starved;   /* the spare was given up: the next connection is closed at once */
    bool told;
};

static int open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void on_socket_closed(uv_handle_t *handle)
{
    mem_free(container_of(handle, struct listening_socket, tcp));
}

static void close_socket(struct listener *listener)
{
    struct listening_socket *socket = listener->socket;

    if (socket == NULL)
        return;
    listener->socket = NULL;
    listener->held = false;
    socket->listener = NULL;
    uv_close((uv_handle_t *)&socket->tcp, on_socket_closed);
}

static void on_refused_closed(uv_handle_t *handle)
{
    mem_free(container_of(handle, struct listening_socket, tcp));
}

/* Take the waiting connection and close it, then get the spare descriptor back. */
static void turn_away(struct listener *listener, uv_stream_t *server)
{
    struct listening_socket *refused = mem_zalloc(sizeof(*refused));

    if (refused != NULL && uv_tcp_init(server->loop, &refused->tcp) == 0) {
        (void)uv_accept(server, (uv_stream_t *)&refused->tcp);
        uv_close((uv_handle_t *)&refused->tcp, on_refused_closed);
    } else {
        mem_free(refused);
        close_socket(listener);
        loop_timer_start(&listener->pause, PAUSE_MS);
    }
    if (listener->spare < 0)
        listener->spare = open_spare();
    listener->starved = false;
}

/* One that nobody takes must go, or libuv would never accept again. */
static void hand_out(struct listener *listener, uv_stream_t *server)
{
    if (listener->events.incoming(listener->context, server) < 0)
        turn_away(listener, server);
}

/* accept failed: nearly always for want of descriptors. */
static void on_accept_error(struct listener *listener, int error)
{
    if (!listener->told)
        listener->events.log(listener->context, 3, "listener.starved", error_name(error));
    listener->told = true;
    if (listener->spare >= 0) {
        close(listener->spare);
        listener->spare = -1;
        listener->starved = true;
        return;
    }
    close_socket(listener);
    loop_timer_start(&listener->pause, PAUSE_MS);
}

static void on_connection(uv_stream_t *server, int status)
{
    struct listener *listener = container_of(server, struct listening_socket, tcp)->listener;

    if (listener == NULL)
        return;
    if (status != 0) {
        on_accept_error(listener, status);
        return;
    }
    if (listener->starved) {
        turn_away(listener, server);
        return;
    }
    listener->told = false;
    if (listener->accepting)
        hand_out(listener, server);
    else
        listener->held = true;
}

static int read_port(struct listener *listener, uv_tcp_t *tcp)
{
    struct sockaddr_storage storage;
    struct address bound;
    int size = sizeof(storage);
    int rc = uv_tcp_getsockname(tcp, (struct sockaddr *)&storage, &size);

    if (rc == 0 && address_copy((struct sockaddr *)&storage, &bound) == 0)
        address_set_port(&listener->address, address_port(&bound));
    return rc;
}

static int open_socket(struct listener *listener)
{
    struct listening_socket *socket = mem_zalloc(sizeof(*socket));
    int rc;

    if (socket == NULL)
        return -ENOMEM;
    rc = uv_tcp_init(loop_uv(listener->loop), &socket->tcp);
    if (rc != 0) {
        mem_free(socket);
        return rc;
    }
    socket->listener = listener;
    rc = uv_tcp_bind(&socket->tcp, address_sockaddr(&listener->address), 0);
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&socket->tcp, BACKLOG, on_connection);
    if (rc == 0)
        rc = read_port(listener, &socket->tcp);
    if (rc != 0) {
        uv_close((uv_handle_t *)&socket->tcp, on_socket_closed);
        return rc;
    }
    listener->socket = socket;
    return 0;
}

static void on_pause_over(void *context)
{
    struct listener *listener = context;

    if (listener->spare < 0)
        listener->spare = open_spare();
    listener->starved = false;
    if (listener->spare < 0 || open_socket(listener) != 0)
        loop_timer_start(&listener->pause, PAUSE_MS);
}

int listener_new(struct loop *loop, const struct address *address,
                 const struct listener_events *events, void *context,
                 struct listener **ret_listener)
{
    struct listener *listener = mem_zalloc(sizeof(*listener));
    int rc;

    if (listener == NULL)
        return -ENOMEM;
    listener->loop = loop;
    listener->address = *address;
    listener->events = *events;
    listener->context = context;
    listener->spare = open_spare();
    loop_timer_init(&listener->pause, loop, on_pause_over, listener);
    rc = open_socket(listener);
    if (rc != 0) {
        listener_close(listener);
        return rc;
    }
    *ret_listener = listener;
    return 0;
}

uint16_t listener_port(const struct listener *listener)
{
    return address_port(&listener->address);
}

void listener_accept_now(struct listener *listener)
{
    listener->accepting = true;
    if (!listener->held || listener->socket == NULL)
        return;
    listener->held = false;
    hand_out(listener, (uv_stream_t *)&listener->socket->tcp);
}

struct listener *listener_close(struct listener *listener)
{
    if (listener == NULL)
        return NULL;
    close_socket(listener);
    loop_timer_stop(&listener->pause);
    if (listener->spare >= 0)
        close(listener->spare);
    mem_free(listener);
    return NULL;
}
