/*
 * The walker: it takes what a BEAM sends, and nothing of what could hurt what comes behind it.
 *
 * Hostile bytes are copied into memory of exactly their size, so that a sanitizer sees any read
 * beyond.
 */
#include "etf/walk.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "etf/tags.h"

#include "support.h"

static int walk_hex(const char *hex)
{
    struct cn_term term = term_from_hex(hex);
    uint8_t *copy = exact_copy(term.data, term.size);
    size_t size = 0;
    int r = etf_walk(copy, term.size, NULL, &size);

    free(copy);
    if (r == 0)
        ck_assert_uint_eq(size, term.size);
    return r;
}

/* Every sample is one term, is measured to its end, and skipping measures the same. */
START_TEST(samples_are_accepted)
{
    for (size_t i = 0; i < sample_count; i++) {
        struct cn_term term = term_from_hex(samples[i].hex);
        size_t size = 0;

        ck_assert_msg(walk_hex(samples[i].hex) == 0, "%s: %s", samples[i].name,
                      error_name(walk_hex(samples[i].hex)));
        ck_assert_int_eq(etf_skip(term.data, term.size, &size), 0);
        ck_assert_uint_eq(size, term.size);
    }
}
END_TEST

/* Every sample cut anywhere is refused and leaves the output alone. */
START_TEST(cut_samples_are_refused)
{
    for (size_t i = 0; i < sample_count; i++) {
        struct cn_term term = term_from_hex(samples[i].hex);

        for (size_t cut = 0; cut < term.size; cut++) {
            uint8_t *copy = exact_copy(term.data, cut);
            size_t size = 77;

            ck_assert_msg(etf_walk(copy, cut, NULL, &size) > 0, "%s at %zu", samples[i].name, cut);
            ck_assert_uint_eq(size, 77);
            ck_assert_int_gt(etf_skip(copy, cut, &size), 0);
            touch_everything((struct cn_term){copy, cut});
            free(copy);
        }
    }
}
END_TEST

/* The first term is measured; whoever wants exactly one is told of bytes behind it. */
START_TEST(trailing_bytes_are_told)
{
    struct cn_term term = {NULL, 0};
    struct cn_term two = term_from_hex("836102"
                                       "6a");
    size_t size = 0;

    ck_assert_int_eq(etf_walk(two.data + 1, 3, NULL, &size), 0);
    ck_assert_uint_eq(size, 2);
    ck_assert_int_eq(etf_check(two.data + 1, 3, NULL, &term), CN_E_TERM_TRAILING);
    ck_assert_ptr_null(term.data);
    ck_assert_int_eq(etf_check_versioned(two.data, 4, NULL, &term), CN_E_TERM_TRAILING);
    ck_assert_int_eq(etf_check_versioned(two.data, 3, NULL, &term), 0);
    ck_assert_ptr_eq(term.data, two.data + 1);
    ck_assert_uint_eq(term.size, 2);
    ck_assert_int_eq(etf_check_versioned(two.data + 1, 2, NULL, &term), CN_E_TERM_TAG);
    ck_assert_int_eq(etf_check_versioned(two.data, 0, NULL, &term), CN_E_TERM_SHORT);
}
END_TEST

/* A tag that no sample has is refused, whatever follows; compressed terms by name. */
START_TEST(other_tags_are_refused)
{
    uint8_t data[64] = {0};
    bool known[256] = {false};
    size_t size;

    for (size_t i = 0; i < sample_count; i++)
        known[term_from_hex(samples[i].hex).data[0]] = true;
    for (int tag = 0; tag < 256; tag++) {
        data[0] = (uint8_t)tag;
        if (tag == TAG_COMPRESSED)
            ck_assert_int_eq(etf_walk(data, 64, NULL, &size), CN_E_TERM_COMPRESSED);
        else if (!known[tag])
            ck_assert_int_eq(etf_walk(data, 64, NULL, &size), CN_E_TERM_TAG);
    }
}
END_TEST

