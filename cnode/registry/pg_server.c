/*
 * The process of a scope: what comes in, checked whole before anything is done.
 *
 * Peers send discover, sync, join and leave; calls are in pg_calls.c. Members are processes of the
 * node of whoever tells of them, of the same life of it. What a peer says before we have met it, or
 * after it has gone, is not for us: meeting it brings all anew.
 *
 * A message is work in proportion to its bytes: a group is looked up once, however many pids come
 * with it, and several pids leave several groups at once only in small numbers.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/trace.h"
#include "registry/pg_internal.h"

/*
 * The most leavings of one message: several pids leave one group, or one that has ended leaves all
 * of its own. Beyond that we part, and meeting again repairs the table.
 */
#define LEAVES_MAX 1000000u
/* The same when several pids leave several groups, which pg does not say. */
#define CROSSED_MAX      10000u
#define EMPTY_LIST_BYTES 1

/* Pids: one, or a proper list of them. */

static bool read_pids(struct cn_reader *reader, uint32_t count, pg_visit_pid visit, void *context,
                      int *ret_result)
{
    struct cn_pid pid;

    for (uint32_t i = 0; i < count; i++) {
        if (!cn_read_pid(reader, &pid))
            return false;
        if (*ret_result == 0)
            *ret_result = visit(context, &pid);
    }
    return true;
}

int pg_each_pid(struct cn_term pids, pg_visit_pid visit, void *context)
{
    struct cn_reader reader;
    uint32_t count = 1;
    bool is_list = false;
    int result = 0;

    cn_reader_init(&reader, pids);
    is_list = cn_peek(&reader) == CN_TYPE_LIST;
    if (is_list && !cn_read_list(&reader, &count))
        return CN_E_INVALID;
    if (!read_pids(&reader, count, visit, context, &result))
        return CN_E_INVALID;
    if (is_list && count > 0 && !cn_read_nil(&reader))
        return CN_E_INVALID;
    return result;
}

static int check_node(void *context, const struct cn_pid *pid)
{
    const struct cn_pid *peer = context;

    return strcmp(pid->node, peer->node) == 0 && pid->creation == peer->creation ? 0 : CN_E_INVALID;
}

static bool good_pids(struct cn_term pids, const struct cn_pid *of)
{
    return pg_each_pid(pids, check_node, (void *)of) == 0;
}

/* Groups: a proper list. */

typedef bool (*visit_entry)(void *context, struct cn_term term);

/* Visit the elements of a proper list until @visit says false; false then, or when it is none. */
static bool each_element(struct cn_term list, visit_entry visit, void *context)
{
    struct cn_reader reader;
    struct cn_term term;
    uint32_t count = 0;

    cn_reader_init(&reader, list);
    if (!cn_read_list(&reader, &count))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!cn_read_term(&reader, &term) || !visit(context, term))
            return false;
    return count == 0 || cn_read_nil(&reader);
}

/* What one message does to an owner's members. */
struct change {
    struct pg *pg;
    struct pg_owner *owner;
    struct pg_group *group; /* held */
    struct cn_term pids;
    uint32_t refused; /* beyond a limit */
    bool failed;      /* no memory */
};

static int note(struct change *change, int r)
{
    if (r == CN_E_LIMIT)
        change->refused++;
    else if (r != 0)
        change->failed = true;
    return 0;
}

static int see_member(void *context, const struct cn_pid *pid)
{
    struct change *change = context;

    return note(change, pg_sync_see(change->pg, change->owner, change->group, pid));
}

static int add_member(void *context, const struct cn_pid *pid)
{
    struct change *change = context;

    return note(change, pg_member_add(change->pg, change->owner, change->group, pid));
}

static int drop_member(void *context, const struct cn_pid *pid)
{
    struct change *change = context;

    (void)pg_member_drop(change->pg, change->owner, change->group, pid);
    return 0;
}

static int refuse_member(void *context, const struct cn_pid *pid)
{
    ((struct change *)context)->refused++;
    return 0;
}

/* Visit each of the change's pids with @group, looked up once. */
static void each_member(struct change *change, struct cn_term group, pg_visit_pid visit)
{
    int r = 0;

    if (change->pids.size == EMPTY_LIST_BYTES)
        return;
    r = pg_group_hold(change->pg, group, &change->group);
    if (r == CN_E_LIMIT) {
        (void)pg_each_pid(change->pids, refuse_member, change);
    } else if (r != 0) {
        change->failed = true;
    } else {
        (void)pg_each_pid(change->pids, visit, change);
        pg_watches_tell(change->pg);
        pg_group_let_go(change->pg, change->group);
    }
}

