/*
 * The table of functions that every node has, as a whole; what each does is tested
 * with its file.
 */
#include "otp/internal.h"
#include "unit/otp/asker.h"

static bool has(const char *module, const char *name, uint32_t arity)
{
    return functions_find(functions, view(module), view(name), arity) != NULL;
}

/* Each file's functions are in it, and nothing that would run what a peer sends. */
START_TEST(table_is_whole)
{
    ck_assert(has("erlang", "node", 0) && has("Elixir.Node", "list", 1));
    ck_assert(has("erlang", "process_info", 2) && has("erlang", "memory", 0));
    ck_assert(has("sys", "get_state", 1) && has("Elixir.GenServer", "cast", 2));
    ck_assert(!has("erlang", "apply", 3) && !has("os", "cmd", 1) && !has("erlang", "spawn", 3));
    ck_assert(!has("erlang", "get_cookie", 0) && !has("code", "load_binary", 3));
    ck_assert(!has("erlang", "node", 2));
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, table_is_whole);
}

int main(void)
{
    return run_tests("builtins", add, asker_setup, asker_teardown);
}
