/*
 * What the files of the :global member share. Nobody outside includes it.
 *
 *     member_server    global_name_server: what comes in, sorted
 *     member_roster     names, and the pids that are watched for them and for locks
 *     member_locks     locks that anybody holds here
 *     member_known     known nodes, and connections that others have lost
 *     member_meetings  two nodes meet
 *     member_exchange  their names are compared, conflicts settled
 *     member_apply     their names become one table, for all that they know
 *     member_claims    a lock at many nodes, taken and given back
 *     member_locker    the lock of two partitions that join
 *     member_registrar the lock under which names change
 *     member_lanes     what is asked of it, by name
 *     member_trans     locks that servers of this node ask for
 *     member_sync      waiting for nodes to be in sync, and leaving them
 *     member_bundle    many changes that all servers are told in one message
 */
#ifndef REGISTRY_MEMBER_INTERNAL_H
#define REGISTRY_MEMBER_INTERNAL_H

#include "base/list.h"
#include "base/map.h"
#include "base/sm.h"
#include "otp/call.h"
#include "registry/global_resolve.h"
#include "registry/lane.h"
#include "registry/member.h"
#include "registry/slice.h"

#define GLOBAL_VERSION 8

/**
 * A process, of any node, that has names or locks: monitored once. There are as many as names, so
 * the two node names that a pid and a reference have room for are not kept.
 */
struct watched {
    struct map_handle hh;
    struct list names;   /* struct name.in_watched */
    struct list holders; /* struct lock_holder.in_watched */
    uint32_t ref_words[5];
    uint32_t ref_count;
    uint8_t key[]; /* the pid: its numbers, and its node as a string */
};

/** A name. */
struct name {
    struct map_handle hh;
    struct watched *watched;
    struct list in_watched;
    char *registered_by; /* the node that registered it for a hidden one; NULL: an ordinary name */
    size_t size;
    size_t method_size;
    uint8_t bytes[]; /* the name, then the method */
};

/** A lock that somebody holds. */
struct lock {
    struct map_handle hh;
    struct list holders; /* struct lock_holder.in_lock */
    size_t size;
    size_t requester_size;
    uint8_t bytes[]; /* the resource, then the requester */
};

/** One of a lock's holders: all with the same requester. */
struct lock_holder {
    struct list in_lock;
    struct list in_watched;
    struct lock *lock;
    struct watched *watched;
};

/** How far two nodes have come in joining. */
enum meeting_state {
    MEETING_IDLE,
    MEETING_CALLED,
    MEETING_MET,
    MEETING_LOCKED,
    MEETING_RESOLVING,
    MEETING_RESOLVED,
};

/** A term that is kept. */
struct kept {
    uint8_t *data; /* NULL: none */
    size_t size;
};

/** Elements of a list, written as they come. */
struct elements {
    struct cn_writer writer;
    uint32_t count;
};

/** A join with one peer. */
struct meeting {
    struct sm sm;
    uint64_t my_tag;
    struct kept his_tag;
    int64_t version; /* his */
    struct cn_pid locker;
    struct kept lock_id;
    struct kept exchange;     /* {exchange, ...} that came before our lock */
    struct kept resolved;     /* {resolved, ...} that came before our own verdicts */
    struct elements ops;      /* for our partition */
    struct elements verdicts; /* for his */
    unsigned open;            /* conflicts under way */
    bool offered;             /* his partition is locked, he waits for ours */
    struct list waiting;      /* in locker.waiting, when met */
};

/** A node that is up, or known, or both. */
struct peer {
    struct map_handle hh;
    struct member *member;
    bool connected; /* at this moment */
    bool up;        /* as far as global_name_server has heard, in the order of messages */
    bool known;
    bool joined;     /* was known at some time since it is up */
    int64_t version; /* while known */
    bool synced;
    uint64_t up_ms;
    struct meeting meeting;
    char node[CN_NODE_NAME_MAX + 1];
};

