defmodule Minotaur.Cluster.CutTest do
  @moduledoc """
  The network between two hosts is cut while sessions move from one to the other, and heals: for
  each pairing, with clients that play all the time and write down what they were answered. In the
  end each session has one owner; while a third node reaches both ends no update that was
  acknowledged is lost.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test
  @moduletag timeout: 180_000

  import Minotaur.Cluster.HandoffHelper
  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.{Manager, Wires}
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.History.{Checker, Clients}
  alias Minotaur.{Hosts, SessionHost}

  @sessions 24
  # When one node has lost another the third keeps both: OTP's `:global` would part it from one.
  @keep_both ["-kernel", "prevent_overlapping_partitions", "false"]

  setup ctx do
    cluster = start_supervised!({Manager, Map.put(ctx, :wires, true)})
    ctx = Map.merge(ctx, %{cluster: cluster, third: start_third(cluster, arguments: @keep_both)})

    [source, target] =
      for kind <- [ctx.kind1, ctx.kind2], do: start_host(ctx, kind, nil, options(kind))

    games = for _ <- 1..@sessions, do: start_game(ctx, source)
    clients = Cluster.call(cluster, ctx.third, Clients, :start, [games, 2])
    await_operations(ctx, clients)
    Map.merge(ctx, %{source: source, target: target, games: games, clients: clients})
  end

  for kind1 <- [:beam, :c], kind2 <- [:beam, :c] do
    describe "from a #{kind1} node to a #{kind2} node" do
      @describetag kind1: kind1, kind2: kind2

      # Everybody else sees both: who owns a session is known, and nobody is served twice.
      test "one wire is cut in the middle of a drain", ctx do
        other = start_host(ctx, ctx.kind2, nil, options(ctx.kind2))
        drain = Task.async(fn -> Cluster.stop_node(ctx.cluster, ctx.source) end)
        wait_until(fn -> assert length(sessions(ctx, ctx.target)) >= 2 end)
        cut(ctx, [{ctx.source, ctx.target}])
        await_operations(ctx, ctx.clients)
        heal(ctx, [{ctx.source, ctx.target}])
        Task.await(drain, :infinity)
        histories = check(ctx, [ctx.target, other])
        for {_id, history} <- histories, do: assert(Enum.filter(history, &unknown?/1) == [])
      end

      # The source is alone, and may have done more than its target when they meet, and so stay:
      # what was acknowledged by the other one meanwhile is lost then (PROTOCOL.md, "Two owners":
      # what this cannot give). So the histories begin anew when one owner is left of each session.
      test "the source is cut off from all while its sessions move, and comes back", ctx do
        moves = for game <- ctx.games, do: Task.async(fn -> hand_over(ctx, game) end)
        wait_until(fn -> assert length(sessions(ctx, ctx.target)) >= 2 end)
        wires = for node <- [ctx.third, ctx.target], do: {ctx.source, node}
        cut(ctx, wires)
        Task.await_many(moves, :infinity)
        await_lost(ctx, ctx.target, ctx.source)
        heal(ctx, [{ctx.source, ctx.target}])
        await_met(ctx, ctx.target, ctx.source)
        wait_until(fn -> assert_one_owner(ctx, [ctx.source, ctx.target]) end, 30_000)
        heal(ctx, wires)
        check(play_anew(ctx), [ctx.source, ctx.target])
      end
    end
  end

  defp options(:beam), do: [arguments: @keep_both]
  defp options(:c), do: []

  defp start_game(ctx, node) do
    game = game_fixture(round_end_time: nil)
    request = {:start_session, "code-#{game.id}", game}
    {:ok, pid} = Cluster.genserver_call(ctx.cluster, node, {SessionHost, node}, request)
    assert node(pid) == node
    game
  end

  defp await_operations(ctx, clients) do
    count = fn -> Cluster.call(ctx.cluster, ctx.third, Clients, :operations, [clients]) end
    before = count.()
    wait_until(fn -> assert count.() >= before + 5 end, 60_000)
  end

  # The call ends with the wire, at the latest.
  defp hand_over(ctx, game) do
    Cluster.call(ctx.cluster, ctx.third, Minotaur.Cluster.Probe, :attempt, [
      Hosts,
      :move,
      [game.id, ctx.target]
    ])
  end

  defp cut(ctx, wires) do
    for {one, other} <- wires, do: :ok = Wires.cut(Manager.wires(ctx.cluster), one, other)
  end

  defp heal(ctx, wires) do
    for {one, other} <- wires, do: :ok = Wires.heal(Manager.wires(ctx.cluster), one, other)
  end

  # Other clients, who know what the sessions are now.
  defp play_anew(ctx) do
    for node <- [ctx.source, ctx.target], do: await_met(ctx, node, ctx.third)
    Cluster.call(ctx.cluster, ctx.third, Clients, :stop, [ctx.clients])

    games =
      for game <- ctx.games do
        assert {:ok, game} = on_third(ctx, :get_game, [game.id])
        game
      end

    %{
      ctx
      | games: games,
        clients: Cluster.call(ctx.cluster, ctx.third, Clients, :start, [games, 2])
    }
  end

  defp await_lost(ctx, node, lost) do
    wait_until(fn -> refute lost in known(ctx, node) end, 30_000)
  end

  defp known(ctx, node) do
    hosts = Cluster.genserver_call(ctx.cluster, node, {SessionHost, node}, :hosts)
    Enum.map(hosts, & &1.node)
  end

  # All hosts know each other again; then each session has one owner, and its history fits.
  defp check(ctx, hosts) do
    for node <- hosts,
        other <- [ctx.third | hosts],
        node != other,
        do: await_met(ctx, node, other)

    wait_until(fn -> assert_one_owner(ctx, hosts) end, 30_000)
    await_operations(ctx, ctx.clients)
    histories = Cluster.call(ctx.cluster, ctx.third, Clients, :stop, [ctx.clients])

    for game <- ctx.games,
        do: assert(Checker.check(game, histories[game.id], lenient: true) == :ok)

    for game <- ctx.games, do: assert({:ok, _} = on_third(ctx, :get_game, [game.id]))
    histories
  end

  # As each says itself, whoever it is cut off from.
  defp assert_one_owner(ctx, hosts) do
    owned =
      for node <- hosts,
          %{id: id} <- Cluster.genserver_call(ctx.cluster, node, {SessionHost, node}, :sessions),
          do: id

    assert Enum.sort(owned) == Enum.sort(for game <- ctx.games, do: game.id)
  end

  defp unknown?(operation), do: operation.outcome == :unknown

  # A BEAM node dials when it is told to, a C node by itself.
  defp await_met(ctx, node, other) do
    wait_until(
      fn ->
        for {one, two} <- [{node, other}, {other, node}], beam?(ctx, one) do
          Cluster.call(ctx.cluster, one, Node, :connect, [two])
        end

        assert other in known(ctx, node)
      end,
      60_000
    )
  end

  defp beam?(ctx, node) do
    {:ok, %{kind: kind}} = Manager.fetch(ctx.cluster, node)
    kind == :beam
  end
end
