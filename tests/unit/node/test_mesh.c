/*
 * Who is dialled, and who is told of whom: node a has a mesh, node b answers as a BEAM node would,
 * erlang:nodes() with what the test says.
 */
#include "node/mesh.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "otp/functions.h"
#include "unit/otp/server.h"
#include "unit/proc/world.h"

#define ROUND_MS 3000

static struct world world;
static struct functions *functions;
static struct mesh *mesh, *other;
static const char *connects_all; /* what b says of its connect_all; NULL: nothing */
static size_t meetings;          /* how often b was told to connect to c@world */
static const char *named[8];     /* the nodes that b sees */
static char dialled[16][64];
static size_t dials;

static void each_node(void *context,
                      void (*visit)(void *visit_context, const char *node, bool hidden),
                      void *visit_context)
{
    (void)context;
    for (size_t i = 0; named[i]; i++)
        visit(visit_context, named[i], false);
}

static int dial(void *context, const char *node)
{
    ck_assert_ptr_eq(context, &world);
    ck_assert_uint_lt(dials, 16);
    ck_assert_uint_lt(strlen(node), sizeof dialled[0]);
    memcpy(dialled[dials++], node, strlen(node) + 1);
    return 0;
}

static void run_get_env(void *context, struct apply *apply, const struct cn_term *arguments)
{
    struct cn_writer writer;

    ck_assert(cn_term_is_atom(arguments[0], "kernel"));
    ck_assert(cn_term_is_atom(arguments[1], "connect_all"));
    if (!connects_all) {
        apply_return_atom(apply, "undefined");
        return;
    }
    cn_writer_init(&writer, 0);
    cn_write_tuple(&writer, 2);
    cn_write_atom(&writer, "ok");
    cn_write_atom(&writer, connects_all);
    apply_return_writer(apply, &writer);
}

static void run_connect_node(void *context, struct apply *apply, const struct cn_term *arguments)
{
    ck_assert(cn_term_is_atom(arguments[0], "c@world"));
    meetings++;
    apply_return_atom(apply, "true");
}

static const struct function of_a_beam[] = {
    {"application", "get_env", 2, run_get_env, NULL},
    {"net_kernel", "connect_node", 1, run_connect_node, NULL},
};

static void setup(void)
{
    struct functions_hooks hooks = {.each_node = each_node};

    world_init(&world);
    memset(named, 0, sizeof named);
    dials = 0;
    meetings = 0;
    connects_all = "true";
    ck_assert_int_eq(functions_new(world_procs(&world, 1), &functions), 0);
    functions_set_hooks(functions, &hooks);
    ck_assert_int_eq(functions_add(functions, of_a_beam, 2), 0);
    ck_assert_int_eq(mesh_new(world_procs(&world, 0), dial, &world, &mesh), 0);
    world_settle(&world);
}

static void teardown(void)
{
    world_deinit(&world);
    functions = functions_free(functions);
    mesh = mesh_free(mesh);
    other = mesh_free(other);
}

static void peer_up(const char *node, bool hidden)
{
    ck_assert_int_eq(mesh_peer_up(mesh, node, hidden), 0);
    world_settle(&world);
}

/* A peer that comes up is asked at once, and whom it names is dialled; we and it are not. */
START_TEST(named_nodes_are_dialled)
{
    named[0] = "x@world";
    named[1] = "a@world";
    named[2] = "b@world";
    peer_up("b@world", false);
    ck_assert_uint_eq(dials, 1);
    ck_assert_str_eq(dialled[0], "x@world");
}
END_TEST

/* A node that a peer learns of later is found in the next round. */
START_TEST(later_nodes_are_found)
{
    peer_up("b@world", false);
    ck_assert_uint_eq(dials, 0);
    named[0] = "x@world";
    world_pass(&world, ROUND_MS);
    ck_assert_uint_eq(dials, 1);
}
END_TEST