/* No claimed size or count beyond the bytes is believed, at once and without a loop over it. */
START_TEST(claimed_counts_are_not_believed)
{
    static const uint8_t tags[] = {TAG_LIST,       TAG_LARGE_TUPLE, TAG_MAP,    TAG_BINARY,
                                   TAG_BIT_BINARY, TAG_LARGE_BIG,   TAG_NEW_FUN};
    static const uint32_t counts[] = {64, 0x7fffffff, 0x80000000, 0xffffffff};
    uint8_t data[64];
    size_t size;

    for (size_t i = 0; i < sizeof(tags); i++) {
        for (size_t j = 0; j < sizeof(counts) / sizeof(counts[0]); j++) {
            memset(data, TAG_NIL, sizeof(data));
            data[0] = tags[i];
            be32_put(data + 1, counts[j]);
            if (tags[i] == TAG_BIT_BINARY)
                data[5] = 1;
            if (tags[i] == TAG_LARGE_BIG)
                data[5] = 0;
            ck_assert_int_eq(etf_walk(data, sizeof(data), NULL, &size),
                             i < 3 ? CN_E_TERM_COUNT : CN_E_TERM_SHORT);
            ck_assert_int_gt(etf_skip(data, sizeof(data), &size), 0);
            touch_everything((struct cn_term){data, sizeof(data)});
        }
    }
}
END_TEST

/* Forms that no BEAM writes are refused by name. */
START_TEST(odd_values_are_refused)
{
    static const struct {
        const char *hex;
        int error;
    } odd[] = {
        {"6c000000006a", CN_E_TERM_COUNT},       /* a list without elements */
        {"6b0000", CN_E_TERM_COUNT},             /* a string without bytes */
        {"467ff0000000000000", CN_E_TERM_VALUE}, /* infinity */
        {"46fff8000000000000", CN_E_TERM_VALUE}, /* NaN */
        {"6e0102ff", CN_E_TERM_VALUE},           /* a sign of 2 */
        {"6f0000000102ff", CN_E_TERM_VALUE},     /* a sign of 2 */
        {"4d0000000100ff", CN_E_TERM_VALUE},     /* no bits in the last byte */
        {"4d0000000109ff", CN_E_TERM_VALUE},     /* nine bits in the last byte */
        {"4d0000000001", CN_E_TERM_VALUE},       /* no last byte */
        {"5a0000770161"
         "00000001",
         CN_E_TERM_COUNT}, /* a reference without words */
        {"5a0006770161"
         "00000001000000010000000100000001000000010000000100000001",
         CN_E_TERM_COUNT},                                   /* of six words */
        {"58610100000000000000000000000000", CN_E_TERM_TAG}, /* a pid without an atom */
        {"717701617701616200000001", CN_E_TERM_TAG},         /* an arity that is no small integer */
        {"5203", CN_E_TERM_TAG},            /* an atom cache reference outside a header */
        {"6302", CN_E_TERM_TAG},            /* an old float */
        {"68025061", CN_E_TERM_COMPRESSED}, /* compressed inside */
    };

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        ck_assert_msg(walk_hex(odd[i].hex) == odd[i].error, "%s: %s", odd[i].hex,
                      error_name(walk_hex(odd[i].hex)));
}
END_TEST

/* A fun's own size must be where its last free variable ends. */
START_TEST(funs_must_add_up)
{
#define FUN_FRONT(size) "70000000" size "01000102030405060708090a0b0c0d0e0f00000001"
#define FUN_BACK        "77016d610562010203045877036140620000000a0000000b0000000c"
    ck_assert_int_eq(walk_hex(FUN_FRONT("3b") "00000001" FUN_BACK "6101"), 0);
    ck_assert_int_eq(walk_hex(FUN_FRONT("3c") "00000001" FUN_BACK "61016a"), CN_E_TERM_VALUE);
    ck_assert_int_eq(walk_hex(FUN_FRONT("3a") "00000001" FUN_BACK "6101"), CN_E_TERM_VALUE);
    ck_assert_int_eq(walk_hex(FUN_FRONT("3b") "00000002" FUN_BACK "6101"), CN_E_TERM_SHORT);
    ck_assert_int_eq(walk_hex(FUN_FRONT("3b") "00000000" FUN_BACK "6101"), CN_E_TERM_VALUE);
    ck_assert_int_eq(walk_hex(FUN_FRONT("3b") "ffffffff" FUN_BACK "6101"), CN_E_TERM_COUNT);
    ck_assert_int_eq(walk_hex(FUN_FRONT("04") "00000001" FUN_BACK "6101"), CN_E_TERM_VALUE);
    ck_assert_int_eq(walk_hex("6802" FUN_FRONT("3b") "00000002" FUN_BACK "61016a6a"),
                     CN_E_TERM_VALUE);
}
END_TEST

