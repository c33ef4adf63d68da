defmodule Minotaur.Cluster.TraceTokenTest do
  @moduledoc """
  Signals with a trace token (`:seq_trace`), which have operations of their own on the wire: a C
  node takes each of them as the one without, and a BEAM goes on talking to it.
  """

  use ExUnit.Case
  @moduletag :cluster_test

  import Minotaur.TimeHelper

  alias Minotaur.Cluster.Probe
  alias Minotaur.ClusterHelper, as: Cluster

  @echo :conformance_echo

  setup ctx do
    cluster = start_supervised!({Cluster.Manager, ctx})
    a = Cluster.start_node(cluster, kind: :beam, applications: [])
    c = Cluster.start_node(cluster, kind: :echo)
    [cluster: cluster, a: a, c: c, probe: Probe.start(cluster, a)]
  end

  test "traced calls, casts, messages and rpc arrive and are answered", ctx do
    target = start_target(ctx)

    for server <- [target, {@echo, ctx.c}] do
      assert traced(ctx, GenServer, :call, [server, :hello]) == {:echo, :hello}
      assert traced(ctx, GenServer, :cast, [server, :cast]) == :ok
      assert traced(ctx, :erlang, :send, [server, :info])
      assert ask(ctx, server, {:inbox}) == [cast: :cast, info: :info]
    end

    for {module, function} <- [{:erpc, :call}, {:rpc, :call}] do
      assert traced(ctx, module, function, [ctx.c, @echo, :echo, [{:x, 1}]]) == {:x, 1}
    end
  end

  test "traced exits end a process, or come as a message", ctx do
    target = start_target(ctx)
    ref = run(ctx, Process, :monitor, [target])
    assert traced(ctx, Process, :exit, [target, :boom])
    await(ctx, {:DOWN, ref, :process, target, :boom})

    trapping = start_target(ctx)
    :ok = ask(ctx, trapping, {:trap_exit, true})
    assert traced(ctx, Process, :exit, [trapping, :why])
    ended = run(ctx, Probe, :end_linked, [trapping, :bye])

    wait_until(fn ->
      inbox = ask(ctx, trapping, {:inbox})
      Process.put(:inbox, Process.get(:inbox, []) ++ inbox)
      assert {:info, {:EXIT, ended, :bye}} in Process.get(:inbox)
    end)

    assert [info: {:EXIT, ctx.probe, :why}, info: :linked, info: {:EXIT, ended, :bye}] ==
             Process.get(:inbox)
  end

  test "the answer to a call of the C node may be traced", ctx do
    server = run(ctx, Probe, :start_traced_echo, [])

    for n <- 1..3,
        do: assert(ask(ctx, {@echo, ctx.c}, {:call, server, n, 5_000}) == {:ok, {:echo, n}})
  end

  defp start_target(ctx) do
    {:ok, pid} = ask(ctx, {@echo, ctx.c}, {:start_target})
    pid
  end

  defp ask(ctx, server, request), do: run(ctx, GenServer, :call, [server, request])

  defp traced(ctx, module, function, arguments) do
    run(ctx, Probe, :traced, [module, function, arguments])
  end

  defp run(ctx, module, function, arguments) do
    assert {:ok, result} = Probe.run(ctx.cluster, ctx.probe, module, function, arguments)
    result
  end

  defp await(ctx, message) do
    wait_until(fn -> assert message in Probe.messages(ctx.cluster, ctx.probe) end)
  end
end
