/*
 * Comparing two terms by walking over both at once.
 *
 * Two readers move in step; the first difference ends the walk, so nothing is measured before it is
 * compared. Recursion is as deep as the terms nest, which the walker has limited, and is counted
 * again here. Maps are compared pair by pair as they come while their keys are the same bytes; from
 * the first key that is not, what is left is sorted. No value is compared twice on the way, or else
 * the effort would double with every level.
 */
#include "etf/compare.h"

#include <string.h>

#include "etf/number.h"
#include "etf/pairs.h"
#include "etf/raw.h"
#include "etf/walk.h"

/* Steps that a comparison may make: plenty for sorting any honest map. */
#define EFFORT_MIN      1000000
#define EFFORT_PER_BYTE 64

/* Two readers in step. Once broken, the result means nothing. */
struct walk {
    struct cn_reader *a;
    struct cn_reader *b;
    bool broken;
};

static int compare_next(struct walk *walk, struct etf_comparison how);

/* Places in term order; local funs come before external ones. */
enum rank {
    RANK_NONE,
    RANK_NUMBER,
    RANK_ATOM,
    RANK_REF,
    RANK_FUN,
    RANK_PORT,
    RANK_PID,
    RANK_TUPLE,
    RANK_MAP,
    RANK_NIL,
    RANK_LIST,
    RANK_BITS,
};

