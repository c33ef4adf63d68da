/*
 * How long a name takes is the mean of the last bundles, WINDOW_MS of work or two, or that of the
 * latest one if it took longer. One alone says little: answers to two bundles may come at once,
 * though a server worked on one after the other, and the clock has whole milliseconds. A slice
 * begins with a smaller bundle that is answered first: these names may be those of another node,
 * with many more names, or others may have made the server slower meanwhile.
 *
 * The lock stands longer than names are told: at the greatest node from its own answer, while the
 * others are asked, and until all have heard that it is given back. Both are expected to take as
 * long as the answers about the lock took just now, within reason: a slice tells one name at least.
 */
#include "registry/slice.h"

#define SLICE_MS      28u
#define BUNDLE_MS     5u
#define FIRST_MS      2u
#define BUNDLE_MAX    1000u
#define WINDOW_MS     10u
#define NAMES_MAX     10000u /* that the mean is of */
#define NAME_US       600u   /* for a name, before it is known better */
#define NAME_US_MIN   5u
#define NAME_US_MAX   50000u
#define CLAIM_ANSWERS 2u /* one after the other, until a lock is held or given back */

static uint64_t within(uint64_t value, uint64_t least, uint64_t most)
{
    return value < least ? least : value > most ? most : value;
}

void slice_init(struct slice *slice)
{
    *slice = (struct slice){0};
    slice_forget(slice);
}

void slice_forget(struct slice *slice)
{
    slice->name_us = NAME_US;
    slice->busy_us = BUNDLE_MS * 1000;
    slice->names = BUNDLE_MS * 1000 / NAME_US;
}

void slice_begin(struct slice *slice, uint64_t asked_ms, uint64_t now_ms)
{
    slice->answer_ms = within((now_ms - asked_ms) / CLAIM_ANSWERS, 0, SLICE_MS / 4);
    slice->began_ms = now_ms - slice->answer_ms;
    slice->answered_ms = now_ms;
    slice->open = 0;
    slice->told = false;
    slice->answered = false;
}

uint32_t slice_room(const struct slice *slice, uint64_t now_ms)
{
    uint64_t end_ms = slice->began_ms + SLICE_MS - slice->answer_ms;
    uint64_t left_us = now_ms < end_ms ? (end_ms - now_ms) * 1000 : 0;
    uint64_t open_us = (uint64_t)slice->open * slice->name_us;
    uint64_t most_us = slice->answered ? BUNDLE_MS * 1000 : FIRST_MS * 1000;
    uint64_t names = 0;

    if (slice->told && !slice->answered)
        return 0;
    left_us = left_us > open_us ? left_us - open_us : 0;
    names = within(left_us, 0, most_us) / slice->name_us;
    return (uint32_t)within(names, slice->told ? 0 : 1, BUNDLE_MAX);
}

void slice_told(struct slice *slice, uint32_t names)
{
    slice->open += names;
    slice->told = true;
}

void slice_answered(struct slice *slice, uint32_t names, uint64_t told_ms, uint64_t now_ms)
{
    uint64_t since_ms = told_ms > slice->answered_ms ? told_ms : slice->answered_ms;
    uint64_t us = within((now_ms - since_ms) * 1000, 0, UINT32_MAX);
    uint64_t latest_us = us / names;
    uint64_t mean_us = 0;

    slice->open -= names;
    slice->answered_ms = now_ms;
    slice->answered = true;
    slice->busy_us += us;
    slice->names += names;
    mean_us = slice->busy_us / slice->names;
    while (slice->busy_us > 2 * WINDOW_MS * 1000 || slice->names > NAMES_MAX) {
        slice->busy_us /= 2;
        slice->names = within(slice->names / 2, 1, NAMES_MAX);
    }
    slice->name_us = (uint32_t)within(mean_us > latest_us ? mean_us : latest_us, NAME_US_MIN,
                                      NAME_US_MAX);
}
