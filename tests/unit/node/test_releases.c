/*
 * Which release a peer runs: node a asks node b, which answers what the test says.
 */
#include "node/releases.h"

#include <errno.h>

#include "base/alloc.h"
#include "otp/functions.h"
#include "unit/proc/world.h"

static struct world world;
static struct functions *functions; /* of b, which runs what our nodes say they run */
static struct releases *releases;

static void setup(void)
{
    world_init(&world);
    ck_assert_int_eq(functions_new(world_procs(&world, 1), &functions), 0);
    ck_assert_int_eq(releases_new(world_procs(&world, 0), &releases), 0);
}

static void teardown(void)
{
    world_deinit(&world);
    releases = releases_free(releases);
    functions = functions_free(functions);
}

/* A peer that is up is asked, and forgotten when it goes. */
START_TEST(peer_is_asked_and_forgotten)
{
    ck_assert_int_eq(releases_peer_up(releases, "b@world"), 0);
    ck_assert_uint_eq(releases_of(releases, "b@world"), 0);
    world_settle(&world);
    ck_assert_uint_ge(releases_of(releases, "b@world"), 25);
    releases_peer_down(releases, "b@world");
    ck_assert_uint_eq(releases_of(releases, "b@world"), 0);
}
END_TEST

/* A peer that goes before it has answered takes its question along. */
START_TEST(early_end_takes_the_question_back)
{
    ck_assert_int_eq(releases_peer_up(releases, "b@world"), 0);
    releases_peer_down(releases, "b@world");
    world_settle(&world);
    ck_assert_uint_eq(releases_of(releases, "b@world"), 0);
}
END_TEST

/* A peer that comes up again before it has answered is asked once more. */
START_TEST(returning_peer_is_asked_again)
{
    ck_assert_int_eq(releases_peer_up(releases, "b@world"), 0);
    ck_assert_int_eq(releases_peer_up(releases, "b@world"), 0);
    world_settle(&world);
    ck_assert_uint_ge(releases_of(releases, "b@world"), 25);
}
END_TEST

/* Without memory the peer is not taken in. */
START_TEST(no_memory_is_told)
{
    for (size_t nth = 1;; nth++) {
        mem_test_begin();
        mem_test_fail(nth);
        int error = releases_peer_up(releases, "b@world");
        bool failed = mem_test_failed();
        mem_test_end();
        if (!failed)
            break;
        ck_assert_int_eq(error, -ENOMEM);
        ck_assert_uint_eq(releases_of(releases, "b@world"), 0);
    }
    world_settle(&world);
    ck_assert_uint_ge(releases_of(releases, "b@world"), 25);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, peer_is_asked_and_forgotten);
    tcase_add_test(tcase, early_end_takes_the_question_back);
    tcase_add_test(tcase, returning_peer_is_asked_again);
    tcase_add_test(tcase, no_memory_is_told);
}

int main(void)
{
    return run_tests("node/releases", add, setup, teardown);
}
