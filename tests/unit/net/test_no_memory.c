/*
 * Two networks meet and one sends, with the n-th allocation failing, for every n.
 *
 * Whatever comes of it (nothing, one side, everything), nothing may be left behind, and without a
 * failure all must work. libuv's own memory is not behind our seam.
 */
#include "support.h"

#include <string.h>

#include "base/alloc.h"

#define TURNS_MAX 400

static struct world world;
static struct node alice;
static struct node bob;
static struct node carol;
static size_t turns;
static bool met; /* somebody could come after the failure, if there was anybody to come to */

static void setup(void)
{
    world_init(&world);
}

static void teardown(void)
{
    world_deinit(&world);
}

static bool arrived_or_enough(void *context)
{
    turns++;
    return bob.delivered > 0 || turns > TURNS_MAX || (mem_test_failed() && turns > 25);
}

static int start(struct node *node, const char *prefix)
{
    struct network_config config = node_init(node, &world, prefix, "secret");

    return node_try_start(node, &config);
}

static bool carol_sees_bob(void *context)
{
    return node_sees(&carol, bob.name);
}

/* With memory back, somebody else comes to @bob: it takes connections as before. */
static void meet_again(void)
{
    const char *const nodes[] = {bob.name, NULL};
    struct network_config config = node_init(&carol, &world, "carol", "secret");

    mem_test_fail(0);
    config.connect = nodes;
    ck_assert_int_eq(node_try_start(&carol, &config), 0);
    met = world_until(&world, carol_sees_bob, NULL);
    node_deinit(&carol);
}

/* One run; tells whether the message arrived. */
static bool run_once(size_t nth)
{
    struct loop *saved = world.loop;

    mem_test_begin();
    mem_test_fail(nth);
    met = true;
    turns = 0;
    memset(&alice, 0, sizeof(alice));
    memset(&bob, 0, sizeof(bob));
    memset(&carol, 0, sizeof(carol));
    if (loop_new(&world.loop) == 0) {
        if (start(&bob, "bob") == 0 && start(&alice, "alice") == 0) {
            (void)node_send_text(&alice, bob.name, "ear", "hello");
            (void)world_until(&world, arrived_or_enough, NULL);
            if (nth > 0)
                meet_again();
        }
        node_deinit(&alice);
        node_deinit(&bob);
        loop_free(world.loop);
    }
    world.loop = saved;
    ck_assert_int_eq(mem_test_end(), 0);
    return bob.delivered > 0;
}

/* No failed allocation leaves anything behind, brings the node down, or makes it deaf. */
START_TEST(every_allocation_fails_once)
{
    size_t total;

    ck_assert(run_once(0));
    total = mem_test_count();
    ck_assert_uint_gt(total, 20);
    for (size_t nth = 1; nth <= total + 5; nth++) {
        (void)run_once(nth);
        ck_assert_msg(met, "after allocation %zu failed nobody can connect", nth);
    }
    ck_assert(run_once(0));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("no_memory");
    TCase *tcase = tcase_create("no_memory");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, every_allocation_fails_once);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
