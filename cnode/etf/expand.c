/*
 * Expanding references to atoms.
 *
 * The walk is the walker's. Atoms stand alone, or inside pids, ports, references, external funs and
 * the fixed part of local funs; each head is looked through for them. A local fun tells its own
 * size, which grows with its atoms and is put right when its end is reached.
 *
 * How it fails: a small term can name a long atom often, so the result is held against the writer's
 * limit with every piece.
 */
#include "etf/expand.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "etf/head.h"
#include "etf/keys.h"
#include "etf/levels.h"
#include "etf/tags.h"
#include "etf/writer.h"

struct expansion {
    const uint8_t *data;
    const struct cn_bytes *atoms;
    uint32_t count;
    struct cn_writer *writer;
    size_t start;  /* of the result in the writer */
    size_t copied; /* bytes of data that are in the result */
    bool changed;
    bool maps; /* whose keys must be looked at */
};

/*
 * Give the head at @data if it is one of those that every call has several of; false: ask the
 * walker. What is taken here is what the walker would say.
 */
static inline bool common_head(const uint8_t *data, size_t left, uint32_t atoms,
                               struct etf_head *head)
{
    *head = (struct etf_head){.size = 2};
    if (left < 5 + 1)
        return false;
    switch (data[0]) {
    case TAG_SMALL_INTEGER:
        return true;
    case TAG_ATOM_CACHE_REF:
        return data[1] < atoms;
    case TAG_SMALL_TUPLE:
        head->children = data[1];
        return data[1] <= left - 2;
    case TAG_NEW_PID:
        head->size = 1 + 2 + 12;
        return data[1] == TAG_ATOM_CACHE_REF && data[2] < atoms && left >= head->size;
    case TAG_NEWER_REFERENCE:
        head->size = 3 + 2 + 4 + 4 * (size_t)data[2];
        return data[1] == 0 && data[2] >= 1 && data[2] <= 5 && data[3] == TAG_ATOM_CACHE_REF &&
               data[4] < atoms && left >= head->size;
    default:
        return false;
    }
}

static void copy_to(struct expansion *expansion, size_t at)
{
    etf_write_raw(expansion->writer, expansion->data + expansion->copied, at - expansion->copied);
    expansion->copied = at;
}

/* Write out the atom at @at if it is a reference; returns the place behind it. */
static size_t expand_atom(struct expansion *expansion, size_t at)
{
    const uint8_t *data = expansion->data + at;
    size_t before = at - expansion->copied;
    struct cn_bytes text;
    size_t head;
    uint8_t *to;

    if (data[0] == TAG_SMALL_ATOM_UTF8 || data[0] == TAG_SMALL_ATOM)
        return at + 2 + data[1];
    if (data[0] != TAG_ATOM_CACHE_REF)
        return at + 3 + be16_get(data + 1);
    text = expansion->atoms[data[1]];
    head = text.size <= UINT8_MAX ? 2 : 3;
    to = etf_write_room(expansion->writer, before + head + text.size);
    if (to == NULL)
        return at + 2;
    memcpy(to, expansion->data + expansion->copied, before);
    to += before;
    to[0] = head == 2 ? TAG_SMALL_ATOM_UTF8 : TAG_ATOM_UTF8;
    if (head == 2)
        to[1] = (uint8_t)text.size;
    else
        be16_put(to + 1, (uint16_t)text.size);
    if (text.size > 0)
        memcpy(to + head, text.data, text.size);
    expansion->copied = at + 2;
    expansion->changed = true;
    return at + 2;
}

static size_t pass_integer(const uint8_t *data, size_t at)
{
    return at + (data[at] == TAG_INTEGER ? 5 : 2);
}

/* Module and pid of the local fun at @at; gives where its size is in the result. */
static size_t expand_fun(struct expansion *expansion, size_t at)
{
    size_t place;

    copy_to(expansion, at);
    place = expansion->writer->size + 1;
    at = expand_atom(expansion, at + ETF_FUN_BYTES);
    at = pass_integer(expansion->data, at);
    at = pass_integer(expansion->data, at);
    expand_atom(expansion, at + 1);
    return place;
}

