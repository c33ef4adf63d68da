defmodule Minotaur.Cluster.ForwarderTest do
  @moduledoc """
  What becomes of the old process of a session that has moved, for each pairing: calls to it are
  answered by the new owner, once; it stays for whoever watches it, until the drain's deadline.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test

  import Minotaur.Cluster.HandoffHelper
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.{OsProcess, Probe}
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.Hosts

  setup ctx do
    cluster = start_supervised!({Cluster.Manager, ctx})
    ctx = Map.merge(ctx, %{cluster: cluster, third: start_third(cluster)})
    source = start_host(ctx, ctx.kind1, nil, drain_seconds: ctx[:drain_seconds] || 60)
    target = start_host(ctx, ctx.kind2)
    game = start_session(ctx, source, [target])
    old = on_third(ctx, :whereis, [game.id])
    Map.merge(ctx, %{source: source, target: target, game: game, old: old})
  end

  for kind1 <- [:beam, :c], kind2 <- [:beam, :c] do
    describe "from a #{kind1} node to a #{kind2} node" do
      @describetag kind1: kind1, kind2: kind2

      # Who holds the pid for long has all the time of the drain, and then learns where to go.
      @tag drain_seconds: 10
      test "a lasting watcher calls the old pid, and is told at the deadline", ctx do
        watcher = watch(ctx)
        stop = Task.async(fn -> Cluster.stop_node(ctx.cluster, ctx.source) end)
        wait_until(fn -> assert [%{epoch: 2}] = sessions(ctx, ctx.target) end)
        [%{pid: new}] = sessions(ctx, ctx.target)

        # Each call is carried out once, whichever way it takes.
        for round <- 2..20 do
          pid = if rem(round, 2) == 0, do: ctx.old, else: new
          assert {:ok, %{round: ^round}} = run(ctx, watcher, GenServer, :call, [pid, :end_round])
        end

        assert Probe.messages(ctx.cluster, watcher) == []
        Task.await(stop, :infinity)
        wait_until(fn -> assert [_down] = Probe.messages(ctx.cluster, watcher) end)
        old = ctx.old
        assert [{:DOWN, _, :process, ^old, reason}] = Probe.messages(ctx.cluster, watcher)
        assert reason == {:shutdown, {:moved, new}}
        assert {:ok, %{round: 20}} = on_third(ctx, :get_game, [ctx.game.id])
      end

      # A watcher that goes lets the old process go, long before the deadline.
      test "it ends when nobody watches it any more", ctx do
        [watcher, other] = [watch(ctx), watch(ctx)]
        stop = Task.async(fn -> Cluster.stop_node(ctx.cluster, ctx.source) end)
        wait_until(fn -> assert [%{epoch: 2}] = sessions(ctx, ctx.target) end)
        stop_probe(ctx, watcher)
        assert {:ok, %{round: 2}} = run(ctx, other, GenServer, :call, [ctx.old, :end_round])
        assert OsProcess.alive?(Cluster.os_pid(ctx.cluster, ctx.source))
        stop_probe(ctx, other)
        Task.await(stop, :infinity)
        assert drain_ms(ctx) < 60_000
      end

      # It comes back while its former process still forwards, and leaves once more.
      test "a session comes back to the host that it left", ctx do
        watcher = watch(ctx)

        move = fn node ->
          Cluster.call(ctx.cluster, ctx.third, Hosts, :move, [ctx.game.id, node])
        end

        assert move.(ctx.target) == :ok
        [%{pid: new}] = sessions(ctx, ctx.target)
        assert move.(ctx.source) == :ok
        assert [%{pid: back, epoch: 3}] = sessions(ctx, ctx.source)
        assert back != ctx.old

        for {pid, round} <- [{ctx.old, 2}, {new, 3}, {back, 4}],
            do:
              assert(
                {:ok, %{round: ^round}} = run(ctx, watcher, GenServer, :call, [pid, :end_round])
              )

        assert move.(ctx.target) == :ok
        assert [%{epoch: 4}] = sessions(ctx, ctx.target)
        assert {:ok, %{round: 5}} = run(ctx, watcher, GenServer, :call, [ctx.old, :end_round])
        assert Probe.messages(ctx.cluster, watcher) == []
        # The names follow.
        wait_until(fn -> assert node(on_third(ctx, :whereis, [ctx.game.id])) == ctx.target end)
      end

      # A player who holds the pid (a LiveView does) never sees an error, and none of its updates is
      # lost or doubled.
      test "callers by pid, by name and by the engine play on", ctx do
        players = start_players(ctx, ctx.game)
        watcher = watch(ctx)
        stop = Task.async(fn -> Cluster.stop_node(ctx.cluster, ctx.source) end)
        wait_until(fn -> assert [%{epoch: 2}] = sessions(ctx, ctx.target) end)

        for _ <- 1..50 do
          assert {:ok, %{id: id}} = run(ctx, watcher, GenServer, :call, [ctx.old, :get_game])
          assert id == ctx.game.id
        end

        stop_probe(ctx, watcher)
        Task.await(stop, :infinity)
        assert_played_on(ctx, ctx.game, players, ctx.target)
      end
    end
  end

  defp watch(ctx) do
    watcher = Probe.start(ctx.cluster, ctx.third)
    {:ok, _monitor} = run(ctx, watcher, Process, :monitor, [ctx.old])
    watcher
  end

  defp run(ctx, probe, module, function, arguments),
    do: Probe.run(ctx.cluster, probe, module, function, arguments)

  # Both kinds say it in their last line: "ms=1234", "in 1234 ms".
  defp drain_ms(ctx) do
    log = Cluster.logs(ctx.cluster, ctx.source)
    [_all | captures] = Regex.run(~r/lost=0.*? ms=(\d+)|0 lost.*?in (\d+) ms/, log)
    captures |> List.last() |> String.to_integer()
  end
end
