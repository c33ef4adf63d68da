/*
 * Weights by Erlang's portable hash, and a sort. The only failure is memory for the hashed term.
 */
#include "session/placement.h"

#include <stdlib.h>
#include <string.h>

#include "etf/phash2.h"

int placement_weight(struct cn_bytes id, const char *node, uint32_t *ret_weight)
{
    struct cn_writer writer;
    int error;

    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_binary(&writer, id);
    cn_write_atom(&writer, node);
    error = cn_writer_error(&writer);
    if (error == 0)
        *ret_weight = etf_phash2(cn_writer_term(&writer));
    cn_writer_free(&writer);
    return error;
}

static int compare(const void *a, const void *b)
{
    const struct candidate *left = a;
    const struct candidate *right = b;

    if (left->preferred != right->preferred)
        return left->preferred ? -1 : 1;
    if (left->weight != right->weight)
        return left->weight > right->weight ? -1 : 1;
    return strcmp(right->node, left->node);
}

void placement_sort(struct candidate *candidates, size_t count)
{
    qsort(candidates, count, sizeof(*candidates), compare);
}
