/*
 * The layer beside a real BEAM: some hundred random terms, their bytes, hashes and order.
 *
 * terms.escript is run once per seed and prints what the BEAM says; here every term is walked,
 * copied value by value to the same bytes, hashed, and compared with others. A failure names the
 * seed's line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "etf/compare.h"
#include "etf/phash2.h"
#include "etf/walk.h"

#include "support.h"

#define TERMS_MAX 1000
#define SEEDS     2

static struct cn_term terms[TERMS_MAX];
static size_t term_count;
static size_t orders;

/* The term copied value by value is the same bytes, or with strings opened the same term. */
static void check_copies(struct cn_term term)
{
    for (int open_strings = 0; open_strings < 2; open_strings++) {
        struct cn_writer writer;
        struct cn_reader reader;
        struct cn_term copy;

        cn_writer_init(&writer, 0);
        cn_reader_init(&reader, term);
        ck_assert(copy_by_value(&reader, &writer, open_strings));
        ck_assert(cn_reader_done(&reader));
        copy = cn_writer_term(&writer);
        ck_assert_int_eq(cn_writer_error(&writer), 0);
        if (!open_strings) {
            ck_assert_uint_eq(copy.size, term.size);
            ck_assert_mem_eq(copy.data, term.data, term.size);
        }
        ck_assert(cn_term_equal(copy, term));
        ck_assert_uint_eq(etf_phash2(copy), etf_phash2(term));
        cn_writer_free(&writer);
    }
}

static void check_term(char *line)
{
    char *rest = line;
    char *hex = strtok_r(NULL, " ", &rest);
    char *range27 = strtok_r(NULL, " ", &rest);
    char *range32 = strtok_r(NULL, " \n", &rest);
    struct cn_term bytes;
    struct cn_term term;
    int r;

    ck_assert_ptr_nonnull(range32);
    ck_assert_uint_lt(term_count, TERMS_MAX);
    bytes = term_from_hex(hex);
    r = etf_check_versioned(bytes.data, bytes.size, NULL, &term);
    ck_assert_msg(r == 0, "term %zu: %s: %s", term_count, error_name(r), hex);
    ck_assert_msg(etf_phash2(term) == strtoul(range32, NULL, 10), "hash of %zu: %s", term_count,
                  hex);
    ck_assert_uint_eq(etf_phash2(term) % (1u << 27), strtoul(range27, NULL, 10));
    check_copies(term);
    terms[term_count++] = term;
}

static void check_order(const char *line)
{
    size_t i;
    size_t j;
    int order;
    int same;
    int found;

    ck_assert_int_eq(sscanf(line, "%zu %zu %d %d", &i, &j, &order, &same), 4);
    ck_assert(i < term_count && j < term_count);
    found = etf_compare(terms[i], terms[j]);
    ck_assert_msg((found > 0) - (found < 0) == order, "order of %zu and %zu: %d, BEAM %d", i, j,
                  found, order);
    ck_assert_msg(cn_term_equal(terms[i], terms[j]) == same, "%zu =:= %zu", i, j);
    ck_assert_int_eq(etf_compare_exact(terms[i], terms[j]) == 0, same);
    orders++;
}

/* What a BEAM says of random terms is what we say. */
START_TEST(beam_agrees)
{
    const char *folder = getenv("CNODE_ETF_TESTS");
    static char line[1 << 18];
    char command[1000];
    FILE *beam;

    ck_assert_msg(folder != NULL, "CNODE_ETF_TESTS is not set: run by meson test");
    snprintf(command, sizeof(command), "escript '%s/terms.escript' %d 400", folder, _i + 1);
    beam = popen(command, "r");
    ck_assert_ptr_nonnull(beam);
    while (fgets(line, sizeof(line), beam) != NULL) {
        ck_assert(line[0] == 'T' || line[0] == 'C');
        if (line[0] == 'T')
            check_term(line + 2);
        else
            check_order(line + 2);
    }
    ck_assert_int_eq(pclose(beam), 0);
    ck_assert_uint_ge(term_count, 400);
    ck_assert_uint_ge(orders, 10000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("beam");
    TCase *tcase = tcase_create("beam");

    tcase_set_timeout(tcase, 100);
    tcase_add_loop_test(tcase, beam_agrees, 0, SEEDS);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
