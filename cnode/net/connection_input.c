/*
 * One TCP connection: what comes in, and what others may ask about it.
 *
 * Bytes go to the handshake until the cookie is proven, then to the frame reader. After every
 * event the owner may have closed the connection, so each loop here looks again. A connection that
 * has used up its budget stops reading until the next turn (connections.c starts it again). What
 * counts is the work that its bytes make: a frame of thirty bytes costs more than its bytes do, and
 * two bytes may name an atom of a thousand. One that reads a stream rests for longer (stream.h).
 */
#include <errno.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/text.h"
#include "net/connection_state.h"

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
    struct connection *connection = handle->data;

    *ret_buffer = uv_buf_init((char *)connection->all->read_buffer,
                              sizeof(connection->all->read_buffer));
}

static void protocol_error(struct connection *connection, int rc, const char *what)
{
    char detail[128];

    text_format(detail, sizeof(detail), "%s: %s", what, error_name(rc));
    connection_fail(connection, "protocol_error", detail);
}

static void count_work(struct connection *connection, size_t frame_size, size_t expanded_size)
{
    stream_add(&connection->stream);
    connection->more_work += CONNECTIONS_FRAME_WORK;
    if (expanded_size > frame_size)
        connection->more_work += expanded_size - frame_size;
}

/* One frame that is no tick. */
static void take_frame(struct connection *connection, struct cn_bytes frame)
{
    const struct control *control;
    struct cn_term message;
    int rc = decoder_signal(&connection->decoder, frame, &control, &message);

    if (rc == CN_E_MORE)
        return;
    if (rc != 0) {
        protocol_error(connection, rc,
                       rc == CN_E_UNKNOWN ? "an unknown or malformed control message"
                                          : "a frame that cannot be decoded");
        return;
    }
    count_work(connection, frame.size, message.size);
    if (connection->events.deliver == NULL)
        return;
    rc = connection->events.deliver(connection->context, connection, control, message);
    if (rc != 0)
        protocol_error(connection, rc, "a signal that breaks a rule");
}

static void take_frames(struct connection *connection, const uint8_t *data, size_t size)
{
    struct cn_bytes frame;
    int rc;

    frame_reader_feed(&connection->frames, data, size);
    while ((rc = frame_reader_next(&connection->frames, &frame)) == 0) {
        if (frame.size > 0)
            take_frame(connection, frame);
        if (connection_is_closing(connection))
            return;
    }
    if (rc == CN_E_LIMIT)
        protocol_error(connection, rc, "a frame that is too long");
    else if (rc != CN_E_MORE)
        protocol_error(connection, rc, "no memory for a frame");
}

static void become_up(struct connection *connection)
{
    connection->decoder.flags = handshake_flags(&connection->handshake);
    connection->sender.encoder.flags = connection->decoder.flags;
    loop_timer_stop(&connection->deadline);
    sm_move(&connection->sm, CONNECTION_UP);
    handshake_deinit(&connection->handshake); /* names and flags stay readable */
    if (connection->events.up != NULL)
        connection->events.up(connection->context, connection);
}

/* The handshake needs its caller, or is over. */
static void on_handshake_event(struct connection *connection)
{
    struct handshake *handshake = &connection->handshake;
    int rc = 0;

    switch (handshake_state(handshake)) {
    case HANDSHAKE_NAMED:
        cn_assert(connection->events.named != NULL);
        rc = handshake_answer(handshake, connection->events.named(connection->context, connection));
        break;
    case HANDSHAKE_PROVEN:
        rc = handshake_accept(handshake);
        break;
    default:
        break;
    }
    if (rc != 0) {
        connection_fail(connection, "no_memory", error_name(rc));
        return;
    }
    connection_send_handshake(connection);
    if (connection_is_closing(connection))
        return;
    if (handshake_state(handshake) == HANDSHAKE_DONE)
        become_up(connection);
    else if (handshake_state(handshake) == HANDSHAKE_DEFERRED)
        connection_fail(connection, "deferred", "the peer dials us itself");
    else if (handshake_state(handshake) == HANDSHAKE_REFUSED)
        connection_fail(connection, "refused", handshake_reason(handshake));
}

