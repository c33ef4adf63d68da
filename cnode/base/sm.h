/*
 * Declared state machines.
 *
 * A machine is a table: each state's name, the states that may follow it, whether a machine may
 * start or end there. Moving where the table does not allow is a bug of ours and aborts; every
 * move is traced. So the drawing in a header, the table and the code cannot drift apart unseen.
 *
 *     static const struct sm_state door_states[] = {
 *         [DOOR_SHUT] = {"shut", SM_TO(DOOR_OPEN) | SM_TO(DOOR_GONE), .initial = true},
 *         [DOOR_OPEN] = {"open", SM_TO(DOOR_SHUT)},
 *         [DOOR_GONE] = {"gone", 0, .final = true},
 *     };
 *     static const struct sm_table door_table = SM_TABLE("door", door_states);
 */
#ifndef CNODE_BASE_SM_H
#define CNODE_BASE_SM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The bit of state @state in `next`. */
#define SM_TO(state) (UINT64_C(1) << (state))

/** One state of a table. */
struct sm_state {
    const char *name;
    uint64_t next; /* states that may follow, as SM_TO bits */
    bool initial;
    bool final;
};

/** A machine's declaration: at most 64 states. */
struct sm_table {
    const char *name;
    const struct sm_state *states;
    size_t count;
};

/** Declare a table from an array of states. */
#define SM_TABLE(table_name, array)                                                          \
    {                                                                                        \
        .name = (table_name), .states = (array), .count = sizeof(array) / sizeof((array)[0]) \
    }

/** A machine. `id` tells traces apart; read `state` with sm_state. */
struct sm {
    const struct sm_table *table;
    uint64_t id;
    unsigned state;
};

/** Start a machine in @state, which must be initial; the table is checked for sense. */
void sm_init(struct sm *sm, const struct sm_table *table, uint64_t id, unsigned state);
/** Move to @state, which the table must allow from here. */
void sm_move(struct sm *sm, unsigned state);
/** Tell whether the table allows a move to @state from here. */
bool sm_may(const struct sm *sm, unsigned state);
/** Tell whether the machine has ended. */
bool sm_done(const struct sm *sm);
/** Name the state it is in. */
const char *sm_name(const struct sm *sm);

/** Give the state it is in. */
static inline unsigned sm_state(const struct sm *sm)
{
    return sm->state;
}

#endif
