/*
 * Control messages read with their atoms by number: the same as when the atoms are written out
 * first, whatever the bytes are.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "dist/atom_cache_in.h"
#include "dist/control_cached.h"
#include "dist/flags.h"
#include "etf/expand.h"
#include "etf/index.h"

#define ATOMS_MAX 8

static struct cn_pid alice = {.id = 1, .serial = 2, .creation = 3, .node = "alice@a"};
static struct cn_pid bob = {.id = 4, .serial = 5, .creation = 6, .node = "bob@b"};
static struct cn_ref ref = {.words = {7, 8, 9}, .count = 3, .creation = 3, .node = "alice@a"};
static struct cn_bytes atoms[ATOMS_MAX];
static uint32_t atom_count;
static struct cn_writer terms;  /* a tuple with its atoms by number, and a message */
static struct cn_writer plain;  /* the tuple with its atoms written out */
static struct control expected; /* what the long way says */

static void setup(void)
{
    cn_writer_init(&terms, 0);
    cn_writer_init(&plain, 0);
    atom_count = 0;
}

static void teardown(void)
{
    cn_writer_free(&terms);
    cn_writer_free(&plain);
}

static int number_of(void *context, struct cn_bytes text)
{
    for (uint32_t i = 0; i < atom_count; i++)
        if (atoms[i].size == text.size && memcmp(atoms[i].data, text.data, text.size) == 0)
            return (int)i;
    ck_assert_uint_lt(atom_count, ATOMS_MAX);
    atoms[atom_count] = kept_bytes(text.data, text.size);
    return (int)atom_count++;
}

/* A control message of each kind that is read at once: @number counts them. */
#define KINDS 8

static struct control make(int number, uint64_t *ret_flags)
{
    struct control control = {.has_from = true, .from = alice, .to = bob, .ref = ref};
    static const enum control_op ops[KINDS] = {
        CONTROL_MONITOR,  CONTROL_DEMONITOR,  CONTROL_SEND,    CONTROL_SEND,
        CONTROL_REG_SEND, CONTROL_ALIAS_SEND, CONTROL_MONITOR, CONTROL_DEMONITOR,
    };

    *ret_flags = number == 3 ? FLAGS_OURS & ~FLAG_SEND_SENDER : FLAGS_OURS;
    control.op = ops[number];
    if (number >= 6 || control.op == CONTROL_REG_SEND)
        control.to_name = (struct cn_bytes){(const uint8_t *)"name", 4};
    return control;
}

/* Write the message of kind @number into `terms`, as it stands behind a header. */
static void write_kind(int number)
{
    uint64_t flags;
    struct control control = make(number, &flags);
    bool follows;

    cn_writer_reset(&terms);
    cn_writer_reset(&plain);
    ck_assert_int_eq(control_encode(&control, (struct cn_term){0}, flags, &plain, &follows), 0);
    ck_assert_int_eq(etf_index(plain.data, plain.size, number_of, NULL, &terms), 0);
    if (follows)
        cn_write_integer(&terms, 1);
}

/* What expanding and decoding say of the bytes: 0, or below or above it. */
static int long_way(struct cn_bytes bytes, size_t *ret_used)
{
    struct cn_writer writer;
    struct cn_term tuple;
    struct cn_term payload = {bytes.data, 0};
    struct cn_term message;
    int rc;

    cn_writer_init(&writer, 0);
    rc = etf_expand(bytes.data, bytes.size, atoms, atom_count, &writer, &tuple, ret_used);
    if (rc == 0) {
        payload.size = bytes.size - *ret_used;
        rc = control_decode(tuple, payload, &expected, &message);
    }
    if (rc == 0 && expected.to_name.size > 0)
        expected.to_name = kept_bytes(expected.to_name.data, expected.to_name.size);
    cn_writer_free(&writer);
    return rc;
}

static void assert_same(const struct control *control)
{
    ck_assert_int_eq(control->op, expected.op);
    ck_assert(control->has_from == expected.has_from);
    ck_assert(cn_pid_equal(&control->from, &expected.from));
    ck_assert(cn_pid_equal(&control->to, &expected.to));
    ck_assert_uint_eq(control->to_name.size, expected.to_name.size);
    ck_assert(control->to_name.size == 0 ||
              memcmp(control->to_name.data, expected.to_name.data, control->to_name.size) == 0);
    ck_assert_uint_eq(control->from_name.size, 0);
    ck_assert(cn_ref_equal(&control->ref, &expected.ref));
    ck_assert_ptr_null(control->owner);
}

/* Read bytes of just that size both ways; tells whether the short one could. */
static bool read_both(const uint8_t *data, size_t size)
{
    uint8_t *copy = exact(data, size);
    struct cn_bytes bytes = {copy, size};
    struct control control;
    size_t used = 0;
    size_t long_used = 0;
    bool read = control_read_cached(bytes, atoms, atom_count, &control, &used);

    if (read) {
        ck_assert_int_eq(long_way(bytes, &long_used), 0);
        ck_assert_uint_eq(used, long_used);
        assert_same(&control);
    }
    free(copy);
    return read;
}

/* Every kind is read, field by field as the long way reads it. */
START_TEST(ordinary_messages_are_read_at_once)
{
    write_kind(_i);
    ck_assert(read_both(terms.data, terms.size));
}
END_TEST