/* The local fun ends at @at: tell its size, which is at @place. */
static void finish_fun(struct expansion *expansion, size_t at, size_t place)
{
    copy_to(expansion, at);
    if (cn_writer_error(expansion->writer) == 0)
        be32_put(expansion->writer->data + place, (uint32_t)(expansion->writer->size - place));
}

static void expand_head(struct expansion *expansion, size_t at, const struct etf_head *head,
                        struct etf_level *level)
{
    size_t place;

    switch (expansion->data[at]) {
    case TAG_ATOM_CACHE_REF:
        expand_atom(expansion, at);
        break;
    case TAG_NEW_PID:
    case TAG_NEW_PORT:
    case TAG_V4_PORT:
        expand_atom(expansion, at + 1);
        break;
    case TAG_NEWER_REFERENCE:
        expand_atom(expansion, at + 3);
        break;
    case TAG_EXPORT:
        expand_atom(expansion, expand_atom(expansion, at + 1));
        break;
    case TAG_NEW_FUN:
        place = expand_fun(expansion, at);
        if (head->children > 0)
            level->place = place;
        else
            finish_fun(expansion, at + head->size, place);
        break;
    default:
        break;
    }
}

static int expand(struct expansion *expansion, size_t size, size_t *ret_size)
{
    struct etf_levels levels;
    size_t at = 0;

    etf_levels_init(&levels, NULL);
    while (levels.now.left > 0) {
        struct etf_head head;
        int r = 0;

        if (!common_head(expansion->data + at, size - at, expansion->count, &head))
            r = etf_head_read(expansion->data + at, size - at, expansion->count, &head);
        if (r == 0)
            r = etf_levels_enter(&levels, &head, at, expansion->data[at]);
        if (r != 0)
            return r;
        expand_head(expansion, at, &head, &levels.now);
        if (cn_writer_error(expansion->writer) != 0)
            return cn_writer_error(expansion->writer);
        at += head.size;
        for (; etf_levels_done(&levels); etf_levels_leave(&levels)) {
            if (levels.now.end == 0)
                continue;
            if (levels.now.end != at)
                return CN_E_TERM_VALUE;
            finish_fun(expansion, at, levels.now.place);
        }
    }
    expansion->maps = levels.maps;
    *ret_size = at;
    return 0;
}

int etf_expand_start(const uint8_t *data, size_t size, const struct cn_bytes *atoms, uint32_t count,
                     struct cn_writer *writer, struct cn_bytes *ret_start, struct cn_bytes *ret_end,
                     bool *ret_maps)
{
    struct expansion expansion = {
        .data = data, .atoms = atoms, .count = count, .writer = writer, .start = writer->size};
    size_t taken = 0;
    int r = expand(&expansion, size, &taken);

    if (r != 0)
        return r;
    if (!expansion.changed) {
        writer->size = expansion.start;
        expansion.copied = 0;
    }
    if (writer->size - expansion.start + taken - expansion.copied > writer->size_max)
        return -E2BIG;
    *ret_start = (struct cn_bytes){NULL, 0};
    if (expansion.changed)
        *ret_start = (struct cn_bytes){writer->data + expansion.start,
                                       writer->size - expansion.start};
    *ret_end = (struct cn_bytes){data + expansion.copied, taken - expansion.copied};
    *ret_maps = expansion.maps;
    return 0;
}

int etf_expand(const uint8_t *data, size_t size, const struct cn_bytes *atoms, uint32_t count,
               struct cn_writer *writer, struct cn_term *ret_term, size_t *ret_size)
{
    size_t before = writer->size;
    struct cn_bytes start;
    struct cn_bytes end;
    struct cn_term term;
    bool maps;
    int r = etf_expand_start(data, size, atoms, count, writer, &start, &end, &maps);

    if (r != 0)
        return r;
    term = (struct cn_term){end.data, end.size};
    if (start.size > 0) {
        etf_write_raw(writer, end.data, end.size);
        if (cn_writer_error(writer) != 0)
            return cn_writer_error(writer);
        term = (struct cn_term){writer->data + before, writer->size - before};
    }
    r = maps ? etf_keys_check(term.data, term.size) : 0;
    if (r != 0)
        return r;
    *ret_term = term;
    *ret_size = (size_t)(end.data - data) + end.size;
    return 0;
}
