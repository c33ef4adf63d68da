/*
 * A peer played by the test, on the same connection code as the real ones: what makes it fake is
 * only what it leaves out.
 */
#include "fake.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/text.h"
#include "dist/epmd.h"
#include "dist/flags.h"
#include "dist/handshake_message.h"

static void on_connected(void *context, struct connection *connection)
{
    struct fake *fake = context;

    fake->connected = true;
}

static void on_up(void *context, struct connection *connection)
{
    struct fake *fake = context;

    fake->up = true;
}

static int on_deliver(void *context, struct connection *connection, const struct control *control,
                      struct cn_term message)
{
    struct fake *fake = context;

    fake->delivered++;
    return 0;
}

static void on_closed(void *context, struct connection *connection)
{
    struct fake *fake = context;

    fake->closed = true;
    fake->connection = NULL;
    text_copy(fake->detail, sizeof(fake->detail), connection_detail(connection));
}

void fake_init(struct fake *fake, struct world *world, const char *name, const char *cookie)
{
    memset(fake, 0, sizeof(*fake));
    fake->world = world;
    text_copy(fake->name, sizeof(fake->name), name);
    ck_assert_int_eq(connections_new(world->loop,
                                     &(struct connections_config){
                                         .name = fake->name,
                                         .cookie = cookie,
                                         .flags = FLAGS_OURS,
                                         .queue_bytes_max = UINT32_MAX,
                                     },
                                     &fake->connections),
                     0);
    connections_set_creation(fake->connections, 77);
}

void fake_dial(struct fake *fake, const struct node *node)
{
    static const struct connection_events events = {
        .connected = on_connected, .up = on_up, .deliver = on_deliver, .closed = on_closed};
    struct address address;

    ck_assert_int_eq(address_parse("127.0.0.1", node->port, &address), 0);
    fake->connected = false;
    fake->up = false;
    fake->closed = false;
    ck_assert_int_eq(connection_dial(fake->connections, node->name, &address, &events, fake,
                                     &fake->connection),
                     0);
}

static bool is_up_or_closed(void *context)
{
    const struct fake *fake = context;

    return fake->up || fake->closed;
}

void fake_dial_up(struct fake *fake, const struct node *node)
{
    fake_dial(fake, node);
    ck_assert(world_until(fake->world, is_up_or_closed, fake));
    ck_assert_msg(fake->up, "refused: %s", fake->detail);
}

void fake_deinit(struct fake *fake)
{
    fake->connections = connections_free(fake->connections);
}

void fake_send(struct fake *fake, const void *data, size_t size)
{
    struct cn_bytes part = {data, size};

    ck_assert_int_eq(outbox_append(connection_outbox(fake->connection), &part, 1), 0);
    connection_flush(fake->connection);
}

static bool is_closed(void *context)
{
    const struct fake *fake = context;

    return fake->closed;
}

bool fake_wait_closed(struct fake *fake)
{
    return world_until(fake->world, is_closed, fake);
}

static int connect_loopback(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static int listen_loopback(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

void ghost_start(struct ghost *ghost, const struct world *world, const char *alive)
{
    struct bytes request;
    uint8_t reply[6];

    ghost->listening = listen_loopback(&ghost->port);
    ghost->epmd = connect_loopback(world->epmd_port);
    bytes_init(&request, 0);
    ck_assert_int_eq(epmd_write_register(&request, alive, ghost->port, false), 0);
    ck_assert_int_eq(write(ghost->epmd, bytes_data(&request), bytes_size(&request)),
                     (ssize_t)bytes_size(&request));
    bytes_deinit(&request);
    ck_assert_int_eq(recv(ghost->epmd, reply, sizeof(reply), MSG_WAITALL), sizeof(reply));
    ck_assert_uint_eq(reply[1], 0);
}

bool ghost_was_dialled(struct ghost *ghost)
{
    return accept4(ghost->listening, NULL, NULL, SOCK_CLOEXEC) >= 0;
}

void ghost_stop(struct ghost *ghost)
{
    close(ghost->listening);
    close(ghost->epmd);
}

static bool has_input(void *context)
{
    uint8_t size[2];

    return recv(*(int *)context, size, 2, MSG_PEEK | MSG_DONTWAIT) == 2;
}

const char *greet(struct node *node, const char *name, int *ret_fd)
{
    static char answer[64];
    struct bytes message;
    uint8_t head[3];
    int fd = plain_connect(node);

    bytes_init(&message, 0);
    ck_assert_int_eq(handshake_write_name(&message, FLAGS_OURS, 7, name), 0);
    ck_assert_int_eq(write(fd, bytes_data(&message), bytes_size(&message)),
                     (ssize_t)bytes_size(&message));
    bytes_deinit(&message);
    ck_assert(world_until(node->world, has_input, &fd));
    ck_assert_int_eq(recv(fd, head, 3, MSG_WAITALL), 3);
    ck_assert_uint_eq(head[2], 's');
    memset(answer, 0, sizeof(answer));
    ck_assert_uint_lt(be16_get(head), sizeof(answer));
    ck_assert_int_eq(recv(fd, answer, be16_get(head) - 1u, MSG_WAITALL), be16_get(head) - 1);
    *ret_fd = fd;
    return answer;
}

int plain_connect(const struct node *node)
{
    return connect_loopback(node->port);
}
