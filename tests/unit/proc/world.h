/*
 * A world of a few nodes in one program, for tests of proc/ and the layers above it.
 *
 * Each node is a `struct procs`; between each two there is a wire that keeps copies of the signals
 * in order and delivers them when the test says so. Wires can be up or down; what is sent to a
 * node that is down waits, as it does while the network dials.
 */
#ifndef TESTS_PROC_WORLD_H
#define TESTS_PROC_WORLD_H

#include <check.h>

#include "base/list.h"
#include "proc/process.h"

#define WORLD_NODES 3
#define WORLD_OPS   14

struct world;

/** One node. */
struct world_node {
    struct world *world;
    char name[32];
    uint32_t creation;
    struct procs *procs;
    size_t sent[WORLD_OPS];             /* signals sent, by operation */
    struct etf_body *shared[WORLD_OPS]; /* the body of the latest that had one; only to compare */
    int send_result;                    /* what the transport answers; 0: takes the signal */
    bool busy[WORLD_NODES];             /* what is sent to them is taken, and they are busy */
    bool no_alias;                      /* the peers cannot take aliases */
    char spawn_reply[256];              /* the latest it sent: "2 <a.3.0>" */
    char monitor_exit[1024];            /* the reason of the latest it sent */
};

/** All nodes, and the wires between them. */
struct world {
    struct world_node nodes[WORLD_NODES];
    struct list wires[WORLD_NODES][WORLD_NODES]; /* from, to */
    bool up[WORLD_NODES][WORLD_NODES];
    uint64_t now_ms;
    int refused; /* the latest result of procs_deliver that was not 0 */
};

/** Make a world of nodes a@world, b@world, c@world, of which the first two are connected. */
void world_init(struct world *world);
void world_deinit(struct world *world);
/** Connect two nodes; what waits will be delivered. */
void world_connect(struct world *world, int a, int b);
/** Cut two nodes: what is on the wires is lost, both are told. */
void world_cut(struct world *world, int a, int b);
/** Deliver the oldest signal from @from to @to; false when there is none. */
bool world_deliver_one(struct world *world, int from, int to);
/** Count the signals waiting on a wire. */
size_t world_waiting(const struct world *world, int from, int to);
/** Run and deliver until nothing moves. */
void world_settle(struct world *world);
/** Let time pass, then settle. */
void world_pass(struct world *world, uint64_t ms);
/** Deliver a signal to @to as if @from had sent it. Returns as procs_deliver. */
int world_inject(struct world *world, int from, int to, const struct control *control,
                 struct cn_term message);
/** The procs of node @index. */
struct procs *world_procs(struct world *world, int index);

/** Show a term as text, valid until 8 more were shown: {a,1,[b],<<"c">>,<a.1.0>,#Ref<a.1>}. */
const char *show(struct cn_term term);
/** An atom as a term, valid until 8 more were made. */
struct cn_term atom(const char *text);
/** A pid as a term, likewise. */
struct cn_term pid_term(const struct cn_pid *pid);
struct dest to_pid(const struct cn_pid *pid);
struct dest to_name(const char *name, const char *node);
/** A view of a C string. */
struct cn_bytes view(const char *text);

/** A process that writes down what happens to it. */
struct probe {
    char *log[64];
    size_t count;
    uint64_t timers[16];
    size_t timer_count;
    char ended[256]; /* the reason; empty while alive */
    void (*on_message)(struct process *self, struct probe *probe, struct cn_term message);
    void (*on_ended)(struct process *self, struct probe *probe);
};

/** Run the tests that @add adds, each between @setup and @teardown; gives main's result. */
int run_tests(const char *name, void (*add)(TCase *tcase), void (*setup)(void),
              void (*teardown)(void));

extern const struct process_behaviour probe_behaviour;

/** Start a probe; @probe is zeroed. */
struct process *probe_start(struct procs *procs, struct probe *probe);
void probe_deinit(struct probe *probe);

#endif
