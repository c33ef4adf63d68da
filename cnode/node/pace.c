/*
 * The pace. The bounds of a pause for each answer: no BEAM takes an answer and calls again in less
 * than twice the lower one; the upper one is that for calls with large answers.
 */
#include "node/pace.h"

#define EACH_US_MIN 6
#define EACH_US_MAX 24

void pace_init(struct pace *pace)
{
    *pace = (struct pace){.pause_us_each = EACH_US_MIN};
}

uint64_t pace_turn_begins(const struct pace *pace, uint64_t now_us)
{
    uint64_t reading_us = now_us - pace->turn_ended_us;

    return now_us + (pace->work_left && reading_us > PACE_TURN_US ? reading_us : PACE_TURN_US);
}

void pace_note_left(struct pace *pace, uint32_t left_percent)
{
    if (!pace->paused)
        return;
    if (left_percent >= 50 && pace->pause_us_each < EACH_US_MAX)
        pace->pause_us_each++;
    else if (left_percent < 25)
        pace->pause_us_each = EACH_US_MIN;
}

uint32_t pace_pause_us(struct pace *pace, bool work_left, uint32_t answers)
{
    uint32_t pause_us = answers < PACE_PAUSE_US_MAX ? answers * pace->pause_us_each
                                                    : PACE_PAUSE_US_MAX;

    pace->work_left = work_left;
    pace->paused = !work_left && answers >= PACE_ANSWERS_MIN;
    if (!pace->paused)
        return 0;
    return pause_us < PACE_PAUSE_US_MAX ? pause_us : PACE_PAUSE_US_MAX;
}

void pace_turn_ended(struct pace *pace, uint64_t now_us)
{
    pace->turn_ended_us = now_us;
}
