defmodule Minotaur.Cluster.OperatorTest do
  @moduledoc """
  What operators and their tools do with the processes of a host: `:sys`, `GenServer.stop/3`,
  supervisors, observer and LiveDashboard, `Process.exit(pid, :kill)`. A BEAM host and a C host are
  asked the same.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test

  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.Probe
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.GameEngine.{SessionServer, SessionSupervisor}
  alias Minotaur.{GameEngine, SessionHost}

  @env [minotaur: [round_seconds: 0]]

  setup ctx do
    cluster = start_supervised!({Cluster.Manager, ctx})
    a = Cluster.start_node(cluster, kind: :beam, applications: [])
    host = Cluster.start_node(cluster, kind: ctx.kind, environment: @env)
    [cluster: cluster, a: a, host: host, probe: Probe.start(cluster, a)]
  end

  for kind <- [:beam, :c] do
    describe "on a #{kind} host" do
      @describetag kind: kind

      # Its state is the game; standing still it keeps its callers, and goes on where it was.
      test "a session is seen, suspended and resumed", ctx do
        game = game_fixture(round_end_time: nil)
        pid = start_session(ctx, game)
        assert run!(ctx, :sys, :get_state, [pid]) |> holds?(game)

        assert {:status, ^pid, {:module, :gen_server}, parts} =
                 run!(ctx, :sys, :get_status, [pid])

        assert [[_ | _] = dictionary, :running, parent, [], misc] = parts
        assert Keyword.get(dictionary, :"$initial_call") == {SessionServer, :init, 1}
        assert is_pid(parent)

        assert [header: ~c"Status for generic server " ++ _, data: data, data: [{~c"State", _}]] =
                 misc

        assert [{~c"Status", :running}, {~c"Parent", _}, {~c"Logged events", []}] = data

        assert run!(ctx, :sys, :suspend, [pid]) == :ok
        assert {:status, ^pid, _, [_, :suspended | _]} = run!(ctx, :sys, :get_status, [pid])
        assert run!(ctx, :sys, :get_state, [pid]) |> holds?(game)
        assert {:exit, {:timeout, _}} = attempt(ctx, GenServer, :call, [pid, :get_game, 100])
        assert run!(ctx, :sys, :resume, [pid]) == :ok
        assert run!(ctx, GenServer, :call, [pid, :get_game]) == game
        assert Probe.messages(ctx.cluster, ctx.probe) == []
      end

      # By pid, by name, and a suspended one too; the reason is exactly the given one.
      test "a server is stopped with a reason", ctx do
        for {reason, prepare} <- [normal: [], shutdown: [:suspend], why: []] do
          pid = start_session(ctx, game_fixture(round_end_time: nil))
          monitor = run!(ctx, Process, :monitor, [pid])
          for function <- prepare, do: run!(ctx, :sys, function, [pid])
          assert run!(ctx, GenServer, :stop, [pid, reason, 5_000]) == :ok
          await(ctx, {:DOWN, monitor, :process, pid, reason})
          outcome = attempt(ctx, GenServer, :stop, [pid, reason, 5_000])
          assert {:exit, {:noproc, {GenServer, :stop, [^pid, ^reason, 5_000]}}} = outcome
        end

        assert run!(ctx, :proc_lib, :stop, [{SessionHost, ctx.host}]) == :ok
        outcome = attempt(ctx, :proc_lib, :stop, [{:nobody, ctx.host}])
        assert outcome == {:exit, :noproc}
      end

      # The supervisor of sessions, by the name that an operator knows.
      test "the supervisor shows the sessions and ends them", ctx do
        supervisor = {SessionSupervisor, ctx.host}
        assert children(ctx) == []
        pids = for _ <- 1..2, do: start_session(ctx, game_fixture(round_end_time: nil))
        expected = for pid <- pids, do: {:undefined, pid, :worker, [SessionServer]}
        assert Enum.sort(children(ctx)) == Enum.sort(expected)
        counts = %{active: 2, specs: 2, supervisors: 0, workers: 2}
        assert run!(ctx, Supervisor, :count_children, [supervisor]) == counts
        assert run!(ctx, DynamicSupervisor, :count_children, [supervisor]) == counts
        by_rpc = [ctx.host, DynamicSupervisor, :count_children, [SessionSupervisor]]
        assert run!(ctx, :rpc, :call, by_rpc) == counts
        by_rpc = [ctx.host, Supervisor, :which_children, [SessionSupervisor]]
        assert Enum.sort(run!(ctx, :rpc, :call, by_rpc)) == Enum.sort(expected)

        [first, second] = pids
        monitor = run!(ctx, Process, :monitor, [first])
        assert run!(ctx, DynamicSupervisor, :terminate_child, [supervisor, first]) == :ok
        await(ctx, {:DOWN, monitor, :process, first, :shutdown})
        wait_until(fn -> assert [{:undefined, ^second, :worker, _}] = children(ctx) end)
        gone = run!(ctx, DynamicSupervisor, :terminate_child, [supervisor, first])
        assert gone == {:error, :not_found}
      end

      # Somebody kills the host: it comes back as a supervised process does, its sessions live on,
      # the other hosts know it, and it still drains.
      test "a host process that is killed starts again", ctx do
        other = Cluster.start_node(ctx.cluster, kind: :beam, environment: @env)
        games = for _ <- 1..8, do: game_fixture(round_end_time: nil)
        for game <- games, do: {:ok, _} = engine(ctx, :continue_game, [game])
        before = sessions(ctx)
        old = run!(ctx, GenServer, :call, [host(ctx), :info]).pid
        monitor = run!(ctx, Process, :monitor, [old])
        run!(ctx, Process, :exit, [old, :kill])
        await(ctx, {:DOWN, monitor, :process, old, :killed})

        new =
          wait_until(fn ->
            assert %{pid: new} = info(ctx)
            assert new != old
            new
          end)

        assert sessions(ctx) == before

        wait_until(fn ->
          hosts = Cluster.genserver_call(ctx.cluster, other, {SessionHost, other}, :hosts)
          assert new in Enum.map(hosts, & &1.pid)
          assert other in Enum.map(run!(ctx, GenServer, :call, [host(ctx), :hosts]), & &1.node)
        end)

        for game <- games, do: wait_until(fn -> assert alive?(ctx, game) end)
        assert {:ok, _pid} = engine(ctx, :continue_game, [game_fixture(round_end_time: nil)])
        assert Cluster.stop_node(ctx.cluster, ctx.host) == 0

        for game <- games do
          found = Cluster.call(ctx.cluster, other, GameEngine, :get_game, [game.id])
          assert found == {:ok, game}
        end
      end
    end
  end

  describe "on a C host" do
    @describetag kind: :c

    # A BEAM would leave with it; a C node just has a new one.
    test "rex and net_kernel that are killed start again", ctx do
      for name <- [:rex, :net_kernel] do
        old = run!(ctx, :rpc, :call, [ctx.host, :erlang, :whereis, [name]])
        run!(ctx, Process, :exit, [old, :kill])

        wait_until(fn ->
          new = run!(ctx, :rpc, :block_call, [ctx.host, :erlang, :whereis, [name]])
          assert is_pid(new) and new != old
        end)
      end

      assert run!(ctx, :net_adm, :ping, [ctx.host]) == :pong
    end

    # What waits for other nodes there cannot come back: better no node than half a one.
    test "a node whose waiter is killed ends", ctx do
      start_session(ctx, game_fixture(round_end_time: nil))
      processes = run!(ctx, :rpc, :call, [ctx.host, :erlang, :processes, []])
      [waiter] = Enum.filter(processes, &(module(ctx, &1) == SessionHost.Waiter))
      run!(ctx, Process, :exit, [waiter, :kill])
      assert Cluster.await_stop(ctx.cluster, ctx.host, exit_status: 70) == 70
    end

    # Whatever it is: a session, the host, rex, what answers for :global.
    test "every process answers :sys", ctx do
      start_session(ctx, game_fixture(round_end_time: nil))

      for pid <- run!(ctx, :rpc, :call, [ctx.host, :erlang, :processes, []]),
          run!(ctx, :rpc, :call, [ctx.host, :erlang, :is_process_alive, [pid]]) do
        for {function, arguments} <- [
              get_state: [],
              get_status: [],
              suspend: [],
              get_status: [],
              resume: [],
              no_debug: []
            ] do
          outcome = attempt(ctx, :sys, function, [pid | arguments])
          assert {:ok, _answer} = outcome
        end
      end
    end

    # What needs the asker's code to run here is refused, with a reason.
    test "a session refuses foreign code", ctx do
      pid = start_session(ctx, game_fixture(round_end_time: nil))
      change = {:change_code, SessionServer, 1, []}
      keep = &Function.identity/1

      for {function, arguments, expected} <- [
            {:replace_state, [keep], {:error, :unsupported}},
            {:change_code, tl(Tuple.to_list(change)),
             {:ok, {:error, {:unknown_system_msg, change}}}},
            {:log, [true], {:ok, {:error, :unsupported}}},
            {:statistics, [:get], {:ok, {:error, :unsupported}}},
            {:trace, [true], {:ok, {:error, :unsupported}}},
            {:install, [{keep, []}], {:ok, {:error, :unsupported}}},
            {:suspend, [], {:ok, :ok}},
            {:change_code, tl(Tuple.to_list(change)), {:ok, {:error, :unsupported}}},
            {:replace_state, [keep], {:error, :unsupported}},
            {:log, [:get], {:ok, {:error, :unsupported}}},
            {:resume, [], {:ok, :ok}}
          ] do
        outcome = attempt(ctx, :sys, function, [pid | arguments])
        assert {function, outcome} == {function, expected}
      end

      assert %{round: 1} = run!(ctx, GenServer, :call, [pid, :get_game])
    end

    # The first questions of observer, observer_cli and LiveDashboard: an answer or undef,
    # and nobody is left hanging.
    test "tools are answered or refused", ctx do
      info = Phoenix.LiveDashboard.SystemInfo

      for {module, function, arguments} <- [
            {:erlang, :system_info, [:otp_release]},
            {:erlang, :system_info, [:version]},
            {:code, :which, [:observer_backend]},
            {:code, :ensure_loaded, [:observer_backend]},
            {:code, :get_object_code, [:observer_backend]},
            {:code, :load_binary, [info, ~c"nofile", <<>>]},
            {:code, :is_loaded, [info]},
            {:observer_backend, :sys_info, []},
            {:observer_backend, :get_table_list, [:ets, []]},
            {:observer_backend, :get_port_list, []},
            {:observer_backend, :procs_info, [self()]},
            {:observer_backend, :vsn, []},
            {:etop_txt, :init, [[]]},
            {:appmon_info, :start_link, [ctx.a, self(), []]},
            {:application_controller, :get_master, [:kernel]},
            {:application, :which_applications, []},
            {:dbg, :tracer, []},
            {:ets, :all, []},
            {info, :fetch_system_info, [%{}, []]},
            {info, :fetch_capabilities, [[]]},
            {:recon, :info, [self()]},
            {:observer_cli, :start, []}
          ] do
        call = [ctx.host, module, function, arguments]
        {:ok, answer} = attempt(ctx, :rpc, :call, call)
        assert answered?(answer), "#{inspect(call)} gave #{inspect(answer)}"
      end
    end
  end

  defp answered?({:badrpc, {:EXIT, {:undef, [{_m, _f, _a, _} | _]}}}), do: true
  defp answered?({:badrpc, _other}), do: false
  defp answered?(_answer), do: true

  # A BEAM session keeps more than its game.
  defp holds?(state, game), do: state == game or game in Map.values(state)

  defp start_session(ctx, game) do
    assert {:ok, pid} = engine(ctx, :continue_game, [game])
    pid
  end

  defp module(ctx, pid) do
    arguments = [ctx.host, :erlang, :process_info, [pid, :current_function]]

    case run!(ctx, :rpc, :call, arguments) do
      {:current_function, {module, _function, _arity}} -> module
      :undefined -> :gone
    end
  end

  defp alive?(ctx, game), do: engine(ctx, :get_game, [game.id]) == {:ok, game}

  defp children(ctx), do: run!(ctx, Supervisor, :which_children, [{SessionSupervisor, ctx.host}])
  defp host(ctx), do: {SessionHost, ctx.host}
  defp info(ctx), do: run!(ctx, GenServer, :call, [host(ctx), :info])

  defp sessions(ctx) do
    sessions = run!(ctx, GenServer, :call, [host(ctx), :sessions])
    Enum.sort(for session <- sessions, do: {session.id, session.pid})
  end

  defp engine(ctx, function, arguments) do
    Cluster.call(ctx.cluster, ctx.host, GameEngine, function, arguments)
  end

  defp run!(ctx, module, function, arguments) do
    Probe.run!(ctx.cluster, ctx.probe, module, function, arguments)
  end

  defp attempt(ctx, module, function, arguments) do
    Probe.run(ctx.cluster, ctx.probe, module, function, arguments)
  end

  defp await(ctx, message), do: Probe.await(ctx.cluster, ctx.probe, message)
end
