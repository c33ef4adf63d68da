/*
 * A large signal on its way out.
 *
 * Fails never: whoever makes the signal has found the memory.
 */
#include "dist/fragments_out.h"

#include "base/assert.h"
#include "base/bytes.h"

#define LENGTH_BYTES 4

uint64_t fragments_out_count(size_t size)
{
    return size == 0 ? 1 : (size - 1) / FRAGMENT_TERM_BYTES + 1;
}

void fragments_out_deinit(struct fragments_out *out)
{
    for (size_t i = 0; i < FRAGMENT_PIECES_MAX; i++)
        shared_put(out->pieces[i].owner);
    *out = (struct fragments_out){0};
}

size_t fragments_out_bytes(const struct fragments_out *out)
{
    size_t bytes = 0;

    for (size_t i = 0; i < FRAGMENT_PIECES_MAX; i++)
        bytes += out->pieces[i].size;
    return bytes;
}

static size_t next_size(const struct fragments_out *out)
{
    return out->left > 1 ? FRAGMENT_TERM_BYTES : fragments_out_bytes(out);
}

void fragments_out_write_head(const struct fragments_out *out, bool first, size_t header_size,
                              uint8_t head[FRAGMENT_HEAD_BYTES])
{
    size_t size = FRAGMENT_HEAD_BYTES - LENGTH_BYTES + header_size + next_size(out);

    be32_put(head, (uint32_t)size);
    head[4] = 131;
    head[5] = first ? 'E' : 'F';
    be64_put(head + 6, out->id);
    be64_put(head + 14, out->left);
}

size_t fragments_out_cut(struct fragments_out *out,
                         struct shared_bytes ret_views[FRAGMENT_PIECES_MAX])
{
    size_t wanted = next_size(out);
    size_t count = 0;

    cn_assert(out->left > 0 && wanted <= FRAGMENT_TERM_BYTES);
    for (size_t i = 0; i < FRAGMENT_PIECES_MAX && wanted > 0; i++) {
        struct shared_bytes *piece = &out->pieces[i];
        size_t size = piece->size < wanted ? piece->size : wanted;

        if (size == 0)
            continue;
        ret_views[count++] = (struct shared_bytes){piece->data, size, piece->owner};
        piece->data += size;
        piece->size -= size;
        wanted -= size;
    }
    cn_assert(wanted == 0);
    out->left--;
    return count;
}
