/*
 * phash2 against vectors of a real node, and against every way to write the same term.
 *
 * The vectors are in tests/vectors/phash2.tsv: name, term_to_binary in hexadecimal, the hash in the
 * ranges 2^27 and 2^32.
 */
#include "etf/phash2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "etf/walk.h"

#include "support.h"

#define VECTORS 281

/* Check one line of the vectors. */
static void check_vector(char *line)
{
    char *rest = line;
    char *name = strtok_r(rest, "\t", &rest);
    char *hex = strtok_r(NULL, "\t", &rest);
    char *range27 = strtok_r(NULL, "\t", &rest);
    char *range32 = strtok_r(NULL, "\t\n", &rest);
    struct cn_term bytes;
    struct cn_term term;

    ck_assert_ptr_nonnull(range32);
    bytes = term_from_hex(hex);
    ck_assert_msg(etf_check_versioned(bytes.data, bytes.size, NULL, &term) == 0, "%s", name);
    ck_assert_msg(etf_phash2(term) == strtoul(range32, NULL, 10), "%s", name);
    ck_assert_msg(etf_phash2(term) % (1u << 27) == strtoul(range27, NULL, 10), "%s", name);
}

/* All vectors of a real node are met. */
START_TEST(vectors_are_met)
{
    const char *path = getenv("CNODE_VECTORS");
    char name[1000];
    static char line[1 << 18];
    int count = 0;
    FILE *file;

    ck_assert_msg(path != NULL, "CNODE_VECTORS is not set: run by meson test");
    snprintf(name, sizeof(name), "%s/phash2.tsv", path);
    file = fopen(name, "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (line[0] == '#')
            continue;
        check_vector(line);
        count++;
    }
    fclose(file);
    ck_assert_int_eq(count, VECTORS);
}
END_TEST

static uint32_t hash(const char *hex)
{
    return etf_phash2(term_from_hex(hex));
}

/* Equal terms hash alike, however they were written. */
START_TEST(forms_do_not_matter)
{
    ck_assert_uint_eq(hash("6b0003010203"), hash("6c000000036101610261036a"));
    ck_assert_uint_eq(hash("6b0003010203"), hash("6c0000000161016c00000002610261036a"));
    ck_assert_uint_eq(hash("6105"), hash("6e020005"
                                         "00"));
    ck_assert_uint_eq(hash("77026f6b"), hash("6400026f6b"));
    ck_assert_uint_eq(hash("6801"
                           "6105"),
                      hash("69000000016105"));
    ck_assert_uint_eq(hash("468000000000000000"), hash("460000000000000000"));
    ck_assert_uint_eq(hash("74000000027701616101"
                           "7701626102"),
                      hash("74000000027701626102"
                           "7701616101"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("phash2");
    TCase *tcase = tcase_create("phash2");

    tcase_add_test(tcase, vectors_are_met);
    tcase_add_test(tcase, forms_do_not_matter);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
