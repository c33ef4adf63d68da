defmodule Minotaur.Cluster.ParityTest do
  @moduledoc """
  rpc, erpc and spawn: the same calls to a BEAM node and to a C node, answer by answer. Each row of
  the tables is a call that one process makes; all that it sees must be equal.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test

  import Minotaur.EchoHelper, only: [ask: 3, name: 1, start_node: 2, start_target: 2, run: 4]

  alias Minotaur.Cluster.Manager
  alias Minotaur.Parity

  setup_all ctx do
    cluster = start_supervised!({Manager, ctx})
    beam = start_node(cluster, :beam)
    c = start_node(cluster, :c)
    {:ok, driver} = Manager.route(cluster, c)
    echo = %{cluster: cluster, driver: driver, beam: [beam], c: [c]}
    mine = run(echo, :erlang, :node, [])
    terms = for {node, other} <- [{beam, c}, {c, beam}], do: terms(echo, node, other, mine)
    {:ok, echo: echo, terms: terms}
  end

  defp terms(echo, node, other, mine) do
    dead = start_target(echo, node)
    :ok = ask(echo, dead, {:exit, :normal})
    pid = ask(echo, name(node), {:whoami})
    idle = start_target(echo, node)
    pids = %{THE_PID: pid, DEAD_PID: dead, IDLE_PID: idle}
    Map.merge(pids, %{THE_NODE: node, OTHER_NODE: other, MY_NODE: mine})
  end

  @big :binary.copy("0123456789abcdef", 65_536)
  @echo :conformance_echo
  @slow [@echo, {:sleep_echo, 2_000, :late}]

  # {name of the group, [{module, function, arguments}]}
  @calls [
    {"erpc.call",
     for mfa <- [
           [:erlang, :node, []],
           [@echo, :echo, [%{any: [1, "x", :THE_PID]}]],
           [@echo, :echo, [@big]],
           [@echo, :fail, [{:why, 1}]],
           [@echo, :fail, []],
           [@echo, :no_such_function, [1, 2]],
           [:no_such_module, :f, [1, "x"]],
           [:no_such_module, :f, []],
           [:no_such_module, :f, Enum.to_list(1..255)],
           [:no_such_module, :f, Enum.to_list(1..256)],
           [:no_such_module, :f, Enum.to_list(1..1_023)],
           [:no_such_module, :f, Enum.to_list(1..1_024)],
           [:no_such_module, :f, Enum.to_list(1..100_000)],
           [:no_such_module, :f, [1 | 2]],
           [:no_such_module, :f, :no_list],
           ["no module", :f, []],
           [:erlang, :throw, [{:a, 1}]],
           [:erlang, :exit, [{:b, 2}]],
           [:erlang, :exit, [:normal]],
           [:erlang, :error, [{:c, 3}]],
           [:erlang, :error, [:badarg]],
           [:erlang, :nodes, [:no_kind]],
           [:erlang, :is_process_alive, [:no_pid]],
           [:erlang, :is_process_alive, [:MY_PID]]
         ] do
       {:erpc, :call, [:THE_NODE | mfa]}
     end},
    {"erpc.call with a time limit",
     for {mfa, ms} <- [
           {[:erlang, :node, []], :infinity},
           {[:erlang, :node, []], 5_000},
           {[GenServer, :call, @slow], 50},
           {[GenServer, :call, @slow], 0},
           {[:erlang, :node, []], -1},
           {[:erlang, :node, []], :soon}
         ] do
       {:erpc, :call, [:THE_NODE | mfa] ++ [ms]}
     end},
    {"erpc to a node that is not there",
     [
       {:erpc, :call, [:"nowhere@127.0.0.1", :erlang, :node, []]},
       {:erpc, :multicall, [[:THE_NODE, :"nowhere@127.0.0.1"], :erlang, :node, []]}
     ]},
    {"erpc.multicall, cast, send_request",
     for mfa <- [
           [:erlang, :node, []],
           [@echo, :fail, [1]],
           [:no_such_module, :f, [1]],
           [:erlang, :throw, [1]],
           [:erlang, :exit, [1]]
         ],
         call <- [
           {:erpc, :multicall, [[:THE_NODE, :THE_NODE] | mfa]},
           {:erpc, :cast, [:THE_NODE | mfa]},
           {:erpc, :multicast, [[:THE_NODE, :OTHER_NODE] | mfa]},
           {Parity, :response, [:receive_response, :THE_NODE | mfa]},
           {Parity, :response, [:wait_response, :THE_NODE | mfa]},
           {Parity, :response, [:check_response, :THE_NODE | mfa]}
         ] do
       call
     end ++
       [
         {Parity, :response, [:no_time, :THE_NODE, GenServer, :call, @slow]},
         {Parity, :response, [:short_time, :THE_NODE, GenServer, :call, @slow]},
         {:erpc, :multicall, [[:THE_NODE], GenServer, :call, @slow, 50]},
         {Parity, :collection,
          [:THE_NODE, [{:erlang, :node, []}, {GenServer, :call, [@echo, {:sleep_echo, 50, 1}]}]]}
       ]},
    {"callers and workers that die",
     [{Parity, :abandoned, [:THE_NODE]}, {Parity, :killed_worker, [:THE_NODE]}]},
    {"rpc",
     for mfa <- [
           [:erlang, :node, []],
           [@echo, :echo, [@big]],
           [@echo, :fail, [1]],
           [:no_such_module, :f, [1]],
           [:no_such_module, :f, [1 | 2]],
           [:no_such_module, :f, Enum.to_list(1..256)],
           [:no_such_module, :f, Enum.to_list(1..2_000)],
           [:erlang, :throw, [1]],
           [:erlang, :exit, [1]],
           [:erlang, :error, [1]],
           [:erlang, :nodes, [:no_kind]]
         ],
         call <- [
           {:rpc, :call, [:THE_NODE | mfa]},
           {:rpc, :call, [:THE_NODE | mfa] ++ [5_000]},
           {:rpc, :block_call, [:THE_NODE | mfa]},
           {:rpc, :multicall, [[:THE_NODE, :"nowhere@127.0.0.1"] | mfa]},
           {:rpc, :cast, [:THE_NODE | mfa]},
           {Parity, :polled, [:THE_NODE | mfa]}
         ] do
       call
     end ++
       [
         {:rpc, :call, [:THE_NODE, GenServer, :call, @slow, 50]},
         {:rpc, :block_call, [:THE_NODE, GenServer, :call, @slow, 50]},
         {:rpc, :multicall, [[:THE_NODE], GenServer, :call, @slow, 50]},
         {:rpc, :server_call, [:THE_NODE, :no_such_name, :wrapper, :message]},
         {:rpc, :multi_server_call, [[:THE_NODE], :no_such_name, :message]},
         {:rpc, :sbcast, [[:THE_NODE], :no_such_name, :message]},
         {:rpc, :sbcast, [[:THE_NODE], @echo, :message]},
         {:rpc, :abcast, [[:THE_NODE], @echo, :message]},
         {:rpc, :eval_everywhere, [[:THE_NODE], :erlang, :node, []]},
         {:rpc, :pinfo, [:THE_PID, :registered_name]},
         {:rpc, :pinfo, [:DEAD_PID]},
         {:rpc, :pinfo, [:DEAD_PID, :registered_name]}
       ]},
    {"GenServer calls to rex and net_kernel",
     [
       {:net_adm, :ping, [:THE_NODE]},
       {Node, :ping, [:THE_NODE]},
       {GenServer, :call, [{:net_kernel, :THE_NODE}, {:is_auth, :MY_NODE}]},
       {GenServer, :call, [{:rex, :THE_NODE}, {:call, :erlang, :node, [], :ME}]},
       {GenServer, :call, [{:rex, :THE_NODE}, {:call, :erlang, :throw, [1], :ME}]},
       {GenServer, :call, [{:rex, :THE_NODE}, {:call, :no_such_module, :f, [1], :ME}]},
       {Parity, :trapping, [Kernel, :send, [{:rex, :THE_NODE}, {:ME, :features_request}], 1]},
       {Parity, :trapping,
        [Kernel, :send, [{:rex, :THE_NODE}, {:ME, {:call, :erlang, :node, [], :ME}}], 1]}
     ]},
    {"the echo contract at its edges",
     for request <- [
           {:link_me, :IDLE_PID},
           {:unlink_me, :IDLE_PID},
           {:link_me, :THE_PID},
           {:unlink_me, :THE_PID},
           {:unlink_me, :DEAD_PID},
           {:monitor, :IDLE_PID},
           {:monitor, {:conformance_echo, :OTHER_NODE}},
           {:send, :DEAD_PID, 1},
           {:send, {:nobody, :THE_NODE}, 1},
           {:send, {:nobody, :"nowhere@127.0.0.1"}, 1},
           {:send, :IDLE_PID, {:to, :myself}},
           {:inbox},
           {:exit_signal, :DEAD_PID, :why},
           {:exit_signal, :THE_PID, :normal},
           {:trap_exit, true},
           {:trap_exit, false},
           {:blob, 0},
           {:blob, 252},
           {:sleep_echo, 0, [1 | 2]},
           {:call, :THE_PID, {:unknown}, 1_000},
           {:call, {:conformance_echo, :OTHER_NODE}, {:sleep_echo, 500, :late}, 10},
           {:global_whereis, {:never, 1}},
           {:global_unregister, {:never, 1}},
           {:whoami, 1},
           {"whoami"},
           {}
         ] do
       {GenServer, :call, [:IDLE_PID, request]}
     end},
    {"spawn",
     for mfa <- [
           [:erlang, :node, []],
           [@echo, :fail, [1]],
           [:no_such_module, :f, [1]],
           [:no_such_module, :f, []],
           [:erlang, :throw, [1]],
           [:erlang, :exit, [1]],
           [:erlang, :nodes, [:no_kind]]
         ],
         {call, count} <- [
           {[Node, :spawn, [:THE_NODE | mfa]], 0},
           {[Node, :spawn_link, [:THE_NODE | mfa]], 1},
           {[Node, :spawn_monitor, [:THE_NODE | mfa]], 1},
           {[:erlang, :spawn_opt, [:THE_NODE | mfa] ++ [[:link, :monitor]]], 2}
         ] do
       {Parity, :trapping, call ++ [count]}
     end},
    {"spawn_request",
     for {options, count} <- [
           {[], 1},
           {[:monitor], 2},
           {[reply: :yes, reply_tag: {:my, :tag}], 1},
           {[:monitor, reply: :no], 1},
           {[:monitor, reply: :error_only], 1},
           {[:monitor, reply: :success_only], 2},
           {[monitor: [tag: :my_down]], 2},
           {[monitor: [alias: :reply_demonitor]], 2},
           {[monitor: [alias: :explicit_unalias, tag: :my_down]], 2},
           {[priority: :high, min_heap_size: 1_000, message_queue_data: :off_heap], 1},
           {[max_heap_size: 1_000_000, fullsweep_after: 1, scheduler: 1], 1},
           {[:no_such_option], 1},
           {[reply: :sometimes], 1}
         ],
         mfa <- [[:erlang, :node, []], [:no_such_module, :f, [1]]] do
       {Parity, :spawned, [:THE_NODE | mfa] ++ [options, count]}
     end}
  ]

  # Calls by rpc whose answers are equal...
  @same [
    [:erlang, :node, [:THE_PID]],
    [:erlang, :node, [:ME]],
    [:erlang, :node, [:no_pid]],
    [:erlang, :is_alive, []],
    [Node, :self, []],
    [Node, :alive?, []],
    [:erlang, :nodes, []],
    [Node, :list, []],
    [:erlang, :nodes, [[]]],
    [:erlang, :nodes, [[:this, :no_kind]]],
    [:erlang, :whereis, [@echo]],
    [:erlang, :whereis, [:nobody]],
    [:erlang, :whereis, ["text"]],
    [Process, :whereis, [@echo]],
    [Process, :whereis, [:nobody]],
    [:erlang, :is_process_alive, [:THE_PID]],
    [:erlang, :is_process_alive, [:DEAD_PID]],
    [:erlang, :is_process_alive, [:ME]],
    [Process, :alive?, [:THE_PID]],
    [:erlang, :process_info, [:DEAD_PID]],
    [:erlang, :process_info, [:DEAD_PID, :links]],
    [:erlang, :process_info, [:ME]],
    [:erlang, :process_info, [:ME, :links]],
    [:erlang, :process_info, [:THE_PID, :no_item]],
    [:erlang, :process_info, [:THE_PID, [:links, :no_item]]],
    [:erlang, :process_info, [:THE_PID, [:links | :trap_exit]]],
    [:erlang, :process_info, [:THE_PID, "text"]],
    [:erlang, :process_info, [:THE_PID, []]],
    [:erlang, :process_info, [:THE_PID, :registered_name]],
    [:erlang, :process_info, [:IDLE_PID, :registered_name]],
    [:erlang, :process_info, [:IDLE_PID, [:registered_name, :trap_exit]]],
    [Process, :info, [:DEAD_PID]],
    [Process, :info, [:DEAD_PID, :links]],
    [Process, :info, [:THE_PID, :registered_name]],
    [:erlang, :system_info, [:no_such_key]],
    [:erlang, :system_info, ["text"]],
    [:erlang, :statistics, [:no_such_key]],
    [:erlang, :memory, [:no_such_key]],
    [:erlang, :memory, [[:total, :no_such_key]]],
    [:erlang, :send, [:ME, :hello]],
    [:erlang, :send, [{:nobody, :THE_NODE}, :hello]],
    [:erlang, :exit, [:DEAD_PID, :kill]],
    [GenServer, :call, [@echo, {:unknown}]],
    [GenServer, :call, [:THE_PID, {:unknown}, 1_000]],
    [GenServer, :call, [{@echo, :OTHER_NODE}, {:unknown}]],
    [GenServer, :call, [:nobody, :x]],
    [GenServer, :call, [:DEAD_PID, :x]],
    [GenServer, :call, [@echo, {:noreply}, 20]],
    [GenServer, :cast, [@echo, :x]],
    [GenServer, :cast, [:nobody, :x]],
    [:gen_server, :call, [@echo, {:unknown}]],
    [:gen_server, :call, [@echo, {:noreply}, 20]],
    [:gen_server, :cast, [@echo, :x]],
    [:sys, :get_state, [:nobody]],
    [:sys, :get_state, [:DEAD_PID, 1_000]],
    [:sys, :suspend, [:IDLE_PID]],
    [:sys, :resume, [:IDLE_PID]],
    [:sys, :get_status, [:nobody]],
    [:global, :whereis_name, [:no_such_name]],
    [:code, :which, [:no_such_module]],
    [:code, :is_loaded, [:no_such_module]],
    [:code, :ensure_loaded, [:no_such_module]]
  ]

  # ... and those whose answers are of one shape.
  @alike [
    [:erlang, :nodes, [[:this, :visible]]],
    [:erlang, :nodes, [[:hidden, :visible], %{node_type: true}]],
    [:erlang, :nodes, [:connected]],
    [:erlang, :process_info, [:THE_PID]],
    [:erlang, :process_info, [:THE_PID, [:memory, :reductions, :message_queue_len, :status]]],
    [:erlang, :process_info, [:THE_PID, [:heap_size, :stack_size, :total_heap_size]]],
    [:erlang, :process_info, [:THE_PID, [:monitors, :monitored_by, :messages, :links]]],
    [:erlang, :process_info, [:THE_PID, [:priority, :error_handler, :trap_exit, :suspending]]],
    [:erlang, :system_info, [:otp_release]],
    [:erlang, :system_info, [:version]],
    [:erlang, :system_info, [:system_version]],
    [:erlang, :system_info, [:system_architecture]],
    [:erlang, :system_info, [:process_count]],
    [:erlang, :system_info, [:process_limit]],
    [:erlang, :system_info, [:port_count]],
    [:erlang, :system_info, [:atom_count]],
    [:erlang, :system_info, [:atom_limit]],
    [:erlang, :system_info, [:schedulers]],
    [:erlang, :system_info, [:schedulers_online]],
    [:erlang, :system_info, [:logical_processors]],
    [:erlang, :system_info, [:wordsize]],
    [:erlang, :system_info, [{:wordsize, :internal}]],
    [:erlang, :system_info, [{:wordsize, :external}]],
    [:erlang, :system_info, [:creation]],
    [:erlang, :statistics, [:wall_clock]],
    [:erlang, :statistics, [:runtime]],
    [:erlang, :statistics, [:run_queue]],
    [:erlang, :memory, []],
    [:erlang, :memory, [:total]],
    [:erlang, :memory, [[:total, :processes]]],
    [:erlang, :self, []],
    [:erlang, :processes, []]
  ]

  for {group, calls} <- @calls do
    @tag calls: calls
    test "#{group} is answered as on the BEAM", %{echo: echo, terms: terms, calls: calls} do
      assert different(echo, terms, calls, & &1) == []
    end
  end

  # What tools ask by rpc, badarg included.
  test "functions of every node answer the same", %{echo: echo, terms: terms} do
    calls = for mfa <- @same, do: {:rpc, :call, [:THE_NODE | mfa]}
    assert different(echo, terms, calls, & &1) == []
  end

  # What two nodes cannot answer the same: figures, texts, pids of their own.
  test "functions of every node answer alike", %{echo: echo, terms: terms} do
    calls = for mfa <- @alike, do: {:rpc, :call, [:THE_NODE | mfa]}
    assert different(echo, terms, calls, &Parity.shape/1) == []
  end

  # The rows whose outcomes differ, with both outcomes.
  defp different(echo, terms, calls, shape) do
    for call <- calls,
        [beam, c] = for(t <- terms, do: shape.(run(echo, Parity, :observe, [call, t]))),
        beam != c do
      {call, beam: beam, c: c}
    end
  end
end
