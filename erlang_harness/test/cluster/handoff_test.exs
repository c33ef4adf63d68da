defmodule Minotaur.Cluster.HandoffTest do
  @moduledoc """
  A session that moves while it is in use, for each pairing of BEAM and C nodes. The players are
  on a third node, which finds sessions and carries none.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test

  import Minotaur.Cluster.HandoffHelper,
    only: [await_calls: 3, on_third: 3, start_first: 2, start_host: 4]

  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.Players
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.GameEngine.Names

  # The freeze is made long by holding the lock of :global, for which the source then waits.
  @patient [names_wait_ms: 5_000]

  setup ctx do
    ctx = start_first(ctx, @patient)
    game = game_fixture(round_end_time: nil)
    {:ok, pid} = on_third(ctx, :continue_game, [game])
    assert node(pid) == ctx.node1
    node2 = start_host(ctx, ctx.kind2, nil, @patient)
    await_name(ctx.cluster, ctx.third, game.id, pid)
    Map.merge(ctx, %{node2: node2, game: game, pid: pid})
  end

  for kind1 <- [:beam, :c], kind2 <- [:beam, :c] do
    describe "from a #{kind1} node to a #{kind2} node" do
      @describetag kind1: kind1, kind2: kind2

      # Who plays on while the node stops notices nothing.
      test "no call fails, no update is lost or doubled", ctx do
        players = Cluster.call(ctx.cluster, ctx.third, Players, :start, [ctx.game, 4])
        await_calls(ctx, players, 50)
        Cluster.stop_node(ctx.cluster, ctx.node1)
        await_calls(ctx, players, 50)
        {copy, failures} = Cluster.call(ctx.cluster, ctx.third, Players, :stop, [players])

        assert failures == []
        assert {:ok, copy} == on_third(ctx, :get_game, [ctx.game.id])
        assert node(on_third(ctx, :whereis, [ctx.game.id])) == ctx.node2
      end

      # Who waits while nothing is executed is answered by the new owner. The freeze is made long
      # by holding the lock of :global, for which the source waits.
      test "a caller that waits at the freeze gets its answer", ctx do
        holder = Cluster.call(ctx.cluster, ctx.third, Players, :hold_names)
        stop = Task.async(fn -> Cluster.stop_node(ctx.cluster, ctx.node1) end)
        {answered, waiting} = end_rounds_until_waiting(ctx, [], [])
        Cluster.call(ctx.cluster, ctx.third, Players, :release_names, [holder])
        answers = answered ++ Task.await_many(waiting, :infinity)
        Task.await(stop, :infinity)

        rounds = for {:ok, game} <- answers, do: game.round
        assert Enum.sort(rounds) == Enum.to_list(2..(length(answers) + 1))
        assert {:ok, %{round: round}} = on_third(ctx, :get_game, [ctx.game.id])
        assert round == Enum.max(rounds)
        assert node(on_third(ctx, :whereis, [ctx.game.id])) == ctx.node2
      end
    end
  end

  # Two nodes that have just met tell each other their names when OTP's `:global` has joined them,
  # tenths of a second later. `GameEngine` does not wait for that; who calls the plain name does.
  defp await_name(cluster, node, id, pid) do
    name = Names.global_name({:id, id})

    wait_until(fn ->
      assert Cluster.call(cluster, node, :global, :whereis_name, [name]) == pid
    end)
  end

  # Rounds are ended one by one, until five of these calls wait.
  defp end_rounds_until_waiting(_ctx, answered, [_, _, _, _, _] = waiting),
    do: {answered, waiting}

  defp end_rounds_until_waiting(ctx, answered, waiting) do
    call = Task.async(fn -> on_third(ctx, :end_round, [ctx.game.id]) end)

    case Task.yield(call, 100) do
      {:ok, answer} -> end_rounds_until_waiting(ctx, [answer | answered], waiting)
      nil -> end_rounds_until_waiting(ctx, answered, [call | waiting])
    end
  end
end
