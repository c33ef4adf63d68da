/*
 * The pace of the node's turns: how long to handle messages, and how long to gather input.
 *
 * One turn of the loop runs who has messages, then writes what they said. Messages that were read
 * faster than they are handled would fill a mailbox until its limit ends the process. So running
 * goes on until nothing is left, for at least PACE_TURN_US, and in a node that is never done for as
 * long as reading took since the last turn: whatever comes in, half of the time is for handling it.
 * Reading has its own budget (net/connections.h), so a turn stays short.
 *
 * Gathering is the one place where the node's thread waits, PACE_PAUSE_US_MAX at most, with input
 * at hand: a read, a write, a wake-up and a sleep cost more than some calls do, and many calls can
 * share them. Nobody loses by it, since it waits only while every node that calls has answers that
 * it has not taken yet, eight at least: these keep it busy. How long is found by trying: a pause in
 * which somebody took most of his answers was too long, one in which all took less than half can
 * be longer. Where somebody has but few callers nobody waits.
 */
#ifndef NODE_PACE_H
#define NODE_PACE_H

#include <stdbool.h>
#include <stdint.h>

/** How long a turn runs processes at least, while they have messages. */
#define PACE_TURN_US 2000
/** The longest pause. */
#define PACE_PAUSE_US_MAX 1000
/** The fewest answers for which one pauses. */
#define PACE_ANSWERS_MIN 8

/** The pace. Private. */
struct pace {
    uint64_t turn_ended_us;
    uint32_t pause_us_each; /* for each answer that is out */
    bool work_left;         /* the latest turn did not handle everything */
    bool paused;            /* before the present turn */
};

/** Start. */
void pace_init(struct pace *pace);
/** A turn begins: give the microsecond until which it may run. */
uint64_t pace_turn_begins(const struct pace *pace, uint64_t now_us);
/**
 * Note, at the start of a turn, what part of the answers that were out at the end of the last one
 * its quickest taker has left, in percent.
 */
void pace_note_left(struct pace *pace, uint32_t left_percent);
/**
 * A turn has run, and left work or not; @answers are out at the peer with the fewest. Gives how
 * long to gather input, in microseconds; 0: not at all.
 */
uint32_t pace_pause_us(struct pace *pace, bool work_left, uint32_t answers);
/** The turn is over, with its pause. */
void pace_turn_ended(struct pace *pace, uint64_t now_us);

#endif