/* Who cannot be reached is dialled again, ever more slowly, as long as somebody names it. */
START_TEST(unreachable_nodes_are_dialled_more_slowly)
{
    named[0] = "x@world";
    peer_up("b@world", false);
    for (int i = 0; i < 40; i++)
        world_pass(&world, ROUND_MS);
    /* Two minutes: 0, 3, 6, 9, 15, 24, 42, then every 30 s. */
    ck_assert_uint_ge(dials, 6);
    ck_assert_uint_le(dials, 10);
    named[0] = NULL;
    size_t before = dials;
    for (int i = 0; i < 20; i++)
        world_pass(&world, ROUND_MS);
    ck_assert_uint_eq(dials, before);
}
END_TEST

/* Who is up is not dialled; when it is gone it is dialled again without delay. */
START_TEST(lost_nodes_are_dialled_again)
{
    named[0] = "x@world";
    peer_up("x@world", true);
    peer_up("b@world", false);
    world_pass(&world, ROUND_MS);
    ck_assert_uint_eq(dials, 0);
    mesh_peer_down(mesh, "x@world");
    world_pass(&world, ROUND_MS);
    ck_assert_uint_eq(dials, 1);
}
END_TEST

/* A visible peer that went is dialled again, more and more rarely, although nobody is left to name
 * it; but not for ever. */
START_TEST(lost_peer_is_dialled_although_unnamed)
{
    peer_up("b@world", false);
    world_pass(&world, 20000);
    mesh_peer_down(mesh, "b@world");
    world_pass(&world, ROUND_MS);
    ck_assert_uint_eq(dials, 1);
    ck_assert_str_eq(dialled[0], "b@world");
    for (int i = 0; i < 10; i++)
        world_pass(&world, ROUND_MS);
    ck_assert_uint_gt(dials, 2);
    ck_assert_uint_lt(dials, 8);
    world_pass(&world, 660000);
    size_t before = dials;
    for (int i = 0; i < 40; i++)
        world_pass(&world, ROUND_MS);
    ck_assert_uint_eq(dials, before);
}
END_TEST

/* Who is left, and who was lost before, is not dialled again until somebody names it. */
START_TEST(peers_that_are_left_are_not_dialled)
{
    peer_up("b@world", false);
    peer_up("x@world", false);
    mesh_peer_down(mesh, _i == 0 ? "b@world" : "x@world");
    mesh_forget_peers(mesh);
    mesh_peer_down(mesh, _i == 0 ? "x@world" : "b@world");
    for (int i = 0; i < 5; i++)
        world_pass(&world, ROUND_MS);
    ck_assert_uint_eq(dials, 0);
    named[0] = "x@world";
    peer_up("b@world", false);
    world_pass(&world, ROUND_MS);
    ck_assert_uint_gt(dials, 0);
    ck_assert_str_eq(dialled[0], "x@world");
}
END_TEST

/* Node b has a mesh too, and both see each other. */
static void b_is_a_c_node(void)
{
    ck_assert_int_eq(mesh_new(world_procs(&world, 1), dial, &world, &other), 0);
    ck_assert_int_eq(mesh_peer_up(other, "a@world", false), 0);
    peer_up("b@world", false);
}

/* b is up, goes and is not dialled within a quarter of a minute. */
static void b_goes_unmissed(void)
{
    mesh_peer_down(mesh, "b@world");
    world_settle(&world);
    for (int i = 0; i < 5; i++)
        world_pass(&world, ROUND_MS);
    ck_assert_uint_eq(dials, 0);
}

/* b comes back, is lost without a word, and dialled once. */
static void b_is_lost_and_dialled(void)
{
    peer_up("b@world", false);
    mesh_peer_down(mesh, "b@world");
    world_pass(&world, ROUND_MS);
    ck_assert_uint_eq(dials, 1);
}

/* Who has said that it goes, for good or not, is not dialled; once it is back and lost, it is. */
START_TEST(leaving_peer_is_not_dialled)
{
    b_is_a_c_node();
    if (_i == 0)
        mesh_say_leaving(other);
    else
        mesh_forget_peers(other);
    world_settle(&world);
    b_goes_unmissed();
    b_is_lost_and_dialled();
}
END_TEST

/* The word may be handled after the connection's end; it counts for that end alone. */
START_TEST(leaving_is_heard_late)
{
    b_is_a_c_node();
    mesh_say_leaving(other);
    b_goes_unmissed();
    named[0] = "b@world";
    peer_up("c@world", false);
    mesh_peer_down(mesh, "b@world"); /* a dial that failed */
    ck_assert_uint_eq(dials, 0);
    b_is_lost_and_dialled();
}
END_TEST

