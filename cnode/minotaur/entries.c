/*
 * Maps with integer keys.
 *
 * A BEAM never sends a map with two equal keys, and could not read one back from us; such bytes are
 * refused as not being a map. The array is as long as the map's count says: the term has been
 * validated, so that many pairs are really there.
 */
#include "entries.h"

#include "keyed.h"
#include "memory.h"

#include <errno.h>

/* Read one pair; a bad key is named before its value is looked at. */
static int read_entry(const struct entries *entries, struct import *import,
                      struct cn_reader *reader, int64_t min, const char *what,
                      struct entry *ret_entry)
{
    struct path path = {.up = &entries->path};
    struct cn_reader key_reader;
    struct cn_term value;

    if (!cn_read_term(reader, &path.key) || !cn_read_term(reader, &value))
        return invalid_expected(&import->invalid, &entries->path, "map");
    cn_reader_init(&key_reader, path.key);
    if (!cn_read_integer(&key_reader, &ret_entry->key) || ret_entry->key < min)
        return invalid_expected(&import->invalid, &path, what);
    ret_entry->value = value;
    return 0;
}

static int read_pairs(struct entries *entries, struct import *import, struct cn_reader *reader,
                      int64_t min, const char *what)
{
    for (uint32_t i = 0; i < entries->count; i++) {
        int error = read_entry(entries, import, reader, min, what, &entries->items[i]);

        if (error != 0)
            return error;
    }
    keyed_sort(entries->items, entries->count, sizeof *entries->items);
    if (keyed_has_twins(entries->items, entries->count, sizeof *entries->items))
        return invalid_expected(&import->invalid, &entries->path, "map");
    return 0;
}

int entries_read(struct entries *ret_entries, const struct record *record, unsigned field,
                 int64_t min, const char *what)
{
    struct entries entries = {.path = record_path(record, field)};
    struct cn_reader reader;
    struct cn_term term;
    int error = record_term(record, field, &term);

    if (error != 0)
        return error;
    cn_reader_init(&reader, term);
    if (!cn_read_map(&reader, &entries.count))
        return record_expected(record, field, "map");
    entries.items = memory_array(entries.count, sizeof *entries.items);
    if (entries.items == NULL && entries.count > 0)
        return -ENOMEM;
    error = read_pairs(&entries, record->import, &reader, min, what);
    if (error != 0)
        entries_free(&entries);
    else
        *ret_entries = entries;
    return error;
}

struct path entries_path(const struct entries *entries, uint32_t index)
{
    return (struct path){.up = &entries->path, .number = entries->items[index].key};
}

void entries_free(struct entries *entries)
{
    memory_release(entries->items);
    entries->items = NULL;
    entries->count = 0;
}
