/*
 * Parts of terms that the public reader does not show.
 *
 * Ordering, hashing and printing need what a program hosted on the node does not: integers of any
 * size, the spare bits of a bitstring, node names of any length, the inside of ports and funs.
 * Everything is a view into the reader's bytes. Each function behaves as the cn_read_* of term.h:
 * true and on, or false with the reader in error.
 */
#ifndef CNODE_ETF_RAW_H
#define CNODE_ETF_RAW_H

#include <cnode/term.h>

/** Tell whether the reader is inside a STRING_EXT, where each byte is an element of a list. */
static inline bool etf_in_string(const struct cn_reader *reader)
{
    return reader->string_left > 0 || reader->string_tail;
}

/** An integer of any size: sign and magnitude, lowest byte first, highest byte not 0. */
struct etf_integer {
    bool negative; /* never of 0 */
    size_t size;
    const uint8_t *big; /* NULL: in small */
    uint8_t small[4];
};

/** View the magnitude's bytes. */
static inline const uint8_t *etf_magnitude(const struct etf_integer *integer)
{
    return integer->big != NULL ? integer->big : integer->small;
}

/** Read an integer of any size, or an element of a string. */
bool etf_read_integer(struct cn_reader *reader, struct etf_integer *ret_integer);
/** Give the integer's value; false, without any change, when it needs more than 64 bits. */
bool etf_integer_value(const struct etf_integer *integer, int64_t *ret_value);

/** A binary or bitstring: whole bytes, then the highest @extra (0 to 7) bits of one more byte. */
struct etf_bits {
    const uint8_t *data;
    size_t size;
    unsigned extra;
};

/** Read a binary or bitstring. */
bool etf_read_bits(struct cn_reader *reader, struct etf_bits *ret_bits);

/** A pid, port or reference. */
struct etf_identifier {
    struct cn_bytes node;
    uint32_t creation;
    uint64_t id;     /* pid, port */
    uint32_t serial; /* pid */
    uint32_t count;  /* reference */
    uint32_t words[5];
};

/** Read a pid, port or reference. */
bool etf_read_identifier(struct cn_reader *reader, struct etf_identifier *ret_identifier);

/** A fun: external (&module.function/arity), or local with free variables. */
struct etf_fun {
    bool external;
    struct cn_bytes module;
    struct cn_bytes function; /* external */
    uint32_t arity;
    const uint8_t *uniq; /* local: 16 bytes */
    uint32_t index;      /* local */
    int64_t old_index;   /* local */
    int64_t old_uniq;    /* local */
    uint32_t free_count; /* local: terms in free */
    struct cn_term free; /* local: the free variables, one after the other */
};

/** Read a fun, as a whole. */
bool etf_read_fun(struct cn_reader *reader, struct etf_fun *ret_fun);

/** What stands next in a list. */
enum etf_step {
    ETF_STEP_ELEMENT,
    ETF_STEP_END,      /* the list ended; its empty tail was read */
    ETF_STEP_TAIL,     /* a tail that is no list follows */
    ETF_STEP_IN_ERROR, /* the reader is in error */
};

/**
 * Step through a list, however its sender cut it up. @left is 0 before the first step, when the
 * list is next, and private afterwards.
 */
enum etf_step etf_list_step(struct cn_reader *reader, uint32_t *left);

#endif
