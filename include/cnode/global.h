/*
 * Names and locks of the whole cluster, as the module `global` of OTP has them, for servers in C.
 * A name is any term, found from every node; it goes when its process ends. Answers come by
 * cn_done; about names it is CN_EXIT, timeout, when nobody answered a hidden node in time. A hidden
 * node has its names through a BEAM neighbour, and no locks: -ENOTSUP.
 */
#ifndef CNODE_GLOBAL_H
#define CNODE_GLOBAL_H

#include <cnode/server.h>

/** What becomes of a name that two processes took while their nodes were apart. */
enum cn_conflict {
    CN_NOTIFY_ALL, /* nobody keeps it, each gets {global_name_conflict, Name, OtherPid} */
    CN_NOTIFY_ONE, /* one keeps it, the other gets {global_name_conflict, Name} */
    CN_EXIT_ONE,   /* one keeps it, the other is killed: the BEAM's default */
};

/** What to do with a name. */
enum cn_global_verb {
    CN_REGISTER,    /* give it to the pid, of this node, if nobody has it: yes or no */
    CN_UNREGISTER,  /* take it from the pid, of this node: ok, also when it had it not */
    CN_RE_REGISTER, /* give it to the pid, of any node, whoever has it, in one step: yes */
};

/** One of many changes. */
struct cn_global_change {
    enum cn_global_verb verb;
    struct cn_term name;
    struct cn_pid pid;
    enum cn_conflict conflict; /* not for CN_UNREGISTER */
};

/** Register @self, with CN_NOTIFY_ALL. CN_DONE: yes or no. Errors of all five: -ENOMEM. */
int cn_global_register(struct cn_server *self, struct cn_term name, cn_done done, void *context);
/** Give a name of @self up. CN_DONE: ok. */
int cn_global_unregister(struct cn_server *self, struct cn_term name, cn_done done, void *context);
/** Move a name to @pid, with CN_NOTIFY_ALL. CN_DONE: yes. */
int cn_global_re_register(struct cn_server *self, struct cn_term name, const struct cn_pid *pid,
                          cn_done done, void *context);
/**
 * Change many names under one lock, given back each 30 ms for others; those of one name in order.
 * CN_DONE: the list of what each gave, or timeout. Errors, too: -EINVAL (no changes).
 */
int cn_global_change(struct cn_server *self, const struct cn_global_change *changes, size_t count,
                     cn_done done, void *context);
/** Find who has a name. CN_DONE: a pid or undefined. */
int cn_global_whereis(struct cn_server *self, struct cn_term name, cn_done done, void *context);

/**
 * Take the lock @id, {Resource, Requester}, for @self on all nodes, as set_lock/3, trying up to
 * @retries times more (CN_INFINITY) while another requester has it. It goes when @self ends.
 * CN_DONE: true or false. Errors: -EINVAL, -ENOTSUP, -ENOMEM.
 */
int cn_global_set_lock(struct cn_server *self, struct cn_term id, uint32_t retries, cn_done done,
                       void *context);
/** Give it back. CN_DONE: true. Errors: as cn_global_set_lock. */
int cn_global_del_lock(struct cn_server *self, struct cn_term id, cn_done done, void *context);
/** Run @body under a lock, as trans/4. CN_DONE, once it is free: what @body wrote, or aborted. */
int cn_global_trans(struct cn_server *self, struct cn_term id, uint32_t retries,
                    void (*body)(struct cn_server *self, void *context, struct cn_writer *result),
                    cn_done done, void *context);

#endif
