defmodule Minotaur.Cluster.DrainTest do
  @moduledoc "The ways in which a node is told to leave, and where its sessions go."

  use ExUnit.Case, async: true
  @moduletag :cluster_test

  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.OsProcess
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.{GameEngine, Hosts, Placement, SessionHost}

  @env [minotaur: [round_seconds: 0]]

  setup ctx do
    cluster = start_supervised!({Cluster.Manager, ctx})
    beam = Cluster.start_node(cluster, kind: :beam, environment: @env)
    [cluster: cluster, beam: beam]
  end

  for kind <- [:beam, :c] do
    describe "a #{kind} node drains" do
      @describetag kind: kind
      setup :start_leaver

      test "on SIGTERM", ctx do
        OsProcess.signal(Cluster.os_pid(ctx.cluster, ctx.leaver), :term)
        Cluster.await_stop(ctx.cluster, ctx.leaver)
        assert_all_at(ctx, [ctx.beam])
      end

      test "on :init.stop by rpc", ctx do
        :ok = Cluster.call(ctx.cluster, ctx.beam, :rpc, :call, [ctx.leaver, :init, :stop, []])
        Cluster.await_stop(ctx.cluster, ctx.leaver)
        assert_all_at(ctx, [ctx.beam])
      end

      # An operator sees what became of the sessions, and then the node stops by itself.
      test "when Hosts.drain is called, and answers what it did", ctx do
        {:ok, summary} = Cluster.call(ctx.cluster, ctx.beam, Hosts, :drain, [ctx.leaver])
        count = length(ctx.games)
        assert %{sessions: ^count, moved: ^count, lost: 0, ms: ms} = summary
        assert is_integer(ms)
        assert %{bytes: bytes, stall_ms: %{p50: p50, p99: p99, max: max}} = summary
        assert bytes > count * 1_000
        assert p50 >= 0 and p50 <= p99 and p99 <= max and max <= ms
        Cluster.await_stop(ctx.cluster, ctx.leaver)
        assert_all_at(ctx, [ctx.beam])
        assert_left(ctx)
      end
    end
  end

  for kind <- [:beam, :c] do
    # So many bytes take so long; the first states of all that may leave at once do not wait.
    @tag kind: kind
    test "a #{kind} node drains no faster than its bandwidth allows", ctx do
      {:ok, ctx} = add(ctx, start_leaver(ctx, 10, drain_bytes_per_second: 20_000))
      {:ok, summary} = Cluster.call(ctx.cluster, ctx.beam, Hosts, :drain, [ctx.leaver])
      assert %{moved: 10, lost: 0, bytes: bytes, ms: ms} = summary
      assert ms >= div((bytes - div(bytes, 10)) * 1_000, 20_000) - 20
      Cluster.await_stop(ctx.cluster, ctx.leaver)
      assert_all_at(ctx, [ctx.beam])
    end

    # An operator keeps a host out of a deploy, or empties others around it.
    @tag kind: kind
    test "a #{kind} node that is cordoned takes nothing in and keeps its own", ctx do
      {:ok, ctx} = add(ctx, start_leaver(ctx))
      count = length(ctx.games)
      assert on_beam(ctx, Hosts, :cordon, [ctx.leaver]) == :ok
      wait_until(fn -> assert [%{draining: true}] = infos(ctx, ctx.beam, ctx.leaver) end)

      for _ <- 1..8 do
        assert {:ok, pid} = on_beam(ctx, GameEngine, :continue_game, [game_fixture()])
        assert node(pid) == ctx.beam
      end

      refused = {:start_session, nil, game_fixture()}
      host = {SessionHost, ctx.leaver}
      answer = Cluster.genserver_call(ctx.cluster, ctx.leaver, host, refused)
      assert answer == {:error, :draining}
      assert length(sessions(ctx, ctx.leaver)) == count
      for game <- ctx.games, do: {:ok, ^game} = on_beam(ctx, GameEngine, :get_game, [game.id])

      assert on_beam(ctx, Hosts, :uncordon, [ctx.leaver]) == :ok
      wait_until(fn -> assert [%{draining: false}] = infos(ctx, ctx.beam, ctx.leaver) end)
      assert {:ok, _pid} = Cluster.genserver_call(ctx.cluster, ctx.leaver, host, refused)
      Cluster.stop_node(ctx.cluster, ctx.leaver)
      assert_all_at(ctx, [ctx.beam])
    end
  end

  # A state that was sent in vain is paid for, and will be once more. (Of C nodes: test_drain.c.)
  @tag kind: :beam
  test "a BEAM node takes bandwidth for each state that it sends", ctx do
    {:ok, ctx} = add(ctx, start_leaver(ctx, 1, drain_bytes_per_second: 1_000_000))
    environment = [minotaur: [round_seconds: 0, failpoint: "in_digest=kill"]]
    dying = Cluster.start_node(ctx.cluster, kind: :beam, environment: environment)
    [%{id: id, pid: pid}] = sessions(ctx, ctx.leaver)
    {:ok, %{bytes: bytes}} = on_beam(ctx, GenServer, :call, [pid, {SessionHost, :describe}])
    on_leaver = &Cluster.call(ctx.cluster, ctx.leaver, :erlang, :apply, [&1, &2, &3])
    clock = [on_leaver.(:persistent_term, :get, [Minotaur.SessionHost.Bandwidth]), 1]
    # Far enough ahead that no time is kept.
    from_us = on_leaver.(System, :monotonic_time, [:microsecond]) + 1_000_000
    :ok = on_leaver.(:atomics, :put, clock ++ [from_us])
    assert {:error, _} = on_beam(ctx, Hosts, :move, [id, dying])
    assert on_leaver.(:atomics, :get, clock) >= from_us + 2 * bytes
  end

  # The application alone may be stopped, in a node that stays.
  @tag kind: :beam
  test "a BEAM node drains when its application stops", ctx do
    {:ok, ctx} = add(ctx, start_leaver(ctx))
    assert :ok = Cluster.call(ctx.cluster, ctx.leaver, :application, :stop, [:minotaur])
    assert Cluster.call(ctx.cluster, ctx.leaver, :erlang, :node) == ctx.leaver
    assert_all_at(ctx, [ctx.beam])
    assert Cluster.logs(ctx.cluster, ctx.leaver) =~ ~r/drain: (\d+) of \1 sessions moved, 0 lost/
  end

  # Two hosts remain: the sessions of the third go to both, each where the placement says.
  @tag kind: :beam
  test "sessions spread over the hosts that remain", ctx do
    {:ok, ctx} = add(ctx, start_leaver(ctx, 40))
    other = Cluster.start_node(ctx.cluster, kind: :beam, environment: @env)
    Cluster.stop_node(ctx.cluster, ctx.leaver)
    assert_all_at(ctx, [ctx.beam, other])
    assert length(sessions(ctx, ctx.beam)) > 5
    assert length(sessions(ctx, other)) > 5
  end

  # New games are carried by the host that the placement names, whichever is asked.
  @tag kind: :beam
  test "new sessions spread over all hosts", ctx do
    nodes = [ctx.beam | for(_ <- 1..2, do: Cluster.start_node(ctx.cluster, environment: @env))]

    hosts =
      for n <- 1..60, game = game_fixture() do
        asked = Enum.at(nodes, rem(n, 3))
        {:ok, pid} = Cluster.call(ctx.cluster, asked, GameEngine, :continue_game, [game])
        assert node(pid) == best(game.id, nodes)
        node(pid)
      end

    assert Enum.sort(Enum.uniq(hosts)) == Enum.sort(nodes)
    for node <- nodes, do: assert(length(sessions(ctx, node)) == Enum.count(hosts, &(&1 == node)))
  end

  # A last host has nowhere to put its sessions: it says so and does not wait.
  @tag kind: :beam
  test "a host that is alone says what it loses, and stops", ctx do
    game = game_fixture()
    {:ok, _pid} = Cluster.call(ctx.cluster, ctx.beam, GameEngine, :continue_game, [game])
    Cluster.stop_node(ctx.cluster, ctx.beam)
    assert Cluster.logs(ctx.cluster, ctx.beam) =~ "drain: 0 of 1 sessions moved, 1 lost"
  end

  # All sessions are on the leaver: the other host is closed while they start.
  defp start_leaver(ctx, count \\ 10, settings \\ []) do
    environment = [minotaur: @env[:minotaur] ++ settings]
    leaver = Cluster.start_node(ctx.cluster, kind: ctx.kind, environment: environment)
    put_capacity(ctx, ctx.beam, 0)
    wait_until(fn -> assert [%{capacity: 0}] = infos(ctx, leaver, ctx.beam) end)

    games =
      for n <- 1..count, game = game_fixture() do
        arguments = ["code-#{n}", game]
        {:ok, pid} = Cluster.call(ctx.cluster, leaver, GameEngine, :continue_game, arguments)
        assert node(pid) == leaver
        game
      end

    put_capacity(ctx, ctx.beam, 1_000)
    wait_until(fn -> assert [%{capacity: 1_000}] = infos(ctx, leaver, ctx.beam) end)
    [leaver: leaver, games: games]
  end

  defp on_beam(ctx, module, function, arguments) do
    Cluster.call(ctx.cluster, ctx.beam, module, function, arguments)
  end

  defp add(ctx, more), do: {:ok, Map.merge(ctx, Map.new(more))}

  # What a host says of itself it says again when asked: a hello is answered by nobody who knows it.
  defp put_capacity(ctx, node, capacity) do
    arguments = [:minotaur, :capacity, capacity]
    :ok = Cluster.call(ctx.cluster, node, Application, :put_env, arguments)

    :ok =
      Cluster.call(ctx.cluster, node, SessionHost, :role_changed, [%{id: :any, epoch: 1}, :any])
  end

  defp infos(ctx, at, of) do
    hosts = Cluster.genserver_call(ctx.cluster, at, {SessionHost, at}, :hosts)
    Enum.filter(hosts, &(&1.node == of))
  end

  defp assert_all_at(ctx, nodes) do
    for game <- ctx.games do
      assert {:ok, ^game} = Cluster.call(ctx.cluster, ctx.beam, GameEngine, :get_game, [game.id])
      pid = Cluster.call(ctx.cluster, ctx.beam, GameEngine, :whereis, [game.id])
      assert node(pid) == best(game.id, nodes)
    end
  end

  defp assert_left(ctx) do
    hosts = Cluster.call(ctx.cluster, ctx.beam, Hosts, :list)
    assert Enum.map(hosts, & &1.node) == [ctx.beam]
  end

  defp best(id, nodes), do: Enum.max_by(nodes, &{Placement.weight(id, &1), &1})

  defp sessions(ctx, node) do
    Cluster.genserver_call(ctx.cluster, node, {SessionHost, node}, :sessions)
  end
end
