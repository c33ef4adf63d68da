defmodule Minotaur.Cluster.DrainHurryTest do
  @moduledoc """
  A node that leaves and is told so again: the second SIGTERM leaves it one second, the third none;
  a C node's exit code says what became of the sessions.
  Whoever else asks a C node for its end, however often, hurries nothing.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test

  import Minotaur.Cluster.HandoffHelper
  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.{OsProcess, Probe}
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.SessionHost

  @moved 0
  @lost 70
  @sessions 100

  setup ctx do
    cluster = start_supervised!({Cluster.Manager, ctx})
    ctx = Map.merge(ctx, %{cluster: cluster, third: start_third(cluster)})
    source = start_host(ctx, ctx[:source] || :c)
    Map.merge(ctx, %{source: source, target: start_host(ctx, ctx.kind, ctx[:failpoint])})
  end

  for kind <- [:beam, :c] do
    describe "sessions move to a #{kind} node" do
      @describetag kind: kind

      # All moves stand: some have sent their state, the others wait. All are lost, and it says so.
      @tag failpoint: "in_digest=silent"
      test "a second signal ends a drain that does not get on, in a second", ctx do
        ids = start_sessions(ctx)
        terminate(ctx)
        wait_until(fn -> assert logs(ctx) =~ "draining: sessions=#{@sessions}" end)
        terminate(ctx)
        assert Cluster.await_stop(ctx.cluster, ctx.source, exit_status: @lost) == @lost
        assert logs(ctx) =~ "drained: sessions=#{@sessions} moved=0 lost=#{@sessions}"
        # Unhurried, one silence of 5 s would follow another, until the deadline of 30 s.
        assert drained_ms(ctx) in 500..8_000
        assert sessions(ctx, ctx.target) == []
        assert length(ids) == @sessions
      end

      # OTP stops a BEAM at the first signal, and its drain has 30 s; the second shortens that.
      @tag failpoint: "in_digest=silent", source: :beam
      test "a BEAM node ends such a drain at the second signal", ctx do
        start_sessions(ctx)
        os_pid = Cluster.os_pid(ctx.cluster, ctx.source)
        OsProcess.signal(os_pid, :term)
        host = {SessionHost, ctx.source}
        info = fn -> Cluster.genserver_call(ctx.cluster, ctx.third, host, :info) end
        wait_until(fn -> assert %{draining: true} = info.() end)
        OsProcess.signal(os_pid, :term)
        Cluster.await_stop(ctx.cluster, ctx.source)
        assert [_, ms] = Regex.run(~r/moved, #{@sessions} lost, in (\d+) ms/, logs(ctx))
        assert String.to_integer(ms) in 900..15_000
      end

      @tag failpoint: "in_digest=silent"
      test "a third signal ends it at once", ctx do
        start_sessions(ctx)
        terminate(ctx)
        wait_until(fn -> assert logs(ctx) =~ "draining: sessions=#{@sessions}" end)
        for _ <- 1..2, do: terminate(ctx)
        assert Cluster.await_stop(ctx.cluster, ctx.source, exit_status: @lost) == @lost
        [_signal, next | _] = lines_since_signal(ctx)
        assert next =~ "drained: sessions=#{@sessions} moved=0 lost=#{@sessions}"
      end

      # Only forwarders are left, for somebody watches: nothing is lost, who watches is told.
      test "a second signal ends the wait for watchers, and nothing is lost", ctx do
        ids = start_sessions(ctx)
        {watcher, pids} = watch(ctx)
        terminate(ctx)
        wait_until(fn -> assert length(sessions(ctx, ctx.target)) == @sessions end)
        assert Probe.messages(ctx.cluster, watcher) == []
        terminate(ctx)
        assert Cluster.await_stop(ctx.cluster, ctx.source, exit_status: @moved) == @moved
        assert logs(ctx) =~ "drained: sessions=#{@sessions} moved=#{@sessions} lost=0"
        downs = fn -> Probe.messages(ctx.cluster, watcher) end
        wait_until(fn -> assert length(downs.()) == @sessions end)
        new = Map.new(sessions(ctx, ctx.target), &{&1.pid, &1.id})

        for {:DOWN, _, :process, old, {:shutdown, {:moved, moved_to}}} <- downs.() do
          assert old in pids and new[moved_to] in ids
        end
      end

      # The forwarders stay for who watches, longer than a hurry lasts, and then all has moved.
      test "one signal after two stops by rpc is an ordinary drain", ctx do
        start_sessions(ctx)
        {watcher, _pids} = watch(ctx)
        for _ <- 1..2, do: stop_by_rpc(ctx)
        wait_until(fn -> assert length(sessions(ctx, ctx.target)) == @sessions end)
        terminate(ctx)
        # It says so each second.
        progress = fn -> Enum.filter(lines_since_signal(ctx), &(&1 =~ "draining: moved=")) end
        wait_until(fn -> assert [_, _, _ | _] = progress.() end)
        stop_probe(ctx, watcher)
        assert Cluster.await_stop(ctx.cluster, ctx.source, exit_status: @moved) == @moved
        assert logs(ctx) =~ "drained: sessions=#{@sessions} moved=#{@sessions} lost=0"
      end

      # Signals come while everything moves: what has moved answers, what has not is counted.
      test "a third signal in the middle of the moves counts rightly", ctx do
        ids = start_sessions(ctx)
        for _ <- 1..3, do: terminate(ctx)
        status = Cluster.await_stop(ctx.cluster, ctx.source, exit_status: :any)

        [_, total, moved, lost] =
          Regex.run(~r/drained: sessions=(\d+) moved=(\d+) lost=(\d+)/, logs(ctx))

        [total, moved, lost] = Enum.map([total, moved, lost], &String.to_integer/1)
        assert total == @sessions and moved + lost == total
        assert status == if(lost == 0, do: @moved, else: @lost)
        # Those that were ready when the node went take over: there are at least the moved ones.
        wait_until(fn -> assert length(sessions(ctx, ctx.target)) >= moved end)
        owned = for %{id: id} <- sessions(ctx, ctx.target), do: id
        assert owned -- ids == []
        for id <- owned, do: assert({:ok, %{id: ^id}} = on_third(ctx, :get_game, [id]))
      end
    end
  end

  defp start_sessions(ctx) do
    for _ <- 1..@sessions do
      game = game_fixture(round_end_time: nil)
      request = {:start_session, nil, game}
      host = {SessionHost, ctx.source}
      {:ok, _pid} = Cluster.genserver_call(ctx.cluster, ctx.source, host, request)
      game.id
    end
  end

  defp watch(ctx) do
    watcher = Probe.start(ctx.cluster, ctx.third)
    pids = for %{pid: pid} <- sessions(ctx, ctx.source), do: pid

    for pid <- pids do
      {:ok, _monitor} = Probe.run(ctx.cluster, watcher, Process, :monitor, [pid])
    end

    {watcher, pids}
  end

  defp stop_by_rpc(ctx) do
    :ok = Cluster.call(ctx.cluster, ctx.third, :rpc, :call, [ctx.source, :init, :stop, []])
  end

  # Two signals at the same time are one to a process: each is waited for. A drain may be over
  # before the last one.
  defp terminate(ctx) do
    heard = heard(ctx)
    OsProcess.signal(Cluster.os_pid(ctx.cluster, ctx.source), :term)
    wait_until(fn -> assert heard(ctx) > heard or logs(ctx) =~ "drained: " end)
  end

  defp heard(ctx), do: length(String.split(logs(ctx), "leave: Terminated"))

  defp logs(ctx), do: Cluster.logs(ctx.cluster, ctx.source)

  # How long after the last signal it was, by the node's own clock.
  defp drained_ms(ctx) do
    [signal | later] = lines_since_signal(ctx)
    drained = Enum.find(later, &(&1 =~ "drained: "))
    DateTime.diff(written_at(drained), written_at(signal), :millisecond)
  end

  defp written_at(line) do
    {:ok, at, 0} = line |> String.split() |> hd() |> DateTime.from_iso8601()
    at
  end

  # The node's log from its last signal on.
  defp lines_since_signal(ctx) do
    lines = ctx |> logs() |> String.split("\n")
    later = lines |> Enum.reverse() |> Enum.take_while(&(not (&1 =~ "leave: Terminated")))
    Enum.take(lines, -length(later) - 1)
  end
end
