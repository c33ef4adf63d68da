/*
 * Indexing atoms.
 *
 * Only heads with an atom in them are looked at; everything between two references is copied in one
 * piece. The bytes are ours or were checked when they came in, so that something wrong with them is
 * an error without a name.
 */
#include "etf/index.h"

#include <errno.h>

#include "base/bytes.h"
#include "etf/head.h"
#include "etf/tags.h"
#include "etf/writer.h"

struct indexing {
    const uint8_t *data;
    etf_atom_index index;
    void *context;
    struct cn_writer *writer;
    size_t copied;
};

/* Replace the atom at @at; returns the place behind it. */
static size_t index_atom(struct indexing *indexing, size_t at)
{
    const uint8_t *data = indexing->data + at;
    bool small = data[0] == TAG_SMALL_ATOM_UTF8 || data[0] == TAG_SMALL_ATOM;
    size_t head = small ? 2 : 3;
    size_t size = small ? data[1] : be16_get(data + 1);
    int index = indexing->index(indexing->context, (struct cn_bytes){data + head, size});

    if (index >= 0) {
        uint8_t reference[2] = {TAG_ATOM_CACHE_REF, (uint8_t)index};

        etf_write_raw(indexing->writer, indexing->data + indexing->copied, at - indexing->copied);
        etf_write_raw(indexing->writer, reference, sizeof(reference));
        indexing->copied = at + head + size;
    }
    return at + head + size;
}

static void index_head(struct indexing *indexing, size_t at)
{
    switch (indexing->data[at]) {
    case TAG_SMALL_ATOM_UTF8:
    case TAG_ATOM_UTF8:
    case TAG_SMALL_ATOM:
    case TAG_ATOM:
        index_atom(indexing, at);
        break;
    case TAG_NEW_PID:
    case TAG_NEW_PORT:
    case TAG_V4_PORT:
        index_atom(indexing, at + 1);
        break;
    case TAG_NEWER_REFERENCE:
        index_atom(indexing, at + 3);
        break;
    case TAG_EXPORT:
        index_atom(indexing, index_atom(indexing, at + 1));
        break;
    default:
        break;
    }
}

int etf_index(const uint8_t *data, size_t size, etf_atom_index index, void *context,
              struct cn_writer *writer)
{
    struct indexing indexing = {.data = data, .index = index, .context = context, .writer = writer};
    size_t at = 0;

    while (at < size) {
        struct etf_head head;

        if (etf_head_pass(data + at, size - at, &head) != 0)
            return -EINVAL;
        index_head(&indexing, at);
        at += head.size;
    }
    if (indexing.copied < size)
        etf_write_raw(writer, data + indexing.copied, size - indexing.copied);
    return cn_writer_error(writer);
}
