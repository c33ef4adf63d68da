/*
 * A scope's life, and what its node asks of it.
 *
 * Changes of our own processes are made at once and told to the peers in the same turn; what comes
 * from peers comes through the mailbox of the process (pg_server.c), behind the DOWN of an earlier
 * connection.
 */
#include "registry/pg.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/trace.h"
#include "registry/pg_internal.h"

#define MEMBERS_MAX_DEFAULT 2000000u
#define BYTES_MAX_DEFAULT   (UINT64_C(256) << 20)
#define PEERS_MAX_DEFAULT   4096u
#define LINE_MAX            512

/* The process. */

static int start(struct pg *pg)
{
    struct pg_box *box = mem_zalloc(sizeof(*box));
    struct gen_server *server = NULL;
    int r = 0;

    if (box == NULL)
        return -ENOMEM;
    r = gen_server_start(pg->procs, &pg_server_callbacks, box, &server);
    if (r != 0) {
        mem_free(box);
        return r;
    }
    r = process_register(gen_server_process(server), pg->scope);
    if (r != 0) {
        gen_server_stop_atom(server, "shutdown");
        return r;
    }
    box->pg = pg;
    pg->server = server;
    return 0;
}

static void set_config(struct pg *pg, const struct pg_config *config)
{
    pg->config = *config;
    pg->config.scope = pg->scope;
    if (config->members_max == 0)
        pg->config.members_max = MEMBERS_MAX_DEFAULT;
    if (config->bytes_max == 0)
        pg->config.bytes_max = BYTES_MAX_DEFAULT;
    if (config->peers_max == 0)
        pg->config.peers_max = PEERS_MAX_DEFAULT;
}

int pg_new(struct procs *procs, const struct pg_config *config, struct pg **ret_pg)
{
    size_t size = strlen(config->scope) + 1;
    struct pg *pg = mem_zalloc(sizeof(*pg) + size);
    int r = 0;

    if (pg == NULL)
        return -ENOMEM;
    memcpy(pg->scope, config->scope, size);
    set_config(pg, config);
    pg->procs = procs;
    list_init(&pg->local_groups);
    list_init(&pg->watches_all);
    r = start(pg);
    if (r != 0)
        mem_free(pg);
    else
        *ret_pg = pg;
    return r;
}

struct pg *pg_free(struct pg *pg)
{
    if (pg == NULL)
        return NULL;
    pg->server = NULL;
    pg_table_free(pg);
    mem_free(pg);
    return NULL;
}

struct pg *pg_find(struct procs *procs, struct cn_bytes scope)
{
    struct gen_server *server = gen_server_of(procs_whereis(procs, scope), &pg_server_callbacks);

    return server != NULL ? ((const struct pg_box *)gen_server_state(server))->pg : NULL;
}

const char *pg_scope(const struct pg *pg)
{
    return pg->scope;
}

size_t pg_members(const struct pg *pg)
{
    return map_count(pg->members);
}

size_t pg_peers(const struct pg *pg)
{
    return map_count(pg->peers);
}

/* The same local members under a new process; the peers are told who it is. */
static void rejoin(struct pg *pg)
{
    struct pg_owner *owner = NULL;
    struct pg_owner *next = NULL;

    map_for_each(pg->peers, owner, next)
    {
        struct dest dest = {.kind = DEST_NAME, .name = pg->scope, .node = owner->pid.node};

        if (!owner->gone)
            (void)pg_discover(pg, &dest);
        pg_owner_end(pg, owner);
    }
    map_for_each(pg->locals, owner, next)
    {
        struct dest dest = {.kind = DEST_PID, .pid = owner->pid};

        if (process_monitor(gen_server_process(pg->server), &dest, &owner->monitor) != 0)
            pg_owner_end(pg, owner);
    }
}

void pg_server_ended(struct pg *pg)
{
    pg->server = NULL;
    if (procs_closing(pg->procs))
        return;
    pg_watches_free(pg);
    if (start(pg) == 0) {
        pg_log(pg, procs_node(pg->procs), "the process has ended: started again");
        rejoin(pg);
    } else {
        pg_log(pg, procs_node(pg->procs), "the process has ended: no memory to start it again");
    }
}

