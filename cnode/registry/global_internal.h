/*
 * What the files of the :global registry share. Nobody outside includes it.
 *
 * names: what this node's processes hold. requests: what is to be done, one at a time per name and
 * a bounded number at once. neighbours: who can do it, and whether they know our names.
 */
#ifndef REGISTRY_GLOBAL_INTERNAL_H
#define REGISTRY_GLOBAL_INTERNAL_H

#include "base/list.h"
#include "base/map.h"
#include "otp/call.h"
#include "registry/global_external.h"
#include "registry/global_resolve.h"
#include "registry/lane.h"

/** What waits in the list of all names: a name, or the place up to which an audit has come. */
struct place {
    struct list list;
    bool marker;
};

/** A process of this node that has names. */
struct owner {
    struct map_handle hh;
    uint32_t key[2]; /* id, serial */
    struct cn_pid pid;
    struct cn_ref ref; /* our monitor */
    struct list names; /* struct held_name.in_owner */
};

/** A name that a process of this node has. */
struct held_name {
    struct map_handle hh;
    struct owner *owner;
    struct list in_owner;
    struct place place;
    enum global_method method; /* that it is registered with, wherever it is */
    size_t size;
    uint8_t bytes[];
};

/** What a neighbour is. */
enum neighbour_kind {
    NEIGHBOUR_ASKED,  /* its answer is awaited, and requests wait for it */
    NEIGHBOUR_SILENT, /* it did not answer in time; it is asked again, nobody waits */
    NEIGHBOUR_BEAM,
    NEIGHBOUR_OTHER,
};

/** A visible peer that is up. */
struct neighbour {
    struct map_handle hh;
    struct global *global;
    enum neighbour_kind kind;
    uint64_t incarnation; /* tells an answer to an earlier life apart */
    struct place cursor;  /* in the list of all names while auditing */
    bool auditing;
    bool audit_again; /* names came or a registrar went while auditing */
    char node[];
};

/** What is asked. */
enum request_kind {
    REQUEST_REGISTER,
    REQUEST_REPAIR, /* a registration that nobody waits for, at a node that misses the name */
    REQUEST_UNREGISTER,
    REQUEST_MOVE,
    REQUEST_WHEREIS,
};

/** How it is asked. */
struct wish {
    enum request_kind kind;
    struct cn_term name;
    const struct cn_pid *pid;  /* not for WHEREIS */
    enum global_method method; /* for REGISTER and MOVE; REPAIR: the one that the name has */
    const char *node;          /* for REPAIR: where */
    global_done done;          /* NULL: nobody waits */
    void *context;
};

/** A request. */
struct request {
    struct list in_lane;
    struct global *global;
    struct lane *lane;
    enum request_kind kind;
    struct cn_pid pid;
    enum global_method method;
    global_done done; /* NULL: nobody waits */
    void *context;
    unsigned tries;
    char node[CN_NODE_NAME_MAX + 1]; /* who is asked; REPAIR: who must be */
};

/** Names of this node in :global. */
/* What waits for an answer. Calls end in silence with their server, so each is listed to be
 * released. */
struct question {
    struct list link;
    void (*release)(struct question *question);
};

struct global {
    struct procs *procs;
    struct gen_server *server; /* NULL: ended */
    struct global_hooks hooks;
    struct held_name *names;
    struct owner *owners;
    struct list all; /* struct place */
    struct neighbour *neighbours;
    uint64_t next_incarnation;
    struct list questions; /* struct question.link */
    struct global_resolver resolver;
    struct lane *lanes;
    struct list ready; /* struct lane.ready */
    unsigned in_flight;
    bool kicked; /* a message to ourselves is on its way */
    bool failed; /* global_new could not finish */
};

/* global_names.c */
/** Find a name; NULL when no process here has it. */
struct held_name *names_find(struct global *global, struct cn_term name);
/** Enter @name for the local process @pid, or give it to that one. Errors: -ENOMEM. */
int names_hold(struct global *global, struct cn_term name, const struct cn_pid *pid,
               enum global_method method);
/** Forget a name. */
void names_release(struct global *global, struct held_name *held);
/** Drop all names of a process that has ended. */
void names_owner_down(struct global *global, const struct cn_pid *pid);
/** Forget all names. */
void names_free_all(struct global *global);
/** View the name as a term. */
struct cn_term names_term(const struct held_name *held);

/* global_requests.c */
/** Queue a request. Ownership: all of @wish is copied. Errors: CN_E_CLOSED, -ENOMEM. */
int requests_add(struct global *global, const struct wish *wish);
/** Have requests_pump called from the server's own callback, soon. Errors: -ENOMEM. */
int requests_kick(struct global *global);
/** Start what may start. Callbacks come from here: only in the server's callbacks. */
void requests_pump(struct global *global);
/** Tell whether something is under way or waiting for @name. */
bool requests_busy(struct global *global, struct cn_term name);
/** The server has ended, and its calls with it: answer all requests, UNREACHABLE. */
void requests_closed(struct global *global);
/** Forget all requests; nobody is answered. */
void requests_free_all(struct global *global);

/* global_neighbours.c */
/**
 * Tell whether a neighbour that may be a BEAM has just come and there is no other: what is asked
 * now waits for its answer, or it would be decided without it.
 */
bool neighbours_pending(struct global *global);
/** The node that registers for us; NULL when there is no BEAM neighbour. */
const char *neighbours_registrar(struct global *global);
/** Find a visible peer that is up. */
struct neighbour *neighbours_find(struct global *global, const char *node);
/** Take up a peer and ask what it is. Errors: -ENOMEM. */
int neighbours_up(struct global *global, const char *node);
/** Forget a peer; if it registered for us, the next one is audited. */
void neighbours_down(struct global *global, const char *node);
/** Tell a peer's global_name_server that it need not wait for us. */
void neighbours_in_sync(struct global *global, const char *node);
/** Ask all BEAM neighbours for all our names. */
void neighbours_audit_all(struct global *global);
/** Forget all peers. */
void neighbours_free_all(struct global *global);

/* global_audit.c */
/** Ask @neighbour for all our names, from the first on; once more if that is going on. */
void audit_start(struct neighbour *neighbour);
/** Take its cursor off the list. */
void audit_stop(struct neighbour *neighbour);

/* global_functions.c */
/** Add the functions that :global asks for by rpc. Errors: as functions_add. */
int global_functions_add(struct global *global, struct functions *functions);

#endif
