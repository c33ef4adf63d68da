/*
 * Three nodes with a scope each, in one program; and, in the place of one of them, a peer whose
 * words the test writes.
 */
#ifndef TESTS_REGISTRY_SCOPES_H
#define TESTS_REGISTRY_SCOPES_H

#include "registry/pg_internal.h"
#include "unit/otp/server.h"
#include "unit/proc/world.h"

/** A node. */
struct scope {
    struct functions *functions;
    struct pg *pg;
    struct probe probes[3];
    struct cn_pid pids[3]; /* of its probes */
    bool scripted;
    struct probe script; /* of a scripted peer: all that its scope process is sent */
    struct cn_pid pid;   /* of its scope process */
    char lines[4096];    /* its log */
    unsigned line_count;
    char parted[64]; /* from whom it parted, latest */
};

extern struct world world; /* of ours.c */
extern struct scope scopes[WORLD_NODES];
/** The limits of the scopes; zeroed by scopes_setup, for a setup of its own to fill in before. */
extern struct pg_config scopes_config;

/** Nothing is connected. */
void scopes_setup(void);
void scopes_teardown(void);
/** In the place of scope @index: a process that says nothing by itself. Call it first. */
void scope_script(int index);
/** Connect two, and settle. */
void scopes_join(int a, int b);
/** Cut two, and settle. */
void scopes_part(int a, int b);
/** What the scripted peer was sent latest, "" when nothing. */
const char *scope_heard(int index);
/** Say @message as the scripted peer @from to the scope of @to, and settle. */
void scope_say(int from, int to, struct cn_term message);
/** The same in {'$gen_cast', Message}. */
void scope_cast(int from, int to, struct cn_term message);
/** The members of the group @name there, as text: "[<a.5.0>,<b.5.0>]". */
const char *members_text(int index, struct cn_term group);

#endif
