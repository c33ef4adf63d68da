/*
 * Placement: the weights that a BEAM computes, and the order they make.
 */
#include <string.h>

#include "session/placement.h"
#include "unit/session/main.h"

#define UUID "6b29fc40-ca47-4067-b31d-00dd010662da"

/* erlang:phash2({Id, Node}, 4294967296) of OTP 25. */
static const struct {
    const char *id;
    const char *node;
    uint32_t weight;
} vectors[] = {
    {"t", "a@world", 845174730},
    {"t", "b@world", 914816573},
    {"t", "c@world", 2709826502},
    {UUID, "minotaur-1@host.example", 2687147989},
    {UUID, "minotaur-2@host.example", 3630842729},
    {UUID, "beam@127.0.0.1", 1938154115},
    {"", "a", 143347056},
    {"x", "n\xc3\xa4@h", 121112802},
};

/* Weights are those of a BEAM, whatever the name's letters. */
START_TEST(weights_are_phash2)
{
    uint32_t weight;

    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        ck_assert_int_eq(placement_weight(view(vectors[i].id), vectors[i].node, &weight), 0);
        ck_assert_uint_eq(weight, vectors[i].weight);
    }
}
END_TEST

/* The highest weight comes first. */
START_TEST(highest_first)
{
    struct candidate candidates[3] = {{5, "a"}, {9, "b"}, {7, "c"}};

    placement_sort(candidates, 3);
    ck_assert_str_eq(candidates[0].node, "b");
    ck_assert_str_eq(candidates[1].node, "c");
    ck_assert_str_eq(candidates[2].node, "a");
}
END_TEST

/* Equal weights are decided by the greater name, whatever the order they came in. */
START_TEST(ties_by_name)
{
    struct candidate candidates[3] = {{5, "b"}, {5, "c"}, {5, "a"}};

    placement_sort(candidates, 3);
    ck_assert_str_eq(candidates[0].node, "c");
    ck_assert_str_eq(candidates[1].node, "b");
    ck_assert_str_eq(candidates[2].node, "a");
}
END_TEST

int main(void)
{
    TCase *tests;
    Suite *suite = suite_of("placement", &tests);

    tcase_add_test(tests, weights_are_phash2);
    tcase_add_test(tests, highest_first);
    tcase_add_test(tests, ties_by_name);
    return run_suite(suite);
}