/** Called when a claim has its lock everywhere (@held), or has given back what it had. */
typedef void (*claim_done)(void *context, bool held);

/** A lock of our own at many nodes: being taken, held, or being given back. */
struct claim {
    struct list link; /* in member.claims */
    struct member *member;
    struct gen_server *owner;
    struct sm sm;
    struct kept id; /* {Resource, Requester} */
    claim_done done;
    void *context;
    bool refused;
    bool cancelled;
    unsigned open; /* answers to come */
    size_t count;
    char (*nodes)[CN_NODE_NAME_MAX + 1]; /* the greatest first */
};

/** The locker. */
struct locker {
    struct sm sm;
    struct list waiting; /* struct peer.meeting.waiting */
    struct claim *claim;
    char node[CN_NODE_NAME_MAX + 1]; /* with whom */
    uint64_t my_tag;
    bool initiator;
    bool hurry;     /* a join has succeeded: the next one need not wait */
    uint64_t timer; /* 0: none */
};

/** What is asked. */
enum request_kind {
    REQUEST_REGISTER,
    REQUEST_UNREGISTER,
    REQUEST_MOVE,
    REQUEST_WHEREIS,
};

/** A request. */
struct request {
    struct list in_lane;
    struct list in_bundle; /* while all servers are told of it */
    struct member *member;
    struct lane *lane;
    enum request_kind kind;
    struct cn_pid pid;
    enum global_method method;
    global_done done; /* NULL: nobody waits */
    void *context;
};

/** Changes that all servers are told in one message. */
struct bundle {
    struct member *member;
    struct list requests; /* struct request.in_bundle; empty: none is told */
    uint32_t told;        /* how many */
    uint64_t told_ms;     /* since when */
    unsigned open;        /* answers to come */
};

/** The registrar. */
struct registrar {
    struct sm sm;
    struct lane *lanes;
    struct list ready; /* struct lane.ready: their first request, a change, may start */
    struct list asked; /* the same, when it is a question, which needs no lock */
    struct bundle bundles[SLICE_BUNDLES];
    struct slice slice;
    bool running;
    bool wanted;   /* somebody was refused the lock while it was ours */
    uint32_t rest; /* how long to stay away after the release */
    struct claim *claim;
    unsigned failures;   /* in a row */
    uint64_t claimed_ms; /* since when the lock is asked for */
    uint64_t timer;      /* 0: none */
    bool kicked;
};

/** This node in :global. */
struct member {
    struct procs *procs;
    struct gen_server *server; /* NULL: ended */
    struct gen_server *locker_server;
    struct gen_server *registrar_server;
    struct global_hooks hooks;
    struct name *names;
    struct watched *watched;
    struct lock *locks;
    bool lock_died; /* the last holder of lock `global` ended with it */
    struct peer *peers;
    struct lost *lost;
    uint64_t next_tag;
    uint64_t random;       /* the state of member_random */
    bool failed;           /* member_new could not finish */
    bool closed;           /* its processes have ended */
    struct list claims;    /* struct claim.link */
    struct list questions; /* struct question.link */
    struct global_resolver resolver;
    struct list lockings; /* struct locking.link */
    struct list syncings; /* struct syncing.link */
    struct awaited *awaited;
    uint32_t waits;       /* of all who wait for nodes */
    uint64_t leave_timer; /* 0: nobody has asked us to leave */
    struct locker locker;
    struct registrar registrar;
};

/** What waits for an answer of a call; calls end in silence with their server. */
struct question {
    struct list link;
    void (*release)(struct question *question);
};

