/*
 * Erlang terms as bytes: a view, a reader and a writer.
 *
 * A term is never a tree in memory here. What arrives is a view of bytes in external term
 * format that the node has validated before anybody else sees it; a reader walks over it once.
 * What leaves is written once into a growing buffer. Both carry their first error with them (a
 * "sticky" error), so that a function reads or writes a whole shape and checks once at its end.
 *
 * Source: "External Term Format", ERTS User's Guide.
 */
#ifndef CNODE_TERM_H
#define CNODE_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Longest node name, in bytes, without a terminator. */
#define CN_NODE_NAME_MAX 255

/**
 * A view of exactly one validated term, without the version byte 131. The bytes belong to
 * somebody else.
 */
struct cn_term {
    const uint8_t *data;
    size_t size;
};

/** A view of bytes: the text of an atom (UTF-8) or the content of a binary. Not terminated. */
struct cn_bytes {
    const uint8_t *data;
    size_t size;
};

/** A process identifier, as erlang's NEW_PID_EXT holds it. */
struct cn_pid {
    uint32_t id;
    uint32_t serial;
    uint32_t creation;
    char node[CN_NODE_NAME_MAX + 1];
};

/** A reference, as NEWER_REFERENCE_EXT holds it: 1 to 5 words. */
struct cn_ref {
    uint32_t words[5];
    uint32_t count;
    uint32_t creation;
    char node[CN_NODE_NAME_MAX + 1];
};

/** What kind of term comes next. Strings of the wire (STRING_EXT) are lists here, as in Erlang. */
enum cn_type {
    CN_TYPE_NONE, /* the end of the bytes, or a reader in error */
    CN_TYPE_ATOM,
    CN_TYPE_INTEGER, /* of 64 bits */
    CN_TYPE_BIG,     /* an integer beyond 64 bits: can be skipped or copied only */
    CN_TYPE_FLOAT,
    CN_TYPE_BINARY,
    CN_TYPE_BITSTRING,
    CN_TYPE_LIST, /* the empty list too */
    CN_TYPE_TUPLE,
    CN_TYPE_MAP,
    CN_TYPE_PID,
    CN_TYPE_PORT,
    CN_TYPE_REF,
    CN_TYPE_FUN,
};

/**
 * A cursor over one term. Lives on the stack; the fields are private.
 *
 * Every cn_read_* returns true and moves on, or returns false, leaves its outputs alone and
 * puts the reader in error, in which it stays: any later read returns false at once.
 */
struct cn_reader {
    const uint8_t *data;
    size_t size;
    size_t at;
    uint32_t string_left; /* bytes of a STRING_EXT that are still to be read as list elements */
    bool string_tail;     /* the empty tail of that string is still to be read */
    bool failed;
};

/** Start reading @term from its first byte. */
void cn_reader_init(struct cn_reader *reader, struct cn_term term);
/** Tell whether any read has failed so far. */
bool cn_reader_failed(const struct cn_reader *reader);
/** Tell whether nothing failed and every byte was read. */
bool cn_reader_done(const struct cn_reader *reader);
/** Put the reader in error; returns false, so that it can end a reading function. */
bool cn_reader_fail(struct cn_reader *reader);
/** Tell the type of what comes next, without moving. */
enum cn_type cn_peek(const struct cn_reader *reader);

/** Read an atom's text. */
bool cn_read_atom(struct cn_reader *reader, struct cn_bytes *ret_text);
/** Read the atom @text and no other. */
bool cn_read_this_atom(struct cn_reader *reader, const char *text);
/** Read the atoms true or false. */
bool cn_read_bool(struct cn_reader *reader, bool *ret_value);
/** Read an integer of 64 bits. */
bool cn_read_integer(struct cn_reader *reader, int64_t *ret_value);
/** Read a float. */
bool cn_read_float(struct cn_reader *reader, double *ret_value);
/** Read a binary (whole bytes). */
bool cn_read_binary(struct cn_reader *reader, struct cn_bytes *ret_bytes);
/** Read a tuple's header; its @ret_arity elements follow. */
bool cn_read_tuple(struct cn_reader *reader, uint32_t *ret_arity);
/** Read the header of a tuple of exactly @arity elements, which follow. */
bool cn_read_this_tuple(struct cn_reader *reader, uint32_t arity);
/**
 * Read a list's header: @ret_count elements follow, then, unless it is 0, a tail (cn_read_nil
 * when proper).
 */
bool cn_read_list(struct cn_reader *reader, uint32_t *ret_count);
/** Read the empty list. */
bool cn_read_nil(struct cn_reader *reader);
/** Read a map's header: @ret_count pairs follow, key before value, in any order. */
bool cn_read_map(struct cn_reader *reader, uint32_t *ret_count);
/** Read a pid. */
bool cn_read_pid(struct cn_reader *reader, struct cn_pid *ret_pid);
/** Read a reference. */
bool cn_read_ref(struct cn_reader *reader, struct cn_ref *ret_ref);
/** Read whatever comes next, as a view into the same bytes. */
bool cn_read_term(struct cn_reader *reader, struct cn_term *ret_term);
/** Pass over whatever comes next. */
bool cn_skip(struct cn_reader *reader);

/** Tell whether @text is exactly the bytes of the C string @expected. */
bool cn_bytes_equal(struct cn_bytes text, const char *expected);
/** Tell whether @term is the atom @text. */
bool cn_term_is_atom(struct cn_term term, const char *text);
/**
 * Find the value under the atom key @key of the map @map; false when @map is no map or lacks
 * it.
 */
