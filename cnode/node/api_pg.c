/*
 * Groups for servers on the public API: `struct cn_pg` is registry/'s `struct pg` under another
 * name.
 *
 * A scope whose process was killed and could not start again, for lack of memory, has no members:
 * joining it is out of memory too.
 */
#include "node/api.h"

#include <errno.h>

#include <cnode/pg.h>

#include "base/error.h"
#include "node/scopes.h"

_Static_assert((int)CN_UNKNOWN == (int)CN_E_UNKNOWN, "public conditions are the internal ones");

static struct pg *inner(struct cn_pg *pg)
{
    return (struct pg *)pg;
}

static int public_error(int error)
{
    return error == CN_E_CLOSED ? -ENOMEM : error;
}

int cn_pg_start(struct cn_node *node, const char *name, struct cn_pg **ret_pg)
{
    struct pg *pg;
    int error = scopes_start(node->scopes, name, &pg);

    if (error == 0)
        *ret_pg = (struct cn_pg *)pg;
    return error;
}

int cn_pg_join(struct cn_pg *pg, struct cn_server *self, struct cn_term group)
{
    return public_error(pg_join(inner(pg), group, cn_server_pid(self)));
}

int cn_pg_leave(struct cn_pg *pg, struct cn_server *self, struct cn_term group)
{
    return pg_leave(inner(pg), group, cn_server_pid(self));
}

void cn_pg_write_members(struct cn_pg *pg, struct cn_term group, bool local_only,
                         struct cn_writer *writer)
{
    pg_write_members(inner(pg), group, local_only, writer);
}

/* A message on its way to a group. */
struct sending {
    struct cn_server *self;
    struct cn_term message;
    int error;
};

static void send_one(void *context, const struct cn_pid *pid)
{
    struct sending *sending = context;
    int error = procs_send_pid(sending->self->node->procs, gen_server_process(sending->self->gen),
                               pid, sending->message);

    if (error < 0)
        sending->error = error;
}

int cn_pg_send(struct cn_pg *pg, struct cn_server *self, struct cn_term group,
               struct cn_term message)
{
    struct sending sending = {.self = self, .message = message};

    pg_each_member(inner(pg), group, send_one, &sending);
    return sending.error;
}

int cn_pg_monitor(struct cn_pg *pg, struct cn_server *self, const struct cn_term *group,
                  struct cn_ref *ret_ref)
{
    return public_error(pg_monitor(inner(pg), cn_server_pid(self), group, ret_ref));
}

void cn_pg_demonitor(struct cn_pg *pg, const struct cn_ref *ref)
{
    (void)pg_demonitor(inner(pg), ref);
}
