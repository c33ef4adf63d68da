/*
 * What a BEAM node shows of :global to a node that registers through it: global_name_server, and
 * the functions that are called by rpc. It links and monitors as global.erl does.
 */
#ifndef TESTS_REGISTRY_BEAM_H
#define TESTS_REGISTRY_BEAM_H

#include "otp/functions.h"
#include "unit/otp/server.h"
#include "unit/proc/world.h"

#define BEAM_NAMES 2048

/** One BEAM node. */
struct beam {
    struct procs *procs;
    struct functions *functions;
    struct gen_server *server;
    struct {
        char name[64];
        char method[64]; /* that it was registered with */
        struct cn_pid pid;
    } names[BEAM_NAMES];
    size_t count;
    size_t registered; /* register_name_external that said yes */
    size_t asked;      /* whereis_name, each name of a batch counted */
    size_t in_sync;    /* in_sync casts */
    size_t running;    /* registrations not yet answered, with hold */
    size_t running_max;
    struct apply *held[BEAM_NAMES];
    struct cn_pid held_pid[BEAM_NAMES];
    char held_name[BEAM_NAMES][64];
    char held_method[BEAM_NAMES][64];
    bool hold;        /* keep registrations until beam_release */
    bool mute;        /* the server answers nothing */
    bool fail;        /* every function is an error */
    bool no_once;     /* say no to the next registration, although the name is free */
    bool member_only; /* a member of :global that registers for nobody, as a C node */
};

/** Make node @procs a BEAM. */
void beam_init(struct beam *beam, struct procs *procs);
/** After procs_free. */
void beam_deinit(struct beam *beam);
/** Who has a name there, as text of the pid; "" when nobody. */
const char *beam_whereis(struct beam *beam, const char *name);
/** The method that a name has there, as "module:function"; "" when nobody has the name. */
const char *beam_method(struct beam *beam, const char *name);
/** Put a name into its table behind everybody's back; NULL: take it out. */
void beam_set(struct beam *beam, const char *name, const struct cn_pid *pid);
/** Carry out the registrations that were held. */
void beam_release(struct beam *beam);

#endif
