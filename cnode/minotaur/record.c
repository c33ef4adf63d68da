/*
 * Reading structs: one walk over the pairs, then field by field.
 *
 * Unknown fields are kept as one map term of their own, which needs their count before the first of
 * them: a second walk, over the few structs that have any. A struct that says a known field twice
 * is no map of Erlang's and is refused as not being the struct.
 */
#include "record.h"

#include <string.h>

int import_keep(struct import *import, struct cn_term term, uint32_t *ret_offset)
{
    uint32_t offset;

    /* Offset 0 means "none": something must stand there. */
    if (cn_writer_term(&import->kept).size == 0)
        cn_write_nil(&import->kept);
    offset = (uint32_t)cn_writer_term(&import->kept).size;
    cn_write_term(&import->kept, term);
    if (cn_writer_error(&import->kept) != 0)
        return cn_writer_error(&import->kept);
    *ret_offset = offset;
    return 0;
}

enum {
    FIELD_STRUCT = -1,
    FIELD_UNKNOWN = -2,
};

/* Give the number of the field that the key @key names. */
static int field_of(const struct shape *shape, struct cn_term key)
{
    struct cn_reader reader;
    struct cn_bytes text;

    cn_reader_init(&reader, key);
    if (cn_peek(&reader) != CN_TYPE_ATOM || !cn_read_atom(&reader, &text))
        return FIELD_UNKNOWN;
    for (unsigned i = 0; i < shape->field_count; i++)
        if (cn_bytes_equal(text, atom_text(shape->fields[i])))
            return (int)i;
    return cn_bytes_equal(text, "__struct__") ? FIELD_STRUCT : FIELD_UNKNOWN;
}

/* Find the known fields in one walk and count the others; false if it is not the struct. */
static bool find_fields(struct record *record, struct cn_term term, uint32_t *ret_unknown)
{
    struct cn_reader reader;
    uint32_t count;
    uint32_t unknown = 0;
    bool is_struct = false;

    cn_reader_init(&reader, term);
    if (!cn_read_map(&reader, &count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct cn_term key;
        struct cn_term value;
        int field;

        if (!cn_read_term(&reader, &key) || !cn_read_term(&reader, &value))
            return false;
        field = field_of(record->shape, key);
        if (field == FIELD_UNKNOWN) {
            unknown++;
        } else if (field == FIELD_STRUCT) {
            if (is_struct || !cn_term_is_atom(value, atom_text(record->shape->module)))
                return false;
            is_struct = true;
        } else {
            if (record->values[field].data != NULL)
                return false;
            record->values[field] = value;
        }
    }
    *ret_unknown = unknown;
    return is_struct;
}

/* Keep the @unknown fields of @term as one map. */
static int keep_unknown(struct record *record, struct cn_term term, uint32_t unknown)
{
    struct cn_writer *kept = &record->import->kept;
    struct cn_reader reader;
    uint32_t count = 0;

    if (cn_writer_term(kept).size == 0)
        cn_write_nil(kept);
    record->extras = (uint32_t)cn_writer_term(kept).size;
    cn_write_map(kept, unknown);
    cn_reader_init(&reader, term);
    cn_read_map(&reader, &count);
    for (uint32_t i = 0; i < count; i++) {
        struct cn_term key = {NULL, 0};
        struct cn_term value = {NULL, 0};

        cn_read_term(&reader, &key);
        cn_read_term(&reader, &value);
        if (field_of(record->shape, key) != FIELD_UNKNOWN)
            continue;
        cn_write_term(kept, key);
        cn_write_term(kept, value);
    }
    return cn_writer_error(kept);
}

int record_read(struct record *ret_record, struct import *import, const struct path *path,
                const struct shape *shape, struct cn_term term)
{
    uint32_t unknown;

    *ret_record = (struct record){.import = import, .path = path, .shape = shape};
    if (!find_fields(ret_record, term, &unknown))
        return invalid_struct(&import->invalid, path, atom_text(shape->module));
    return unknown > 0 ? keep_unknown(ret_record, term, unknown) : 0;
}

bool record_is(const struct shape *shape, struct cn_term term)
{
    struct cn_term module;

    return cn_map_get(term, "__struct__", &module) &&
           cn_term_is_atom(module, atom_text(shape->module));
}

struct path record_path(const struct record *record, unsigned field)
{
    return (struct path){.up = record->path, .field = atom_text(record->shape->fields[field])};
}

int record_expected(const struct record *record, unsigned field, const char *what)
{
    struct path path = record_path(record, field);

    return invalid_expected(&record->import->invalid, &path, what);
}

int record_term(const struct record *record, unsigned field, struct cn_term *ret_term)
{
    struct path path = record_path(record, field);

    if (record->values[field].data == NULL)
        return invalid_missing(&record->import->invalid, &path);
    *ret_term = record->values[field];
    return 0;
}

int record_integer_from(const struct record *record, unsigned field, int64_t min, const char *what,
                        int64_t *ret_value)
{
    struct cn_reader reader;
    struct cn_term term;
    int64_t value;
    int error = record_term(record, field, &term);

    if (error != 0)
        return error;
    cn_reader_init(&reader, term);
    if (!cn_read_integer(&reader, &value) || value < min)
        return record_expected(record, field, what);
    *ret_value = value;
    return 0;
}

int record_integer(const struct record *record, unsigned field, int64_t *ret_value)
{
    return record_integer_from(record, field, INT64_MIN, "integer", ret_value);
}

int record_key(const struct record *record, unsigned field, int64_t min, const char *what,
               int64_t key)
{
    struct path path = record_path(record, field);
    int64_t value;
    int error = record_integer_from(record, field, min, what, &value);

    if (error == 0 && value != key)
        error = invalid_equal_integer(&record->import->invalid, &path, key);
    return error;
}

int record_one_of(const struct record *record, unsigned field, const char *const *atoms,
                  uint8_t *ret_index)
{
    struct path path = record_path(record, field);
    struct cn_term term;
    int error = record_term(record, field, &term);

    if (error != 0)
        return error;
    for (uint8_t i = 0; atoms[i] != NULL; i++) {
        if (cn_term_is_atom(term, atoms[i])) {
            *ret_index = i;
            return 0;
        }
    }
    return invalid_one_of(&record->import->invalid, &path, atoms);
}

int record_keep(const struct record *record, unsigned field, uint32_t *ret_offset)
{
    struct cn_term term;
    int error = record_term(record, field, &term);

    return error != 0 ? error : import_keep(record->import, term, ret_offset);
}

int record_keep_binary(const struct record *record, unsigned field, uint32_t *ret_offset)
{
    struct cn_reader reader;
    struct cn_term term;
    int error = record_term(record, field, &term);

    if (error != 0)
        return error;
    cn_reader_init(&reader, term);
    if (cn_peek(&reader) != CN_TYPE_BINARY)
        return record_expected(record, field, "binary");
    return import_keep(record->import, term, ret_offset);
}
