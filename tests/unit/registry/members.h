/*
 * Three nodes that are members of :global, in one program; and, in the place of one of them, a peer
 * whose words the test writes.
 */
#ifndef TESTS_REGISTRY_MEMBERS_H
#define TESTS_REGISTRY_MEMBERS_H

#include "registry/member_internal.h"
#include "unit/otp/server.h"
#include "unit/proc/world.h"

/** A node. */
struct one {
    struct functions *functions;
    struct member *member;
    struct registry names;
    struct probe probes[4];
    struct cn_pid pids[4]; /* of its probes */
    char conflict[256];    /* "name ours theirs" of the latest */
    char parted[64];       /* from whom it parted, latest */
    unsigned left;         /* how often it was asked to leave */
    unsigned closed;       /* how often the owner was told */
    char asked[256];       /* "name one other" of the choice that its owner is to make */
    global_chosen chosen;  /* to be called with it */
    void *chosen_context;
    char heard[64][256]; /* what a scripted peer's global_name_server was sent */
    size_t heard_count;
    struct gen_server *script; /* a scripted peer */
};

extern struct world world; /* of ours.c, as answers */
extern struct one ones[WORLD_NODES];
extern char answers[2048][64]; /* "yes a", "no", ... once answered */
extern char told[1 << 16];     /* the trace of registry, a line each, when golden_begin */

/** Nothing is connected. */
void members_setup(void);
void members_teardown(void);
/** In the place of member @index: a peer that says nothing by itself. Call it first. */
void script(int index);
/** Connect two, and settle what needs no time. */
void join(int a, int b);
/** All three are connected and know each other, without having joined. */
void acquaint(void);
/** How many locks the three have, a digit each. */
size_t locks(void);
/** Let time pass in steps of 10 ms. */
void pass(uint64_t ms);
/** Cut two, and settle. */
void part(int a, int b);
/** Ask for a name for probe @probe of @node; the answer comes into answers[@index]. */
void ask(int node, const char *name, int probe, size_t index);
void ask_move(int node, const char *name, const struct cn_pid *pid, size_t index);
void ask_gone(int node, const char *name, int probe, size_t index);
/** Who has a name there: text of the pid, "" when nobody. */
const char *holder(int node, const char *name);
/** Send as the scripted peer's global_name_server. */
void say(int from, int to, struct cn_term message);
void cast(int from, int to, struct cn_term message);
/** Call as the scripted peer; the reply is the latest heard. */
void ask_server(int from, int to, struct cn_term request);
/** What the scripted peer heard last, "" when nothing. */
const char *heard(int index);
/** Keep the trace from now on, in `told`. */
void golden_begin(void);

#endif
