/*
 * What stands behind the public types: as little as possible.
 *
 * `struct cn_from` is otp/'s `struct gen_from` under another name. `struct cn_server` is a
 * gen_server whose callbacks see public types, with a list of what it waits for, so that each
 * cn_done is called exactly once however its server ends. `struct cn_node` is what such a server
 * may reach of its node. Nothing here decides anything: calls, names, links and monitors are those
 * of the layers below.
 */
#ifndef NODE_API_H
#define NODE_API_H

#include <cnode/node.h>

#include "base/list.h"
#include "base/map.h"
#include "otp/call.h"
#include "otp/functions.h"
#include "otp/target.h"
#include "registry/batch.h"

struct scopes;
struct waiting;
struct trans;

/** What servers reach of their node. Filled by node/, then api_node_init. */
struct cn_node {
    struct procs *procs;
    struct functions *functions;
    const struct registry *registry;
    struct scopes *scopes;
    void *context;
    /** Visit the connected nodes. */
    void (*each_node)(void *context,
                      void (*visit)(void *visit_context, const char *node, bool hidden),
                      void *visit_context);
    struct waiting *timers; /* map */
    struct list orphans;    /* struct waiting: asked of :global by servers that have ended */
};

/** A server on the public API. */
struct cn_server {
    struct gen_server *gen;
    struct cn_node *node;
    const struct cn_server_callbacks *callbacks;
    struct gen_server_callbacks gen_callbacks;
    void *state;
    struct list waitings; /* struct waiting */
    bool ending;          /* nothing more is accepted */
};

/* api_node.c */
/** Start with nothing waiting. The other members are set by the owner. */
void api_node_init(struct cn_node *node);
/** Forget what :global never answered, after procs_free and names_free. */
void api_node_deinit(struct cn_node *node);
/** Add the application's functions (NULL: none). Errors: as functions_add. */
int api_functions_add(struct cn_node *node, const struct cn_function *functions);

/* api_waiting.c */
/** One thing to come. */
struct waiting {
    struct map_handle hh; /* timers: in cn_node.timers, under `timer` */
    struct list list;
    struct cn_server *server; /* NULL: an orphan */
    struct cn_node *node;
    cn_done done;
    void *context;
    uint64_t timer;  /* 0: no timer */
    bool global;     /* names in :global will answer, even when the server has ended */
    const char *yes; /* :global: what GLOBAL_YES and GLOBAL_NO mean */
    const char *no;
    struct trans *trans; /* :global: what a trans needs; NULL */
    char called_node[];  /* calls: where the other is */
};

/**
 * Make one. @called_node: NULL for what is no call. Errors: NULL without memory, or when @self
 * ends.
 */
struct waiting *waiting_new(struct cn_server *self, cn_done done, void *context,
                            const char *called_node);
/** Say why there was none: -ESHUTDOWN or -ENOMEM. */
int waiting_error(const struct cn_server *self);
/** Call back, with the record out of the way. */
void waiting_finish(struct waiting *waiting, enum cn_outcome outcome, struct cn_term term);
/** The same with an atom of at most 32 bytes. */
void waiting_finish_atom(struct waiting *waiting, enum cn_outcome outcome, const char *text);
/** Give @error; if it kept a request from being made, the record is released. */
int waiting_refused(struct waiting *waiting, int error);
/* api_global.c */
/** Release what a trans needs; NULL is fine. */
void trans_free(struct trans *trans);
/** If @message tells @self that it has lost a name in a conflict, let the registry know. */
void global_note_conflict(struct cn_server *self, struct cn_term message);

/* api_global_call.c */
/** Tell whether @to is {global, Name}. */
bool global_call_is(struct cn_term to, struct cn_term *ret_name);
/** Call who has @name in :global. Errors: as cn_call. */
int global_call(struct cn_server *self, struct cn_term name, struct cn_term request,
                uint32_t timeout_ms, cn_done done, void *context);

/* api_waiting.c again */
/** A timer of @self is due. */
void waiting_timer(struct cn_server *self, uint64_t timer);
/** @self ends: call every cn_done with CN_ENDED. */
void waiting_end_all(struct cn_server *self);

#endif