/* The change is made: say what could not be. */
static void conclude(const struct change *change)
{
    const char *node = change->owner->pid.node;

    if (change->refused > 0)
        pg_log(change->pg, node,
               "%u members beyond the limit (members_max %u, bytes_max %llu, a group's bytes %u)",
               change->refused, change->pg->config.members_max,
               (unsigned long long)change->pg->config.bytes_max, PG_GROUP_BYTES_MAX);
    if (change->failed)
        pg_part(change->pg, node, PG_NO_MEMORY);
}

/* Words of peers. */

bool pg_is_ours(const struct pg *pg, const struct cn_pid *pid)
{
    return strcmp(pid->node, procs_node(pg->procs)) == 0;
}

/* Find or make the owner for a peer's scope process; NULL when it may not be one. */
static struct pg_owner *meet(struct pg *pg, const struct cn_pid *peer)
{
    struct pg_owner *owner = NULL;
    int r = pg_owner_get(pg, peer, false, &owner);

    if (r == 0)
        return owner;
    if (r == CN_E_LIMIT)
        pg_log(pg, peer->node, "a scope process beyond the limit (peers_max %u, 4 of a node)",
               pg->config.peers_max);
    else
        pg_part(pg, peer->node, PG_NO_MEMORY);
    return NULL;
}

static void say_sync(struct pg *pg, const struct cn_pid *peer)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "$gen_cast");
    cn_write_tuple(&writer, 3);
    cn_write_atom(&writer, "sync");
    cn_write_pid(&writer, gen_server_pid(pg->server));
    pg_write_local(pg, &writer);
    pg_send(pg, peer, &writer);
}

/* {discover, Peer} or {discover, Peer, Version}; @reader is behind the verb. */
static bool take_discover(struct pg *pg, struct cn_reader *reader, uint32_t arity)
{
    struct dest dest = {.kind = DEST_PID};
    bool known = false;

    if (arity < 2 || arity > 3 || !cn_read_pid(reader, &dest.pid) || pg_is_ours(pg, &dest.pid))
        return false;
    known = pg_owner_find(pg, &dest.pid, false) != NULL;
    if (!known && meet(pg, &dest.pid) == NULL)
        return true;
    trace("registry", "%s: discovered by %s", pg->scope, dest.pid.node);
    say_sync(pg, &dest.pid);
    if (!known && pg_discover(pg, &dest) != 0)
        pg_part(pg, dest.pid.node, PG_NO_MEMORY);
    return true;
}

/* {Group, Pids} */
static bool read_entry(struct cn_term term, struct cn_term *ret_group, struct cn_term *ret_pids)
{
    struct cn_reader reader;

    cn_reader_init(&reader, term);
    return cn_read_this_tuple(&reader, 2) && cn_read_term(&reader, ret_group) &&
           cn_read_term(&reader, ret_pids);
}

static bool good_entry(void *context, struct cn_term term)
{
    struct cn_term group;
    struct cn_term pids;

    return read_entry(term, &group, &pids) && good_pids(pids, context);
}

static bool see_entry(void *context, struct cn_term term)
{
    struct change *change = context;
    struct cn_term group;

    if (read_entry(term, &group, &change->pids))
        each_member(change, group, see_member);
    return true;
}

/* {sync, Peer, [{Group, Pids}]} */
static bool take_sync(struct pg *pg, struct cn_reader *reader, uint32_t arity)
{
    struct change change = {.pg = pg};
    struct cn_term groups;
    struct cn_pid peer;

    if (arity != 3 || !cn_read_pid(reader, &peer) || pg_is_ours(pg, &peer) ||
        !cn_read_term(reader, &groups) || !each_element(groups, good_entry, &peer))
        return false;
    change.owner = meet(pg, &peer);
    if (change.owner == NULL)
        return true;
    pg_sync_begin(change.owner);
    (void)each_element(groups, see_entry, &change);
    pg_sync_end(pg, change.owner);
    conclude(&change);
    return true;
}

/* {join, Peer, Group, Pids} */
static bool take_join(struct pg *pg, struct cn_reader *reader, uint32_t arity)
{
    struct change change = {.pg = pg};
    struct cn_term group;
    struct cn_pid peer;

    if (arity != 4 || !cn_read_pid(reader, &peer) || !cn_read_term(reader, &group) ||
        !cn_read_term(reader, &change.pids) || !good_pids(change.pids, &peer))
        return false;
    change.owner = pg_owner_find(pg, &peer, false);
    if (change.owner == NULL)
        return true;
    each_member(&change, group, add_member);
    conclude(&change);
    return true;
}

