defmodule Minotaur.Cluster.HistoryTest do
  @moduledoc """
  Clients call many sessions while nodes of both kinds leave, are killed and join; each operation is
  written down, and the history of each session is proven to fit one order of its updates.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test
  @moduletag timeout: 180_000

  import Minotaur.Cluster.HandoffHelper
  import Minotaur.GameEngineFixtures

  alias Minotaur.Cluster.Players
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.History.{Checker, Clients}
  alias Minotaur.SessionHost

  @sessions 16
  @clients 3

  setup ctx do
    cluster = start_supervised!({Cluster.Manager, ctx})
    [cluster: cluster, third: start_third(cluster)]
  end

  # A rolling deploy, C and BEAM mixed: nobody sees an error, and each answer is the state after the
  # update that it answers.
  test "nodes leave and join: every history fits one order, no call fails", ctx do
    old = for kind <- [:c, :beam], do: start_host(ctx, kind)
    games = start_games(ctx, old)
    clients = Cluster.call(ctx.cluster, ctx.third, Clients, :start, [games, @clients])

    new =
      for {node, kind} <- Enum.zip(old, [:beam, :c]) do
        await_operations(ctx, clients)
        new = start_host(ctx, kind)
        Cluster.stop_node(ctx.cluster, node)
        new
      end

    for kind <- [:c, :beam], do: start_host(ctx, kind)
    for node <- new, do: Cluster.stop_node(ctx.cluster, node)
    await_operations(ctx, clients)
    histories = Cluster.call(ctx.cluster, ctx.third, Clients, :stop, [clients])

    for game <- games, history = histories[game.id] do
      assert for(%{outcome: :unknown} = operation <- history, do: operation) == []
      assert Checker.check(game, history) == :ok
    end
  end

  for kind1 <- [:beam, :c], kind2 <- [:beam, :c] do
    # A call whose session was lost may or may not have been carried out, but never twice; a session
    # that was not on the node that died, or on its way there, sees nothing of it.
    @tag kind1: kind1, kind2: kind2
    test "a #{kind1} node leaves for a #{kind2} node and others are killed: every history fits",
         ctx do
      source = start_host(ctx, ctx.kind1, "out_names=kill", names_wait_ms: 300)
      [dying, good] = for _ <- 1..2, do: start_host(ctx, ctx.kind2)
      games = start_games(ctx, [source, dying, good])
      clients = Cluster.call(ctx.cluster, ctx.third, Clients, :start, [games, @clients])
      await_operations(ctx, clients)
      doomed = ids(ctx, dying)
      killed_at = now(ctx)
      Cluster.stop_node(ctx.cluster, dying, graceful_shutdown: false)
      await_operations(ctx, clients)

      # Its sessions stand still for 300 ms, for their names do not move: each has queued calls
      # then, which its target has too. Those that are not ready by then are lost.
      holder = Cluster.call(ctx.cluster, ctx.third, Players, :hold_names)
      leaving = ids(ctx, source)
      died_at = now(ctx)
      Cluster.stop_node(ctx.cluster, source, exit_status: 137)
      Cluster.call(ctx.cluster, ctx.third, Players, :release_names, [holder])
      start_host(ctx, ctx.kind1)
      await_operations(ctx, clients)
      histories = Cluster.call(ctx.cluster, ctx.third, Clients, :stop, [clients])

      assert doomed != [] and leaving != []
      crashes = Map.merge(Map.new(doomed, &{&1, killed_at}), Map.new(leaving, &{&1, died_at}))
      for game <- games, do: check(game, histories[game.id], crashes[game.id])
    end
  end

  # Nothing happened to it.
  defp check(game, history, nil) do
    assert for(%{outcome: :unknown} = operation <- history, do: operation) == []
    assert Checker.check(game, history) == :ok
  end

  # Its node died: before that, nobody was left without an answer.
  defp check(game, history, crashed_at) do
    for %{outcome: :unknown, invoked: invoked, why: why} <- history do
      assert why in [:game_not_alive, :in_doubt] or match?({:nodedown, _}, why)
      assert invoked > crashed_at - 6_000_000
    end

    assert Checker.check(game, history, lenient: true) == :ok
  end

  defp start_games(ctx, nodes) do
    for n <- 1..@sessions do
      game = game_fixture(round_end_time: nil)
      node = Enum.at(nodes, rem(n, length(nodes)))
      request = {:start_session, nil, game}
      {:ok, pid} = Cluster.genserver_call(ctx.cluster, node, {SessionHost, node}, request)
      assert node(pid) == node
      game
    end
  end

  defp ids(ctx, node), do: Enum.map(sessions(ctx, node), & &1.id)

  defp now(ctx), do: Cluster.call(ctx.cluster, ctx.third, Clients, :now)

  defp await_operations(ctx, clients) do
    count = fn -> Cluster.call(ctx.cluster, ctx.third, Clients, :operations, [clients]) end
    before = count.()
    Minotaur.TimeHelper.wait_until(fn -> assert count.() >= before + 10 end, 60_000)
  end
end
