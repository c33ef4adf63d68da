/*
 * Looking out for input for a moment before the loop sleeps.
 *
 * To sleep and be woken costs more than a small call does, on a virtual machine several times as
 * much. So where input lately came soon after the loop had nothing left to do, the loop first looks
 * for it, LOOKOUT_US at most, as the schedulers of a BEAM do. A node that is idle, or called
 * now and then, does not: what it waited lately says so. Nor does one that somebody else is
 * kept waiting by: between two looks the processor is offered to others, and when one took it the
 * loop sleeps like everybody for a while: a short one at first, since an interrupt or the machine's
 * host takes as long as a neighbour does, now and then, and four times as long whenever it happens
 * again; a quarter less after each look in which nobody did.
 */
#ifndef NET_LOOKOUT_H
#define NET_LOOKOUT_H

#include <stdbool.h>
#include <stdint.h>

/** How long to look at most, and how soon input must lately have come. */
#define LOOKOUT_US 100
/** How long not to look again when others wanted the processor. */
#define LOOKOUT_CROWDED_US_MIN 2000
#define LOOKOUT_CROWDED_US_MAX 50000

/** What waiting was like. All zero at the start. Private. */
struct lookout {
    uint64_t since_us;   /* when the present wait began; 0: none */
    uint64_t lately_us;  /* how long it took lately until input came, in the middle */
    uint64_t crowded_us; /* how long to step back, when it happened last */
    uint64_t crowded_until_us;
};

/** Tell whether to look: input lately came soon, and nobody else wanted the processor. */
bool lookout_pays(const struct lookout *lookout, uint64_t now_us);
/**
 * Tell whether to look once more, after a look that began at @before_us; for lookout_begin and its
 * test. Notes when somebody took the processor meanwhile.
 */
bool lookout_again(struct lookout *lookout, uint64_t before_us, uint64_t now_us);
/** A wait for input on @fd, a queue of events, begins: return when there is some, or sleep now. */
void lookout_begin(struct lookout *lookout, int fd);
/** The wait is over, input was taken. */
void lookout_end(struct lookout *lookout);

#endif