/* member.c */
/** Keep a copy of @term instead of what was kept. Errors: -ENOMEM, with nothing kept. */
int kept_set(struct kept *kept, struct cn_term term);
/** Keep nothing. */
void kept_clear(struct kept *kept);
/** View it. */
struct cn_term kept_term(const struct kept *kept);
/** One of the three processes has ended: so do the others. */
void member_server_ended(struct member *member, struct gen_server *self);
/** Cast @message to the global_name_server of @node, which is dialled if need be; frees it. */
void member_cast(struct member *member, const char *node, struct cn_writer *message);
/** Send a plain message there, if the node is connected; frees it. */
void member_send(struct member *member, const char *node, struct cn_writer *message);
/** Give a number below @bound > 0. */
uint32_t member_random(struct member *member, uint32_t bound);
/** Our own table is no longer what others think it is: part from @node, and join again. */
void member_part(struct member *member, const char *node);

/* member_server.c */
/** global_name_server. */
extern const struct gen_server_callbacks member_server_callbacks;

/* member_roster.c */
/** Find a name; NULL when nobody has it. */
struct name *roster_find(struct member *member, struct cn_term name);
/** Give @name to @pid, whoever had it. @registered_by: may be NULL. Errors: -ENOMEM. */
int roster_insert(struct member *member, struct cn_term name, const struct cn_pid *pid,
                  struct cn_term method, const char *registered_by);
/** Note that @node registered it for a hidden one. Errors: -ENOMEM, with nothing changed. */
int roster_registered_by(struct name *name, const char *node);
/** Forget a name. */
void roster_delete(struct member *member, struct name *name);
/** View the name as a term. */
struct cn_term roster_term(const struct name *name);
/** View its method. */
struct cn_term roster_method(const struct name *name);
/** Write the list of names alone. */
void roster_write_terms(struct member *member, struct cn_writer *writer);
/** Write the list [{Name, Pid, Method}]. */
void roster_write_names(struct member *member, struct cn_writer *writer);
/** Write the list [{Name, Pid, Node}] of names registered for hidden nodes. */
void roster_write_external(struct member *member, struct cn_writer *writer);
/** Give the pid. */
struct cn_pid watched_pid(const struct watched *watched);
/** Tell whether it is @pid. */
bool watched_is(const struct watched *watched, const struct cn_pid *pid);
/** Write the pid. */
void watched_write(const struct watched *watched, struct cn_writer *writer);
/** Find or make, with a monitor. Errors: NULL without memory. */
struct watched *watched_get(struct member *member, const struct cn_pid *pid);
/** Release it when it has neither names nor locks. */
void watched_put(struct member *member, struct watched *watched);
/** A process has ended: its names and locks are gone. */
void watched_down(struct member *member, const struct cn_pid *pid);
/** The same for all of @node. */
void watched_node_down(struct member *member, const char *node);
/** Release everything. */
void roster_free_all(struct member *member);

/* member_locks.c */
/** Take a lock for @pid: 0, or CN_E_TAKEN by another requester. Errors: -ENOMEM. */
int locks_set(struct member *member, struct cn_term id, const struct cn_pid *pid);
/** Give it back; nothing happens when @pid does not hold it. */
void locks_delete(struct member *member, struct cn_term id, const struct cn_pid *pid);
/** Tell whether the lock @id could be taken. */
bool locks_free_for(struct member *member, struct cn_term id);
/** Tell whether anybody holds lock `global` here. */
bool locks_global_set(struct member *member);
/** Tell whether @pid may change names: it holds lock `global`, or nobody does. */
bool locks_allow_pid(struct member *member, const struct cn_pid *pid);
/** The same for whoever holds @id, {global, Requester}. */
bool locks_allow_id(struct member *member, struct cn_term id);
/** A holder has ended. */
void locks_holder_down(struct member *member, struct lock_holder *holder);

