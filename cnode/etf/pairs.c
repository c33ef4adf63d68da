/*
 * Sorting a map's pairs by key.
 *
 * A merge sort over views, not qsort: when a comparison runs out of effort its answers need not fit
 * together, which qsort may punish with a write beyond the array. Without memory, a step is one
 * pass over the map that keeps the smallest key above the last one: quadratic, but right.
 */
#include "etf/pairs.h"

#include <string.h>

#include "base/alloc.h"

static int compare_keys(const struct etf_pairs *pairs, const struct etf_pair *a,
                        const struct etf_pair *b)
{
    return etf_compare_inside(a->key, b->key, pairs->how);
}

static bool read_pair(struct cn_reader *reader, struct etf_pair *pair)
{
    return cn_read_term(reader, &pair->key) && cn_read_term(reader, &pair->value);
}

/* Merge from[start, middle) and from[middle, end), each sorted, into to[start, end). */
static void merge(const struct etf_pairs *pairs, const struct etf_pair *from, struct etf_pair *to,
                  size_t start, size_t middle, size_t end)
{
    size_t left = start;
    size_t right = middle;

    for (size_t at = start; at < end; at++) {
        bool take_left = left < middle &&
                         (right == end || compare_keys(pairs, &from[left], &from[right]) <= 0);

        to[at] = take_left ? from[left++] : from[right++];
    }
}

/* Sort @count pairs at @data, with as much room behind them. */
static void sort(const struct etf_pairs *pairs, struct etf_pair *data, size_t count)
{
    struct etf_pair *from = data;
    struct etf_pair *to = data + count;

    for (size_t run = 1; run < count; run *= 2) {
        struct etf_pair *swap = from;

        for (size_t start = 0; start < count; start += 2 * run) {
            size_t middle = start + run < count ? start + run : count;
            size_t end = middle + run < count ? middle + run : count;

            merge(pairs, from, to, start, middle, end);
        }
        from = to;
        to = swap;
    }
    if (from != data)
        memcpy(data, from, count * sizeof(*data));
}

bool etf_pairs_init(struct etf_pairs *pairs, struct cn_reader *reader, uint32_t count,
                    struct etf_comparison how)
{
    size_t start = reader->at;
    struct etf_pair pair;

    *pairs = (struct etf_pairs){.count = count, .how = how};
    pairs->how.exact = true;
    pairs->how.equal_only = false;
    pairs->sorted = mem_alloc(2 * (size_t)count * sizeof(pair));
    for (uint32_t i = 0; i < count; i++) {
        if (!read_pair(reader, &pair))
            return false;
        if (pairs->sorted != NULL)
            pairs->sorted[i] = pair;
    }
    pairs->body = (struct cn_term){reader->data + start, reader->at - start};
    if (pairs->sorted != NULL)
        sort(pairs, pairs->sorted, count);
    return true;
}

/* Find the smallest key above the last one given. */
static bool find_next(struct etf_pairs *pairs, struct etf_pair *ret_pair)
{
    struct cn_reader reader;
    struct etf_pair pair;
    bool found = false;

    cn_reader_init(&reader, pairs->body);
    for (uint32_t i = 0; i < pairs->count && read_pair(&reader, &pair); i++) {
        if (pairs->at > 0 && compare_keys(pairs, &pair, &pairs->last) <= 0)
            continue;
        if (!found || compare_keys(pairs, &pair, ret_pair) < 0)
            *ret_pair = pair;
        found = true;
    }
    return found;
}

bool etf_pairs_next(struct etf_pairs *pairs, struct etf_pair *ret_pair)
{
    if (pairs->at == pairs->count)
        return false;
    if (pairs->sorted != NULL)
        *ret_pair = pairs->sorted[pairs->at];
    else if (!find_next(pairs, ret_pair))
        return false;
    pairs->last = *ret_pair;
    pairs->at++;
    return true;
}

void etf_pairs_deinit(struct etf_pairs *pairs)
{
    mem_free(pairs->sorted);
    pairs->sorted = NULL;
}