static int walk_atom(uint8_t tag, const char *text, size_t size)
{
    uint8_t data[2000];
    size_t head = tag == TAG_SMALL_ATOM_UTF8 || tag == TAG_SMALL_ATOM ? 2 : 3;

    data[0] = tag;
    if (head == 2)
        data[1] = (uint8_t)size;
    else
        be16_put(data + 1, (uint16_t)size);
    memcpy(data + head, text, size);
    return etf_walk(data, head + size, NULL, &size);
}

/* Atoms have at most 255 characters of valid UTF-8; the old Latin-1 tags must be ASCII. */
START_TEST(atoms_are_checked)
{
    char text[4 * 256 + 1];

    memset(text, 'a', sizeof(text));
    ck_assert_int_eq(walk_atom(TAG_ATOM_UTF8, text, 255), 0);
    ck_assert_int_eq(walk_atom(TAG_ATOM_UTF8, text, 256), CN_E_TERM_ATOM);
    for (size_t i = 0; i < 256; i++)
        memcpy(text + 4 * i, "\xf0\x9f\x8e\xb2", 4);
    ck_assert_int_eq(walk_atom(TAG_ATOM_UTF8, text, 4 * 255), 0);
    ck_assert_int_eq(walk_atom(TAG_ATOM_UTF8, text, 4 * 256), CN_E_TERM_ATOM);
    ck_assert_int_eq(walk_atom(TAG_ATOM_UTF8, text, 4 * 255 - 1), CN_E_TERM_ATOM);
    ck_assert_int_eq(walk_atom(TAG_SMALL_ATOM_UTF8, "\xff", 1), CN_E_TERM_ATOM);
    ck_assert_int_eq(walk_atom(TAG_SMALL_ATOM_UTF8, "\xc3\xa9", 2), 0);
    ck_assert_int_eq(walk_atom(TAG_SMALL_ATOM, "\xc3\xa9", 2), CN_E_TERM_ATOM);
    ck_assert_int_eq(walk_atom(TAG_ATOM, "\xe9", 1), CN_E_TERM_ATOM);
    ck_assert_int_eq(walk_atom(TAG_ATOM, "ok", 2), 0);
    ck_assert_int_eq(walk_hex("5877"
                              "02c3"
                              "280000000a0000000b0000000c"),
                     CN_E_TERM_ATOM);
}
END_TEST

/* Nest @levels tuples around an empty one. */
static uint8_t *nested_tuples(size_t levels, size_t *ret_size)
{
    uint8_t *data = malloc(2 * levels + 1);

    ck_assert_ptr_nonnull(data);
    for (size_t i = 0; i < levels; i++)
        memcpy(data + 2 * i, "\x68\x01", 2);
    data[2 * levels] = TAG_NIL;
    *ret_size = 2 * levels + 1;
    return data;
}

/* Nesting is allowed up to the limit exactly, whatever the limit says. */
START_TEST(depth_is_limited)
{
    const struct etf_limits three = {.depth_max = 3};
    const struct etf_limits none = {.depth_max = 0};
    const struct etf_limits too_much = {.depth_max = 1000000};
    size_t size;
    uint8_t *data = nested_tuples(3, &size);

    ck_assert_int_eq(etf_walk(data, size, &three, &size), 0);
    ck_assert_int_eq(etf_walk(data + 6, 1, &none, &size), 0);
    ck_assert_int_eq(etf_walk(data + 4, 3, &none, &size), CN_E_TERM_DEEP);
    free(data);
    data = nested_tuples(4, &size);
    ck_assert_int_eq(etf_walk(data, size, &three, &size), CN_E_TERM_DEEP);
    free(data);
    data = nested_tuples(ETF_DEPTH_MAX, &size);
    ck_assert_int_eq(etf_walk(data, size, NULL, &size), 0);
    touch_everything((struct cn_term){data, size});
    free(data);
    data = nested_tuples(ETF_DEPTH_MAX + 1, &size);
    ck_assert_int_eq(etf_walk(data, size, &too_much, &size), CN_E_TERM_DEEP);
    free(data);
}
END_TEST

/* A million nested tuples are refused, and even without the walk nobody recurses into them. */
START_TEST(a_million_levels_hurt_nobody)
{
    size_t size;
    uint8_t *data = nested_tuples(1000000, &size);

    ck_assert_int_eq(etf_walk(data, size, NULL, &size), CN_E_TERM_DEEP);
    touch_everything((struct cn_term){data, 2 * 1000000 + 1});
    free(data);
}
END_TEST

