defmodule Minotaur.Cluster.SlowNamesTest do
  @moduledoc """
  `:global` needs its time when many names move, and for ever while somebody holds its lock. A
  session that moves does not wait for it: its names follow, moved by where it was or, when that
  dies, taken by where it is.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test

  import Minotaur.Cluster.HandoffHelper, only: [sessions: 2, start_first: 1, start_host: 2]
  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.Players
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.GameEngine
  alias Minotaur.GameEngine.Names

  setup :start_first

  setup ctx do
    game = game_fixture(round_end_time: nil)
    arguments = ["its code", game]
    {:ok, pid} = Cluster.call(ctx.cluster, ctx.third, GameEngine, :continue_game, arguments)
    ctx = Map.merge(ctx, %{game: game, node2: start_host(ctx, ctx.kind2)})
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

  defp on_third(ctx, function) do
    Cluster.call(ctx.cluster, ctx.third, GameEngine, function, [ctx.game.id])
  end
end
