defmodule Minotaur.Cluster.SlowNamesTest do
  @moduledoc """
  `:global` needs its time when many names move, and for ever while somebody holds its lock. A
  session that moves does not wait for it: its names follow, moved by where it was or, when that
  dies, taken by where it is.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test

  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.Players
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.{GameEngine, SessionHost}
  alias Minotaur.GameEngine.Names

  @env [minotaur: [round_seconds: 0]]
  @no_sessions [minotaur: [round_seconds: 0, capacity: 0]]

  setup ctx do
    cluster = start_supervised!({Cluster.Manager, ctx})
    third = Cluster.start_node(cluster, kind: :beam, environment: @no_sessions)
    node1 = Cluster.start_node(cluster, kind: ctx.kind1, environment: @env)
    game = game_fixture(round_end_time: nil)
    {:ok, pid} = Cluster.call(cluster, third, GameEngine, :continue_game, ["its code", game])
    node2 = Cluster.start_node(cluster, kind: ctx.kind2, environment: @env)

    ctx =
      Map.merge(ctx, %{cluster: cluster, third: third, node1: node1, node2: node2, game: game})

    wait_until(fn -> assert names(ctx) == [pid, pid] end)
    ctx
  end

  for kind1 <- [:beam, :c], kind2 <- [:beam, :c] do
    describe "from a #{kind1} node to a #{kind2} node" do
      @describetag kind1: kind1, kind2: kind2

      # The session runs at its new place, and callers reach it, long before its names lead there.
      test "the names follow the session", ctx do
        {holder, stop} = move_without_names(ctx)
        assert [old, old] = names(ctx)
        assert {:ok, %{round: 2}} = on_third(ctx, :end_round)
        assert {:ok, %{round: 2}} = on_third(ctx, :get_game)
        Cluster.call(ctx.cluster, ctx.third, Players, :release_names, [holder])

        assert Task.await(stop, :infinity) == 0
        assert {:ok, %{round: 2}} = on_third(ctx, :get_game)
        assert [pid, pid] = names(ctx)
        assert node(pid) == ctx.node2
      end

      # Nobody is left who would move them: the new owner takes them.
      test "the new owner takes the names when the old one dies with them", ctx do
        {holder, stop} = move_without_names(ctx)
        assert {:ok, %{round: 2}} = on_third(ctx, :end_round)
        Cluster.stop_node(ctx.cluster, ctx.node1, graceful_shutdown: false)
        Cluster.call(ctx.cluster, ctx.third, Players, :release_names, [holder])

        Task.await(stop, :infinity)

        wait_until(fn ->
          assert [pid, pid] = names(ctx)
          assert node(pid) == ctx.node2
        end)

        assert {:ok, %{round: 2}} = on_third(ctx, :get_game)
      end
    end
  end

  defp move_without_names(ctx) do
    holder = Cluster.call(ctx.cluster, ctx.third, Players, :hold_names)
    options = [exit_status: :any]
    stop = Task.async(fn -> Cluster.stop_node(ctx.cluster, ctx.node1, options) end)
    wait_until(fn -> assert [%{epoch: 2}] = sessions(ctx, ctx.node2) end)
    {holder, stop}
  end

  defp names(ctx) do
    for key <- [{:id, ctx.game.id}, {:join_code, "its code"}] do
      Cluster.call(ctx.cluster, ctx.third, Names, :whereis, [key])
    end
  end

  defp sessions(ctx, node) do
    Cluster.genserver_call(ctx.cluster, node, {SessionHost, node}, :sessions)
  end

  defp on_third(ctx, function) do
    Cluster.call(ctx.cluster, ctx.third, GameEngine, function, [ctx.game.id])
  end
end
