/*
 * A peer played by the test, on the same connection code as the real ones: what makes it fake is
 * only what it leaves out.
 */
#include "fake.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "dist/flags.h"

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

int plain_connect(const struct node *node)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(node->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}
