/*
 * The log of a game, while a round ends: events get their ids, viewers their entries.
 *
 * Every function here is charged for what it looks at and moves, against a limit for one round: a
 * crafted game of a million characters in one hex would otherwise hold up its node for hours.
 */
#ifndef CNODE_MINOTAUR_EVENTS_H
#define CNODE_MINOTAUR_EVENTS_H

#include "state.h"

/**
 * The work that one round may take: items looked at or moved. A round of 18 players takes some
 * hundreds.
 */
#define EVENTS_WORK_MAX ((uint64_t)1 << 23)

/** A game whose log is being written to. */
struct chronicle {
    struct game *game;
    uint64_t work_left;
    uint32_t next_list; /* where the list of the next viewer probably is */
};

/** Take @items from the work that is left. Errors: -E2BIG. */
int events_charge(struct chronicle *log, uint64_t items);
/**
 * Add @event, giving it its id, the number of events; an event with that id (in a log with gaps) is
 * replaced.
 *
 * Errors: -ENOMEM, -E2BIG.
 */
int events_add(struct chronicle *log, const struct event *event, int64_t *ret_id);
/** Say that @player_id has seen the event @id. Errors: -ENOMEM, -E2BIG. */
int events_show(struct chronicle *log, int64_t player_id, int64_t id);
/** Add @event and show it to everybody who stands in @hex now. Errors: -ENOMEM, -E2BIG. */
int events_add_seen_from(struct chronicle *log, const struct event *event, struct coord hex);
/**
 * Add @event and show it to those who stood in @from before (by index, as the living characters
 * are) and do not stand in @to now; without any, add nothing.
 *
 * Errors: -ENOMEM, -E2BIG.
 */
int events_add_left_behind(struct chronicle *log, const struct event *event,
                           const struct coord *before, struct coord from, struct coord to);

#endif
