/*
 * The functions that every node has: what tools, Horde and Elixir's Node and Process modules ask of
 * a node by rpc. They answer as the BEAM's functions of that name do, badarg included.
 *
 * This is the whole list, but for those that are a question to a server: builtins_server.c has
 * a table of them, with what each is made of. What is in neither, nor added by a layer above, is
 * undef.
 */
#include "otp/internal.h"

static char text_undefined[] = "undefined";
static char text_nil[] = "nil";
static char text_false[] = "false";
static char text_non_existing[] = "non_existing";
static char text_error[] = "error";
static char text_exit[] = "exit";
static char text_throw[] = "throw";

static const struct function builtins[] = {
    /* builtins_node.c */
    {"erlang", "node", 0, run_node, NULL},
    {"Elixir.Node", "self", 0, run_node, NULL},
    {"erlang", "node", 1, run_node_of, NULL},
    {"erlang", "is_alive", 0, run_is_alive, NULL},
    {"Elixir.Node", "alive?", 0, run_is_alive, NULL},
    {"erlang", "nodes", 0, run_nodes, NULL},
    {"Elixir.Node", "list", 0, run_nodes, NULL},
    {"erlang", "nodes", 1, run_nodes_of, NULL},
    {"Elixir.Node", "list", 1, run_nodes_of, NULL},
    {"erlang", "nodes", 2, run_nodes_info, NULL},
    {"init", "stop", 0, run_stop, NULL},
    {"init", "stop", 1, run_stop_status, NULL},
    {"erlang", "halt", 0, run_stop, NULL},
    {"erlang", "halt", 1, run_stop_status, NULL},
    {"Elixir.System", "stop", 0, run_stop, NULL},
    {"Elixir.System", "stop", 1, run_stop_status, NULL},
    {"Elixir.System", "halt", 0, run_stop, NULL},
    {"Elixir.System", "halt", 1, run_stop_status, NULL},
    /* builtins_process.c */
    {"erlang", "self", 0, run_self, NULL},
    {"erlang", "is_process_alive", 1, run_alive, NULL},
    {"Elixir.Process", "alive?", 1, run_alive, NULL},
    {"erlang", "whereis", 1, run_whereis, text_undefined},
    {"Elixir.Process", "whereis", 1, run_whereis, text_nil},
    {"erlang", "registered", 0, run_registered, NULL},
    {"Elixir.Process", "registered", 0, run_registered, NULL},
    {"erlang", "processes", 0, run_processes, NULL},
    {"Elixir.Process", "list", 0, run_processes, NULL},
    {"erlang", "process_info", 1, run_process_info, text_undefined},
    {"erlang", "process_info", 2, run_process_info_item, text_undefined},
    {"Elixir.Process", "info", 1, run_process_info, text_nil},
    {"Elixir.Process", "info", 2, run_process_info_item, text_nil},
    {"erlang", "send", 2, run_send, NULL},
    {"erlang", "exit", 2, run_exit_signal, NULL},
    {"Elixir.Process", "exit", 2, run_exit_signal, NULL},
    {"erlang", "error", 1, run_raise, text_error},
    {"erlang", "exit", 1, run_raise, text_exit},
    {"erlang", "throw", 1, run_raise, text_throw},
    /* builtins_system.c */
    {"erlang", "system_info", 1, run_system_info, NULL},
    {"erlang", "statistics", 1, run_statistics, NULL},
    {"erlang", "memory", 0, run_memory, NULL},
    {"erlang", "memory", 1, run_memory_of, NULL},
    {"code", "which", 1, run_constant, text_non_existing},
    {"code", "is_loaded", 1, run_constant, text_false},
    {"code", "ensure_loaded", 1, run_no_file, NULL},
    /* builtins_server.c */
    {"gen_server", "cast", 2, run_cast, NULL},
    {"Elixir.GenServer", "cast", 2, run_cast, NULL},
};

int builtins_add(struct functions *functions)
{
    int r = functions_add(functions, builtins, sizeof(builtins) / sizeof(builtins[0]));

    return r != 0 ? r : questions_add(functions);
}
