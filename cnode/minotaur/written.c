/*
 * Keeping written pairs. Without memory for a pair everything is forgotten and the export fails, as
 * it does without memory for its own bytes.
 */
#include "written.h"

#include "atoms.h"

static void start(struct written_pairs *pairs)
{
    cn_writer_init(&pairs->bytes, INT32_MAX);
    cn_writer_use_words(&pairs->bytes, &game_atoms);
}

void written_write(struct written_pairs *pairs, const void *game, written_pair_fn write_pair,
                   uint32_t count, struct cn_writer *writer)
{
    uint32_t kept = count < WRITTEN_PAIRS_MAX ? count : WRITTEN_PAIRS_MAX;

    if (pairs->count == 0)
        start(pairs);
    for (; pairs->count < kept; pairs->count++)
        write_pair(game, &pairs->bytes, pairs->count);
    cn_write_written(writer, &pairs->bytes);
    if (cn_writer_error(&pairs->bytes) != 0)
        written_forget(pairs);
    for (uint32_t i = kept; i < count; i++)
        write_pair(game, writer, i);
}

void written_forget(struct written_pairs *pairs)
{
    cn_writer_free(&pairs->bytes);
    pairs->count = 0;
}
