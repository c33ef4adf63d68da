defmodule Minotaur.Cluster.GameSessionTest do
  @moduledoc """
  The tests of the author's journal, for each pairing of BEAM and C nodes: a session outlives its
  node, is found from everywhere, and goes on with the state that it had.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test

  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.GameEngine
  alias Minotaur.GameEngine.Vector

  setup ctx do
    cluster = start_supervised!({Cluster.Manager, ctx})

    [cluster: cluster]
  end

  for kind1 <- [:beam, :c], kind2 <- [:beam, :c] do
    @pairing kind1: kind1, kind2: kind2

    describe "when a #{kind1} node shuts down, a #{kind2} node being there" do
      @describetag @pairing
      setup [:start_cluster, :start_game, :add_node2, :stop_node1]

      # A node that leaves takes no session with it.
      @tag :mutant
      test "game session is restarted on another node", ctx do
        wait_until(fn ->
          res = Cluster.call(ctx.cluster, ctx.node2, GameEngine, :get_game, [ctx.game.id])

          assert {:ok, %{id: game_id}} = res
          assert ctx.game.id == game_id
        end)

        pid = Cluster.call(ctx.cluster, ctx.node2, GameEngine, :whereis, [ctx.game.id])
        assert node(pid) == ctx.node2
      end
    end

    describe "when a #{kind2} node is added to a cluster of a #{kind1} node" do
      @describetag @pairing
      setup [:start_cluster, :start_game, :add_node2]

      # A new node finds the sessions that were there before it.
      test "game session process is available across the cluster", ctx do
        wait_until(fn ->
          res = Cluster.call(ctx.cluster, ctx.node2, GameEngine, :get_game, [ctx.game.id])

          assert {:ok, %{id: game_id}} = res
          assert ctx.game.id == game_id
        end)
      end
    end

    describe "when a #{kind1} node with a game in play shuts down, a #{kind2} node being there" do
      @describetag @pairing
      setup [:start_cluster, :start_game, :play, :add_node2, :stop_node1]

      # What was played is there on the other node, by one more owner.
      test "state is resumed on another node", ctx do
        assert {:ok, game} =
                 Cluster.call(ctx.cluster, ctx.node2, GameEngine, :get_game, [ctx.game.id])

        assert game == ctx.played
        assert [session] = sessions(ctx.cluster, ctx.node2)
        assert session.id == ctx.game.id
        assert session.epoch == ctx.epoch + 1
      end
    end
  end

  # The mutant that Minotaur.Cluster.HarnessTest runs leaves the stop out.
  defp stop_node1(%{cluster: cluster, node1: node1}) do
    unless System.get_env("KEEP_NODE1"), do: Cluster.stop_node(cluster, node1)
    :ok
  end

  defp add_node2(%{cluster: cluster, kind2: kind}) do
    node2 = Cluster.start_node(cluster, kind: kind, environment: cluster_env())

    [node2: node2]
  end

  defp start_game(%{cluster: cluster, node1: node1}) do
    game = game_fixture()
    {:ok, _pid} = Cluster.call(cluster, node1, GameEngine, :continue_game, [game])

    [game: game]
  end

  defp start_cluster(%{cluster: cluster, kind1: kind}) do
    node1 = Cluster.start_node(cluster, kind: kind, environment: cluster_env())

    [node1: node1]
  end

  # Two rounds with a step of each player, and one more step.
  defp play(%{cluster: cluster, node1: node1, game: game}) do
    {:ok, game} = Cluster.call(cluster, node1, GameEngine, :get_game, [game.id])
    play_round(cluster, node1, game)
    play_round(cluster, node1, game)
    {:ok, played} = step(cluster, node1, game, hd(user_ids(game)))
    [%{epoch: epoch}] = sessions(cluster, node1)

    [played: played, epoch: epoch]
  end

  defp play_round(cluster, node, game) do
    for user_id <- user_ids(game), do: step(cluster, node, game, user_id)
    {:ok, _game} = Cluster.call(cluster, node, GameEngine, :end_round, [game.id])
  end

  # The first direction that leads somewhere.
  defp step(cluster, node, game, user_id) do
    Enum.find_value([{0, -1}, {1, -1}, {-1, 0}, {1, 0}, {-1, 1}, {0, 1}], fn {q, r} ->
      arguments = [game.id, user_id, %Vector{q: q, r: r}]

      case Cluster.call(cluster, node, GameEngine, :register_move, arguments) do
        {:ok, game} -> {:ok, game}
        {:error, :illegal_move} -> nil
      end
    end)
  end

  defp user_ids(game), do: game.players |> Map.values() |> Enum.map(& &1.user_id)

  defp sessions(cluster, node) do
    Cluster.genserver_call(cluster, node, {Minotaur.SessionHost, node}, :sessions)
  end

  defp cluster_env do
    endpoint_env =
      Application.get_env(:minotaur, MinotaurWeb.Endpoint, [])
      |> Keyword.put(:server, false)

    [minotaur: [{MinotaurWeb.Endpoint, endpoint_env}]]
  end
end