/* A few lines in a time, then their number with the next one. */
void pg_log(struct pg *pg, const char *node, const char *format, ...)
{
    uint64_t now_ms = procs_now_ms(pg->procs);
    char what[LINE_MAX / 2];
    char line[LINE_MAX];
    va_list arguments;

    if (now_ms - pg->dropped_ms >= PG_LINES_MS) {
        if (pg->dropped > PG_LINES_MAX && pg->config.log != NULL) {
            (void)snprintf(line, sizeof(line), "scope %s: %" PRIu64 " more of this kind", pg->scope,
                           pg->dropped - PG_LINES_MAX);
            pg->config.log(pg->config.context, line);
        }
        pg->dropped = 0;
        pg->dropped_ms = now_ms;
    }
    if (++pg->dropped > PG_LINES_MAX || pg->config.log == NULL)
        return;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    (void)snprintf(line, sizeof(line), "scope %s: %s: %s", pg->scope, node, what);
    pg->config.log(pg->config.context, line);
}

void pg_part(struct pg *pg, const char *node, const char *why)
{
    pg_log(pg, node, "%s: parting", why);
    if (pg->config.disconnect != NULL)
        pg->config.disconnect(pg->config.context, node);
}

/* Words to peers. */

static void send_to(struct pg *pg, const struct cn_pid *to, struct cn_term message)
{
    if (procs_send_pid(pg->procs, gen_server_process(pg->server), to, message) == -ENOMEM)
        pg_part(pg, to->node, PG_NO_MEMORY);
}

void pg_send(struct pg *pg, const struct cn_pid *to, struct cn_writer *message)
{
    if (cn_writer_error(message) != 0)
        pg_part(pg, to->node, PG_NO_MEMORY);
    else
        send_to(pg, to, cn_writer_term(message));
    cn_writer_free(message);
}

void pg_broadcast(struct pg *pg, struct cn_writer *message)
{
    const struct pg_owner *peer = NULL;
    const struct pg_owner *next = NULL;

    map_for_each(pg->peers, peer, next)
    {
        if (peer->gone)
            continue;
        if (cn_writer_error(message) != 0)
            pg_part(pg, peer->pid.node, PG_NO_MEMORY);
        else
            send_to(pg, &peer->pid, cn_writer_term(message));
    }
    cn_writer_free(message);
}

void pg_tell_join(struct pg *pg, struct cn_term group, struct cn_term pids)
{
    struct cn_writer writer;

    if (pg->server == NULL)
        return;
    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 4);
    cn_write_atom(&writer, "join");
    cn_write_pid(&writer, gen_server_pid(pg->server));
    cn_write_term(&writer, group);
    cn_write_term(&writer, pids);
    pg_broadcast(pg, &writer);
}

void pg_tell_leave(struct pg *pg, struct cn_term pids, struct cn_term group, uint32_t times)
{
    struct cn_writer writer;

    if (pg->server == NULL)
        return;
    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 4);
    cn_write_atom(&writer, "leave");
    cn_write_pid(&writer, gen_server_pid(pg->server));
    cn_write_term(&writer, pids);
    cn_write_list(&writer, times);
    for (uint32_t i = 0; i < times; i++)
        cn_write_term(&writer, group);
    cn_write_nil(&writer);
    pg_broadcast(pg, &writer);
}

int pg_discover(struct pg *pg, const struct dest *dest)
{
    struct cn_writer writer;
    int r = 0;

    if (pg->server == NULL)
        return 0;
    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "discover");
    cn_write_pid(&writer, gen_server_pid(pg->server));
    r = cn_writer_error(&writer);
    if (r == 0)
        r = procs_send(pg->procs, gen_server_process(pg->server), dest, cn_writer_term(&writer));
    cn_writer_free(&writer);
    return r == -ENOMEM ? r : 0;
}

/* What the node says. */