/* As many terms inside one as are allowed, and one more; claims beyond the bytes fail first. */
START_TEST(number_of_terms_is_limited)
{
    for (uint32_t count = ETF_TERMS_MAX - 1; count <= ETF_TERMS_MAX; count++) {
        struct cn_writer writer;
        size_t size = 0;
        int r;

        cn_writer_init(&writer, 0);
        cn_write_list(&writer, count);
        for (uint32_t i = 0; i < count; i++)
            cn_write_nil(&writer);
        r = etf_walk(writer.data, writer.size, NULL, &size);
        ck_assert_int_eq(r, CN_E_TERM_COUNT); /* its tail is missing */
        cn_write_nil(&writer);
        r = etf_walk(writer.data, writer.size, NULL, &size);
        ck_assert_int_eq(r, count < ETF_TERMS_MAX ? 0 : CN_E_TERM_LIMIT);
        cn_writer_free(&writer);
    }
}
END_TEST

/* A list in a million pieces is one list: its tails do not nest. */
START_TEST(tails_do_not_nest)
{
    const struct etf_limits one = {.depth_max = 1};
    size_t pieces = 1000000;
    size_t size = 7 * pieces + 1;
    uint8_t *data = malloc(size);
    size_t walked = 0;

    ck_assert_ptr_nonnull(data);
    for (size_t i = 0; i < pieces; i++)
        memcpy(data + 7 * i, "\x6c\0\0\0\x01\x61\x05", 7);
    data[size - 1] = TAG_NIL;
    ck_assert_int_eq(etf_walk(data, size, &one, &walked), 0);
    ck_assert_uint_eq(walked, size);
    touch_everything((struct cn_term){data, size});
    data[size - 1] = TAG_SMALL_TUPLE;
    ck_assert_int_eq(etf_walk(data, size, &one, &walked), CN_E_TERM_SHORT);
    free(data);
}
END_TEST

/* Change some bytes of @data. */
static void mutate(uint8_t *data, size_t size)
{
    static const uint8_t nasty[] = {0, 1, 0x7f, 0x80, 0xff, TAG_LIST, TAG_MAP, TAG_NEW_FUN};

    for (int changes = 1 + rand() % 4; changes > 0; changes--) {
        size_t at = (size_t)rand() % size;

        data[at] = rand() % 2 == 0 ? nasty[(size_t)rand() % sizeof(nasty)] : (uint8_t)rand();
    }
}

/* A hundred thousand mutations of a term: whatever is accepted can be copied and compared. */
START_TEST(mutations_hurt_nobody)
{
    struct cn_writer original;
    struct cn_writer writer;
    struct cn_term term;
    int accepted = 0;

    srand(4);
    cn_writer_init(&original, 0);
    cn_writer_init(&writer, 0);
    write_all_samples(&original);
    term = cn_writer_term(&original);
    for (int round = 0; round < 100000; round++) {
        size_t size = rand() % 8 == 0 ? 1 + (size_t)rand() % term.size : term.size;
        uint8_t *copy = exact_copy(term.data, size);
        struct cn_term found;

        mutate(copy, size);
        touch_everything((struct cn_term){copy, size});
        if (etf_check(copy, size, NULL, &found) == 0) {
            struct cn_reader reader;

            cn_writer_reset(&writer);
            cn_reader_init(&reader, found);
            ck_assert(copy_by_value(&reader, &writer, true));
            ck_assert(cn_reader_done(&reader));
            ck_assert_int_eq(cn_writer_error(&writer), 0);
            ck_assert(cn_term_equal(found, cn_writer_term(&writer)));
            accepted++;
        }
        free(copy);
    }
    ck_assert_int_gt(accepted, 1000);
    cn_writer_free(&original);
    cn_writer_free(&writer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("walk");
    TCase *tcase = tcase_create("walk");

    tcase_set_timeout(tcase, 100);
    tcase_add_test(tcase, samples_are_accepted);
    tcase_add_test(tcase, cut_samples_are_refused);
    tcase_add_test(tcase, trailing_bytes_are_told);
    tcase_add_test(tcase, other_tags_are_refused);
    tcase_add_test(tcase, claimed_counts_are_not_believed);
    tcase_add_test(tcase, odd_values_are_refused);
    tcase_add_test(tcase, funs_must_add_up);
    tcase_add_test(tcase, atoms_are_checked);
    tcase_add_test(tcase, depth_is_limited);
    tcase_add_test(tcase, a_million_levels_hurt_nobody);
    tcase_add_test(tcase, number_of_terms_is_limited);
    tcase_add_test(tcase, tails_do_not_nest);
    tcase_add_test(tcase, mutations_hurt_nobody);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
