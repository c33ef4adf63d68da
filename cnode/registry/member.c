/*
 * The member's life: its three processes, and what its files need of each other.
 *
 * The processes end together, as global_name_server, its locker and its registrar do in OTP: if
 * somebody kills one of them the others follow, and every later request fails with CN_E_CLOSED. The
 * owner is told: a BEAM node ends then.
 */
#include "registry/member.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/trace.h"
#include "registry/member_internal.h"
#include "registry/member_sync.h"

int kept_set(struct kept *kept, struct cn_term term)
{
    uint8_t *data = mem_dup(term.data, term.size);

    kept_clear(kept);
    if (data == NULL)
        return -ENOMEM;
    *kept = (struct kept){data, term.size};
    return 0;
}

void kept_clear(struct kept *kept)
{
    mem_free(kept->data);
    *kept = (struct kept){0};
}

struct cn_term kept_term(const struct kept *kept)
{
    return (struct cn_term){kept->data, kept->size};
}

/* splitmix64, from this process' hash key: delays need no more, and a simulation can set it. */
uint32_t member_random(struct member *member, uint32_t bound)
{
    uint64_t z = member->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ (z >> 31)) % bound);
}

void member_part(struct member *member, const char *node)
{
    trace("registry", "parting from %s", node);
    if (member->hooks.disconnect != NULL)
        member->hooks.disconnect(member->hooks.context, node);
}

void member_cast(struct member *member, const char *node, struct cn_writer *message)
{
    struct dest dest = {.kind = DEST_NAME, .name = "global_name_server", .node = node};
    int r = cn_writer_error(message);

    if (r == 0 && member->server != NULL)
        r = gen_cast(member->procs, gen_server_process(member->server), &dest,
                     cn_writer_term(message));
    if (r == -ENOMEM || r == -E2BIG)
        member_part(member, node);
    cn_writer_free(message);
}

void member_send(struct member *member, const char *node, struct cn_writer *message)
{
    struct dest dest = {.kind = DEST_NAME, .name = "global_name_server", .node = node};
    struct peer *peer = known_find(member, node);

    if (peer != NULL && peer->connected && cn_writer_error(message) == 0 && member->server != NULL)
        (void)procs_send(member->procs, gen_server_process(member->server), &dest,
                         cn_writer_term(message));
    cn_writer_free(message);
}

static int start_one(struct member *member, const struct gen_server_callbacks *callbacks,
                     struct gen_server **ret_server)
{
    int r = gen_server_start(member->procs, callbacks, member, ret_server);

    if (r == 0)
        process_trap_exit(gen_server_process(*ret_server), true);
    return r;
}

static int start_all(struct member *member)
{
    int r = start_one(member, &member_server_callbacks, &member->server);

    if (r == 0)
        r = process_register(gen_server_process(member->server), "global_name_server");
    if (r == 0)
        r = start_one(member, &member_locker_callbacks, &member->locker_server);
    if (r == 0)
        r = start_one(member, &member_registrar_callbacks, &member->registrar_server);
    return r;
}

static void stop_one(struct gen_server **server)
{
    if (*server != NULL)
        gen_server_stop_atom(*server, "shutdown");
    *server = NULL;
}

void member_server_ended(struct member *member, struct gen_server *self)
{
    if (self == member->server)
        member->server = NULL;
    if (self == member->locker_server)
        member->locker_server = NULL;
    if (self == member->registrar_server)
        member->registrar_server = NULL;
    stop_one(&member->server);
    stop_one(&member->locker_server);
    stop_one(&member->registrar_server);
    trans_closed(member);
    if (!member->closed && self != NULL && member->hooks.closed != NULL)
        member->hooks.closed(member->hooks.context);
    member->closed = true;
}

int member_new(struct procs *procs, struct functions *functions, const struct global_hooks *hooks,
               struct member **ret_member)
{
    struct member *member = mem_zalloc(sizeof(*member));
    int r = 0;

    if (member == NULL)
        return -ENOMEM;
    member->procs = procs;
    if (hooks != NULL)
        member->hooks = *hooks;
    member->random = map_hash(procs_node(procs), strlen(procs_node(procs)));
    list_init(&member->claims);
    list_init(&member->questions);
    list_init(&member->lockings);
    list_init(&member->syncings);
    locker_init(member);
    registrar_init(member);
    r = member_functions_add(member, functions);
    if (r == 0)
        r = start_all(member);
    if (r != 0) {
        member_server_ended(member, NULL);
        member_free(member);
        return r;
    }
    *ret_member = member;
    return 0;
}