int pg_peer_up(struct pg *pg, const char *node)
{
    struct dest dest = {.kind = DEST_NAME, .name = pg->scope, .node = node};

    return pg_discover(pg, &dest);
}

void pg_peer_down(struct pg *pg, const char *node)
{
    struct pg_owner *peer = NULL;
    struct pg_owner *next = NULL;

    map_for_each(pg->peers, peer, next)
    {
        if (strcmp(peer->pid.node, node) == 0)
            peer->gone = true;
    }
}

/* What servers of this node ask for. */

struct local_change {
    struct pg *pg;
    struct pg_group *group; /* held */
    uint32_t done;
};

static int is_local(void *context, const struct cn_pid *pid)
{
    const struct pg *pg = context;

    return pg_is_ours(pg, pid) && pid->creation == procs_creation(pg->procs) ? 0 : CN_E_INVALID;
}

static int join_one(void *context, const struct cn_pid *pid)
{
    struct local_change *change = context;
    struct pg_owner *owner = NULL;
    int r = pg_owner_get(change->pg, pid, true, &owner);

    if (r != 0)
        return r;
    r = pg_member_add(change->pg, owner, change->group, pid);
    if (r == 0)
        change->done++;
    else
        pg_owner_put(change->pg, owner);
    return r;
}

static int leave_one(void *context, const struct cn_pid *pid)
{
    struct local_change *change = context;
    struct pg_owner *owner = pg_owner_find(change->pg, pid, true);

    if (owner == NULL)
        return 0;
    change->done += pg_member_drop(change->pg, owner, change->group, pid) ? 1 : 0;
    pg_owner_put(change->pg, owner);
    return 0;
}

/* Take a joining back that was made before one that could not be. */
static int leave_again(void *context, const struct cn_pid *pid)
{
    struct local_change back = *(struct local_change *)context;

    if (back.done == 0)
        return CN_E_LIMIT;
    (void)leave_one(&back, pid);
    ((struct local_change *)context)->done--;
    return 0;
}

int pg_join_pids(struct pg *pg, struct cn_term group, struct cn_term pids)
{
    struct local_change change = {.pg = pg};
    int r = pg_each_pid(pids, is_local, pg);

    if (r == 0)
        r = pg_group_hold(pg, group, &change.group);
    if (r != 0)
        return r;
    r = pg_each_pid(pids, join_one, &change);
    if (r == 0)
        pg_tell_join(pg, group, pids);
    else
        (void)pg_each_pid(pids, leave_again, &change);
    pg_watches_tell(pg);
    pg_group_let_go(pg, change.group);
    return r;
}

int pg_leave_pids(struct pg *pg, struct cn_term group, struct cn_term pids)
{
    struct local_change change = {.pg = pg, .group = pg_group_find(pg, group)};
    int r = pg_each_pid(pids, is_local, pg);

    if (r != 0)
        return r;
    if (change.group == NULL)
        return CN_E_UNKNOWN;
    change.group->held = true;
    (void)pg_each_pid(pids, leave_one, &change);
    pg_watches_tell(pg);
    pg_group_let_go(pg, change.group);
    if (change.done == 0)
        return CN_E_UNKNOWN;
    pg_tell_leave(pg, pids, group, 1);
    return 0;
}

static int with_pid(struct pg *pg, struct cn_term group, const struct cn_pid *pid,
                    int (*change)(struct pg *pg, struct cn_term group, struct cn_term pids))
{
    struct cn_writer writer;
    int r = 0;

    cn_writer_init(&writer, 0);
    cn_write_pid(&writer, pid);
    r = cn_writer_error(&writer);
    if (r == 0)
        r = change(pg, group, cn_writer_term(&writer));
    cn_writer_free(&writer);
    return r;
}

int pg_join(struct pg *pg, struct cn_term group, const struct cn_pid *pid)
{
    return with_pid(pg, group, pid, pg_join_pids);
}

int pg_leave(struct pg *pg, struct cn_term group, const struct cn_pid *pid)
{
    int r = with_pid(pg, group, pid, pg_leave_pids);

    return r == CN_E_INVALID ? CN_E_UNKNOWN : r;
}
