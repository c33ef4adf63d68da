/*
 * Moves of declared state machines.
 *
 * Everything here is checked against the table: an undeclared state or move aborts with the
 * machine's name on the trace just before. A final state has no way out, any other state has one.
 */
#include "base/sm.h"

#include <inttypes.h>

#include "base/assert.h"
#include "base/trace.h"

#define STATES_MAX 64

static void check_table(const struct sm_table *table)
{
    cn_assert(table->count > 0 && table->count <= STATES_MAX);
    for (size_t i = 0; i < table->count; i++) {
        const struct sm_state *state = &table->states[i];

        cn_assert(state->name != NULL);
        cn_assert(state->final == (state->next == 0));
        cn_assert(table->count == STATES_MAX || state->next >> table->count == 0);
    }
}

void sm_init(struct sm *sm, const struct sm_table *table, uint64_t id, unsigned state)
{
    check_table(table);
    cn_assert(state < table->count && table->states[state].initial);
    *sm = (struct sm){.table = table, .id = id, .state = state};
    trace("sm", "%s %" PRIu64 " starts %s", table->name, id, sm_name(sm));
}

bool sm_may(const struct sm *sm, unsigned state)
{
    return state < sm->table->count && (sm->table->states[sm->state].next & SM_TO(state)) != 0;
}

void sm_move(struct sm *sm, unsigned state)
{
    cn_assert(state < sm->table->count);
    trace("sm", "%s %" PRIu64 " %s -> %s", sm->table->name, sm->id, sm_name(sm),
          sm->table->states[state].name);
    cn_assert(sm_may(sm, state));
    sm->state = state;
}

bool sm_done(const struct sm *sm)
{
    return sm->table->states[sm->state].final;
}

const char *sm_name(const struct sm *sm)
{
    return sm->table->states[sm->state].name;
}
