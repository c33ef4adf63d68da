defmodule Minotaur.Cluster.SubscribersTest do
  @moduledoc """
  Who subscribed to a session hears of its rounds and of its moves, once each, for each pairing of
  BEAM and C nodes; and never sees an error while it moves. The subscribers are on a third node, and
  on the target if that is a BEAM node.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test
  @moduletag timeout: 120_000

  import Minotaur.Cluster.HandoffHelper, only: [start_first: 1, start_host: 2]
  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.{LiveView, Manager}
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.{GameEngine, SessionHost}

  @env [minotaur: [round_seconds: 0]]
  @users ["user-1", "user-2", "user-3"]

  setup :start_first

  setup ctx do
    game = game_fixture(round_end_time: nil)
    {:ok, pid} = on_third(ctx, GameEngine, :continue_game, [game])
    assert node(pid) == ctx.node1
    Map.merge(ctx, %{game: game, pid: pid})
  end

  for kind1 <- [:beam, :c] do
    describe "on a #{kind1} node" do
      @describetag kind1: kind1

      # Who is twice in the group is one subscriber; who left hears nothing more.
      test "each round comes once to each subscriber, and to nobody else", ctx do
        views = start_views(ctx, ctx.third, 3)
        [twice, left | _] = views
        :ok = on_third(ctx, LiveView, :join_twice, [twice])
        for round <- 2..4, do: assert({:ok, %{round: ^round}} = end_round(ctx))
        await_rounds(ctx, views, [2, 3, 4])
        :ok = on_third(ctx, LiveView, :unsubscribe, [left])
        await_told(ctx, ctx.third)
        for _ <- 5..6, do: end_round(ctx)
        await_rounds(ctx, views -- [left], [2, 3, 4, 5, 6])
        assert report(ctx, left).rounds == [2, 3, 4]
        assert_no_errors(ctx, views)
      end

      # Nobody has to ask for it: the clock ends the round.
      test "a round that the timer ends is told", ctx do
        soon = DateTime.utc_now() |> DateTime.add(2) |> DateTime.truncate(:second)
        kind = [kind: ctx.kind1, environment: [minotaur: [round_seconds: 2]]]
        Cluster.stop_node(ctx.cluster, ctx.node1, graceful_shutdown: false)
        _node = Cluster.start_node(ctx.cluster, kind)
        game = game_fixture(round_end_time: soon)
        {:ok, _pid} = on_third(ctx, GameEngine, :continue_game, [game])
        views = start_views(%{ctx | game: game}, ctx.third, 2)

        wait_until(fn ->
          for view <- views, do: assert([_, _ | _] = report(ctx, view).rounds)
        end)

        for view <- views do
          rounds = report(ctx, view).rounds
          assert rounds == Enum.to_list(hd(rounds)..List.last(rounds))
        end
      end
    end
  end

  for kind1 <- [:beam, :c], kind2 <- [:beam, :c] do
    describe "from a #{kind1} node to a #{kind2} node" do
      @describetag kind1: kind1, kind2: kind2

      # Rounds are ended all the time while the session moves: each is heard once, and so is the
      # move. No view sees an error.
      test "a move is heard once, and no round is missed or heard twice", ctx do
        node2 = start_host(ctx, ctx.kind2)
        elsewhere = if ctx.kind2 == :beam, do: start_views(ctx, node2, 1), else: []
        views = start_views(ctx, ctx.third, 3) ++ elsewhere
        ender = Task.async(fn -> end_rounds(ctx, 1) end)
        await_round(ctx, views, 5)
        Cluster.stop_node(ctx.cluster, ctx.node1)
        {:ok, %{round: round}} = on_third(ctx, GameEngine, :get_game, [ctx.game.id])
        await_round(ctx, views, round + 5)
        send(ender.pid, :enough)
        last = Task.await(ender, :infinity)
        pid = on_third(ctx, GameEngine, :whereis, [ctx.game.id])
        assert node(pid) == node2

        await_round(ctx, views, last)
        assert_no_errors(ctx, views)

        for view <- views do
          assert %{moves: [^pid], rounds: rounds} = report(ctx, view)
          assert Enum.sort(rounds) == Enum.to_list(2..last)
        end
      end
    end
  end

  for kind1 <- [:beam, :c], kind2 <- [:beam, :c] do
    describe "from a #{kind1} node to a #{kind2} node that has just come" do
      @describetag kind1: kind1, kind2: kind2

      # It knows the source, and may not have met the subscribers' node: they hear all the same.
      test "the move is heard once", ctx do
        views = start_views(ctx, ctx.third, 3)
        options = [kind: ctx.kind2, environment: @env, connect: [ctx.node1]]
        {:ok, node2} = Manager.start_node(ctx.cluster, options)
        if ctx.kind2 == :beam, do: Cluster.connect(ctx.cluster, node2, ctx.node1)
        await_host(ctx, ctx.node1, node2)
        Cluster.stop_node(ctx.cluster, ctx.node1)

        wait_until(fn -> for view <- views, do: assert([_] = report(ctx, view).moves) end)
        assert {:ok, %{round: round}} = end_round(ctx)
        await_round(ctx, views, round)

        for view <- views do
          assert %{moves: [pid], rounds: [^round]} = report(ctx, view)
          assert node(pid) == node2
        end
      end
    end
  end

  defp await_host(ctx, node, other) do
    wait_until(fn ->
      hosts = Cluster.genserver_call(ctx.cluster, node, {SessionHost, node}, :hosts)
      assert other in Enum.map(hosts, & &1.node)
    end)
  end

  defp end_rounds(ctx, round) do
    receive do
      :enough -> round
    after
      0 ->
        {:ok, %{round: next}} = end_round(ctx)
        assert next == round + 1
        end_rounds(ctx, next)
    end
  end

  defp start_views(ctx, node, count) do
    user = Enum.random(@users)
    views = Cluster.call(ctx.cluster, node, LiveView, :start, [ctx.game.id, user, count])
    await_told(ctx, node)
    views
  end

  # The scope of the owner's node answers behind what it has heard from `node` of who is in a group.
  defp await_told(ctx, node) do
    scope = {Minotaur.PubSub, node(on_third(ctx, GameEngine, :whereis, [ctx.game.id]))}
    {:status, _, _, _} = Cluster.call(ctx.cluster, node, :sys, :get_status, [scope])
  end

  defp await_round(ctx, views, round) do
    wait_until(fn -> for view <- views, do: assert(round in report(ctx, view).rounds) end, 30_000)
  end

  defp await_rounds(ctx, views, rounds) do
    wait_until(fn -> for view <- views, do: assert(report(ctx, view).rounds == rounds) end)
  end

  defp assert_no_errors(ctx, views) do
    for view <- views do
      report = report(ctx, view)
      assert report.errors == []
      assert report.calls > 0
    end
  end

  defp report(ctx, view), do: Cluster.call(ctx.cluster, node(view), LiveView, :report, [view])

  defp end_round(ctx), do: on_third(ctx, GameEngine, :end_round, [ctx.game.id])

  defp on_third(ctx, module, function, arguments) do
    Cluster.call(ctx.cluster, ctx.third, module, function, arguments)
  end
end