bool cn_map_get(struct cn_term map, const char *key, struct cn_term *ret_value);
/**
 * Tell whether two terms are exactly equal (=:=); the order of a map's pairs does not matter. As on
 * OTP 27 and later, 0.0 and -0.0 are different.
 */
bool cn_term_equal(struct cn_term a, struct cn_term b);
/** Tell whether two pids name the same process of the same incarnation of a node. */
bool cn_pid_equal(const struct cn_pid *a, const struct cn_pid *b);
/** Tell whether two references are the same. */
bool cn_ref_equal(const struct cn_ref *a, const struct cn_ref *b);

/** The most words of a struct cn_words. */
#define CN_WORDS_MAX 200

/**
 * Atoms that many terms are made of, each listed once: the field names of a game's structs, say.
 * Constant, and there as long as the program runs.
 */
struct cn_words {
    uint32_t count; /* at most CN_WORDS_MAX */
    const char *const *texts;
};

/**
 * A growing buffer that terms are written into. The fields are private.
 *
 * Ownership: the writer owns its buffer until cn_writer_take or cn_writer_free. Errors are
 * sticky: after -ENOMEM or
 * -E2BIG (the limit given to cn_writer_init) nothing more is written, and cn_writer_error tells.
 */
struct cn_writer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t size_max;
    int error;
    bool mixed;                   /* words is set, and an atom or term stands here all the same */
    const struct cn_words *words; /* atoms that are written by number; NULL: none */
};

/**
 * Start an empty writer that will hold at most @size_max bytes (0: the node's frame limit).
 * Allocates nothing.
 */
void cn_writer_init(struct cn_writer *writer, size_t size_max);
/**
 * Let the empty @writer write the words of @words (NULL: of none) as numbers. Only cn_write_written
 * and the node, who gives such writers to a game, can use what it then holds.
 */
void cn_writer_use_words(struct cn_writer *writer, const struct cn_words *words);
/** Release the buffer; the writer is empty and usable again. */
void cn_writer_free(struct cn_writer *writer);
/** Forget what was written and the error, keep the memory. */
void cn_writer_reset(struct cn_writer *writer);
/**
 * Give 0, -ENOMEM, -E2BIG, or -EINVAL (a value that has no encoding: an atom beyond 255
 * characters, a NaN).
 */
int cn_writer_error(const struct cn_writer *writer);
/** View everything written so far as one term: the caller has written exactly one. */
struct cn_term cn_writer_term(const struct cn_writer *writer);
/**
 * Hand the buffer to the caller, who releases it with free(); the writer is empty afterwards. Gives
 * NULL when nothing was written, or after an error: the memory is then released, the error stays.
 */
uint8_t *cn_writer_take(struct cn_writer *writer, size_t *ret_size);

/** Write an atom from a C string of UTF-8. */
void cn_write_atom(struct cn_writer *writer, const char *text);
/**
 * Write the atom that is @number of @words. A node that has been told of the words (cn_game.words)
 * sends them by number, which costs a fraction of looking at the text.
 */
void cn_write_word(struct cn_writer *writer, const struct cn_words *words, uint32_t number);
/** Write an atom from a view. */
void cn_write_atom_bytes(struct cn_writer *writer, struct cn_bytes text);
/** Write true or false. */
void cn_write_bool(struct cn_writer *writer, bool value);
/** Write an integer in the shortest form, as a BEAM does. */
void cn_write_integer(struct cn_writer *writer, int64_t value);
/** Write an unsigned integer in the shortest form, as a BEAM does. */
void cn_write_unsigned(struct cn_writer *writer, uint64_t value);
/** Write a float; NaN and infinity are -EINVAL. */
void cn_write_float(struct cn_writer *writer, double value);
/** Write a binary. */
void cn_write_binary(struct cn_writer *writer, struct cn_bytes bytes);
/**
 * Write the head of a binary of @size bytes and give the place for them, which the caller fills
 * before it writes anything else: a large binary needs no second copy. NULL after an error.
 */
uint8_t *cn_write_binary_room(struct cn_writer *writer, size_t size);
/** Write a binary from a C string. */
void cn_write_string(struct cn_writer *writer, const char *text);
/** Write a tuple's header; @arity terms must follow. */
void cn_write_tuple(struct cn_writer *writer, uint32_t arity);
/**
 * Write a list's header; @count > 0 terms and a tail (cn_write_nil) must follow. With 0, write
 * nothing.
 */
void cn_write_list(struct cn_writer *writer, uint32_t count);
/** Write the empty list, or the tail that ends a list. */
void cn_write_nil(struct cn_writer *writer);
/** Write a map's header; @count pairs, key before value, must follow. */
void cn_write_map(struct cn_writer *writer, uint32_t count);
/** Write a pid. */
void cn_write_pid(struct cn_writer *writer, const struct cn_pid *pid);
/** Write a reference. */
void cn_write_ref(struct cn_writer *writer, const struct cn_ref *ref);
/** Copy a whole term. */
void cn_write_term(struct cn_writer *writer, struct cn_term term);
/**
 * Copy all that @from holds, which need not be one term: a part that stays the same is written once
 * and kept. Its words become texts unless @writer uses them too. Its error is the writer's.
 */
void cn_write_written(struct cn_writer *writer, const struct cn_writer *from);

#endif