/* member_known.c */
/** Find a peer; NULL. */
struct peer *known_find(const struct member *member, const char *node);
/** Find or make one. Errors: NULL without memory, or when @node is no node's name. */
struct peer *known_get(struct member *member, const char *node);
/** A peer is up: meet it, unless it is known. Errors: -ENOMEM. */
int known_up(struct member *member, const char *node);
/** A peer is gone, with all that was there. */
void known_down(struct member *member, const char *node);
/** Forget that a peer is known, and any join with it. The connection stays. */
void known_forget(struct peer *peer);
/** Know @node from now on; true when that is new. */
bool known_add(struct member *member, const char *node, int64_t version);
/** Called with a node of a list; @version: 0 when the list does not say. */
typedef void (*known_visit)(void *context, const char *node, int64_t version);
/** Visit a list of nodes or {Node, Version}. */
void known_each(struct cn_term nodes, void *context, known_visit visit);
/** Add all of a list of nodes or {Node, Version}, telling those that are new: in_sync. */
void known_add_list(struct member *member, struct cn_term nodes);
/** Cast {in_sync, Us, true}. */
void known_in_sync(struct member *member, const char *node);
/** Write the list of known nodes for a peer of @version. */
void known_write_known(const struct member *member, int64_t version, struct cn_writer *writer);
/** Write the list of known nodes' names, or of those in sync. */
void known_write_nodes(const struct member *member, bool synced, struct cn_writer *writer);
/** Write the list of members that are connected, known or not. */
void known_write_connected(const struct member *member, struct cn_writer *writer);
/** Count the known nodes. */
size_t known_count(const struct member *member);
/** Take {nodeup, Node} or {nodedown, Node}; false when it is something else. */
bool known_take_event(struct member *member, struct cn_term message);
/** Take {lost_connection, ...}; false when it is something else. */
bool known_take_lost(struct member *member, struct cn_term message);
/** Take {remove_connection, Node}; false when it is something else. */
bool known_take_remove(struct member *member, struct cn_term message);
/** Read an atom that is a node's name; false when it is none. */
bool known_read_node(struct cn_reader *reader, char (*ret_node)[CN_NODE_NAME_MAX + 1]);
/** Release everything. */
void known_free_all(struct member *member);

/* member_meetings.c */
/** Begin: our init_connect goes out. Errors: -ENOMEM. */
int meeting_call(struct peer *peer);
/** Back to idle: nobody is told but the locker. */
void meeting_reset(struct peer *peer);
/** The same, telling a peer that has met us; then begin anew. */
void meeting_restart(struct peer *peer);
/** Take a cast of the join protocol; false when it is none. */
bool meetings_take_cast(struct member *member, struct cn_term message);
/** Take a plain message of the join protocol; false when it is none. */
bool meetings_take_info(struct member *member, struct cn_term message);
/** Both partitions are locked under @lock_id: our names go out. */
void meeting_locked(struct peer *peer, struct cn_term lock_id);
/** Find the peer whose meeting has @tag as ours; NULL. */
struct peer *meeting_find(struct member *member, const char *node, uint64_t tag);
/** Set up a new peer's meeting. */
void meeting_init(struct peer *peer);

/* member_exchange.c */
/** {Name, Pid, Method}, as views. */
struct entry {
    struct cn_term name;
    struct cn_pid pid;
    struct cn_term method;
};
/** Read one. */
bool entry_read(struct cn_reader *reader, struct entry *ret_entry);
/** His names are in, and we have the lock: settle each. */
void exchange_begin(struct peer *peer, struct cn_term message);

/* member_apply.c */
/** His verdicts are in, and ours are out: one table. */
void exchange_finish(struct peer *peer, struct cn_term message);
/** Take {new_nodes, ...}: others have joined; false when it is something else. */
bool exchange_take_new_nodes(struct member *member, struct cn_term message);

/* member_claims.c */
/**
 * Take lock @id for @owner at this node, all known ones, and @also (NULL: nobody more).
 * Errors: -ENOMEM; then @done is not called.
 */
int claim_start(struct member *member, struct gen_server *owner, struct cn_term id,
                const char *also, claim_done done, void *context, struct claim **ret_claim);