struct member *member_free(struct member *member)
{
    if (member == NULL)
        return NULL;
    member->server = NULL;
    member->locker_server = NULL;
    member->registrar_server = NULL;
    while (!list_empty(&member->questions)) {
        struct question *question = container_of(list_first(&member->questions), struct question,
                                                 link);

        question->release(question);
    }
    global_resolver_deinit(&member->resolver);
    trans_free_all(member);
    sync_free_all(member);
    claims_free_all(member);
    lanes_free_all(member);
    known_free_all(member);
    roster_free_all(member);
    mem_free(member);
    return NULL;
}

/* The table of functions. */

static int register_name(void *context, struct cn_term name, const struct cn_pid *pid,
                         enum global_method method, global_done done, void *done_context)
{
    return lanes_add(context, REQUEST_REGISTER, name, pid, method, done, done_context);
}

static int unregister_name(void *context, struct cn_term name, const struct cn_pid *pid,
                           global_done done, void *done_context)
{
    return lanes_add(context, REQUEST_UNREGISTER, name, pid, GLOBAL_EXIT_ONE, done, done_context);
}

static int move_name(void *context, struct cn_term name, const struct cn_pid *pid,
                     enum global_method method, global_done done, void *done_context)
{
    return lanes_add(context, REQUEST_MOVE, name, pid, method, done, done_context);
}

static int whereis_name(void *context, struct cn_term name, global_done done, void *done_context)
{
    return lanes_add(context, REQUEST_WHEREIS, name, NULL, GLOBAL_EXIT_ONE, done, done_context);
}

/* Whoever moved it told us, as everybody; so does who takes it away. */
static int adopt_name(void *context, struct cn_term name, const struct cn_pid *pid,
                      enum global_method method)
{
    return 0;
}

static void lost_name(void *context, struct cn_term name, const struct cn_pid *pid)
{
}

static bool whereis_local(void *context, struct cn_term name, struct cn_pid *ret_pid)
{
    struct member *member = context;
    struct name *found = roster_find(member, name);

    if (found == NULL)
        return false;
    *ret_pid = watched_pid(found->watched);
    return procs_find(member->procs, ret_pid) != NULL;
}

static int set_lock(void *context, struct gen_server *owner, struct cn_term id, uint32_t retries,
                    global_locked done, void *done_context)
{
    return trans_set_lock(context, owner, id, retries, done, done_context);
}

static int del_lock(void *context, struct gen_server *owner, struct cn_term id, global_locked done,
                    void *done_context)
{
    return trans_del_lock(context, owner, id, done, done_context);
}

static void locks_owner_ends(void *context, struct gen_server *owner)
{
    trans_owner_ends(context, owner);
}

/*
 * What a peer sent before it went is still in the mailbox: its coming and going must be heard of in
 * the same order, or a lock could be taken for somebody who is gone.
 */
static int tell_server(struct member *member, const char *event, const char *node)
{
    struct cn_writer writer;
    int r;

    if (member->server == NULL)
        return 0;
    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, event);
    cn_write_atom(&writer, node);
    r = cn_writer_error(&writer);
    if (r == 0)
        r = procs_send_pid(member->procs, NULL, gen_server_pid(member->server),
                           cn_writer_term(&writer));
    cn_writer_free(&writer);
    return r;
}

static int peer_up(void *context, const char *node)
{
    struct peer *peer = known_get(context, node);

    if (peer == NULL)
        return -ENOMEM;
    peer->connected = true;
    return tell_server(context, "nodeup", node);
}

static void peer_down(void *context, const char *node)
{
    struct peer *peer = known_find(context, node);

    if (peer != NULL)
        peer->connected = false;
    if (tell_server(context, "nodedown", node) != 0)
        known_down(context, node);
}

void member_registry(struct member *member, struct registry *ret_registry)
{
    *ret_registry = (struct registry){
        .context = member,
        .register_name = register_name,
        .unregister_name = unregister_name,
        .move_name = move_name,
        .adopt_name = adopt_name,
        .lost_name = lost_name,
        .whereis_name = whereis_name,
        .whereis_local = whereis_local,
        .set_lock = set_lock,
        .del_lock = del_lock,
        .locks_owner_ends = locks_owner_ends,
        .peer_up = peer_up,
        .peer_down = peer_down,
    };
}

bool member_knows(const struct member *member, const char *node)
{
    const struct peer *peer = known_find(member, node);

    return peer != NULL && peer->known;
}

size_t member_names(const struct member *member)
{
    return map_count(member->names);
}

size_t member_locks(const struct member *member)
{
    return map_count(member->locks);
}
