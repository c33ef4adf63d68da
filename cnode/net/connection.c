/*
 * One TCP connection: opening, writing, closing. Reading is in connection_input.c.
 *
 * A write tries the socket at once and leaves to libuv what the kernel does not take; while that
 * is under way further frames gather in the outbox and go out together when it is done. Fragments
 * of large signals join them only up to a bound, one write in each turn of the loop: libuv tells of
 * its end in the next one, in which everybody else had a turn too. The
 * structure is released when libuv has closed the handle, after `closed` was told.
 */
#include "net/connection.h"

#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/error.h"
#include "base/text.h"
#include "net/connection_state.h"

#define WRITE_PIECES    256
#define WRITE_BYTES     (256 * 1024) /* up to which fragments are put into the outbox for a write */
#define UNSENT_BYTES    (512 * 1024) /* that the kernel takes ahead of what the network does */
#define FREE_BYTES_KEPT ((size_t)4 << 20)

static const struct sm_state connection_states[] = {
    [CONNECTION_CONNECTING] = {"connecting", SM_TO(CONNECTION_GREETING) | SM_TO(CONNECTION_CLOSING),
                               .initial = true},
    [CONNECTION_GREETING] = {"greeting", SM_TO(CONNECTION_UP) | SM_TO(CONNECTION_CLOSING)},
    [CONNECTION_UP] = {"up", SM_TO(CONNECTION_CLOSING)},
    [CONNECTION_CLOSING] = {"closing", 0, .final = true},
};
static const struct sm_table connection_table = SM_TABLE("connection", connection_states);

/*
 * Free memory is the system's again: a peer may have been rich in links or unfinished signals, and
 * the allocator keeps all of it for one small block that lies above.
 */
static void give_back_memory(void)
{
#ifdef __GLIBC__
    if (mallinfo2().fordblks > FREE_BYTES_KEPT)
        (void)malloc_trim(0);
#endif
}

static void on_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    bool was_up = handshake_state(&connection->handshake) == HANDSHAKE_DONE;

    if (connection->events.closed != NULL)
        connection->events.closed(connection->context, connection);
    list_remove(&connection->link);
    handshake_deinit(&connection->handshake);
    frame_reader_deinit(&connection->frames);
    decoder_deinit(&connection->decoder);
    sender_deinit(&connection->sender);
    outbox_deinit(&connection->outbox);
    mem_free(connection);
    if (was_up)
        give_back_memory();
}

static void close_handle(struct connection *connection)
{
    sm_move(&connection->sm, CONNECTION_CLOSING);
    loop_timer_stop(&connection->deadline);
    loop_timer_stop(&connection->rest);
    handshake_refuse(&connection->handshake, "closed");
    list_remove(&connection->dirty_link);
    list_remove(&connection->paused_link);
    watchdog_remove(connection->all->config.watchdog, &connection->watched);
    uv_close((uv_handle_t *)&connection->tcp, on_closed);
}

void connection_fail(struct connection *connection, const char *reason, const char *detail)
{
    if (connection_is_closing(connection))
        return;
    connection->reason = reason;
    text_copy(connection->detail, sizeof(connection->detail), detail);
    close_handle(connection);
}

void connection_close(struct connection *connection, const char *reason)
{
    connection_fail(connection, reason, reason);
}

void connection_drop(struct connection *connection)
{
    connection->events = (struct connection_events){NULL};
    connection->context = NULL;
    connection_close(connection, "dropped");
}

/*
 * Let little wait in the kernel, which would take megabytes of a large signal: what is small could
 * no more pass them there. A socket that knows no such bound works without.
 */
static void bound_unsent(uv_os_fd_t fd)
{
#ifdef TCP_NOTSENT_LOWAT
    static const int bytes = UNSENT_BYTES;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof(bytes));
#endif
}

/* Its socket is there: from now on it is closed when the loop stands still. */
static void guard(struct connection *connection)
{
    uv_os_fd_t fd;

    uv_tcp_nodelay(&connection->tcp, 1);
    if (uv_fileno((uv_handle_t *)&connection->tcp, &fd) != 0)
        return;
    bound_unsent(fd);
    watchdog_add(connection->all->config.watchdog, &connection->watched, fd);
}

static void on_deadline(void *context)
{
    connection_fail(context, "timeout", "the handshake took too long");
}

