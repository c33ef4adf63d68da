/*
 * Reading one struct of a term: its known fields by number, the others kept.
 *
 * A map's pairs come in any order, but errors are to be named in the order of RULES.md. So a struct
 * is read in two steps: record_read finds all fields in one walk, then each record_* looks at one
 * of them. Every function returns 0, 1 with the error written, or -ENOMEM/-E2BIG.
 */
#ifndef CNODE_MINOTAUR_RECORD_H
#define CNODE_MINOTAUR_RECORD_H

#include "invalid.h"
#include "shapes.h"

/** What reading a game needs throughout. */
struct import {
    struct invalid invalid;
    struct cn_writer kept; /* the terms that are only carried; becomes game.bytes */
    int64_t version;       /* the state's version as it came in */
    int64_t game_round;    /* for the upgrade of events */
};

/** A struct being read. Lives on the stack, as long as the term and the path. */
struct record {
    struct import *import;
    const struct path *path;
    const struct shape *shape;
    struct cn_term values[SHAPE_FIELDS_MAX]; /* data NULL: no such field */
    uint32_t extras;                         /* the unknown fields, kept; 0: none */
};

/** Append @term to what is kept and give its offset (never 0). */
int import_keep(struct import *import, struct cn_term term, uint32_t *ret_offset);

/** Find the fields of the struct @term, which is at @path and must be of @shape. */
int record_read(struct record *ret_record, struct import *import, const struct path *path,
                const struct shape *shape, struct cn_term term);
/** Tell whether @term is a map whose __struct__ is the module of @shape. */
bool record_is(const struct shape *shape, struct cn_term term);
/** Give the path of a field. */
struct path record_path(const struct record *record, unsigned field);
/** Say that a field is not @what. */
int record_expected(const struct record *record, unsigned field, const char *what);

/** View a field that must be there. */
int record_term(const struct record *record, unsigned field, struct cn_term *ret_term);
/** Read an integer of 64 bits. */
int record_integer(const struct record *record, unsigned field, int64_t *ret_value);
/** Read an integer of at least @min, which the error calls @what. */
int record_integer_from(const struct record *record, unsigned field, int64_t min, const char *what,
                        int64_t *ret_value);
/** Read such an integer that must also equal @key, the key under which the struct was found. */
int record_key(const struct record *record, unsigned field, int64_t min, const char *what,
               int64_t key);
/** Read one of @atoms (ended by NULL) as its index. */
int record_one_of(const struct record *record, unsigned field, const char *const *atoms,
                  uint8_t *ret_index);
/** Keep a field of any type. */
int record_keep(const struct record *record, unsigned field, uint32_t *ret_offset);
/** Keep a field that must be a binary. */
int record_keep_binary(const struct record *record, unsigned field, uint32_t *ret_offset);

#endif
