/*
 * Failed handshakes: a table that is searched from end to end, which is cheap beside a handshake.
 */
#include "net/failures.h"

#include <string.h>

#include "base/text.h"

#define DELAY_STEP_MS 100
#define DOUBLINGS_MAX 5

static struct failure *find(const struct failures *failures, const char *host)
{
    for (size_t i = 0; i < FAILURES_ADDRESSES; i++) {
        if (strcmp(failures->rows[i].host, host) == 0)
            return (struct failure *)&failures->rows[i];
    }
    return NULL;
}

static struct failure *make_room(struct failures *failures)
{
    struct failure *oldest = &failures->rows[0];

    for (size_t i = 0; i < FAILURES_ADDRESSES; i++) {
        struct failure *row = &failures->rows[i];

        if (row->host[0] == '\0')
            return row;
        if (row->last_ms < oldest->last_ms)
            oldest = row;
    }
    return oldest;
}

static bool is_old(const struct failure *row, uint64_t now_ms)
{
    return now_ms - row->last_ms > FAILURES_FORGET_MS;
}

uint32_t failures_note(struct failures *failures, const char *host, uint64_t now_ms)
{
    struct failure *row = find(failures, host);

    if (row == NULL) {
        row = make_room(failures);
        *row = (struct failure){.last_ms = now_ms};
        text_copy(row->host, sizeof(row->host), host);
    }
    if (is_old(row, now_ms))
        row->count = 0;
    row->count++;
    row->last_ms = now_ms;
    return row->count;
}

void failures_forget(struct failures *failures, const char *host)
{
    struct failure *row = find(failures, host);

    if (row != NULL)
        *row = (struct failure){.count = 0};
}

uint32_t failures_delay_ms(const struct failures *failures, const char *host, uint64_t now_ms)
{
    const struct failure *row = find(failures, host);
    uint32_t doublings;
    uint32_t delay_ms;

    if (row == NULL || row->count <= FAILURES_FREE || is_old(row, now_ms))
        return 0;
    doublings = row->count - FAILURES_FREE - 1;
    if (doublings > DOUBLINGS_MAX)
        doublings = DOUBLINGS_MAX;
    delay_ms = DELAY_STEP_MS << doublings;
    return delay_ms > FAILURES_DELAY_MAX_MS ? FAILURES_DELAY_MAX_MS : delay_ms;
}

bool failures_worth_telling(uint32_t count)
{
    return count <= FAILURES_FREE || count % 100 == 0;
}