/* What is no such word, or of nobody we know, changes nothing. */
START_TEST(odd_words_are_passed_over)
{
    static const char *const words[] = {"leaving", "{leaving,1}", "{leaving,nobody@world}",
                                        "{going,b@world}", "{leaving,b@world,x}"};
    struct dest dest = to_name("minotaur_mesh", "a@world");

    peer_up("b@world", false);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        ck_assert_int_eq(procs_send(world_procs(&world, 1), NULL, &dest, parse(words[i])), 0);
    world_settle(&world);
    mesh_peer_down(mesh, "b@world");
    world_pass(&world, ROUND_MS);
    ck_assert_uint_eq(dials, 1);
}
END_TEST

/* A peer that goes right after it came is not dialled more often for having been up. */
START_TEST(flapping_peer_is_dialled_ever_more_slowly)
{
    for (int i = 0; i < 30; i++) {
        peer_up("b@world", false);
        mesh_peer_down(mesh, "b@world");
        world_pass(&world, ROUND_MS);
    }
    ck_assert_uint_lt(dials, 12);
}
END_TEST

/* A hidden peer is not asked, a peer that is gone neither. */
START_TEST(hidden_and_lost_peers_are_not_asked)
{
    named[0] = "x@world";
    peer_up("b@world", true);
    world_pass(&world, ROUND_MS);
    ck_assert_uint_eq(dials, 0);
    mesh_peer_down(mesh, "b@world");
    world_pass(&world, ROUND_MS);
    ck_assert_uint_eq(dials, 0);
}
END_TEST

/* Somebody kills the process of the mesh: peers come and go, and nobody is dialled. */
START_TEST(killed_mesh_dials_nobody)
{
    struct procs *procs = world_procs(&world, 0);
    struct cn_pid self = {.creation = procs_creation(procs), .node = "a@world"};

    peer_up("b@world", false);
    for (self.id = 0; self.id < 16; self.id++)
        ck_assert_int_eq(procs_exit_signal(procs, NULL, &self, atom("kill")), 0);
    world_settle(&world);
    ck_assert_uint_eq(procs_count(procs), 0);
    named[0] = "x@world";
    peer_up("c@world", false);
    mesh_peer_down(mesh, "b@world");
    peer_up("b@world", false);
    world_pass(&world, ROUND_MS);
    ck_assert_uint_eq(dials, 0);
}
END_TEST

/* A node that leaves dials nobody any more. */
START_TEST(stopped_mesh_dials_nobody)
{
    named[0] = "x@world";
    mesh_stop(mesh);
    peer_up("b@world", false);
    world_pass(&world, ROUND_MS);
    ck_assert_uint_eq(dials, 0);
}
END_TEST

/* However many names come and go, the next peer is taken up. */
START_TEST(names_that_are_past_are_forgotten)
{
    char node[32];

    mem_test_begin();
    for (unsigned i = 0; i < 5000; i++) {
        text_format(node, sizeof node, "n%u@world", i);
        ck_assert_int_eq(mesh_peer_up(mesh, node, true), 0);
        mesh_peer_down(mesh, node);
    }
    for (int i = 0; i < 25; i++)
        world_pass(&world, ROUND_MS);
    ck_assert_int_lt(mem_test_live(), 100);
    mem_test_end();
}
END_TEST

/* What is no node name is passed over. */
START_TEST(odd_names_are_passed_over)
{
    named[0] = "nohost";
    named[1] = "x@world";
    peer_up("b@world", false);
    ck_assert_uint_eq(dials, 1);
    ck_assert_str_eq(dialled[0], "x@world");
}
END_TEST

/*
 * BEAM nodes that know only us are told of each other, once each time that one comes up: not before
 * :global had time to join them, or their words to each other would cross.
 */
