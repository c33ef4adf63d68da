/*
 * Binary search, gaps and sorting over items that begin with their key.
 *
 * Nothing here allocates and nothing can fail. A BEAM writes small maps in the order of their keys,
 * so sorting first looks whether there is anything to sort.
 */
#include "keyed.h"

#include <stdlib.h>
#include <string.h>

static int64_t key_at(const void *items, size_t item_bytes, uint32_t index)
{
    int64_t key;

    memcpy(&key, (const char *)items + index * item_bytes, sizeof key);
    return key;
}

uint32_t keyed_search(const void *items, uint32_t count, size_t item_bytes, int64_t key,
                      bool *ret_found)
{
    uint32_t low = 0;
    uint32_t high = count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (key_at(items, item_bytes, middle) < key)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_found = low < count && key_at(items, item_bytes, low) == key;
    return low;
}

void *keyed_find(const void *items, uint32_t count, size_t item_bytes, int64_t key)
{
    bool found;
    uint32_t index = keyed_search(items, count, item_bytes, key, &found);

    return found ? (char *)items + index * item_bytes : NULL;
}

void keyed_open_gap(void *items, uint32_t count, size_t item_bytes, uint32_t at)
{
    char *gap = (char *)items + at * item_bytes;

    memmove(gap + item_bytes, gap, (count - at) * item_bytes);
    memset(gap, 0, item_bytes);
}

void keyed_close_gap(void *items, uint32_t count, size_t item_bytes, uint32_t at)
{
    char *gap = (char *)items + at * item_bytes;

    memmove(gap, gap + item_bytes, (count - at - 1) * item_bytes);
}

static int compare_keys(const void *a, const void *b)
{
    int64_t key_a = key_at(a, 0, 0);
    int64_t key_b = key_at(b, 0, 0);

    return key_a < key_b ? -1 : key_a > key_b;
}

void keyed_sort(void *items, uint32_t count, size_t item_bytes)
{
    for (uint32_t i = 1; i < count; i++) {
        if (key_at(items, item_bytes, i - 1) > key_at(items, item_bytes, i)) {
            qsort(items, count, item_bytes, compare_keys);
            return;
        }
    }
}

bool keyed_has_twins(const void *items, uint32_t count, size_t item_bytes)
{
    for (uint32_t i = 1; i < count; i++)
        if (key_at(items, item_bytes, i - 1) == key_at(items, item_bytes, i))
            return true;
    return false;
}
