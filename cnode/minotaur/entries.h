/*
 * Reading a map whose keys are integers: by player id, by event id.
 *
 * Gives the entries sorted by key, each with a view of its value, so that the arrays made from them
 * are sorted and errors are found in the same order whatever order the pairs came in.
 */
#ifndef CNODE_MINOTAUR_ENTRIES_H
#define CNODE_MINOTAUR_ENTRIES_H

#include "record.h"

struct entry {
    int64_t key;
    struct cn_term value;
};

struct entries {
    struct path path; /* of the map; its steps up live with the record it was read from */
    struct entry *items;
    uint32_t count;
};

/**
 * Read the map in a field, its keys being integers of at least @min, which the error calls @what.
 *
 * Ownership: @ret_entries is the caller's, for entries_free; it refers to @record.
 * Errors: 1 with the error written, or -ENOMEM/-E2BIG.
 */
int entries_read(struct entries *ret_entries, const struct record *record, unsigned field,
                 int64_t min, const char *what);
/** Give the path of an entry. */
struct path entries_path(const struct entries *entries, uint32_t index);
/** Release the entries; zeroed or freed ones are fine. */
void entries_free(struct entries *entries);

#endif
