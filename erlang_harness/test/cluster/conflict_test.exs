defmodule Minotaur.Cluster.ConflictTest do
  @moduledoc """
  Two parts of a cluster that have never met own the same session. When they become one, one owner
  is left, the right one, whatever the kinds of the two hosts; who called, watched or subscribed to
  the other is led to it.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test
  @moduletag timeout: 120_000

  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.{Manager, Probe}
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.SessionHost

  setup ctx do
    [cluster: start_supervised!({Cluster.Manager, ctx})]
  end

  # Of a hidden C node too, whose names its observer registers; nobody hands sessions over to it.
  for {kind1, kind2} <- [
        {:beam, :beam},
        {:beam, :c},
        {:c, :beam},
        {:c, :c},
        {:beam, :hidden},
        {:hidden, :c},
        {:hidden, :hidden}
      ],
      {winner, why} <- [{0, "rounds"}, {1, "epochs"}],
      why == "rounds" or kind2 != :hidden do
    @tag kinds: [kind1, kind2], winner: winner
    test "of a #{kind1} and a #{kind2} owner the #{winner + 1}. stays, for its #{why}", ctx do
      game = game_fixture(round_end_time: nil)
      sides = for kind <- ctx.kinds, do: start_side(ctx, kind, game)
      loser = Enum.at(sides, 1 - ctx.winner)
      winner = sides |> Enum.at(ctx.winner) |> advance(ctx, unquote(why), loser, game)
      sides = List.replace_at(sides, ctx.winner, winner)
      watcher = Probe.start(ctx.cluster, loser.observer)
      {:ok, _} = Probe.run(ctx.cluster, watcher, Process, :monitor, [loser.pid])
      {:ok, :ok} = Probe.run(ctx.cluster, watcher, Minotaur, :subscribe, [game.id])

      {:ok, state} =
        Cluster.call(ctx.cluster, winner.observer, Minotaur.GameEngine, :get_game, [game.id])

      meet(ctx, sides)

      for %{observer: observer} <- sides do
        wait_until(fn -> assert whereis(ctx, observer, game) == winner.pid end, 30_000)
      end

      wait_until(fn -> assert sessions(ctx, loser.observer, loser.node) == [] end)
      assert [%{pid: pid}] = sessions(ctx, winner.observer, winner.node)
      assert pid == winner.pid
      # Its names lead there on both sides, in the end.
      for %{observer: observer} <- sides do
        wait_until(fn -> assert name(ctx, observer, game) == winner.pid end)
      end

      ended = {:shutdown, {:session_conflict, winner.pid}}

      for message <- [{:session_moved, game.id, winner.pid}, ended] do
        heard = fn -> Enum.map(Probe.messages(ctx.cluster, watcher), &reason/1) end
        wait_until(fn -> assert message in heard.() end, 30_000)
      end

      for %{observer: observer} <- sides do
        assert {:ok, state} ==
                 Cluster.call(ctx.cluster, observer, Minotaur.GameEngine, :get_game, [game.id])
      end

      lost = if unquote(why) == "rounds", do: 1, else: 2
      log = "updates that only it had carried out: #{lost}"
      assert Cluster.logs(ctx.cluster, winner.node) =~ log
    end
  end

  # A host and a node of clients, which know nobody else.
  defp start_side(ctx, kind, game) do
    node = start_apart(ctx, kind: kind, environment: [minotaur: [round_seconds: 0]])
    environment = [minotaur: [round_seconds: 0, capacity: 0]]
    observer = start_apart(ctx, kind: :beam, environment: environment)
    true = Cluster.call(ctx.cluster, observer, Node, :connect, [node])
    request = {:start_session, "code-#{game.id}", game}
    server = {SessionHost, node}
    {:ok, pid} = on(ctx, observer, GenServer, :call, [server, request])
    wait_until(fn -> assert name(ctx, observer, game) == pid end)
    %{node: node, observer: observer, pid: pid}
  end

  defp start_apart(ctx, options) do
    options =
      case options[:kind] do
        :beam -> options
        :c -> [connect: []] ++ options
        :hidden -> Keyword.merge(options, kind: :c, hidden: true, connect: [])
      end

    {:ok, node} = Manager.start_node(ctx.cluster, options)
    node
  end

  # More rounds are more versions.
  defp advance(winner, ctx, "rounds", loser, _game) do
    play(ctx, winner, 2)
    play(ctx, loser, 1)
    winner
  end

  # Handed over once, a session has a higher epoch, which counts more than rounds.
  defp advance(winner, ctx, "epochs", loser, game) do
    play(ctx, loser, 2)
    kind = Enum.at(ctx.kinds, ctx.winner)
    next = start_apart(ctx, kind: kind, environment: [minotaur: [round_seconds: 0]])
    true = on(ctx, winner.observer, Node, :connect, [next])
    move = [game.id, next]
    wait_until(fn -> assert :ok = on(ctx, winner.observer, Minotaur.Hosts, :move, move) end)
    [%{pid: pid, epoch: 2}] = sessions(ctx, winner.observer, next)
    wait_until(fn -> assert name(ctx, winner.observer, game) == pid end)
    %{winner | node: next, pid: pid}
  end

  defp play(ctx, side, rounds) do
    for _ <- 1..rounds, do: %{} = on(ctx, side.observer, GenServer, :call, [side.pid, :end_round])
  end

  defp meet(ctx, [one, other]) do
    true = on(ctx, one.observer, Node, :connect, [other.observer])
    for node <- [other.node], do: true = on(ctx, one.observer, Node, :connect, [node])
  end

  defp on(ctx, node, module, function, arguments),
    do: Cluster.call(ctx.cluster, node, module, function, arguments)

  # As `node` is told by its own observer, who alone knows it.
  defp sessions(ctx, observer, node),
    do: Cluster.genserver_call(ctx.cluster, observer, {SessionHost, node}, :sessions)

  defp whereis(ctx, node, game), do: on(ctx, node, Minotaur.GameEngine, :whereis, [game.id])

  defp name(ctx, node, game) do
    name = {Minotaur.GameEngine.SessionRegistry, game.id}
    on(ctx, node, :global, :whereis_name, [name])
  end

  defp reason({:DOWN, _, _, _, reason}), do: reason
  defp reason(message), do: message
end
