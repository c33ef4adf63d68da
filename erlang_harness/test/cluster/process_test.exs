defmodule Minotaur.Cluster.ProcessTest do
  @moduledoc """
  Sessions are processes: on a C node they are monitored, linked, killed and missed as on a BEAM
  node. The same tests run for both.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test

  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.Probe
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.{GameEngine, SessionHost}

  @env [minotaur: [round_seconds: 0]]

  setup ctx do
    cluster = start_supervised!({Cluster.Manager, ctx})
    a = Cluster.start_node(cluster, kind: :beam, applications: [])
    owner = Cluster.start_node(cluster, kind: ctx.kind, environment: @env)
    [cluster: cluster, a: a, owner: owner, probe: Probe.start(cluster, a)]
  end

  for kind <- [:beam, :c] do
    describe "on a #{kind} node" do
      @describetag kind: kind

      # Without the call's timeout: that is what monitors by name are for.
      test "a call to a name that is not there exits at once", ctx do
        for _again <- 1..2 do
          server = {:no_such_name, ctx.owner}
          outcome = attempt(ctx, GenServer, :call, [server, :get_game, 10_000])
          assert {:exit, {:noproc, {GenServer, :call, [^server | _]}}} = outcome
        end

        pid = start_session(ctx)
        end_session(ctx, pid, :normal)
        outcome = attempt(ctx, GenServer, :call, [pid, :get_game, 10_000])
        assert {:exit, {:noproc, _call}} = outcome
      end

      # Whoever watches a session learns how it ended.
      test "monitors tell the reason of an end", ctx do
        for {{module, function, arguments}, reason} <- [
              {{Kernel, :send, [:end_session]}, :normal},
              {{Process, :exit, [:kill]}, :killed},
              {{Process, :exit, [{:boom, "why"}]}, {:boom, "why"}},
              {{GenServer, :stop, [{:shutdown, :by_test}]}, {:shutdown, :by_test}},
              {{:sys, :terminate, [:by_system]}, :by_system}
            ] do
          pid = start_session(ctx)
          monitor = run!(ctx, Process, :monitor, [pid])
          run!(ctx, module, function, [pid | arguments])
          await(ctx, {:DOWN, monitor, :process, pid, reason})
          late = run!(ctx, Process, :monitor, [pid])
          await(ctx, {:DOWN, late, :process, pid, :noproc})
        end
      end

      # By name, and with the end of the whole node; a monitor that was taken back is silent.
      test "monitors tell of missing names and of the node's death", ctx do
        pid = start_session(ctx)
        host = {SessionHost, ctx.owner}
        missing = {:no_such_name, ctx.owner}
        monitor = run!(ctx, Process, :monitor, [missing])
        await(ctx, {:DOWN, monitor, :process, missing, :noproc})

        by_name = run!(ctx, Process, :monitor, [host])
        by_pid = run!(ctx, Process, :monitor, [pid])
        run!(ctx, Process, :link, [pid])
        silent = for target <- [host, pid], do: run!(ctx, Process, :monitor, [target])
        for monitor <- silent, do: assert(run!(ctx, Process, :demonitor, [monitor]))
        Cluster.stop_node(ctx.cluster, ctx.owner, graceful_shutdown: false)
        await(ctx, {:DOWN, by_name, :process, host, :noconnection})
        await(ctx, {:DOWN, by_pid, :process, pid, :noconnection})
        await(ctx, {:EXIT, pid, :noconnection})
        messages = Probe.messages(ctx.cluster, ctx.probe)
        assert [] == for({:DOWN, m, _, _, _} = message <- messages, m in silent, do: message)
      end

      # In both directions, and with the dead.
      test "links carry exit signals", ctx do
        pid = start_session(ctx)
        run!(ctx, Process, :link, [pid])
        run!(ctx, Process, :exit, [pid, :boom])
        await(ctx, {:EXIT, pid, :boom})
        run!(ctx, Process, :link, [pid])
        await(ctx, {:EXIT, pid, :noproc})

        unlinked = start_session(ctx)
        run!(ctx, Process, :link, [unlinked])
        run!(ctx, Process, :unlink, [unlinked])
        linked = start_session(ctx)
        other = Probe.start(ctx.cluster, ctx.a)
        {:ok, true} = Probe.run(ctx.cluster, other, Process, :link, [linked])
        monitor = run!(ctx, Process, :monitor, [linked])
        run!(ctx, Process, :exit, [other, :kill])
        await(ctx, {:DOWN, monitor, :process, linked, :killed})
        end_session(ctx, unlinked, :boom)
        messages = Probe.messages(ctx.cluster, ctx.probe)
        assert [] == for({:EXIT, ^unlinked, _} = message <- messages, do: message)
      end

      # A normal exit is nobody's end but one's own, and nothing comes after a call's timeout.
      test "harmless signals do no harm, late replies do not come", ctx do
        pid = start_session(ctx)
        run!(ctx, Process, :exit, [pid, :normal])
        run!(ctx, :sys, :suspend, [pid])
        outcome = attempt(ctx, GenServer, :call, [pid, :get_game, 50])
        assert {:exit, {:timeout, _call}} = outcome
        run!(ctx, :sys, :resume, [pid])
        assert %{round: 1} = run!(ctx, GenServer, :call, [pid, :get_game])
        assert %{round: 1} = run!(ctx, Probe, :traced_call, [pid, :get_game])
        assert Probe.messages(ctx.cluster, ctx.probe) == []
      end

      # The other sessions, the host and the node go on; the names of the dead are free.
      test "a session that dies harms nobody", ctx do
        game = game_fixture(round_end_time: nil)
        other = start_session(ctx)
        pid = start_session(ctx, "code", game)
        end_session(ctx, pid, :boom)

        wait_until(fn ->
          assert [%{pid: ^other}] = run!(ctx, GenServer, :call, [host(ctx), :sessions])
        end)

        assert %{round: 1} = run!(ctx, GenServer, :call, [other, :get_game])

        wait_until(fn ->
          assert {:ok, new} = engine(ctx, :continue_game, ["code", game])
          assert new != pid
        end)

        assert engine(ctx, :get_game_by_join_code, ["code"]) == {:ok, game}
      end
    end
  end

  defp start_session(ctx, code \\ nil, game \\ game_fixture(round_end_time: nil)) do
    assert {:ok, pid} = engine(ctx, :continue_game, [code, game])
    assert node(pid) == ctx.owner
    pid
  end

  defp end_session(ctx, pid, reason) do
    monitor = run!(ctx, Process, :monitor, [pid])

    if reason == :normal do
      run!(ctx, Kernel, :send, [pid, :end_session])
    else
      run!(ctx, Process, :exit, [pid, reason])
    end

    await(ctx, {:DOWN, monitor, :process, pid, reason})
  end

  defp host(ctx), do: {SessionHost, ctx.owner}

  defp engine(ctx, function, arguments) do
    Cluster.call(ctx.cluster, ctx.owner, GameEngine, function, arguments)
  end

  defp run!(ctx, module, function, arguments) do
    Probe.run!(ctx.cluster, ctx.probe, module, function, arguments)
  end

  defp attempt(ctx, module, function, arguments) do
    Probe.run(ctx.cluster, ctx.probe, module, function, arguments)
  end

  defp await(ctx, message), do: Probe.await(ctx.cluster, ctx.probe, message)
end
