/*
 * The host that tests play: see fake_host.h.
 *
 * It is a gen_server like the real one, so that the wire cannot tell them apart; a reply that is
 * too large for it aborts the test.
 */
#include "unit/session/fake_host.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

static void on_call(struct gen_server *self, void *state, const struct gen_from *from,
                    struct cn_term request)
{
    struct fake_host *fake = state;

    fake->calls++;
    (void)snprintf(fake->asked, sizeof(fake->asked), "%s", show(request));
    fake->offers += strncmp(fake->asked, "{offer,", 7) == 0 ? 1 : 0;
    if (fake->reply_size > 0)
        cn_assert(gen_reply(gen_server_procs(self), from,
                            (struct cn_term){fake->reply, fake->reply_size}) == 0);
}

static void on_info(struct gen_server *self, void *state, struct cn_term message)
{
    struct fake_host *fake = state;

    (void)snprintf(fake->told, sizeof(fake->told), "%s", show(message));
    if (strncmp(fake->told, "{host_hello,1,", 14) == 0)
        fake->hellos++;
}

static void on_terminate(struct gen_server *self, void *state, struct cn_term reason)
{
    ((struct fake_host *)state)->server = NULL;
}

static const struct gen_server_callbacks callbacks = {
    .module = "fake_host",
    .handle_call = on_call,
    .handle_info = on_info,
    .terminate = on_terminate,
};

void fake_host_start(struct fake_host *fake, struct cluster *cluster, int node)
{
    memset(fake, 0, sizeof(*fake));
    fake->cluster = cluster;
    fake->node = node;
    fake->protocol = 1;
    fake->capacity = 100;
    cn_assert(
        gen_server_start(world_procs(&cluster->world, node), &callbacks, fake, &fake->server) == 0);
    cn_assert(process_register(gen_server_process(fake->server), HOSTS_NAME) == 0);
}

void fake_host_answer(struct fake_host *fake, struct cn_term reply)
{
    cn_assert(reply.size <= sizeof(fake->reply));
    memcpy(fake->reply, reply.data, reply.size);
    fake->reply_size = reply.size;
}

static void put(struct cn_writer *writer, const char *key, int64_t value)
{
    cn_write_atom(writer, key);
    cn_write_integer(writer, value);
}

void fake_host_hello(struct fake_host *fake, int to)
{
    struct dest dest = to_name(HOSTS_NAME, cluster_name(fake->cluster, to));
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 3);
    cn_write_atom(&writer, "host_hello");
    cn_write_integer(&writer, fake->protocol);
    cn_write_map(&writer, fake->app_version != NULL ? 9 : 8);
    cn_write_atom(&writer, "node");
    cn_write_atom(&writer, fake->says_node != NULL ? fake->says_node
                                                   : cluster_name(fake->cluster, fake->node));
    cn_write_atom(&writer, "pid");
    cn_write_pid(&writer, fake_host_pid(fake));
    put(&writer, "incarnation", 77);
    cn_write_atom(&writer, "state_versions");
    cn_write_term(&writer, parse("[1,2]"));
    cn_write_atom(&writer, "draining");
    cn_write_bool(&writer, fake->draining);
    put(&writer, "sessions", fake->sessions);
    put(&writer, "capacity", fake->capacity);
    put(&writer, "unknown_key", 1);
    if (fake->app_version != NULL) {
        cn_write_atom(&writer, "app_version");
        cn_write_string(&writer, fake->app_version);
    }
    cn_assert(procs_send(world_procs(&fake->cluster->world, fake->node),
                         gen_server_process(fake->server), &dest, cn_writer_term(&writer)) == 0);
    cn_writer_free(&writer);
    cluster_settle(fake->cluster);
}

const struct cn_pid *fake_host_pid(const struct fake_host *fake)
{
    return gen_server_pid(fake->server);
}
