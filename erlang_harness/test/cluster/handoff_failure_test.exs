defmodule Minotaur.Cluster.HandoffFailureTest do
  @moduledoc """
  A node fails in the middle of a handoff, at a step that a failpoint names: the table of
  `cnode/session/PROTOCOL.md`, "What may fail", row by row, for each pairing. Clients on a third
  node, which carries no sessions, play all the time and must not notice.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test
  @moduletag timeout: 120_000

  import Minotaur.Cluster.HandoffHelper
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.{OsProcess, Probe}
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.{Hosts, SessionHost}

  # `in_state=silent`: a chunk that is lost, which the digest shows.
  @failing ~w(in_offer=refuse in_digest=refuse in_state=silent) ++
             ~w(in_offer=kill in_state=kill in_digest=kill in_activate=kill in_active=kill)

  setup ctx do
    cluster = start_supervised!({Cluster.Manager, ctx})
    # When one node has lost another the third keeps both: OTP's `:global` would part it from one.
    arguments = ["-kernel", "prevent_overlapping_partitions", "false"]
    [cluster: cluster, third: start_third(cluster, arguments: arguments)]
  end

  for kind1 <- [:beam, :c], kind2 <- [:beam, :c] do
    describe "from a #{kind1} node to a #{kind2} node" do
      @describetag kind1: kind1, kind2: kind2

      # The session goes on where it is, and then to the next host of its ranking; the last is good.
      test "targets that refuse or die at any step cost nothing", ctx do
        source = start_host(ctx, ctx.kind1)
        failing = for failpoint <- @failing, do: start_host(ctx, ctx.kind2, failpoint)
        good = start_host(ctx, ctx.kind2)
        game = start_session(ctx, source, failing ++ [good])
        players = start_players(ctx, game)
        Cluster.stop_node(ctx.cluster, source)

        assert_played_on(ctx, game, players, good)
        # Each of those that were to die has come to its step.
        for {failpoint, node} <- Enum.zip(@failing, failing), failpoint =~ "kill" do
          assert Cluster.await_stop(ctx.cluster, node, exit_status: :any) == 137
        end
      end

      for point <- [:out_ready, :out_names, :out_active] do
        # What the target holds is the newest state there is: it goes on with it.
        test "a source that dies at #{point} leaves its session to the target", ctx do
          source = start_host(ctx, ctx.kind1, "#{unquote(point)}=kill")
          target = start_host(ctx, ctx.kind2)
          game = start_session(ctx, source, [target])
          players = start_players(ctx, game)
          Cluster.stop_node(ctx.cluster, source, exit_status: 137)

          assert_played_on(ctx, game, players, target)
          assert [%{epoch: 2}] = sessions(ctx, target)
        end
      end

      # A paused copy without a state is nothing: it ends, and takes no name.
      test "a source that dies before it sends its state takes the session with it", ctx do
        source = start_host(ctx, ctx.kind1, "out_accept=kill")
        target = start_host(ctx, ctx.kind2)
        game = start_session(ctx, source, [target])
        Cluster.stop_node(ctx.cluster, source, exit_status: 137)

        wait_until(fn ->
          assert on_third(ctx, :get_game, [game.id]) == {:error, :game_not_alive}
        end)

        wait_until(fn -> assert session_processes(ctx, target) == 0 end)
        assert sessions(ctx, target) == []
      end

      # A forwarder that somebody watches still has the state: it offers it to the next host.
      test "a target that dies when it owns the session loses no more than it did itself", ctx do
        source = start_host(ctx, ctx.kind1)
        [next, first] = for _ <- 1..2, do: start_host(ctx, ctx.kind2)
        game = start_session(ctx, source, [first, next])
        watcher = Probe.start(ctx.cluster, ctx.third)
        old = on_third(ctx, :whereis, [game.id])
        {:ok, _monitor} = Probe.run(ctx.cluster, watcher, Process, :monitor, [old])
        {:ok, game} = on_third(ctx, :end_round, [game.id])
        stop = Task.async(fn -> Cluster.stop_node(ctx.cluster, source) end)
        wait_until(fn -> assert node(on_third(ctx, :whereis, [game.id])) == first end)
        wait_until(fn -> assert [%{epoch: 2}] = sessions(ctx, first) end)
        Cluster.stop_node(ctx.cluster, first, graceful_shutdown: false)

        wait_until(fn -> assert [%{epoch: 3}] = sessions(ctx, next) end)
        wait_until(fn -> assert on_third(ctx, :get_game, [game.id]) == {:ok, game} end)
        wait_until(fn -> assert node(on_third(ctx, :whereis, [game.id])) == next end)
        assert Probe.messages(ctx.cluster, watcher) == []
        stop_probe(ctx, watcher)
        Task.await(stop, :infinity)
      end

      # The forwarders of earlier moves are still there: one believes in a process that leads
      # back to the last one, which goes on all the same.
      test "an owner that dies behind a row of forwarders loses what it did itself",
           ctx do
        hosts = for kind <- [ctx.kind1, ctx.kind2], _ <- 1..2, do: start_host(ctx, kind)
        [one, three, two, last] = hosts
        game = start_session(ctx, one, hosts)
        watcher = Probe.start(ctx.cluster, ctx.third)

        for host <- [two, three, last] do
          old = on_third(ctx, :whereis, [game.id])
          {:ok, _monitor} = Probe.run(ctx.cluster, watcher, Process, :monitor, [old])
          :ok = Cluster.call(ctx.cluster, ctx.third, Hosts, :move, [game.id, host])
          wait_until(fn -> assert node(on_third(ctx, :whereis, [game.id])) == host end)
          assert {:ok, _game} = on_third(ctx, :end_round, [game.id])
        end

        Cluster.stop_node(ctx.cluster, last, graceful_shutdown: false)
        wait_until(fn -> assert [%{epoch: 4}] = sessions(ctx, three) end)
        wait_until(fn -> assert {:ok, %{round: 3}} = on_third(ctx, :get_game, [game.id]) end)
        stop_probe(ctx, watcher)
      end

      # Nobody sees the crash, and nobody has the session but the forwarder, which asks the hosts.
      test "an owner that crashes while its forwarder is cut off is not lost", ctx do
        %{source: source, target: target, game: game, old: old, new: new, watcher: watcher} =
          start_watched_forwarder(ctx)

        pause(ctx, source, fn ->
          await_alone(ctx, target, source)
          Cluster.call(ctx.cluster, ctx.third, Process, :exit, [new, :kill])
          wait_until(fn -> assert sessions(ctx, target) == [] end)
        end)

        wait_until(fn -> assert [%{epoch: 2, pid: ^old}] = sessions(ctx, source) end)
        wait_until(fn -> assert on_third(ctx, :get_game, [game.id]) == {:ok, game} end)
        assert Probe.messages(ctx.cluster, watcher) == []
        stop_probe(ctx, watcher)
      end

      # Nor does anybody see its end: the forwarder is told, and does not bring the session back.
      test "a session that ends while its forwarder is cut off stays ended", ctx do
        %{source: source, target: target, game: game, new: new, watcher: watcher} =
          start_watched_forwarder(ctx)

        pause(ctx, source, fn ->
          await_alone(ctx, target, source)
          supervisor = {Minotaur.GameEngine.SessionSupervisor, target}
          end_it = {:terminate_child, new}
          :ok = Cluster.genserver_call(ctx.cluster, ctx.third, supervisor, end_it)
          wait_until(fn -> assert sessions(ctx, target) == [] end)
        end)

        reasons = fn ->
          for {:DOWN, _, _, _, why} <- Probe.messages(ctx.cluster, watcher), do: why
        end

        wait_until(fn -> assert [_] = reasons.() end, 30_000)
        assert reasons.() == [{:shutdown, {:moved, new}}]
        assert on_third(ctx, :get_game, [game.id]) == {:error, :game_not_alive}
        for node <- [source, target], do: assert(sessions(ctx, node) == [])
      end

      # A source that stood still for longer than the net ticks finds that its target took over:
      # there is one owner, with what it did meanwhile.
      test "a source that is cut off and comes back is a forwarder", ctx do
        source = start_host(ctx, ctx.kind1, "out_ready=stop", net_ticktime: 4)
        target = start_host(ctx, ctx.kind2, nil, net_ticktime: 4)
        game = start_session(ctx, source, [target])
        os_pid = Cluster.os_pid(ctx.cluster, source)
        stop = Task.async(fn -> Cluster.stop_node(ctx.cluster, source) end)
        wait_until(fn -> assert [%{epoch: 2}] = sessions(ctx, target) end, 30_000)
        [%{pid: new}] = sessions(ctx, target)
        assert %{round: 2} = Cluster.genserver_call(ctx.cluster, ctx.third, new, :end_round)
        OsProcess.signal(os_pid, :cont)

        Task.await(stop, :infinity)
        assert [%{epoch: 2, version: version}] = sessions(ctx, target)
        assert version > 1
        assert {:ok, %{round: 2}} = on_third(ctx, :get_game, [game.id])
        wait_until(fn -> assert node(on_third(ctx, :whereis, [game.id])) == target end)
      end
    end
  end

  # While a node stands still the others take it for lost.
  # A session that has moved, and whose old process stays since the third node watches it.
  defp start_watched_forwarder(ctx) do
    source = start_host(ctx, ctx.kind1, nil, net_ticktime: 4)
    target = start_host(ctx, ctx.kind2, nil, net_ticktime: 4)
    game = start_session(ctx, source, [target])
    watcher = Probe.start(ctx.cluster, ctx.third)
    old = on_third(ctx, :whereis, [game.id])
    {:ok, _monitor} = Probe.run(ctx.cluster, watcher, Process, :monitor, [old])
    :ok = Cluster.call(ctx.cluster, ctx.third, Hosts, :move, [game.id, target])
    [%{pid: new}] = sessions(ctx, target)
    %{source: source, target: target, game: game, old: old, new: new, watcher: watcher}
  end

  defp pause(ctx, node, fun) do
    os_pid = Cluster.os_pid(ctx.cluster, node)
    OsProcess.signal(os_pid, :stop)
    fun.()
    OsProcess.signal(os_pid, :cont)
  end

  defp await_alone(ctx, node, lost) do
    wait_until(
      fn ->
        hosts = Cluster.genserver_call(ctx.cluster, ctx.third, {SessionHost, node}, :hosts)
        refute lost in Enum.map(hosts, & &1.node)
      end,
      30_000
    )
  end
end