/* With the message too much or too little, or cut anywhere in the tuple, it is the long way's. */
START_TEST(cut_messages_are_left_alone)
{
    static const uint8_t more[] = {97, 1};
    bool sends;

    write_kind(_i);
    sends = _i >= 2 && _i <= 5;
    for (size_t size = 0; size + (sends ? 1 : 0) < terms.size; size++)
        ck_assert_msg(!read_both(terms.data, size), "%zu bytes", size);
    cn_write_term(&terms, (struct cn_term){more, sizeof(more)});
    ck_assert(read_both(terms.data, terms.size) == sends);
}
END_TEST

/* A number beyond the table, an atom written out, a name that is none: the long way's. */
START_TEST(strange_atoms_are_left_alone)
{
    static const uint8_t nul[] = "a\0b@c";
    static char long_name[CN_NODE_NAME_MAX + 1];
    struct cn_bytes kept;

    write_kind(_i);
    for (uint32_t i = 0; i < atom_count; i++) {
        kept = atoms[i];
        if (kept.size == 0) /* the cookie of old, which nobody looks at */
            continue;
        atom_count = i;
        ck_assert(!read_both(terms.data, terms.size));
        atom_count = ATOMS_MAX;
        if (memchr(kept.data, '@', kept.size) != NULL) {
            atoms[i] = (struct cn_bytes){nul, sizeof(nul) - 1};
            ck_assert(!read_both(terms.data, terms.size));
            memset(long_name, 'x', sizeof(long_name));
            atoms[i] = (struct cn_bytes){(const uint8_t *)long_name, sizeof(long_name)};
            ck_assert(!read_both(terms.data, terms.size));
        } else if (_i >= 6) {
            atoms[i].size = 0;
            ck_assert(!read_both(terms.data, terms.size));
        }
        atoms[i] = kept;
    }
    ck_assert(!read_both(plain.data, plain.size));
}
END_TEST

/* Damaged bytes are read as the long way reads them, or not at all. */
START_TEST(damaged_messages)
{
    size_t read = 0;

    seed_random(11);
    write_kind(_i);
    for (int round = 0; round < 20000; round++) {
        uint8_t *copy = exact(terms.data, terms.size);

        mutate(copy, terms.size);
        read += read_both(copy, terms.size) ? 1 : 0;
        free(copy);
    }
    ck_assert_uint_gt(read, 1000);
}
END_TEST

/* Write the message of kind @number into `terms` straight; into `plain`, with the long way's atoms.
 */
static bool write_both(int number, struct atom_cache_out *cache)
{
    uint64_t flags;
    struct control control = make(number, &flags);
    struct cn_writer tuple;
    bool follows;
    bool written;

    ck_assert(control_is_cached(&control, flags));
    cn_writer_reset(&terms);
    cn_writer_reset(&plain);
    written = control_write_cached(&control, cache, &terms);
    cn_writer_init(&tuple, 0);
    ck_assert_int_eq(control_encode(&control, (struct cn_term){0}, flags, &tuple, &follows), 0);
    ck_assert_int_eq(etf_index(tuple.data, tuple.size, atom_cache_out_find, cache, &plain), 0);
    cn_writer_free(&tuple);
    return written;
}

/* Answers are written at once as the long way writes them, whether the peer knows the atoms or not.
 */
START_TEST(answers_are_written_at_once)
{
    static const int answers[] = {2, 5};
    struct atom_cache_out *cache = atom_cache_out_new();

    for (int frame = 0; frame < 4; frame++) {
        atom_cache_out_begin(cache);
        ck_assert(write_both(answers[frame % 2], cache));
        ck_assert_int_eq(cn_writer_error(&terms), 0);
        ck_assert_uint_eq(terms.size, plain.size);
        ck_assert_mem_eq(terms.data, plain.data, plain.size);
    }
    atom_cache_out_free(cache);
}
END_TEST

/* A header that is full has no place for their nodes: nothing is written. */
START_TEST(full_headers_leave_it_to_the_long_way)
{
    struct atom_cache_out *cache = atom_cache_out_new();

    atom_cache_out_begin(cache);
    for (uint32_t i = 0; i < ATOM_CACHE_REFS_MAX; i++)
        ck_assert_int_eq(atom_cache_out_find(cache, kept_bytes(&i, sizeof(i))), (int)i);
    ck_assert(!write_both(5, cache));
    ck_assert_uint_eq(terms.size, 0);
    atom_cache_out_free(cache);
}
END_TEST

/* Whoever lacks what an answer needs gets it the long way; what is no reference, too. */
START_TEST(answers_need_their_flags)
{
    uint64_t flags;
    struct control control = make(2, &flags);

    ck_assert(!control_is_cached(&control, flags & ~FLAG_SEND_SENDER));
    control.has_from = false;
    ck_assert(!control_is_cached(&control, flags));
    control = make(5, &flags);
    ck_assert(!control_is_cached(&control, flags & ~FLAG_ALIAS));
    control.ref.count = 0;
    ck_assert(!control_is_cached(&control, flags));
    control.ref.count = 6;
    ck_assert(!control_is_cached(&control, flags));
    control = make(0, &flags);
    ck_assert(!control_is_cached(&control, flags));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("control_cached");
    TCase *tcase = tcase_create("control_cached");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, ordinary_messages_are_read_at_once, 0, KINDS);
    tcase_add_loop_test(tcase, cut_messages_are_left_alone, 0, KINDS);
    tcase_add_loop_test(tcase, strange_atoms_are_left_alone, 0, KINDS);
    tcase_add_loop_test(tcase, damaged_messages, 0, KINDS);
    tcase_add_test(tcase, answers_are_written_at_once);
    tcase_add_test(tcase, full_headers_leave_it_to_the_long_way);
    tcase_add_test(tcase, answers_need_their_flags);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
