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
    bool suspended;
};

/* sys.c */
/** Take a system message; false when it is none. */
bool sys_take(struct gen_server *self, struct cn_term message);

/** What finds a call by its timer. */
struct call_timer {
    struct map_handle hh;
    uint64_t id; /* 0: none is running */
    struct call *call;
};

/** A call under way; key: the words of our own reference. */
struct call {
    struct map_handle hh;
    uint32_t words[5];
    uint32_t count;
    bool erpc; /* the DOWN's reason is the answer, see erpc_call.c */
    struct gen_server *server;
    struct call_timer timer;
    call_done done;
    void *context;
};

/* call.c */
/** Tell whether @self has as many calls as it may have. */
bool calls_full(const struct gen_server *self);
/**
 * Add a call to which the monitor @ref of @self belongs. Errors: -ENOMEM, with the monitor taken
 * back.
 */
int call_add(struct gen_server *self, const struct cn_ref *ref, uint32_t timeout_ms, call_done done,
             void *context, struct call **ret_call);
/**
 * End a call in silence: monitor and timer are taken back, the record is gone. @flush: its DOWN may
 * be in the mailbox and is taken out. False when the DOWN has been taken, or nobody will look: to
 * search for each call's is too much when thousands wait because a node is lost.
 */
void call_free(struct call *call, bool flush);
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
    uint64_t wall_clock_ms; /* at the latest statistics(wall_clock) */
    uint64_t runtime_ms;    /* at the latest statistics(runtime) */
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

/** An apply. The terms are copies. */
struct apply {
    struct list list;
    struct functions *functions;
    struct gen_server *server; /* NULL: its process is gone */
    enum apply_kind kind;
    struct cn_term tag;
    struct gen_from *from;
    struct cn_term module;
    struct cn_term function;
    struct cn_term arguments;
    uint32_t arity;
    bool begun;
    bool waits; /* for its own process's calls: nobody else holds it */
    bool done;  /* released with its process */
};

/** The line of the stack that an error shows. */
enum stack {
    STACK_ARITY,     /* {Module, Function, Arity, []} */
    STACK_ARGUMENTS, /* {Module, Function, Arguments, []} */
    STACK_BIF,       /* the same, and the runtime explains the arguments */
    STACK_APPLY,     /* erlang:apply/3 refused the arguments, and explains */
    STACK_NONE,      /* erpc and rpc themselves say what is wrong */
    STACK_SPAWNED,   /* the runtime's own function below every spawned process */
};

/** What an apply ends with. */
struct outcome {
    const char *class_; /* NULL: a value */
    struct cn_term term;
    bool ok;               /* the value is {ok, term} */
    struct etf_body *body; /* of a value for erpc: what the term was sent as; NULL: nothing */
    enum stack stack;      /* of an error */
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

/* outcome.c */
/** Write what the caller of @apply, by its kind, waits for; the outcome's body would follow it. */
void outcome_write(struct apply *apply, const struct outcome *outcome, struct cn_writer *writer);

/* erpc.c */
/** The spawn handler: {erpc, execute_call, 4} and everything else. */
int erpc_spawn(void *context, const char *node, const struct control *request,
               struct cn_term arguments);

/* rex.c, net_kernel.c */
/** Start `rex`. Errors: CN_E_TAKEN, CN_E_LIMIT, -ENOMEM. */
int rex_start(struct functions *functions);
/** Start `net_kernel`. Errors: CN_E_TAKEN, CN_E_LIMIT, -ENOMEM. */
int net_kernel_start(struct procs *procs);

/* call.c */
/** As call_start, with another label than '$gen_call'. */
int call_start_as(struct gen_server *self, const char *label, const struct dest *dest,
                  struct cn_term request, uint32_t timeout_ms, call_done done, void *context);

/* erpc_call.c */
/** An erpc call ends with this outcome of its monitor or timer: call back. */
void erpc_call_end(struct call *call, enum call_outcome outcome, struct cn_term term);
/** The peer could not spawn its process. */
void erpc_call_refused(struct call *call, struct cn_term reason);

/* apply.c */
/**
 * @apply is ended by calls of its own process and held by nobody else: when the process is killed
 * it goes with it.
 */
void apply_waits(struct apply *apply);

/* arguments.c */
/** Read a pid. */
bool argument_pid(struct cn_term term, struct cn_pid *ret_pid);
/** View an atom's text. */
bool argument_atom(struct cn_term term, struct cn_bytes *ret_text);
/**
 * Visit the elements of a proper list, or the one term that is no list; false when @visit says so,
 * or the list is improper.
 */
bool argument_each(struct cn_term term, bool (*visit)(void *context, struct cn_term element),
                   void *context);
/** Write an Erlang string: a list of characters. */
void write_text(struct cn_writer *writer, const char *text);

/* builtins.c, process_info.c */
/** Add the functions that every node has. Errors: as functions_add. */
int builtins_add(struct functions *functions);
/** Add those that are a question to a server. Errors: as functions_add. */
int questions_add(struct functions *functions);
/** Write what process_info/2 gives for an item, or a list of them; false when one is unknown. */
bool process_info_write(struct process *process, struct cn_term what, struct cn_writer *writer);
/** Write the list of process_info/1. */
void process_info_write_all(struct process *process, struct cn_writer *writer);

/* The functions of builtins.c: struct function.run. */
typedef void builtin(void *context, struct apply *apply, const struct cn_term *arguments);
builtin run_node, run_node_of, run_is_alive, run_nodes, run_nodes_of, run_nodes_info, run_stop,
    run_stop_status;
builtin run_self, run_alive, run_whereis, run_registered, run_processes, run_process_info,
    run_process_info_item, run_send, run_exit_signal, run_raise;
builtin run_system_info, run_statistics, run_memory, run_memory_of, run_constant, run_no_file;
builtin run_cast;

#endif
