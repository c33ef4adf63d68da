defmodule Minotaur.Cluster.GlobalLivenessTest do
  @moduledoc """
  A C node that is a member of `:global` holds nobody up: it answers lock requests while its
  sessions are called without pause, and one that stands still leaves the cluster.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test
  @moduletag timeout: 120_000

  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.LockLoad
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.GameEngine

  # Seconds, on any machine: longer than the watchdog's, shorter than a net tick.
  @counts_millions 8_000

  @sessions 20
  @callers 32
  @samples 200
  # Asked are 10 ms; the rest is for a machine that runs other tests.
  @answer_us 10_000
  @slow_answer_us 100_000

  setup ctx do
    [cluster: start_supervised!({Cluster.Manager, ctx})]
  end

  # Its connections are closed by a thread of its own, so the others need not wait for the net tick.
  test "a member that stands still leaves, and comes back", ctx do
    env = [minotaur: [node_stall_ms: 1_000]]
    c = Cluster.start_node(ctx.cluster, kind: :echo, environment: env)
    [a, b] = for _ <- 1..2, do: Cluster.start_node(ctx.cluster, kind: :beam, applications: [])
    nodes = [a, b, c]
    Cluster.await_global(ctx.cluster, nodes)
    assert ask(ctx, c, :conformance_echo, {:global_register, :of_c}) == :yes
    wait_until(fn -> assert node(whereis(ctx, a, :of_c)) == c end)

    Cluster.call(ctx.cluster, a, Node, :spawn, [a, GenServer, :call, block(c)])

    wait_until(fn ->
      assert Cluster.call(ctx.cluster, a, Node, :list) |> Enum.member?(c) == false
    end)

    {:ok, pid} = Cluster.call(ctx.cluster, a, Agent, :start, [:erlang, :self, []])
    assert Cluster.call(ctx.cluster, a, :global, :register_name, [:of_a, pid]) == :yes
    wait_until(fn -> assert whereis(ctx, b, :of_c) == :undefined end)
    refute c in ask(ctx, a, :global_name_server, :get_known)

    Cluster.await_global(ctx.cluster, nodes)
    for node <- [a, b], do: wait_until(fn -> assert node(whereis(ctx, node, :of_c)) == c end)
    wait_until(fn -> assert whereis(ctx, c, :of_a) == pid end)
  end

  # Whoever registers a name anywhere asks this node for the lock first.
  test "a lock request is answered while sessions are called without pause", ctx do
    env = [minotaur: [round_seconds: 0]]
    c = Cluster.start_node(ctx.cluster, kind: :c, environment: env)
    a = Cluster.start_node(ctx.cluster, kind: :beam, applications: [])
    Cluster.await_global(ctx.cluster, [a, c])

    ids =
      for _ <- 1..@sessions do
        game = game_fixture(round_end_time: nil)
        {:ok, _pid} = Cluster.call(ctx.cluster, c, GameEngine, :continue_game, [nil, game])
        game.id
      end

    callers = Cluster.call(ctx.cluster, a, LockLoad, :start_callers, [ids, @callers])

    # Again when this machine was busy with others.
    wait_until(fn ->
      times = Cluster.call(ctx.cluster, a, LockLoad, :lock_times, [c, @samples])
      assert Enum.at(times, div(@samples, 2)) < @answer_us
      assert Enum.at(times, div(@samples * 9, 10)) < @slow_answer_us
    end)

    assert Cluster.call(ctx.cluster, a, LockLoad, :stop_callers, [callers]) > @samples
  end

  # What is asked.

  defp block(c), do: [{:namer, c}, {:block, @counts_millions}, :infinity]

  defp ask(ctx, node, server, request),
    do: Cluster.genserver_call(ctx.cluster, node, {server, node}, request)

  defp whereis(ctx, node, name),
    do: Cluster.call(ctx.cluster, node, :global, :whereis_name, [name])
end
