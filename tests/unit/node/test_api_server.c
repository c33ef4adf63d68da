/*
 * Servers on the public API: their callbacks, their names, their answers, their end.
 */
#include "unit/node/public.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"

static struct seen asker, server;

static void setup(void)
{
    public_setup();
    seen_start(&asker, &node, NULL);
    seen_start(&server, &node, "server");
}

/* A call, a cast and a plain message each come to their callback, and a call is answered. */
START_TEST(messages_come_to_their_callbacks)
{
    ck_assert_int_eq(cn_call(asker.server, atom("server"), atom("q"), 1000, seen_done, &asker), 0);
    world_settle(&world);
    ck_assert_str_eq(seen_last(&server), "call q");
    ck_assert_str_eq(seen_last(&asker), "done {echo,q}");
    ck_assert_int_eq(cn_cast(asker.server, atom("server"), atom("c")), 0);
    world_settle(&world);
    ck_assert_str_eq(seen_last(&server), "cast c");
    ck_assert_int_eq(cn_send(asker.server, atom("server"), atom("m")), 0);
    world_settle(&world);
    ck_assert_str_eq(seen_last(&server), "info m");
}
END_TEST

/* A kept caller is answered long after its call, from any callback. */
START_TEST(a_kept_caller_is_answered_later)
{
    ck_assert_int_eq(
        cn_call(asker.server, pid_of(&server), atom("wait"), CN_INFINITY, seen_done, &asker), 0);
    world_settle(&world);
    ck_assert_uint_eq(asker.count, 0);
    ck_assert_int_eq(cn_reply(server.server, server.kept, atom("late")), 0);
    world_settle(&world);
    ck_assert_str_eq(seen_last(&asker), "done late");
}
END_TEST

static struct cn_kept *kept;
static size_t part_size; /* of the end of a message, to be kept; 0: all of it */

static void keep(struct cn_server *self, void *state, struct cn_term message)
{
    (void)state;
    cn_kept_free(kept);
    kept = cn_keep(self, part_size == 0 ? message
                                        : (struct cn_term){message.data + message.size - part_size,
                                                           part_size});
}

static int released;

static void on_release(struct shared *shared)
{
    (void)shared;
    released++;
}

/* What is kept outlives its message: with the memory of a large one, as a copy of another. */
START_TEST(terms_are_kept)
{
    static const struct cn_server_callbacks callbacks = {.module = "keeper", .handle_info = keep};
    struct cn_server *keeper = NULL;
    struct control control = {.op = CONTROL_SEND};
    struct shared owner;

    ck_assert_int_eq(cn_server_start(&node, &callbacks, NULL, &keeper), 0);
    ck_assert_int_eq(cn_send(asker.server, pid_term(cn_server_pid(keeper)), atom("small")), 0);
    world_settle(&world);
    ck_assert(cn_term_equal(cn_kept_term(kept), atom("small")));
    shared_init(&owner, on_release);
    control.to = *cn_server_pid(keeper);
    control.owner = &owner;
    struct cn_term large = parse("{large,[1,2]}");
    ck_assert_int_eq(procs_peer_up(node.procs, "peer@there", 1), 0);
    ck_assert_int_eq(procs_deliver(node.procs, "peer@there", 1, &control, large), 0);
    world_settle(&world);
    ck_assert_ptr_eq(cn_kept_term(kept).data, large.data);
    shared_put(&owner);
    ck_assert_int_eq(released, 0);
    kept = cn_kept_free(kept);
    ck_assert_int_eq(released, 1);

    /* A small part does not keep a large message: its copy lives on alone. */
    part_size = 1;
    shared_init(&owner, on_release);
    ck_assert_int_eq(procs_deliver(node.procs, "peer@there", 1, &control, large), 0);
    world_settle(&world);
    shared_put(&owner);
    ck_assert_int_eq(released, 2);
    ck_assert_ptr_ne(cn_kept_term(kept).data, large.data + large.size - 1);
    kept = cn_kept_free(kept);
    part_size = 0;
    cn_server_stop_atom(keeper, "normal");
    world_settle(&world);
}
END_TEST

