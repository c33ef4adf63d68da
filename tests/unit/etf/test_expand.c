/*
 * Expanding: every form of a term with atoms by number becomes the plain one, byte for byte, and
 * nothing that a peer sends reads beyond the bytes or the table, or grows beyond the limit.
 */
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "etf/expand.h"

static uint8_t long_text[600];
static const struct cn_bytes atoms[] = {
    {(const uint8_t *)"ok", 2},
    {(const uint8_t *)"a@b", 3},
    {(const uint8_t *)"", 0},
    {long_text, 400},
};

static int expand(const char *hex, struct cn_writer *writer, struct cn_term *ret_term)
{
    struct cn_term term = term_from_hex(hex);
    uint8_t *copy = exact_copy(term.data, term.size);
    size_t used = 0;
    int rc = etf_expand(copy, term.size, atoms, 4, writer, ret_term, &used);

    if (rc == 0)
        ck_assert_uint_eq(used, term.size);
    if (rc == 0 && ret_term->data == copy)
        *ret_term = term;
    free(copy);
    return rc;
}

static void expands_to(const char *from, const char *to)
{
    struct cn_term expected = term_from_hex(to);
    struct cn_writer writer;
    struct cn_term term;

    cn_writer_init(&writer, 0);
    ck_assert_int_eq(expand(from, &writer, &term), 0);
    ck_assert_uint_eq(term.size, expected.size);
    ck_assert_mem_eq(term.data, expected.data, term.size);
    cn_writer_free(&writer);
}

/* An atom by number stands wherever an atom may. */
START_TEST(all_places_of_atoms)
{
    expands_to("5200", "77026f6b");
    expands_to("5202", "7700");
    expands_to("6803520061015201", "680377026f6b61017703614062");
    expands_to("58520100000001000000020000000f", "58770361406200000001000000020000000f");
    expands_to("595201000000010000000f", "597703614062000000010000000f");
    expands_to("785201000000000000000100000009", "787703614062000000000000000100000009");
    expands_to("5a000252010000000100000002000000"
               "03",
               "5a00027703614062000000010000000200000003");
    expands_to("7152005201"
               "6102",
               "7177026f6b77036140626102");
    expands_to("7400000001520068015200", "740000000177026f6b680177026f6b");
    expands_to("6c0000000152006c0000000152006a", "6c0000000177026f6b6c0000000177026f6b6a");
}
END_TEST

/* The size that a local fun tells of itself follows its atoms, also for one inside another. */
START_TEST(funs_tell_their_new_size)
{
    /* tag, size, arity, uniq, index, free variables */
#define FUN(size, free)                \
    "70" size "01"                     \
    "000102030405060708090a0b0c0d0e0f" \
    "00000001" free
#define PID                  \
    "0000000100000002000000" \
    "03"
    expands_to(FUN("00000032", "00000000") "52006101"
                                           "6102"
                                           "585201" PID,
               FUN("00000037", "00000000") "77026f6b61016102587703614062" PID);
    expands_to(FUN("00000067", "00000002") "520061016102585201" PID "5200" FUN(
                   "00000032", "00000000") "520061016102585201" PID,
               FUN("00000073", "00000002") "77026f6b61016102587703614062" PID "77026f6b" FUN(
                   "00000037", "00000000") "77026f6b61016102587703614062" PID);
}
END_TEST

/* A term without references is not copied. */
START_TEST(plain_terms_stay_where_they_are)
{
    struct cn_writer writer;

    cn_writer_init(&writer, 0);
    for (size_t i = 0; i < sample_count; i++) {
        struct cn_term from = term_from_hex(samples[i].hex);
        struct cn_term term;
        size_t used;

        ck_assert_int_eq(etf_expand(from.data, from.size, atoms, 4, &writer, &term, &used), 0);
        ck_assert_ptr_eq(term.data, from.data);
        ck_assert_uint_eq(used, from.size);
    }
    cn_writer_free(&writer);
}
END_TEST

/* References beyond the table, cut ones, and what the walker refuses. */
START_TEST(hostile_terms)
{
    static const struct {
        const char *hex;
        int error;
    } cases[] = {
        {"", CN_E_TERM_SHORT},
        {"52", CN_E_TERM_SHORT},
        {"5204", CN_E_TERM_VALUE},
        {"52ff", CN_E_TERM_VALUE},
        {"68025200", CN_E_TERM_SHORT},
        {"58520400000001000000020000000f", CN_E_TERM_VALUE},
        {"5852", CN_E_TERM_SHORT},
        {"71520052", CN_E_TERM_SHORT},
        {"6c7fffffff5200", CN_E_TERM_COUNT},
        {"50", CN_E_TERM_COMPRESSED},
    };
    struct cn_writer writer;
    struct cn_term term;

    cn_writer_init(&writer, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_msg(expand(cases[i].hex, &writer, &term) == cases[i].error, "%s", cases[i].hex);
    cn_writer_free(&writer);
}
END_TEST

/* Two bytes that stand for four hundred, many times: the limit of the result holds. */
START_TEST(growth_is_limited)
{
    uint8_t data[5 + 2 * 1000] = {105, 0, 0, 3, 232};
    struct cn_writer writer;
    struct cn_term term;
    size_t used;

    memset(long_text, 'x', sizeof(long_text));
    for (size_t i = 0; i < 1000; i++)
        memcpy(data + 5 + 2 * i, "\x52\x03", 2);
    cn_writer_init(&writer, 100000);
    ck_assert_int_eq(etf_expand(data, sizeof(data), atoms, 4, &writer, &term, &used), -E2BIG);
    ck_assert_uint_le(writer.capacity, 200000);
    cn_writer_free(&writer);
    cn_writer_init(&writer, 0);
    ck_assert_int_eq(etf_expand(data, sizeof(data), atoms, 4, &writer, &term, &used), 0);
    ck_assert_uint_eq(term.size, 5 + 1000 * 403);
    cn_writer_free(&writer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("expand");
    TCase *tcase = tcase_create("expand");

    tcase_add_test(tcase, all_places_of_atoms);
    tcase_add_test(tcase, funs_tell_their_new_size);
    tcase_add_test(tcase, plain_terms_stay_where_they_are);
    tcase_add_test(tcase, hostile_terms);
    tcase_add_test(tcase, growth_is_limited);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
