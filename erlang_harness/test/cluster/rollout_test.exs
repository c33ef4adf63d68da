defmodule Minotaur.Cluster.RolloutTest do
  @moduledoc """
  A deploy, as hosts see it: old ones leave one after the other, new ones are there; each session
  moves once.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test

  import Minotaur.GameEngineFixtures

  alias Minotaur.Cluster.Manager
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.{GameEngine, Placement, SessionHost}

  @sessions 24

  for kind1 <- [:beam, :c], kind2 <- [:beam, :c] do
    describe "two old #{kind1} nodes and a new #{kind2} node" do
      @describetag kind1: kind1, kind2: kind2

      # Although the other old host is the first of the ranking for half of them.
      test "sessions of an old host go to the new one, once", ctx do
        cluster = start_supervised!({Manager, ctx})
        olds = for _ <- 1..2, do: start(cluster, ctx.kind1, "1.9.0")
        games = for _ <- 1..@sessions, do: start_game(cluster, hd(olds))
        new = start(cluster, ctx.kind2, "1.10.0")
        [here, there] = for old <- olds, do: sessions(cluster, old)
        assert length(here) + length(there) == @sessions

        Cluster.stop_node(cluster, hd(olds))
        moved = sessions(cluster, new)
        assert Enum.sort(ids(moved)) == Enum.sort(ids(here))
        assert Enum.sort(sessions(cluster, List.last(olds))) == Enum.sort(there)

        Cluster.stop_node(cluster, List.last(olds))
        moved = sessions(cluster, new)
        assert Enum.sort(ids(moved)) == Enum.sort(for(game <- games, do: game.id))
        assert Enum.all?(moved, &(&1.epoch == 2))
      end
    end
  end

  for kind1 <- [:beam, :c], kind2 <- [:beam, :c] do
    # In the middle of a deploy an operator spreads the sessions: only forward, never back.
    @tag kind1: kind1, kind2: kind2
    test "a rebalance of a new #{kind1} node with an old #{kind2} one moves only forward", ctx do
      cluster = start_supervised!({Manager, ctx})
      old = start(cluster, ctx.kind2, "1.9.0")
      for _ <- 1..@sessions, do: start_game(cluster, old)
      new = start(cluster, ctx.kind1, "1.10.0")
      same = start(cluster, ctx.kind1, "1.10.0")
      before = sessions(cluster, old)
      {forward, kept} = Enum.split_with(before, &(first(&1.id, [old, new, same]) != old))
      assert forward != [] and kept != []

      moved = length(forward)
      stayed = length(kept)
      assert {:ok, %{moved: ^moved, failed: 0, stayed: ^stayed}} = rebalance(cluster, old)
      assert Enum.sort(sessions(cluster, old)) == Enum.sort(kept)
      [on_new, on_same] = for node <- [new, same], do: ids(sessions(cluster, node))
      for id <- on_new, do: assert(first(id, [old, new, same]) == new)
      for id <- on_same, do: assert(first(id, [old, new, same]) == same)

      # One that the old host would be the first for goes nowhere; between the new ones they do.
      stray = for _ <- 1..@sessions, do: start_game_at(cluster, new)
      to_same = for game <- stray, first(game.id, [new, same]) == same, do: game.id
      assert Enum.any?(stray, &(first(&1.id, [old, new, same]) == old))
      count = length(to_same)
      assert {:ok, %{moved: ^count, failed: 0}} = rebalance(cluster, new)
      assert Enum.sort(sessions(cluster, old)) == Enum.sort(kept)
      assert Enum.sort(ids(sessions(cluster, same))) == Enum.sort(on_same ++ to_same)
    end
  end

  defp first(id, nodes), do: Enum.max_by(nodes, &{Placement.weight(id, &1), &1})

  defp rebalance(cluster, node),
    do: Cluster.genserver_call(cluster, node, {SessionHost, node}, :rebalance)

  defp start_game_at(cluster, node) do
    game = game_fixture(round_end_time: nil)
    request = {:start_session, nil, game}
    {:ok, _pid} = Cluster.genserver_call(cluster, node, {SessionHost, node}, request)
    game
  end

  defp start(cluster, kind, version) do
    environment = [minotaur: [round_seconds: 0, app_version: version]]
    Cluster.start_node(cluster, kind: kind, environment: environment)
  end

  defp start_game(cluster, node) do
    game = game_fixture()
    {:ok, _pid} = Cluster.call(cluster, node, GameEngine, :continue_game, [game])
    game
  end

  defp ids(sessions), do: for(session <- sessions, do: session.id)

  defp sessions(cluster, node) do
    Cluster.genserver_call(cluster, node, {SessionHost, node}, :sessions)
  end
end
