/*
 * The real processes beside the model, and the steps that both of them take.
 *
 * One world at a time, in one variable: a target is called again and again and begins anew each
 * time. What a step finds different from the model is an assertion there or in fuzz_control.c.
 */
#ifndef TESTS_FUZZ_CONTROL_WORLD_H
#define TESTS_FUZZ_CONTROL_WORLD_H

#include "fuzz.h"
#include "model.h"

/** A real process. */
struct actual {
    struct cn_pid pid; /* also of one that has ended */
    unsigned downs;
    unsigned exits;
    unsigned others;
};

/** Both, and what is known beside them. */
struct world {
    struct model model;
    struct procs *procs;
    struct actual own[MODEL_OWN];
    uint32_t creation[MODEL_PEERS];
    unsigned sent[MODEL_PEERS][MODEL_OPS];
    uint64_t unlink_id; /* of the latest UNLINK that was sent */
};

extern struct world world;
extern const char *const peer_names[MODEL_PEERS];
extern const char *const own_names[MODEL_NAMES];
/** The texts of enum model_reason. */
extern const char *const reason_names[3];
extern const struct process_behaviour control_behaviour;

/** Give the pid that a process has or had; @stale: one of its peer's incarnation before. */
struct cn_pid real_pid(struct model_pid pid, bool stale);
/** Start a writer with an atom in it. */
void write_atom_term(struct cn_writer *writer, const char *text);
/** Let a process of this node do something; one that has ended starts anew. */
void own_step(uint8_t kind, struct input *input);
/** Let a peer do something; one that is down comes up. */
void peer_step(uint8_t kind, struct input *input);

#endif
