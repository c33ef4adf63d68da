/*
 * How long a name takes is the mean of the last bundles, WINDOW_MS of work or two. One alone says
 * little: a server may have waited for a processor, answers to two bundles may come at once, though
 * a server worked on one after the other, and the clock has whole milliseconds. Time that was lost
 * by waiting has passed and shortens the slice; it need not be believed of the names that follow.
 * What was told when servers had nothing to do has been on its way for as long as the answers about
 * the lock, which is no work.
 *
 * A slice begins with a small bundle, for these names may be those of another node, with many more
 * names, or others may have made the server slower meanwhile. Others go behind it, so that servers
 * need not wait, as long as all are few names; the rest when the first is answered.
 *
 * The lock stands longer than names are told: at the greatest node from its own answer, while the
 * others are asked. That is expected to have taken as long as the answers about the lock took just
 * now, within reason: a slice tells one name at least.
 */
#include "registry/slice.h"

#define SLICE_MS      30u
#define BUNDLE_MS     5u
#define FIRST_MS      2u
#define FIRST_NAMES   8u /* with those behind the first bundle, before that is answered */
#define BUNDLE_MAX    1000u
#define WINDOW_MS     20u
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
    slice->known = false;
    slice->name_us = NAME_US;
    slice->busy_us = BUNDLE_MS * 1000;
    slice->names = BUNDLE_MS * 1000 / NAME_US;
}

void slice_begin(struct slice *slice, uint64_t asked_ms, uint64_t now_ms)
{
    uint64_t since_ms = asked_ms > slice->answered_ms ? asked_ms : slice->answered_ms;

    slice->answer_ms = within((now_ms - since_ms) / CLAIM_ANSWERS, 0, SLICE_MS / 4);
    slice->began_ms = now_ms - slice->answer_ms;
    slice->answered_ms = now_ms;
    slice->told = false;
    slice->answered = false;
}

/* For what is not told yet. */
static uint64_t left_us(const struct slice *slice, uint64_t now_ms)
{
    uint64_t end_ms = slice->began_ms + SLICE_MS;
    uint64_t left = now_ms < end_ms ? (end_ms - now_ms) * 1000 : 0;
    uint64_t open = (uint64_t)slice->open * slice->name_us;

    return left > open ? left - open : 0;
}

uint32_t slice_room(const struct slice *slice, uint64_t now_ms)
{
    uint64_t most_us = slice->told ? BUNDLE_MS * 1000 : FIRST_MS * 1000;
    uint64_t most = within(most_us / slice->name_us, 1, BUNDLE_MAX);
    uint64_t names = within(left_us(slice, now_ms) / slice->name_us, 0, most);

    if (!slice->told)
        return (uint32_t)within(names, 1, most);
    if (slice->answered)
        return (uint32_t)names;
    if (!slice->known || slice->open >= FIRST_NAMES)
        return 0;
    return (uint32_t)within(names, 0, FIRST_NAMES - slice->open);
}

bool slice_is_over(const struct slice *slice, uint64_t now_ms)
{
    return slice->told && left_us(slice, now_ms) < slice->name_us;
}

void slice_told(struct slice *slice, uint32_t names)
{
    slice->idle = slice->idle || slice->open == 0;
    slice->open += names;
    slice->told = true;
}

/* How long servers worked on a bundle that was told at @told_ms. */
static uint64_t work_us(const struct slice *slice, uint64_t told_ms, uint64_t now_ms)
{
    uint64_t since_ms = told_ms > slice->answered_ms ? told_ms : slice->answered_ms;
    uint64_t ms = within(now_ms - since_ms, 0, UINT32_MAX);

    if (slice->idle)
        ms -= within(slice->answer_ms, 0, ms);
    return ms * 1000;
}

void slice_answered(struct slice *slice, uint32_t names, uint64_t told_ms, uint64_t now_ms)
{
    slice->busy_us += work_us(slice, told_ms, now_ms);
    slice->names += names;
    slice->name_us = (uint32_t)within(slice->busy_us / slice->names, NAME_US_MIN, NAME_US_MAX);
    while (slice->busy_us > 2 * WINDOW_MS * 1000 || slice->names > NAMES_MAX) {
        slice->busy_us /= 2;
        slice->names = (uint32_t)within(slice->names / 2, 1, NAMES_MAX);
    }
    slice->open -= names;
    slice->answered_ms = now_ms;
    slice->answered = true;
    slice->known = true;
    slice->idle = false;
}
