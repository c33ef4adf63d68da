/*
 * One question over TCP, on libuv. The structure is released when libuv has closed its handle.
 */
#include "net/tcp_client.h"

#include <errno.h>
#include <uv.h>

#include "base/alloc.h"

struct tcp_client {
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    struct bytes request;
    struct bytes received;
    struct tcp_client_events events;
    void *context;
    bool open;
};

static void end(struct tcp_client *client, int error)
{
    if (client->open)
        client->events.ended(client->context, error);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
    struct tcp_client *client = handle->data;
    size_t room = EPMD_REPLY_MAX - bytes_size(&client->received);
    uint8_t *place = NULL;

    if (room == 0 || bytes_reserve(&client->received, room, &place) != 0)
        room = 0;
    *ret_buffer = uv_buf_init((char *)place, (unsigned)room);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct tcp_client *client = stream->data;

    if (size == 0)
        return;
    if (size < 0) {
        end(client, size == UV_EOF ? -ENODATA : (int)size);
        return;
    }
    bytes_commit(&client->received, (size_t)size);
    if (client->open)
        client->events.received(client->context, bytes_data(&client->received),
                                bytes_size(&client->received));
}

static void on_write(uv_write_t *write, int status)
{
    struct tcp_client *client = write->data;

    if (status != 0)
        end(client, status);
}

static void on_connect(uv_connect_t *connect, int status)
{
    struct tcp_client *client = connect->data;
    uv_stream_t *stream = (uv_stream_t *)&client->tcp;
    uv_buf_t buffer = uv_buf_init((char *)bytes_data(&client->request),
                                  (unsigned)bytes_size(&client->request));
    int rc = status;

    if (rc == 0)
        rc = uv_read_start(stream, on_alloc, on_read);
    if (rc == 0)
        rc = uv_write(&client->write, stream, &buffer, 1, on_write);
    if (rc != 0)
        end(client, rc);
}

static void on_closed(uv_handle_t *handle)
{
    struct tcp_client *client = handle->data;

    bytes_deinit(&client->request);
    bytes_deinit(&client->received);
    mem_free(client);
}

int tcp_client_new(struct loop *loop, const struct address *address, const struct bytes *request,
                   const struct tcp_client_events *events, void *context,
                   struct tcp_client **ret_client)
{
    struct tcp_client *client = mem_zalloc(sizeof(*client));
    int rc;

    if (client == NULL)
        return -ENOMEM;
    rc = uv_tcp_init(loop_uv(loop), &client->tcp);
    if (rc != 0) {
        mem_free(client);
        return rc;
    }
    client->tcp.data = client;
    client->connect.data = client;
    client->write.data = client;
    client->events = *events;
    client->context = context;
    bytes_init(&client->request, 0);
    bytes_init(&client->received, EPMD_REPLY_MAX);
    rc = bytes_append(&client->request, bytes_data(request), bytes_size(request));
    if (rc == 0)
        rc = uv_tcp_connect(&client->connect, &client->tcp, address_sockaddr(address), on_connect);
    if (rc != 0) {
        uv_close((uv_handle_t *)&client->tcp, on_closed);
        return rc;
    }
    client->open = true;
    *ret_client = client;
    return 0;
}

void tcp_client_clear(struct tcp_client *client)
{
    bytes_clear(&client->received);
}

struct tcp_client *tcp_client_close(struct tcp_client *client)
{
    if (client == NULL || !client->open)
        return NULL;
    client->open = false;
    uv_close((uv_handle_t *)&client->tcp, on_closed);
    return NULL;
}