/** Give a held lock back; @done is called with false when that is over. The claim is then gone. */
void claim_release(struct claim *claim);
/** The same, behind what all nodes were told before and are busy with: @done is called at once. */
void claim_release_at_once(struct claim *claim);
/** A lock that is being taken is not wanted any more: @done is called with false, as if refused. */
void claim_cancel(struct claim *claim);
/** Forget a claim whose owner ends, whatever it has: its servers see that end themselves. */
void claim_forget(struct claim *claim);
/** Tell whether a claim's node is worth asking: known, so dialled if need be, or connected. */
bool claim_reaches(const struct claim *claim, size_t index);
/** Tell whether @node is among those of a claim. */
bool claim_covers(const struct claim *claim, const char *node);
/** Forget all. */
void claims_free_all(struct member *member);

/* member_locker.c */
/** The locker's process. */
extern const struct gen_server_callbacks member_locker_callbacks;
/** Set up. */
void locker_init(struct member *member);
/** A peer has met us: join with it soon. */
void locker_add(struct peer *peer);
/** Nothing will come of it, or it is done: give the lock back, if it is held for this peer. */
void locker_cancel(struct peer *peer);
/** He says that his partition is locked, or that it could not be. */
void locker_lock_set(struct peer *peer, bool set);

/* member_registrar.c */
/** The registrar's process. */
extern const struct gen_server_callbacks member_registrar_callbacks;
/** Set up. */
void registrar_init(struct member *member);
/** Something has changed that requests may have waited for. */
void registrar_kick(struct member *member);
/** See soon what is asked. Errors: CN_E_CLOSED, -ENOMEM. */
int registrar_wake(struct member *member);
/** All servers have answered about the bundle. */
void registrar_told(struct bundle *bundle);
/** Somebody else was refused lock `global`. */
void registrar_wanted(struct member *member);

/* member_trans.c */
/** See registry.h. */
int trans_set_lock(struct member *member, struct gen_server *owner, struct cn_term id,
                   uint32_t retries, global_locked done, void *context);
/** See registry.h. */
int trans_del_lock(struct member *member, struct gen_server *owner, struct cn_term id,
                   global_locked done, void *context);
/** A timer of global_name_server is due. */
void trans_timer(struct member *member, uint64_t timer);
/** global_name_server has ended: who waits for a lock has not got it. */
void trans_closed(struct member *member);
/** A server ends. */
void trans_owner_ends(struct member *member, struct gen_server *owner);
/** Forget all. */
void trans_free_all(struct member *member);

/* member_lanes.c */
/** Queue a request. @pid: NULL for WHEREIS. Errors: CN_E_CLOSED, -ENOMEM. */
int lanes_add(struct member *member, enum request_kind kind, struct cn_term name,
              const struct cn_pid *pid, enum global_method method, global_done done, void *context);
/** View its name. */
struct cn_term request_name(const struct request *request);
/** Find who has the name, and put it into *@room: @room, or NULL. */
const struct cn_pid *request_holder(const struct request *request, struct cn_pid *room);
/** Tell whether @holder is the pid that was asked for. */
bool request_fits(const struct request *request, const struct cn_pid *holder);
/** Take it out of its lane, so that the next of that name can start, and answer. */
void request_finish(struct request *request, enum global_outcome outcome,
                    const struct cn_pid *holder);
/** Answer what needs no lock. */
void lanes_answer_whereis(struct member *member);
/** Tell whether anything waits to be answered or done. */
bool lanes_waiting(const struct member *member);
/** Take the first change of the first lane that is ready; NULL. It stays in its lane. */
struct request *lanes_take(struct member *member);
/** Forget all. */
void lanes_free_all(struct member *member);

/* member_bundle.c */
/** Tell all servers under @claim; registrar_told is called later, or the bundle is empty again. */
void bundle_tell(struct bundle *bundle, const struct claim *claim);

/* member_functions.c */
/** Add the functions that :global asks for by rpc. Errors: as functions_add. */
int member_functions_add(struct member *member, struct functions *functions);

#endif
