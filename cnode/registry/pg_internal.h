/*
 * What the files of a scope share. Nobody outside includes it.
 *
 *     pg.c            its life, and what its node asks of it
 *     pg_table.c      groups, members, and who told of them
 *     pg_lists.c      what is in it, as lists
 *     pg_server.c     the process: what comes in
 *     pg_calls.c      what it is called for
 *     pg_watches.c    who is told of changes
 *     pg_functions.c  what is asked by rpc
 */
#ifndef REGISTRY_PG_INTERNAL_H
#define REGISTRY_PG_INTERNAL_H

#include "base/list.h"
#include "base/map.h"
#include "otp/gen_server.h"
#include "registry/pg.h"

/** A group; there as long as it has members or is watched. */
struct pg_group {
    struct map_handle hh; /* by its bytes */
    struct list members;  /* struct pg_member.in_group, those of this node first */
    struct list watches;  /* struct pg_watch.link */
    struct list in_local; /* in pg.local_groups, while it has members of this node */
    struct list gathered; /* struct pg_member.in_owner, while those of an owner are sorted */
    struct list in_order; /* the same: among the groups */
    bool held;            /* pg_group_hold: it stays without members */
    size_t size;
    uint8_t bytes[]; /* the term */
};
/** So many bytes a group's name may have: it is sent with each change, and hashed. */
#define PG_GROUP_BYTES_MAX 65536u

/**
 * Who told of members, and with whose end they go: the scope process of a peer, whose members are
 * processes of its node; or a process of this node, which is its own only member.
 */
struct pg_owner {
    struct map_handle hh; /* by its pid */
    struct cn_pid pid;
    struct cn_ref monitor;
    struct list members; /* struct pg_member.in_owner */
    size_t count;
    uint64_t bytes; /* of their groups */
    bool local;
    bool gone; /* its node is; its DOWN is on its way */
    size_t key_size;
    uint8_t key[];
};

/** What makes a member; no padding, for it is compared by its bytes. */
struct pg_member_key {
    struct pg_group *group;
    struct pg_owner *owner;
    uint32_t id; /* of the pid; the rest of it is the owner's */
    uint32_t serial;
};

/** A process in a group. */
struct pg_member {
    struct map_handle hh; /* by key */
    struct list in_group;
    struct list in_owner;
    struct pg_member_key key;
    uint32_t times;  /* it has joined */
    uint32_t synced; /* so often according to the sync under way */
};

/** Somebody who wants to hear of changes: of one group, or of all. */
struct pg_watch {
    struct map_handle hh; /* by the words of ref */
    struct list link;     /* in the group's, or in pg.watches_all */
    struct pg_group *group;
    struct cn_pid pid;
    struct cn_ref ref;
};

/** What one change does to one group, until who watches is told. */
struct pg_news {
    struct pg_group *group; /* NULL: nothing */
    const char *what;       /* join, leave */
    struct cn_writer pids;  /* one behind the other */
    uint32_t count;
};

/** The state of the process, which may end later than the scope. */
struct pg_box {
    struct pg *pg; /* NULL: gone */
};

/** A scope on this node. */
struct pg {
    struct procs *procs;
    struct pg_config config;
    struct gen_server *server; /* NULL: ended */
    struct pg_group *groups;
    struct pg_owner *peers;
    struct pg_owner *locals;
    struct pg_member *members;
    struct pg_watch *watches;
    struct list local_groups; /* struct pg_group.in_local */
    struct list watches_all;  /* struct pg_watch.link: of all groups */
    struct pg_news news;
    uint64_t bytes;         /* of the groups of all members */
    uint64_t watched_bytes; /* of the groups of all watches */
    uint64_t dropped;       /* since dropped_ms */
    uint64_t dropped_ms;
    char scope[];
};