static int sign(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int broken(struct walk *walk)
{
    walk->broken = true;
    return 1;
}

static enum rank rank_of_list(const struct cn_reader *reader)
{
    struct cn_reader probe = *reader;

    return cn_read_nil(&probe) ? RANK_NIL : RANK_LIST;
}

static enum rank rank_of(const struct cn_reader *reader)
{
    static const enum rank ranks[] = {
        [CN_TYPE_ATOM] = RANK_ATOM,   [CN_TYPE_INTEGER] = RANK_NUMBER,
        [CN_TYPE_BIG] = RANK_NUMBER,  [CN_TYPE_FLOAT] = RANK_NUMBER,
        [CN_TYPE_BINARY] = RANK_BITS, [CN_TYPE_BITSTRING] = RANK_BITS,
        [CN_TYPE_TUPLE] = RANK_TUPLE, [CN_TYPE_MAP] = RANK_MAP,
        [CN_TYPE_PID] = RANK_PID,     [CN_TYPE_PORT] = RANK_PORT,
        [CN_TYPE_REF] = RANK_REF,     [CN_TYPE_FUN] = RANK_FUN,
    };
    enum cn_type type = cn_peek(reader);

    if (type == CN_TYPE_LIST)
        return rank_of_list(reader);
    return ranks[type];
}

static int compare_bytes(struct cn_bytes a, struct cn_bytes b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int r = size > 0 ? memcmp(a.data, b.data, size) : 0;

    return r != 0 ? r : sign(a.size, b.size);
}

static int compare_atoms(struct walk *walk)
{
    struct cn_bytes a;
    struct cn_bytes b;

    if (!cn_read_atom(walk->a, &a) || !cn_read_atom(walk->b, &b))
        return broken(walk);
    return compare_bytes(a, b);
}

/* A number: an integer, or a float. */
struct number {
    bool is_float;
    double real;
    struct etf_integer integer;
};

static bool read_number(struct cn_reader *reader, struct number *number)
{
    number->is_float = cn_peek(reader) == CN_TYPE_FLOAT;
    return number->is_float ? cn_read_float(reader, &number->real)
                            : etf_read_integer(reader, &number->integer);
}

static int compare_numbers(struct walk *walk, struct etf_comparison how)
{
    struct number a;
    struct number b;

    if (!read_number(walk->a, &a) || !read_number(walk->b, &b))
        return broken(walk);
    if (a.is_float && b.is_float)
        return etf_compare_floats(a.real, b.real, how.exact);
    if (!a.is_float && !b.is_float)
        return etf_compare_integers(&a.integer, &b.integer);
    if (how.exact)
        return a.is_float ? 1 : -1;
    return a.is_float ? -etf_compare_integer_float(&b.integer, a.real)
                      : etf_compare_integer_float(&a.integer, b.real);
}

static int compare_nodes(const struct etf_identifier *a, const struct etf_identifier *b)
{
    int r = compare_bytes(a->node, b->node);

    return r != 0 ? r : sign(a->creation, b->creation);
}

/* Words of references, the last one weighs most. */
static int compare_words(const struct etf_identifier *a, const struct etf_identifier *b)
{
    int r = 0;

    for (unsigned i = sizeof(a->words) / sizeof(a->words[0]); i > 0 && r == 0; i--)
        r = sign(a->words[i - 1], b->words[i - 1]);
    return r;
}

static int compare_identifiers(struct walk *walk, enum rank rank)
{
    struct etf_identifier a;
    struct etf_identifier b;
    int r;

    if (!etf_read_identifier(walk->a, &a) || !etf_read_identifier(walk->b, &b))
        return broken(walk);
    if (rank == RANK_PID) {
        r = sign(a.serial, b.serial);
        if (r == 0)
            r = sign(a.id, b.id);
        return r != 0 ? r : compare_nodes(&a, &b);
    }
    r = compare_nodes(&a, &b);
    if (r != 0)
        return r;
    return rank == RANK_PORT ? sign(a.id, b.id) : compare_words(&a, &b);
}

static int signed_sign(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_external(const struct etf_fun *a, const struct etf_fun *b)
{
    int r = compare_bytes(a->module, b->module);

    if (r == 0)
        r = compare_bytes(a->function, b->function);
    return r != 0 ? r : sign(a->arity, b->arity);
}

static int compare_local(const struct etf_fun *a, const struct etf_fun *b)
{
    int r = compare_bytes(a->module, b->module);

    if (r == 0)
        r = signed_sign(a->old_index, b->old_index);
    if (r == 0)
        r = signed_sign(a->old_uniq, b->old_uniq);
    return r != 0 ? r : sign(a->free_count, b->free_count);
}

/* The next @count terms of both, in order. */
static int compare_sequence(struct walk *walk, uint64_t count, struct etf_comparison how)
{
    int r = 0;

    for (; count > 0 && r == 0; count--)
        r = compare_next(walk, how);
    return r;
}

static int compare_funs(struct walk *walk, struct etf_comparison how)
{
    struct cn_reader free_a;
    struct cn_reader free_b;
    struct walk inner = {&free_a, &free_b, false};
    struct etf_fun a;
    struct etf_fun b;
    int r;

    if (!etf_read_fun(walk->a, &a) || !etf_read_fun(walk->b, &b))
        return broken(walk);
    if (a.external != b.external)
        return a.external ? 1 : -1;
    r = a.external ? compare_external(&a, &b) : compare_local(&a, &b);
    if (r != 0 || a.external)
        return r;
    cn_reader_init(&free_a, a.free);
    cn_reader_init(&free_b, b.free);
    r = compare_sequence(&inner, a.free_count, how);
    walk->broken |= inner.broken;
    return r;
}

static int compare_tuples(struct walk *walk, struct etf_comparison how)
{
    uint32_t a;
    uint32_t b;

    if (!cn_read_tuple(walk->a, &a) || !cn_read_tuple(walk->b, &b))
        return broken(walk);
    return a != b ? sign(a, b) : compare_sequence(walk, a, how);
}

static enum rank rank_of_step(const struct cn_reader *reader, enum etf_step step)
{
    if (step == ETF_STEP_ELEMENT)
        return RANK_LIST;
    return step == ETF_STEP_END ? RANK_NIL : rank_of(reader);
}

static int compare_lists(struct walk *walk, struct etf_comparison how)
{
    uint32_t left_a = 0;
    uint32_t left_b = 0;
    int r = 0;

    while (r == 0) {
        enum etf_step a = etf_list_step(walk->a, &left_a);
        enum etf_step b = etf_list_step(walk->b, &left_b);

        if (a == ETF_STEP_IN_ERROR || b == ETF_STEP_IN_ERROR)
            return broken(walk);
        if (a != b)
            return sign(rank_of_step(walk->a, a), rank_of_step(walk->b, b));
        if (a == ETF_STEP_END)
            return 0;
        r = compare_next(walk, how);
        if (a == ETF_STEP_TAIL)
            return r;
    }
    return r;
}

static int compare_bits(struct walk *walk)
{
    struct etf_bits a;
    struct etf_bits b;
    size_t size;
    unsigned common;
    int r;

    if (!etf_read_bits(walk->a, &a) || !etf_read_bits(walk->b, &b))
        return broken(walk);
    size = a.size < b.size ? a.size : b.size;
    r = size > 0 ? memcmp(a.data, b.data, size) : 0;
    if (r != 0)
        return r;
    common = a.size > size ? 8 : a.extra; /* bits of the byte after those that were equal */
    if (common > (b.size > size ? 8 : b.extra))
        common = b.size > size ? 8 : b.extra;
    if (common > 0)
        r = (a.data[size] >> (8 - common)) - (b.data[size] >> (8 - common));
    return r != 0 ? r : sign(a.size * 8 + a.extra, b.size * 8 + b.extra);
}

/* Two maps under comparison. */
struct maps {
    uint32_t left;      /* pairs not yet compared */
    struct cn_term key; /* the smallest key so far whose values differ */
    int difference;     /* of those values */
};

static void keep_difference(struct maps *maps, struct cn_term key, int r, struct etf_comparison how)
{
    struct etf_comparison as_key = how;

    as_key.exact = true;
    if (maps->difference == 0 || etf_compare_inside(key, maps->key, as_key) < 0) {
        maps->key = key;
        maps->difference = r;
    }
}

/* Compare the values under @key that come next, and move behind them. */
static void compare_values(struct walk *walk, struct cn_term key, struct etf_comparison how,
                           struct maps *maps)
{
    struct cn_reader start_a = *walk->a;
    struct cn_reader start_b = *walk->b;
    int r = compare_next(walk, how);

    if (r == 0)
        return;
    keep_difference(maps, key, r, how);
    *walk->a = start_a;
    *walk->b = start_b;
    if (!cn_skip(walk->a) || !cn_skip(walk->b))
        walk->broken = true;
}

/* Pair by pair, as long as the keys are the same bytes. */
static void compare_pairs(struct walk *walk, struct etf_comparison how, struct maps *maps)
{
    while (maps->left > 0 && !walk->broken && !(how.equal_only && maps->difference != 0)) {
        struct cn_reader start_a = *walk->a;
        struct cn_reader start_b = *walk->b;
        struct cn_term a;
        struct cn_term b;

        if (!cn_read_term(walk->a, &a) || !cn_read_term(walk->b, &b)) {
            walk->broken = true;
        } else if (a.size != b.size || memcmp(a.data, b.data, a.size) != 0) {
            *walk->a = start_a;
            *walk->b = start_b;
            return;
        } else {
            compare_values(walk, a, how, maps);
            maps->left--;
        }
    }
}

/* The pairs that are left, sorted: the first key that differs decides. */
static int compare_sorted(struct etf_pairs *a, struct etf_pairs *b, struct etf_comparison how,
                          struct maps *maps)
{
    struct etf_comparison as_key = how;
    struct etf_pair pair_a;
    struct etf_pair pair_b;
    int r = 0;

    as_key.exact = true;
    while (r == 0 && etf_pairs_next(a, &pair_a) && etf_pairs_next(b, &pair_b)) {
        int of_values;

        r = etf_compare_inside(pair_a.key, pair_b.key, as_key);
        if (r != 0)
            return r;
        of_values = etf_compare_inside(pair_a.value, pair_b.value, how);
        if (of_values != 0)
            keep_difference(maps, pair_a.key, of_values, how);
        if (how.equal_only)
            r = of_values;
    }
    return r;
}

static int compare_left(struct walk *walk, struct etf_comparison how, struct maps *maps)
{
    struct etf_pairs a = {0};
    struct etf_pairs b = {0};
    int r;

    if (etf_pairs_init(&a, walk->a, maps->left, how) &&
        etf_pairs_init(&b, walk->b, maps->left, how))
        r = compare_sorted(&a, &b, how, maps);
    else
        r = broken(walk);
    etf_pairs_deinit(&a);
    etf_pairs_deinit(&b);
    return r != 0 ? r : maps->difference;
}

static int compare_maps(struct walk *walk, struct etf_comparison how)
{
    struct maps maps = {0};
    uint32_t a;
    uint32_t b;

    if (!cn_read_map(walk->a, &a) || !cn_read_map(walk->b, &b))
        return broken(walk);
    if (a != b)
        return sign(a, b);
    maps.left = a;
    compare_pairs(walk, how, &maps);
    if (walk->broken)
        return broken(walk);
    if (maps.left == 0 || (how.equal_only && maps.difference != 0))
        return maps.difference;
    return compare_left(walk, how, &maps);
}

/* Terms of one rank. */
static int compare_same(struct walk *walk, enum rank rank, struct etf_comparison how)
{
    switch (rank) {
    case RANK_NUMBER:
        return compare_numbers(walk, how);
    case RANK_ATOM:
        return compare_atoms(walk);
    case RANK_REF:
    case RANK_PORT:
    case RANK_PID:
        return compare_identifiers(walk, rank);
    case RANK_BITS:
        return compare_bits(walk);
    default:
        break;
    }
    if (++how.depth > ETF_DEPTH_MAX + 1)
        return broken(walk);
    switch (rank) {
    case RANK_FUN:
        return compare_funs(walk, how);
    case RANK_TUPLE:
        return compare_tuples(walk, how);
    case RANK_MAP:
        return compare_maps(walk, how);
    case RANK_NIL:
    case RANK_LIST:
        return compare_lists(walk, how);
    default:
        return broken(walk);
    }
}

static int compare_next(struct walk *walk, struct etf_comparison how)
{
    enum rank a = rank_of(walk->a);
    enum rank b = rank_of(walk->b);

    if (a == RANK_NONE || b == RANK_NONE || walk->broken || *how.effort == 0)
        return broken(walk);
    --*how.effort;
    return a != b ? sign(a, b) : compare_same(walk, a, how);
}

int etf_compare_inside(struct cn_term a, struct cn_term b, struct etf_comparison how)
{
    struct cn_reader reader_a;
    struct cn_reader reader_b;
    struct walk walk = {&reader_a, &reader_b, false};
    int r;

    cn_reader_init(&reader_a, a);
    cn_reader_init(&reader_b, b);
    r = compare_next(&walk, how);
    if (!walk.broken)
        return r;
    return compare_bytes((struct cn_bytes){a.data, a.size}, (struct cn_bytes){b.data, b.size});
}

static int compare_whole(struct cn_term a, struct cn_term b, bool exact, bool equal_only)
{
    uint64_t effort = EFFORT_MIN + EFFORT_PER_BYTE * ((uint64_t)a.size + b.size);

    return etf_compare_inside(
        a, b, (struct etf_comparison){.exact = exact, .equal_only = equal_only, .effort = &effort});
}

int etf_compare(struct cn_term a, struct cn_term b)
{
    return compare_whole(a, b, false, false);
}

int etf_compare_exact(struct cn_term a, struct cn_term b)
{
    return compare_whole(a, b, true, false);
}

bool cn_term_equal(struct cn_term a, struct cn_term b)
{
    if (a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0))
        return true;
    return compare_whole(a, b, true, true) == 0;
}