/* The delay is over, and counts as a part of the handshake's time. */
static void on_delay(void *context)
{
    struct connection *connection = context;
    uint64_t waited_ms = loop_now_ms(connection->all->loop) - connection->received_ms;
    uint64_t all_ms = connection->all->config.handshake_ms;

    loop_timer_init(&connection->deadline, connection->all->loop, on_deadline, connection);
    loop_timer_start(&connection->deadline, waited_ms < all_ms ? all_ms - waited_ms : 0);
    connection_read_start(connection);
}

/* Make a connection that has a handle and is listed, so that only closing can release it. */
static struct connection *make(struct connections *all, const struct connection_events *events,
                               void *context)
{
    struct connection *connection = mem_zalloc(sizeof(*connection));

    if (connection == NULL)
        return NULL;
    if (uv_tcp_init(loop_uv(all->loop), &connection->tcp) != 0) {
        mem_free(connection);
        return NULL;
    }
    sm_init(&connection->sm, &connection_table, ++all->next_id, CONNECTION_CONNECTING);
    connection->all = all;
    connection->events = *events;
    connection->context = context;
    connection->tcp.data = connection;
    connection->connect.data = connection;
    connection->write.data = connection;
    connection->received_ms = loop_now_ms(all->loop);
    connection->sent_ms = connection->received_ms;
    connection->reason = "connection_closed";
    list_append(&all->all, &connection->link);
    list_init(&connection->dirty_link);
    list_init(&connection->paused_link);
    frame_reader_init(&connection->frames, all->config.frame_bytes_max);
    outbox_init(&connection->outbox, all->config.queue_bytes_max);
    decoder_init(&connection->decoder, 0, all->config.frame_bytes_max, &all->decoding);
    sender_init(&connection->sender, &connection->outbox, 0, &all->encoding);
    loop_timer_init(&connection->deadline, all->loop, on_deadline, connection);
    loop_timer_init(&connection->rest, all->loop, connection_rested, connection);
    return connection;
}

static int init_handshake(struct connection *connection, const char *peer)
{
    struct connections *all = connection->all;

    return handshake_init(&connection->handshake,
                          &(struct handshake_config){
                              .name = all->config.name,
                              .cookie = all->config.cookie,
                              .peer = peer,
                              .flags = all->config.flags,
                              .creation = all->creation,
                              .random = randombytes_buf,
                              .outstanding = connections_outstanding,
                              .context = all,
                          },
                          connection->sm.id);
}

static void on_connect(uv_connect_t *connect, int status)
{
    struct connection *connection = connect->data;

    if (connection_is_closing(connection))
        return;
    if (status != 0) {
        connection_fail(connection, "connect_failed", error_name(status));
        return;
    }
    guard(connection);
    sm_move(&connection->sm, CONNECTION_GREETING);
    connection_send_handshake(connection);
    if (connection_is_closing(connection))
        return;
    if (connection->events.connected != NULL)
        connection->events.connected(connection->context, connection);
    if (!connection_is_closing(connection))
        connection_read_start(connection);
}

int connection_dial(struct connections *all, const char *peer, const struct address *address,
                    const struct connection_events *events, void *context,
                    struct connection **ret_connection)
{
    struct connection *connection = make(all, events, context);
    int rc;

    if (connection == NULL)
        return -ENOMEM;
    connection->initiated = true;
    connection->address = *address;
    rc = init_handshake(connection, peer);
    if (rc == 0)
        rc = uv_tcp_connect(&connection->connect, &connection->tcp, address_sockaddr(address),
                            on_connect);
    if (rc != 0) {
        connection_drop(connection);
        return rc;
    }
    /* The name lives in the handshake now; the caller's may go. */
    connection->handshake.config.peer = connection->handshake.peer_name;
    loop_timer_start(&connection->deadline, all->config.handshake_ms);
    *ret_connection = connection;
    return 0;
}

static void read_address(struct connection *connection)
{
    struct sockaddr_storage storage;
    int size = sizeof(storage);

    if (uv_tcp_getpeername(&connection->tcp, (struct sockaddr *)&storage, &size) == 0)
        (void)address_copy((struct sockaddr *)&storage, &connection->address);
}

int connection_accept(struct connections *all, struct uv_stream_s *server,
                      const struct connection_events *events, void *context,
                      struct connection **ret_connection)
{
    struct connection *connection = make(all, events, context);
    int rc;

    if (connection == NULL)
        return -ENOMEM;
    rc = init_handshake(connection, NULL);
    if (rc == 0)
        rc = uv_accept(server, (uv_stream_t *)&connection->tcp);
    if (rc != 0) {
        connection_drop(connection);
        return rc;
    }
    read_address(connection);
    guard(connection);
    sm_move(&connection->sm, CONNECTION_GREETING);
    *ret_connection = connection;
    return 0;
}