/* pg.c */
/** Say that something of @node was dropped, printf style; at most PG_LINES_MAX in a time. */
void pg_log(struct pg *pg, const char *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define PG_LINES_MAX 8
#define PG_LINES_MS  10000
/** Our table is no longer what @node told: close the connection, and meet again. */
void pg_part(struct pg *pg, const char *node, const char *why);
#define PG_NO_MEMORY "no memory for what it told"
/** Send @message to the scope processes of all peers, and release it. */
void pg_broadcast(struct pg *pg, struct cn_writer *message);
/** Send @message to one of them, and release it. */
void pg_send(struct pg *pg, const struct cn_pid *to, struct cn_writer *message);
/** Send {discover, Self} there. Errors: -ENOMEM. */
int pg_discover(struct pg *pg, const struct dest *dest);
/**
 * Join @pids (a pid or a list), processes of this node, to @group: all of them or none. The peers
 * are told once. Errors: as pg_join.
 */
int pg_join_pids(struct pg *pg, struct cn_term group, struct cn_term pids);
/**
 * Take one joining of each back, where there is one. Errors: CN_E_INVALID (not all are of this
 * node), CN_E_UNKNOWN (none is a member).
 */
int pg_leave_pids(struct pg *pg, struct cn_term group, struct cn_term pids);
/** Tell all peers that @pids (a pid or a list) of ours have joined @group. */
void pg_tell_join(struct pg *pg, struct cn_term group, struct cn_term pids);
/** Tell them that @pids have left @group, @times times. */
void pg_tell_leave(struct pg *pg, struct cn_term pids, struct cn_term group, uint32_t times);
/** The process has ended: start it again, unless all ends. */
void pg_server_ended(struct pg *pg);

/* pg_server.c */
extern const struct gen_server_callbacks pg_server_callbacks;
typedef int (*pg_visit_pid)(void *context, const struct cn_pid *pid);
/**
 * Visit a pid or the pids of a proper list until @visit gives no 0, which is then given. Errors:
 * CN_E_INVALID when @pids is neither; some may have been visited.
 */
int pg_each_pid(struct cn_term pids, pg_visit_pid visit, void *context);
/** Tell whether @pid is of this node, of whatever life of it. */
bool pg_is_ours(const struct pg *pg, const struct cn_pid *pid);

/* pg_calls.c */
/** Answer a call. */
void pg_handle_call(struct gen_server *self, void *state, const struct gen_from *from,
                    struct cn_term request);

/* pg_table.c */
/** Find a group; NULL. */
struct pg_group *pg_group_find(struct pg *pg, struct cn_term term);
/** Find or make it. Errors: CN_E_LIMIT (PG_GROUP_BYTES_MAX), -ENOMEM. */
int pg_group_get(struct pg *pg, struct cn_term term, struct pg_group **ret_group);
/** The same, and it stays until it is let go, whoever leaves it. Not twice. */
int pg_group_hold(struct pg *pg, struct cn_term term, struct pg_group **ret_group);
/** Let go of it, and pg_group_put. */
void pg_group_let_go(struct pg *pg, struct pg_group *group);
/** Release it when it has neither members nor watches, and is not held. */
void pg_group_put(struct pg *pg, struct pg_group *group);
/** View its term. */
struct cn_term pg_group_term(const struct pg_group *group);
/** Find who tells of @pid's members: a peer's scope process, or with @local a process of ours. */
struct pg_owner *pg_owner_find(struct pg *pg, const struct cn_pid *pid, bool local);
/** Find or make it, with a monitor. Errors: CN_E_LIMIT (peers_max), CN_E_CLOSED, -ENOMEM. */
int pg_owner_get(struct pg *pg, const struct cn_pid *pid, bool local, struct pg_owner **ret_owner);
/** Its end: all its members leave. A local one is told to the peers. */
void pg_owner_end(struct pg *pg, struct pg_owner *owner);
/** Release a local one that has no members left. */
void pg_owner_put(struct pg *pg, struct pg_owner *owner);
/** Write the pid of a member. */
void pg_member_pid(const struct pg_member *member, struct cn_pid *ret_pid);
/** Add a joining of @pid, on the owner's node, to a held group. Errors: CN_E_LIMIT, -ENOMEM. */
int pg_member_add(struct pg *pg, struct pg_owner *owner, struct pg_group *group,
                  const struct cn_pid *pid);
/** Take one back; false when there is none. The group may go with it, unless it is held. */
bool pg_member_drop(struct pg *pg, struct pg_owner *owner, struct pg_group *group,
                    const struct cn_pid *pid);
/** A sync begins: nothing was seen yet. */
void pg_sync_begin(struct pg_owner *owner);
/** A joining was seen, in a held group. Errors: CN_E_LIMIT, -ENOMEM. */
int pg_sync_see(struct pg *pg, struct pg_owner *owner, struct pg_group *group,
                const struct cn_pid *pid);
/** It is over: what was not seen leaves. */
void pg_sync_end(struct pg *pg, struct pg_owner *owner);
/** Write #{Group => [Pid]} of all. */
void pg_write_all(struct pg *pg, struct cn_writer *writer);
/** Write [{Group, [Pid]}] of our own processes. */
void pg_write_local(struct pg *pg, struct cn_writer *writer);
/** Release everything; nobody is told. */
void pg_table_free(struct pg *pg);

/* pg_watches.c */
/** Note that @member has joined or left, @times times: it is told with what comes next. */
void pg_watches_note(struct pg *pg, const struct pg_member *member, const char *what,
                     uint32_t times);
/** A change is over: tell who watches what has been noted. */
void pg_watches_tell(struct pg *pg);
/** Forget all, their monitors have gone. */
void pg_watches_free(struct pg *pg);

#endif
