defmodule Minotaur.Cluster.HarnessTest do
  @moduledoc "The harness itself: what it starts it ends, and what it says is so."

  use ExUnit.Case
  @moduletag :cluster_test

  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.{Manager, OsProcess}
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.GameEngine

  # A typing error is not a node with other settings.
  test "an option that nobody knows is refused by name", ctx do
    cluster = start_supervised!({Cluster.Manager, ctx})

    assert_raise ArgumentError, ~r/:enviroment/, fn ->
      Cluster.start_node(cluster, enviroment: [])
    end

    assert Manager.nodes(cluster) == []
  end

  for kind <- [:beam, :c] do
    describe "a #{kind} node" do
      @describetag kind: kind

      # The kind comes from the test's tag, the settings from the environment.
      test "is started with its settings, stopped with a status, and gone", ctx do
        cluster = start_supervised!({Cluster.Manager, ctx})
        node = Cluster.start_node(cluster, environment: [minotaur: [round_seconds: 0]])
        os_pid = Cluster.os_pid(cluster, node)
        assert OsProcess.alive?(os_pid)
        users = [%{id: 1, display_name: "A"}]
        {:ok, _pid} = Cluster.call(cluster, node, GameEngine, :create_game, ["code", users])

        assert {:ok, %{round_end_time: nil} = game} =
                 Cluster.call(cluster, node, GameEngine, :get_game_by_join_code, ["code"])

        send_end(cluster, node, game)
        assert Cluster.stop_node(cluster, node) == 0
        refute OsProcess.alive?(os_pid)
      end

      # A crash is one: nothing is drained, the status says so.
      test "can be killed", ctx do
        cluster = start_supervised!({Cluster.Manager, ctx})
        node = Cluster.start_node(cluster)
        assert Cluster.stop_node(cluster, node, graceful_shutdown: false) == 137
        refute OsProcess.alive?(Cluster.os_pid(cluster, node))
        assert_raise ErlangError, fn -> Cluster.call(cluster, node, :erlang, :node) end
      end

      # A call behaves as :erpc does.
      test "answers calls and says what it does not have", ctx do
        cluster = start_supervised!({Cluster.Manager, ctx})
        node = Cluster.start_node(cluster)
        assert Cluster.call(cluster, node, :erlang, :node) == node
        error = catch_error(Cluster.call(cluster, node, :no_such_module, :f, []))
        assert {:exception, :undef, _stack} = error
      end
    end
  end

  # Nothing of a cluster survives the VM that runs the tests, however that ends.
  test "everything ends when the test VM is killed" do
    mark = "#{System.pid()}-#{System.unique_integer([:positive])}"
    inner = start_inner_vm(mark)
    os_pid = inner |> await_cluster() |> String.to_integer()
    # The VM, epmd and its shell, and what the nodes are.
    assert length(marked(mark)) >= 8
    OsProcess.signal(os_pid, :kill)
    wait_until(fn -> assert marked(mark) == [] end)
  end

  # The test ends, the supervisor ends the cluster, and with it all processes.
  test "everything ends with the test", ctx do
    cluster = start_supervised!({Cluster.Manager, ctx})
    node = Cluster.start_node(cluster, kind: :beam)
    os_pid = Cluster.os_pid(cluster, node)
    %{epmd: epmd, home: home} = :sys.get_state(cluster)
    assert OsProcess.alive?(epmd.os_pid)
    assert File.stat!(Path.join(home, ".erlang.cookie")).mode |> Bitwise.band(0o777) == 0o600
    stop_supervised!(Manager)
    refute OsProcess.alive?(os_pid)
    refute OsProcess.alive?(epmd.os_pid)
    refute File.exists?(home)
  end

  # Who debugs a failure needs the nodes' logs; a test that passed prints nothing.
  test "a failed test prints the logs of its nodes" do
    output = run_tests("test/cluster/fixtures/failing_test_fixture.exs", [])
    assert output =~ ~r/log of 1-beam-n.* in :"test fails":\n +.*written by the failing test/
    refute output =~ "written by the passing test"
  end

  # Without the stop the session stays where it is: the author's own check of his first test.
  test "the mutant that leaves out the stop makes the restart test fail" do
    options = ["--only", "mutant"]
    output = run_tests("test/cluster/game_session_test.exs", options, [{"KEEP_NODE1", "1"}])
    assert length(String.split(output, "assert node(pid) == ctx.node2")) == 5
  end

  defp send_end(cluster, node, game) do
    pid = Cluster.call(cluster, node, GameEngine, :whereis, [game.id])
    Cluster.send(cluster, node, pid, :end_session)
    gone = {:error, :game_not_alive}

    wait_until(fn ->
      assert gone == Cluster.call(cluster, node, GameEngine, :get_game, [game.id])
    end)
  end

  defp start_inner_vm(mark) do
    script = "Minotaur.Cluster.Sample.run([:beam, :c, :beam])"
    ebin = Application.app_dir(:minotaur, "ebin")

    Port.open({:spawn_executable, System.find_executable("elixir")}, [
      :binary,
      :exit_status,
      {:line, 1_000},
      args: ["-pa", ebin, "-e", script],
      env: [{to_charlist(OsProcess.mark()), to_charlist(mark)}]
    ])
  end

  defp await_cluster(inner) do
    receive do
      {^inner, {:data, {:eol, "cluster of 3 nodes at " <> os_pid}}} -> os_pid
      {^inner, {:exit_status, status}} -> flunk("the inner VM ended with status #{status}")
    end
  end

  # Every process started by the inner VM has inherited the mark.
  defp marked(mark) do
    for path <- Path.wildcard("/proc/[0-9]*/environ"),
        {:ok, environ} <- [File.read(path)],
        environ =~ "#{OsProcess.mark()}=#{mark}" do
      path
    end
  end

  defp run_tests(file, options, env \\ []) do
    {output, status} =
      System.cmd("mix", ["test", "--no-compile", "--no-deps-check", file | options],
        env: [{"MIX_ENV", "test"} | env],
        stderr_to_stdout: true
      )

    assert status != 0
    output
  end

  # Games with every kind of struct, and with fields that nobody knows.
  test "the fixtures make games that a node accepts", ctx do
    cluster = start_supervised!({Cluster.Manager, ctx})
    node = Cluster.start_node(cluster, kind: :beam)
    game = played_game_fixture()
    assert {:ok, pid} = Cluster.call(cluster, node, GameEngine, :continue_game, [game])
    assert node(pid) == node
  end
end
