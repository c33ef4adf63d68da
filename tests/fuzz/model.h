/*
 * A small model of links, monitors and names, beside which fuzz_control.c runs the real ones.
 *
 * It knows a few processes of this node and of two peers, and says after each step who lives, who
 * is linked to or watches whom, how many signals were sent and how many messages arrived. It is
 * written from the rules of Erlang's reference manual and of the link protocol, as tables without
 * any memory management: what it cannot do is fail. Everything has settled between two steps.
 */
#ifndef TESTS_FUZZ_MODEL_H
#define TESTS_FUZZ_MODEL_H

#include "proc/process.h"

#define MODEL_OWN      4 /* processes of this node */
#define MODEL_PEERS    2
#define MODEL_FOREIGN  2 /* processes of each peer */
#define MODEL_NAMES    2
#define MODEL_MONITORS 24
#define MODEL_OPS      14 /* of enum control_op */
#define NOBODY         (-1)

/** How a process ends, as far as it matters to others. */
enum model_reason {
    MODEL_NORMAL,
    MODEL_BROKEN,
    MODEL_KILL,
};

/** A process: of this node (peer NOBODY) or of a peer. */
struct model_pid {
    int peer;
    int index;
};

/** A link with a peer's process. */
enum model_link {
    MODEL_UNLINKED,
    MODEL_LINKED,
    MODEL_UNLINKING, /* until the peer acknowledges `unlink_id` */
};

/** A process of this node. */
struct model_process {
    bool alive;
    bool traps;
    bool linked[MODEL_OWN];
    enum model_link links[MODEL_PEERS][MODEL_FOREIGN];
    uint64_t unlink_id[MODEL_PEERS][MODEL_FOREIGN];
    unsigned downs; /* messages that it got */
    unsigned exits;
    unsigned others;
};

/** A monitor; a slot that is not used any more keeps its reference. */
struct model_monitor {
    bool used;
    bool alias;
    struct model_pid watcher;
    struct model_pid target;
    struct cn_ref ref;
};

/** Everything. */
struct model {
    struct model_process own[MODEL_OWN];
    struct model_monitor monitors[MODEL_MONITORS];
    int name_owner[MODEL_NAMES];
    bool up[MODEL_PEERS];
    int quiet[MODEL_PEERS]; /* whose links break in silence */
    unsigned sent[MODEL_PEERS][MODEL_OPS];
};

/** Begin with nobody. */
void model_init(struct model *model);
/** A new process takes the place @index, which is free. */
void model_start(struct model *model, int index);
/** The process @index ends. */
void model_end(struct model *model, int index, enum model_reason reason);
/** An exit signal reaches @index; @own: it sent it itself. */
void model_signal(struct model *model, int index, enum model_reason reason, bool own, bool by_link);
/** @index links to @to; @stale: to a process of the peer's incarnation before. */
void model_link(struct model *model, int index, struct model_pid to, bool stale);
/** @index unlinks from @to; @unlink_id is what a peer is told. */
void model_unlink(struct model *model, int index, struct model_pid to, uint64_t unlink_id);
/** @index watches @target, in @slot; @absent: it is known that nobody is there. */
void model_watch(struct model *model, int slot, int index, struct model_pid target, bool absent);
/** The watcher of @slot, a process of this node, takes it back. */
void model_unwatch(struct model *model, int slot);
/** The monitor @slot fires. */
void model_fire(struct model *model, int slot);
/** The peer is gone. */
void model_peer_down(struct model *model, int peer);
/** Count the monitors on @index. */
size_t model_watchers(const struct model *model, int index);
/** Find a slot that is free; NOBODY when there is none. */
int model_free_slot(const struct model *model);

/*
 * What a peer that is up tells us of its process @from: links, in the words of the protocol.
 */

/** LINK to @index. */
void model_peer_links(struct model *model, struct model_pid from, int index);
/** UNLINK, with @unlink_id (0: an old peer). */
void model_peer_unlinks(struct model *model, struct model_pid from, int index, uint64_t unlink_id);
/** UNLINK_ACK. */
void model_peer_acknowledges(struct model *model, struct model_pid from, int index,
                             uint64_t unlink_id);
/** EXIT: the link is broken. */
void model_peer_breaks(struct model *model, struct model_pid from, int index,
                       enum model_reason reason);

#endif