/* Feed the handshake until the bytes are used up or frames begin. */
static void greet(struct connection *connection, const uint8_t *data, size_t size)
{
    size_t used = 0;
    size_t step;

    do {
        if (handshake_feed(&connection->handshake, data + used, size - used, &step) != 0) {
            connection_fail(connection, "no_memory", "no memory");
            return;
        }
        used += step;
        on_handshake_event(connection);
        if (connection_is_closing(connection))
            return;
    } while (used < size && !connection_is_up(connection));
    if (used < size)
        take_frames(connection, data + used, size - used);
}

/* Tell the owner's log why a handshake ended with the peer's closing. */
static const char *end_of_greeting(struct connection *connection, int error)
{
    if (connection_is_up(connection))
        return error_name(error);
    if (handshake_state(&connection->handshake) == HANDSHAKE_ACK)
        return "the peer closed when it saw our digest: wrong cookie";
    return "the peer closed during the handshake";
}

void connection_rested(void *context)
{
    connection_read_start(context);
}

/* Read nothing for a moment if what was just read is part of a stream. */
static void rest_from_stream(struct connection *connection)
{
    if (!stream_read(&connection->stream, loop_clock_us()) || connection_is_closing(connection))
        return;
    uv_read_stop((uv_stream_t *)&connection->tcp);
    list_remove(&connection->paused_link);
    loop_timer_start(&connection->rest, STREAM_REST_MS);
}

static void count_budget(struct connection *connection, size_t size)
{
    struct connections *all = connection->all;

    if (connection->budget_turn != all->turn) {
        connection->budget_turn = all->turn;
        connection->budget_used = 0;
    }
    connection->budget_used += size + connection->more_work;
    connection->more_work = 0;
    if (connection->budget_used < CONNECTIONS_READ_BUDGET || connection_is_closing(connection))
        return;
    uv_read_stop((uv_stream_t *)&connection->tcp);
    list_remove(&connection->paused_link);
    list_append(&all->paused, &connection->paused_link);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct connection *connection = stream->data;
    const uint8_t *data = (const uint8_t *)buffer->base;

    if (size == 0 || connection_is_closing(connection))
        return;
    if (size < 0) {
        int error = size == UV_EOF ? -ECONNRESET : (int)size;

        connection_fail(connection, "connection_closed", end_of_greeting(connection, error));
        return;
    }
    connection->received_ms = loop_now_ms(connection->all->loop);
    if (connection_is_up(connection))
        take_frames(connection, data, (size_t)size);
    else
        greet(connection, data, (size_t)size);
    count_budget(connection, (size_t)size);
    rest_from_stream(connection);
}

void connection_read_start(struct connection *connection)
{
    int rc = uv_read_start((uv_stream_t *)&connection->tcp, on_alloc, on_read);

    if (rc != 0)
        connection_fail(connection, "connection_closed", error_name(rc));
}

struct sender *connection_sender(struct connection *connection)
{
    return &connection->sender;
}

struct outbox *connection_outbox(struct connection *connection)
{
    return &connection->outbox;
}

size_t connection_queued_bytes(const struct connection *connection)
{
    return sender_bytes(&connection->sender);
}

bool connection_is_up(const struct connection *connection)
{
    return sm_state(&connection->sm) == CONNECTION_UP;
}

bool connection_is_closing(const struct connection *connection)
{
    return sm_state(&connection->sm) == CONNECTION_CLOSING;
}

bool connection_initiated(const struct connection *connection)
{
    return connection->initiated;
}

struct handshake *connection_handshake(struct connection *connection)
{
    return &connection->handshake;
}

const struct address *connection_address(const struct connection *connection)
{
    return &connection->address;
}

const char *connection_reason(const struct connection *connection)
{
    return connection->reason;
}

const char *connection_detail(const struct connection *connection)
{
    return connection->detail;
}

uint64_t connection_received_ms(const struct connection *connection)
{
    return connection->received_ms;
}

uint64_t connection_sent_ms(const struct connection *connection)
{
    return connection->sent_ms;
}

void connection_forgive(struct connection *connection, uint64_t gap_ms)
{
    uint64_t now = loop_now_ms(connection->all->loop);

    connection->received_ms += gap_ms;
    if (connection->received_ms > now)
        connection->received_ms = now;
}