static bool count_term(void *context, struct cn_term term)
{
    (*(uint64_t *)context)++;
    return true;
}

static int count_pid(void *context, const struct cn_pid *pid)
{
    (*(uint64_t *)context)++;
    return 0;
}

static bool leave_group(void *context, struct cn_term term)
{
    struct change *change = context;

    change->group = pg_group_find(change->pg, term);
    if (change->group == NULL)
        return true;
    change->group->held = true;
    (void)pg_each_pid(change->pids, drop_member, change);
    pg_watches_tell(change->pg);
    pg_group_let_go(change->pg, change->group);
    return true;
}

/* {leave, Peer, Pids, [Group]} */
static bool take_leave(struct pg *pg, struct cn_reader *reader, uint32_t arity)
{
    struct change change = {.pg = pg};
    struct cn_term groups;
    struct cn_pid peer;
    uint64_t times = 0;
    uint64_t count = 0;

    if (arity != 4 || !cn_read_pid(reader, &peer) || !cn_read_term(reader, &change.pids) ||
        !cn_read_term(reader, &groups) || !good_pids(change.pids, &peer) ||
        !each_element(groups, count_term, &times) ||
        pg_each_pid(change.pids, count_pid, &count) != 0 ||
        (times > 1 && count > 1 && times * count > CROSSED_MAX))
        return false;
    change.owner = pg_owner_find(pg, &peer, false);
    if (change.owner == NULL)
        return true;
    if (times * count > LEAVES_MAX)
        pg_part(pg, peer.node, "too many leavings at once");
    else
        (void)each_element(groups, leave_group, &change);
    return true;
}

static const struct {
    const char *verb;
    bool cast;
    bool (*take)(struct pg *pg, struct cn_reader *reader, uint32_t arity);
} words[] = {
    {"discover", false, take_discover},
    {"sync", true, take_sync},
    {"join", false, take_join},
    {"leave", false, take_leave},
};

static void take(struct pg *pg, struct cn_term message, bool cast)
{
    struct cn_reader reader;
    struct cn_bytes verb = {0};
    uint32_t arity = 0;

    cn_reader_init(&reader, message);
    if (cn_peek(&reader) == CN_TYPE_TUPLE && cn_read_tuple(&reader, &arity) && arity > 0)
        (void)cn_read_atom(&reader, &verb);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!cn_bytes_equal(verb, words[i].verb) || cast != words[i].cast)
            continue;
        if (!words[i].take(pg, &reader, arity))
            pg_log(pg, "?", "a %s that makes no sense was dropped", words[i].verb);
        return;
    }
    pg_log(pg, "?", "an unknown message was dropped");
}

static void on_cast(struct gen_server *self, void *state, struct cn_term message)
{
    const struct pg_box *box = state;

    if (box->pg != NULL)
        take(box->pg, message, true);
}

/* The end of a peer, of a process of ours, or of who watches. */
static void take_down(struct pg *pg, const struct process_down *down)
{
    struct pg_owner *owner = NULL;
    struct cn_reader reader;
    struct cn_pid pid;

    if (pg_demonitor(pg, &down->ref))
        return;
    cn_reader_init(&reader, down->object);
    if (!cn_read_pid(&reader, &pid))
        return;
    owner = pg_owner_find(pg, &pid, pg_is_ours(pg, &pid));
    if (owner != NULL && cn_ref_equal(&owner->monitor, &down->ref))
        pg_owner_end(pg, owner);
}

static void on_info(struct gen_server *self, void *state, struct cn_term message)
{
    const struct pg_box *box = state;
    struct process_down down;

    if (box->pg == NULL)
        return;
    if (process_read_down(message, &down))
        take_down(box->pg, &down);
    else
        take(box->pg, message, false);
}

static void on_terminate(struct gen_server *self, void *state, struct cn_term reason)
{
    struct pg_box *box = state;

    if (box->pg != NULL)
        pg_server_ended(box->pg);
    mem_free(box);
}

const struct gen_server_callbacks pg_server_callbacks = {
    .module = "pg",
    .handle_call = pg_handle_call,
    .handle_cast = on_cast,
    .handle_info = on_info,
    .terminate = on_terminate,
};