START_TEST(newcomers_are_introduced)
{
    peer_up("c@world", false);
    peer_up("b@world", false);
    world_pass(&world, ROUND_MS / 2);
    ck_assert_uint_eq(meetings, 0);
    world_pass(&world, ROUND_MS);
    ck_assert_uint_eq(meetings, 1);
    world_pass(&world, ROUND_MS);
    ck_assert_uint_eq(meetings, 1);
    mesh_peer_down(mesh, "b@world");
    peer_up("b@world", false);
    ck_assert_uint_eq(meetings, 1);
    world_pass(&world, 2 * ROUND_MS);
    ck_assert_uint_eq(meetings, 2);
}
END_TEST

/* Somebody who came a moment ago is being joined as well: nobody is told of it yet. */
START_TEST(later_newcomer_is_not_introduced)
{
    peer_up("b@world", false);
    world_pass(&world, ROUND_MS - 500);
    peer_up("c@world", false);
    world_pass(&world, 500);
    world_pass(&world, ROUND_MS);
    ck_assert_uint_eq(meetings, 0);
}
END_TEST

/* Whom it sees already it need not be told of; hidden nodes are nobody's business. */
START_TEST(acquainted_and_hidden_nodes_are_not_introduced)
{
    named[0] = "c@world";
    peer_up("c@world", false);
    peer_up("b@world", false);
    world_pass(&world, 2 * ROUND_MS);
    named[0] = NULL;
    mesh_peer_down(mesh, "c@world");
    peer_up("c@world", true);
    mesh_peer_down(mesh, "b@world");
    peer_up("b@world", false);
    world_pass(&world, 2 * ROUND_MS);
    ck_assert_uint_eq(meetings, 0);
}
END_TEST

/* A BEAM node that was told not to connect to all is left alone, as is one that does not say. */
START_TEST(who_does_not_connect_to_all_is_left_alone)
{
    peer_up("c@world", false);
    connects_all = "false";
    peer_up("b@world", false);
    world_pass(&world, 2 * ROUND_MS);
    mesh_peer_down(mesh, "b@world");
    connects_all = NULL;
    peer_up("b@world", false);
    world_pass(&world, 2 * ROUND_MS);
    ck_assert_uint_eq(meetings, 0);
}
END_TEST

/* Without memory a peer is refused, and nothing is left half done. */
START_TEST(no_memory_is_told)
{
    for (size_t nth = 1;; nth++) {
        mem_test_begin();
        mem_test_fail(nth);
        int error = mesh_new(world_procs(&world, 1), dial, &world, &other);
        bool failed = mem_test_failed();
        mem_test_end();
        if (!failed)
            break;
        ck_assert_int_eq(error, -ENOMEM);
    }
    mem_test_begin();
    mem_test_fail(1);
    ck_assert_int_eq(mesh_peer_up(mesh, "new@world", false), -ENOMEM);
    mem_test_end();
    peer_up("new@world", false);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, named_nodes_are_dialled);
    tcase_add_test(tcase, later_nodes_are_found);
    tcase_add_test(tcase, unreachable_nodes_are_dialled_more_slowly);
    tcase_add_test(tcase, lost_nodes_are_dialled_again);
    tcase_add_test(tcase, hidden_and_lost_peers_are_not_asked);
    tcase_add_test(tcase, lost_peer_is_dialled_although_unnamed);
    tcase_add_loop_test(tcase, peers_that_are_left_are_not_dialled, 0, 2);
    tcase_add_loop_test(tcase, leaving_peer_is_not_dialled, 0, 2);
    tcase_add_test(tcase, leaving_is_heard_late);
    tcase_add_test(tcase, later_newcomer_is_not_introduced);
    tcase_add_test(tcase, odd_words_are_passed_over);
    tcase_add_test(tcase, flapping_peer_is_dialled_ever_more_slowly);
    tcase_add_test(tcase, killed_mesh_dials_nobody);
    tcase_add_test(tcase, stopped_mesh_dials_nobody);
    tcase_add_test(tcase, names_that_are_past_are_forgotten);
    tcase_add_test(tcase, odd_names_are_passed_over);
    tcase_add_test(tcase, newcomers_are_introduced);
    tcase_add_test(tcase, acquainted_and_hidden_nodes_are_not_introduced);
    tcase_add_test(tcase, who_does_not_connect_to_all_is_left_alone);
    tcase_add_test(tcase, no_memory_is_told);
}

int main(void)
{
    return run_tests("node/mesh", add, setup, teardown);
}