/* A server without callbacks refuses calls, drops the rest, and ends without a word. */
START_TEST(callbacks_may_be_left_out)
{
    static const struct cn_server_callbacks none = {.module = "none"};
    struct cn_server *silent = NULL;

    ck_assert_int_eq(cn_server_start(&node, &none, NULL, &silent), 0);
    ck_assert_ptr_eq(cn_server_node(silent), &node);
    struct cn_term pid = pid_term(cn_server_pid(silent));
    ck_assert_int_eq(cn_send(asker.server, pid, atom("m")), 0);
    ck_assert_int_eq(cn_cast(asker.server, pid, atom("m")), 0);
    ck_assert_int_eq(cn_call(asker.server, pid, atom("q"), 1000, seen_done, &asker), 0);
    world_settle(&world);
    ck_assert_str_eq(seen_last(&asker), "done {error,unknown_request}");
    cn_server_stop_atom(silent, "normal");
    world_settle(&world);
}
END_TEST

/* A stopped server ends with exactly its reason, and its last caller has its answer. */
START_TEST(it_ends_with_its_reason)
{
    struct cn_ref ref;

    ck_assert_int_eq(cn_monitor(asker.server, pid_of(&server), &ref), 0);
    ck_assert_int_eq(cn_call(asker.server, pid_of(&server), parse("{stop,{my,[1]}}"), 1000,
                             seen_done, &asker),
                     0);
    world_settle(&world);
    ck_assert_str_eq(server.ended, "{my,[1]}");
    ck_assert_str_eq(asker.log[0], "done {echo,{stop,{my,[1]}}}");
    ck_assert_ptr_nonnull(strstr(asker.log[1], "{my,[1]}}"));
}
END_TEST

/* A name belongs to one server, is given back, and is gone with its server. */
START_TEST(names)
{
    ck_assert_int_eq(cn_server_register(asker.server, "server"), CN_TAKEN);
    ck_assert_int_eq(cn_server_register(asker.server, "undefined"), -EINVAL);
    cn_server_unregister(asker.server, "server");
    ck_assert_ptr_nonnull(procs_whereis(node.procs, view("server")));
    cn_server_unregister(server.server, "server");
    ck_assert_int_eq(cn_server_register(asker.server, "server"), 0);
    cn_server_stop_atom(asker.server, "normal");
    world_settle(&world);
    ck_assert_ptr_null(procs_whereis(node.procs, view("server")));
}
END_TEST

/* :sys sees the module and the state that the application shows. */
START_TEST(sys_sees_its_state)
{
    ck_assert_int_eq(
        cn_send(asker.server, pid_of(&server),
                parse_with("{system,{%p,tag},get_state}", cn_server_pid(asker.server))),
        0);
    world_settle(&world);
    ck_assert_str_eq(seen_last(&asker), "info {tag,seen}");
}
END_TEST

/* References are never the same. */
START_TEST(references_differ)
{
    struct cn_ref a, b;

    cn_make_ref(asker.server, &a);
    cn_make_ref(server.server, &b);
    ck_assert(!cn_ref_equal(&a, &b));
}
END_TEST

/* Whichever allocation fails, the server has started whole or not at all. */
START_TEST(starting_survives_failing_memory)
{
    static const struct cn_server_callbacks none = {.module = "none"};
    struct cn_server *made = NULL;
    size_t count = procs_count(node.procs);
    bool failed = true;

    mem_test_begin();
    for (size_t n = 1; failed; n++) {
        mem_test_fail(n);
        int error = cn_server_start(&node, &none, NULL, &made);
        failed = mem_test_failed();
        ck_assert_int_eq(error, failed ? -ENOMEM : 0);
        ck_assert_uint_eq(procs_count(node.procs), failed ? count : count + 1);
    }
    mem_test_fail(0);
    mem_test_end();
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, messages_come_to_their_callbacks);
    tcase_add_test(tcase, a_kept_caller_is_answered_later);
    tcase_add_test(tcase, terms_are_kept);
    tcase_add_test(tcase, callbacks_may_be_left_out);
    tcase_add_test(tcase, it_ends_with_its_reason);
    tcase_add_test(tcase, names);
    tcase_add_test(tcase, sys_sees_its_state);
    tcase_add_test(tcase, references_differ);
    tcase_add_test(tcase, starting_survives_failing_memory);
}

int main(void)
{
    return run_tests("api_server", add, setup, public_teardown);
}
