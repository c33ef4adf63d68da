/*
 * Fragments that come in.
 *
 * A BEAM numbers a sequence by its sender, who sends one large signal at a time, and counts the
 * fragments down to 1. Anything else ends the connection, as it would on a BEAM.
 */
#include "dist/fragments.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/list.h"

void fragments_init(struct fragments *fragments, const struct fragment_limits *limits)
{
    *fragments = (struct fragments){.limits = *limits};
}

void fragments_deinit(struct fragments *fragments)
{
    struct fragment_sequence *sequence;
    struct fragment_sequence *next;

    map_for_each(fragments->by_id, sequence, next)
    {
        map_remove(fragments->by_id, sequence);
        fragment_sequence_free(sequence);
    }
    fragments->bytes = 0;
    fragments->atom_bytes = 0;
}

static void release(struct shared *shared)
{
    struct fragment_sequence *sequence = container_of(shared, struct fragment_sequence, shared);

    bytes_deinit(&sequence->data);
    mem_free(sequence->atoms);
    mem_free(sequence);
}

struct fragment_sequence *fragment_sequence_free(struct fragment_sequence *sequence)
{
    if (sequence != NULL)
        shared_put(&sequence->shared);
    return NULL;
}

struct cn_bytes fragment_sequence_bytes(const struct fragment_sequence *sequence)
{
    size_t size = bytes_size(&sequence->data);

    if (size <= FRAGMENTS_ROOM)
        return (struct cn_bytes){NULL, 0};
    return (struct cn_bytes){bytes_data(&sequence->data) + FRAGMENTS_ROOM, size - FRAGMENTS_ROOM};
}

/* Copy the atoms of a table and their texts into one piece of memory. */
static int keep_atoms(struct fragment_sequence *sequence, const struct atom_table *atoms)
{
    uint8_t *text;

    if (atoms->count == 0)
        return 0;
    sequence->atoms = mem_alloc(sequence->atom_bytes);
    if (sequence->atoms == NULL)
        return -ENOMEM;
    text = (uint8_t *)(sequence->atoms + atoms->count);
    sequence->atom_count = atoms->count;
    for (uint32_t i = 0; i < atoms->count; i++) {
        if (atoms->texts[i].size > 0)
            memcpy(text, atoms->texts[i].data, atoms->texts[i].size);
        sequence->atoms[i] = (struct cn_bytes){text, atoms->texts[i].size};
        text += atoms->texts[i].size;
    }
    return 0;
}

static int make_room(struct fragment_sequence *sequence)
{
    uint8_t *place;
    int rc = bytes_reserve(&sequence->data, FRAGMENTS_ROOM, &place);

    if (rc != 0)
        return rc;
    memset(place, 0, FRAGMENTS_ROOM);
    bytes_commit(&sequence->data, FRAGMENTS_ROOM);
    return 0;
}

static size_t bytes_of_atoms(const struct atom_table *atoms)
{
    size_t size = atoms->count * sizeof(atoms->texts[0]);

    for (uint32_t i = 0; i < atoms->count; i++)
        size += atoms->texts[i].size;
    return size;
}

/* The sequence is no longer held. */
static void uncount(struct fragments *fragments, const struct fragment_sequence *sequence)
{
    fragments->bytes -= fragment_sequence_bytes(sequence).size;
    fragments->atom_bytes -= sequence->atom_bytes;
}

static int append(struct fragments *fragments, struct fragment_sequence *sequence,
                  struct cn_bytes data)
{
    int rc;

    if (data.size > fragments->limits.bytes_max - fragments->bytes)
        return CN_E_LIMIT;
    rc = data.size > 0 ? bytes_append(&sequence->data, data.data, data.size) : 0;
    if (rc == 0)
        fragments->bytes += data.size;
    return rc == -E2BIG ? CN_E_LIMIT : rc;
}

int fragments_start(struct fragments *fragments, uint64_t id, uint64_t fragment,
                    const struct atom_table *atoms, struct cn_bytes data)
{
    size_t atom_bytes = bytes_of_atoms(atoms);
    struct fragment_sequence *sequence;
    int rc;

    map_find(fragments->by_id, &id, sizeof(id), sequence);
    if (sequence != NULL || fragment < 2)
        return CN_E_INVALID;
    if (map_count(fragments->by_id) >= fragments->limits.sequences_max ||
        atom_bytes > fragments->limits.atom_bytes_max - fragments->atom_bytes)
        return CN_E_LIMIT;
    sequence = mem_zalloc(sizeof(*sequence));
    if (sequence == NULL)
        return -ENOMEM;
    shared_init(&sequence->shared, release);
    sequence->id = id;
    sequence->next = fragment - 1;
    sequence->atom_bytes = atom_bytes;
    bytes_init(&sequence->data, FRAGMENTS_ROOM + fragments->limits.sequence_bytes_max);
    fragments->atom_bytes += atom_bytes;
    rc = keep_atoms(sequence, atoms);
    if (rc == 0)
        rc = make_room(sequence);
    if (rc == 0)
        rc = append(fragments, sequence, data);
    if (rc == 0 && !map_add(fragments->by_id, &sequence->id, sizeof(id), sequence))
        rc = -ENOMEM;
    if (rc != 0) {
        uncount(fragments, sequence);
        fragment_sequence_free(sequence);
    }
    return rc;
}

int fragments_add(struct fragments *fragments, uint64_t id, uint64_t fragment, struct cn_bytes data,
                  struct fragment_sequence **ret_done)
{
    struct fragment_sequence *sequence;
    int rc;

    map_find(fragments->by_id, &id, sizeof(id), sequence);
    if (sequence == NULL || sequence->next != fragment)
        return CN_E_INVALID;
    rc = append(fragments, sequence, data);
    if (rc != 0)
        return rc;
    *ret_done = NULL;
    sequence->next--;
    if (sequence->next > 0)
        return 0;
    map_remove(fragments->by_id, sequence);
    uncount(fragments, sequence);
    *ret_done = sequence;
    return 0;
}
