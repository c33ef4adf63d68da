/*
 * Any bytes as a term: the walker judges them, and what it lets pass everybody must be able to
 * read, print, hash and compare.
 *
 * The input is a term, and perhaps a second one behind it. Beyond not crashing: a narrower limit
 * never changes what a term is, order and equality agree with each other whichever term comes
 * first, equal terms hash alike, and all of it takes time by the size of the bytes.
 */
#include <stdlib.h>

#include "fuzz.h"

#include "base/assert.h"
#include "base/error.h"
#include "etf/compare.h"
#include "etf/phash2.h"
#include "etf/walk.h"
#include "unit/etf/support.h"

/* Terms nested less deep are the same terms, and the deeper ones are refused for just that. */
static void check_limits(const uint8_t *data, size_t size, int wide, size_t wide_size)
{
    const struct etf_limits narrow = {.depth_max = 3};
    size_t narrow_size = 0;
    int r = etf_walk(data, size, &narrow, &narrow_size);

    if (wide == 0)
        cn_assert((r == 0 && narrow_size == wide_size) || r == CN_E_TERM_DEEP);
    else
        cn_assert(r != 0);
}

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

static void check_pair(struct cn_term a, struct cn_term b)
{
    bool equal = cn_term_equal(a, b);

    cn_assert(equal == cn_term_equal(b, a));
    cn_assert(equal == (etf_compare_exact(a, b) == 0));
    cn_assert(sign(etf_compare_exact(a, b)) == -sign(etf_compare_exact(b, a)));
    cn_assert(sign(etf_compare(a, b)) == -sign(etf_compare(b, a)));
    if (equal) {
        cn_assert(etf_compare(a, b) == 0);
        cn_assert(etf_phash2(a) == etf_phash2(b));
    }
}

static void check_one(struct cn_term term)
{
    size_t size = 0;

    cn_assert(etf_skip(term.data, term.size, &size) == 0 && size == term.size);
    cn_assert(cn_term_equal(term, term));
    touch_everything(term);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t from_ms = fuzz_cpu_ms();
    struct cn_term first = {0};
    struct cn_term second = {0};
    size_t used = 0;
    int r = etf_walk(data, size, NULL, &used);

    check_limits(data, size, r, used);
    touch_everything((struct cn_term){data, size});
    if (r == 0) {
        first = fuzz_exact((struct cn_term){data, used});
        check_one(first);
        if (etf_walk(data + used, size - used, NULL, &used) == 0) {
            second = fuzz_exact((struct cn_term){data + first.size, used});
            check_pair(first, second);
        }
    }
    free((void *)(uintptr_t)first.data);
    free((void *)(uintptr_t)second.data);
    fuzz_check_time(from_ms, 1000);
    return 0;
}
