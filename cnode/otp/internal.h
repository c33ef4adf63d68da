/*
 * What the files of otp/ share. Nobody outside includes it.
 *
 * A gen_server's message passes sys.c, then call.c, then its callbacks; a request for a function
 * comes in by erpc.c or rex.c, is looked up in functions.c and lives in apply.c until it is
 * answered.
 */
#ifndef OTP_INTERNAL_H
#define OTP_INTERNAL_H

#include "base/list.h"
#include "base/map.h"
#include "otp/call.h"
#include "otp/functions.h"
#include "otp/gen_server.h"

/** A gen_server. */
struct gen_server {
    struct process *process;
    const struct gen_server_callbacks *callbacks;
    void *state;
    struct call *calls;             /* map: the answers it waits for */
    struct call_timer *call_timers; /* map: those of them that have a timeout, by its timer */
    struct list kept;               /* while suspended: struct kept */
    size_t kept_count;
    bool suspended;
};

/* gen_server.c */
/** Handle what is no system message: answers, then intercept, then the callbacks. */
void gen_server_take(struct gen_server *self, struct cn_term message);
/** Handle a timer, of a call or of the server. */
void gen_server_take_timer(struct gen_server *self, uint64_t timer);

/* sys.c */
/** Take a system message; false when it is none. */
bool sys_take(struct gen_server *self, struct cn_term message);
/** Keep a message for the time after resume. */
void sys_keep(struct gen_server *self, struct cn_term message);
/** Keep a timer for the time after resume. */
void sys_keep_timer(struct gen_server *self, uint64_t timer);
/** Release what was kept. */
void sys_drop_kept(struct gen_server *self);

/* call.c */
/** Take an answer to a call of @self, or the end of one; false when it is none. */
bool calls_take(struct gen_server *self, struct cn_term message);
/** Take the timeout of a call; false when @timer is of no call. */
bool calls_take_timer(struct gen_server *self, uint64_t timer);
/** Forget all calls of a server that has ended. */
void calls_drop(struct gen_server *self);

/** The functions of this node. */
struct functions {
    struct procs *procs;
    struct function_entry *table; /* map */
    struct list applies;          /* struct apply: those not yet ended */
    struct functions_hooks hooks;
};

/** Where the outcome of an apply goes. */
enum apply_kind {
    APPLY_ERPC,  /* the exit reason {Ref, return, Value}, with Ref in `tag` */
    APPLY_SPAWN, /* nowhere: a process was asked for */
    APPLY_REX,   /* a gen reply to `from`, as rpc:call wants it */
    APPLY_OLD,   /* the message {rex, Value} to from.pid: very old callers */
};

/** What to apply and for whom. Views, valid during the call. */
struct apply_request {
    enum apply_kind kind;
    struct cn_term tag;          /* APPLY_ERPC */
    const struct gen_from *from; /* APPLY_REX, APPLY_OLD */
    struct cn_term module;       /* atoms as terms: they go into stack traces */
    struct cn_term function;
    struct cn_term arguments; /* a proper list, or whatever the peer sent */
};

/* functions.c */
/** Find a function; NULL when it is not in the table. */
const struct function *functions_find(const struct functions *functions, struct cn_bytes module,
                                      struct cn_bytes name, uint32_t arity);

/* apply.c */
/** Start a process that carries out @request in its turn. Errors: CN_E_LIMIT, -ENOMEM. */
int apply_start(struct functions *functions, const struct apply_request *request,
                struct process **ret_process);
/** Forget those whose process and node are gone already. */
void applies_free(struct functions *functions);

/* erpc.c */
/** The spawn handler: {erpc, execute_call, 4} and everything else. */
int erpc_spawn(void *context, const char *node, const struct control *request,
               struct cn_term arguments);

/* rex.c, net_kernel.c */
/** Start `rex`. Errors: CN_E_TAKEN, CN_E_LIMIT, -ENOMEM. */
int rex_start(struct functions *functions);
/** Start `net_kernel`. Errors: CN_E_TAKEN, CN_E_LIMIT, -ENOMEM. */
int net_kernel_start(struct procs *procs);

/* builtins.c, process_info.c */
/** Add the functions that every node has. Errors: as functions_add. */
int builtins_add(struct functions *functions);
/** Write {Item, Value}; false when the item is unknown. */
bool process_info_write(struct process *process, struct cn_bytes item, struct cn_writer *writer);
/** Write the list of all items. */
void process_info_write_all(struct process *process, struct cn_writer *writer);

#endif