void connection_greet(struct connection *connection, uint32_t delay_ms)
{
    loop_timer_init(&connection->deadline, connection->all->loop, on_delay, connection);
    if (delay_ms > 0)
        loop_timer_start(&connection->deadline, delay_ms);
    else
        on_delay(connection);
}

void connection_set_events(struct connection *connection, const struct connection_events *events,
                           void *context)
{
    connection->events = *events;
    connection->context = context;
}

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
}

void connection_finish(struct connection *connection)
{
    if (connection_is_closing(connection) || connection->finished)
        return;
    connection->finished = true;
    if (uv_shutdown(&connection->shutdown, (uv_stream_t *)&connection->tcp, on_shutdown) != 0)
        connection_close(connection, "connection_closed");
}

static void consume(struct connection *connection, size_t size)
{
    outbox_consume(&connection->outbox, size);
    stream_answer(&connection->stream);
    connection->sent_ms = loop_now_ms(connection->all->loop);
}

static void on_write(uv_write_t *write, int status)
{
    struct connection *connection = write->data;

    connection->writing = false;
    if (connection_is_closing(connection))
        return;
    if (status != 0) {
        connection_fail(connection, "connection_closed", error_name(status));
        return;
    }
    consume(connection, connection->in_flight);
    connection_flush(connection);
}

/* View the first bytes of the outbox for libuv; returns the number of pieces. */
static unsigned view_outbox(struct connection *connection, uv_buf_t *buffers, size_t *ret_size)
{
    struct cn_bytes pieces[WRITE_PIECES];
    size_t count = outbox_view(&connection->outbox, pieces, WRITE_PIECES);

    *ret_size = 0;
    for (size_t i = 0; i < count; i++) {
        /* libuv does not write into it, but its type does not say so. */
        buffers[i] = uv_buf_init((char *)(uintptr_t)pieces[i].data, (unsigned)pieces[i].size);
        *ret_size += pieces[i].size;
    }
    return (unsigned)count;
}

/* Write what the socket takes at once. Returns as uv_try_write. */
static int try_write(struct connection *connection)
{
    uv_buf_t buffers[WRITE_PIECES];
    size_t size;
    unsigned count = view_outbox(connection, buffers, &size);
    int rc = uv_try_write((uv_stream_t *)&connection->tcp, buffers, count);

    if (rc > 0)
        consume(connection, (size_t)rc);
    return rc;
}

void connection_flush(struct connection *connection)
{
    uv_stream_t *stream = (uv_stream_t *)&connection->tcp;
    uv_buf_t buffers[WRITE_PIECES];
    unsigned count;
    int rc;

    list_remove(&connection->dirty_link);
    if (connection->writing || connection_is_closing(connection) || connection->finished)
        return;
    rc = sender_fill(&connection->sender, WRITE_BYTES);
    if (rc == 0 && outbox_bytes(&connection->outbox) == 0)
        return;
    if (rc == 0 && !sender_has_fragments(&connection->sender))
        rc = try_write(connection);
    if (rc >= 0 && outbox_bytes(&connection->outbox) == 0)
        return;
    if (rc >= 0 || rc == UV_EAGAIN) {
        count = view_outbox(connection, buffers, &connection->in_flight);
        rc = uv_write(&connection->write, stream, buffers, count, on_write);
        connection->writing = rc == 0;
    }
    if (rc < 0)
        connection_fail(connection, "connection_closed", error_name(rc));
}

void connection_wants_flush(struct connection *connection)
{
    if (list_empty(&connection->dirty_link) && !connection_is_closing(connection))
        list_append(&connection->all->dirty, &connection->dirty_link);
}

void connection_send_handshake(struct connection *connection)
{
    struct bytes *output = handshake_output(&connection->handshake);
    struct cn_bytes part = {bytes_data(output), bytes_size(output)};

    if (part.size == 0)
        return;
    if (outbox_append(&connection->outbox, &part, 1) != 0) {
        connection_fail(connection, "no_memory", "no memory");
        return;
    }
    bytes_clear(output);
    connection_flush(connection);
}

void connection_tick(struct connection *connection)
{
    static const uint8_t zeros[4];
    struct cn_bytes tick = {zeros, sizeof(zeros)};

    if (outbox_bytes(&connection->outbox) > 0 || connection_is_closing(connection))
        return;
    if (outbox_append(&connection->outbox, &tick, 1) == 0)
        connection_flush(connection);
}
