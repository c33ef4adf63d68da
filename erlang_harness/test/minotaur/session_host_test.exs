defmodule Minotaur.SessionHostTest do
  @moduledoc "The host of a lone node: what it says, and how it drains."

  use ExUnit.Case
  @moduletag :capture_log

  import ExUnit.CaptureLog
  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.{GameEngine, Hosts, SessionHost}
  alias Minotaur.SessionHost.Signals

  # What a host says of itself is what a C node reads.
  test "info has all that the protocol asks for" do
    info = Hosts.info()
    assert %{node: node, pid: pid, protocol: 1, draining: false} = info
    assert {node, pid} == {node(), Process.whereis(SessionHost)}
    assert info.state_versions == [1, 2, 3, 4]
    assert is_binary(info.app_version) and is_integer(info.incarnation)
    # A session of an earlier test may just end.
    wait_until(fn -> assert Hosts.list() == [Hosts.info()] end)
  end

  # Sessions are listed and found where they live.
  test "sessions and whereis" do
    game = game_fixture()
    {:ok, pid} = GameEngine.continue_game("its-code-#{game.id}", game)
    assert %{epoch: 1} = Enum.find(Hosts.sessions(), &(&1.id == game.id and &1.pid == pid))
    assert call({:whereis, {:id, game.id}}) == pid
    assert call({:whereis, {:join_code, "its-code-#{game.id}"}}) == pid
    assert call({:whereis, {:id, "nobody"}}) == nil
    assert Hosts.whereis(game.id) == pid
  end

  # A stranger's words do no harm.
  test "unknown requests and messages" do
    assert call(:what) == {:error, :unknown_request}
    assert call({:offer, :what}) == {:error, :unknown_request}

    log =
      capture_log(fn ->
        send(SessionHost, :what)
        GenServer.cast(SessionHost, :what)
        send(SessionHost, {:host_hello, 2, %{}})
        send(SessionHost, {:host_hello, 1, %{node: :x@y}})
        send(SessionHost, {:host_bye, :x@y, 1})
        assert [_itself] = Hosts.list()
      end)

    assert log =~ "dropped an unknown message"
    assert log =~ "unsupported_protocol"
    assert log =~ "malformed"
  end

  # One that says good-bye is not lost: it has handed its sessions over.
  test "a host that is lost is remembered for a while" do
    lost? = fn -> GenServer.call(SessionHost, {SessionHost, :lost_lately?}) end
    refute lost?.()

    for bye? <- [true, false] do
      fake = spawn(fn -> receive(do: (:never -> :ok)) end)
      info = %{node: node(), pid: fake, incarnation: 1, draining: false}
      info = Map.merge(info, %{sessions: 0, capacity: 0, state_versions: []})
      send(SessionHost, {:host_hello, 1, info})
      assert [_itself, %{pid: ^fake}] = Hosts.list()
      if bye?, do: send(SessionHost, {:host_bye, node(), 1})
      Process.exit(fake, :kill)
      wait_until(fn -> assert [_itself] = Hosts.list() end)
      assert lost?.() == not bye?
    end
  end

  # A host that crashes finds its sessions again.
  test "a restarted host knows its sessions" do
    game = game_fixture()
    {:ok, pid} = GameEngine.continue_game(game)
    host = Process.whereis(SessionHost)
    Process.exit(host, :kill)
    wait_until(fn -> assert Process.whereis(SessionHost) not in [nil, host] end)
    assert Enum.any?(Hosts.sessions(), &(&1.pid == pid))
    assert GameEngine.get_game(game.id) == {:ok, game}
  end

  # The last node of a cluster has nowhere to put its sessions, and does not wait for anybody.
  test "a host without other hosts gives up at once" do
    Logger.configure(level: :info)

    on_exit(fn ->
      Logger.configure(level: :warning)
      Application.stop(:minotaur)
      Application.ensure_all_started(:minotaur)
    end)

    {:ok, _pid} = GameEngine.continue_game(game_fixture())
    count = length(Hosts.sessions())

    log =
      capture_log(fn ->
        assert {:ok, summary} = SessionHost.drain(SessionHost, :stay, 5_000)
        assert %{sessions: ^count, lost: ^count, moved: 0, bytes: 0} = summary
        assert summary.stall_ms == %{p50: 0, p99: 0, max: 0}
        # Who asks later gets the same answer.
        assert {:ok, ^summary} = SessionHost.drain(SessionHost, :stay, 5_000)
      end)

    assert log =~ "drain: 0 of #{count} sessions moved, #{count} lost"
    assert {:error, :draining} = GameEngine.create_game(nil, [%{id: 1, display_name: "A"}])
  end

  # The host answers meanwhile, whoever says nothing: it waits for nobody itself.
  test "at the end of its time it waits for last words and answers" do
    on_exit(fn ->
      Application.stop(:minotaur)
      Application.ensure_all_started(:minotaur)
    end)

    {pid, drain} = drain_with_silent_forwarder()
    send(SessionHost, {SessionHost, :drain_deadline})
    assert %{draining: true} = GenServer.call(SessionHost, :info, 500)
    assert Process.alive?(drain.pid)
    monitor = Process.monitor(pid)
    :ok = :sys.resume(pid)
    own = self()
    assert_receive {:DOWN, ^monitor, _, _, {:shutdown, {:session_conflict, ^own}}}
    assert {:ok, _summary} = Task.await(drain, 30_000)
  end

  # The second SIGTERM leaves a second, the third none; without a drain nothing happens.
  test "more signals end a drain sooner, and nothing else" do
    on_exit(fn ->
      Application.stop(:minotaur)
      Application.ensure_all_started(:minotaur)
    end)

    {:ok, 1} = Signals.handle_event(:sigterm, 0)
    {:ok, 3} = Signals.handle_event(:sigterm, 2)
    refute Hosts.info().draining
    assert Signals in :gen_event.which_handlers(:erl_signal_server)
    assert :erl_signal_handler in :gen_event.which_handlers(:erl_signal_server)
    {pid, drain} = drain_with_silent_forwarder()
    {:ok, 3} = Signals.handle_event(:sigterm, 2)
    assert {:ok, %{ms: ms}} = Task.await(drain, 30_000)
    assert ms < 900
    :ok = :sys.resume(pid)
  end

  # A session that gave way, and then says nothing, holds the drain up.
  defp drain_with_silent_forwarder do
    game = game_fixture(round_end_time: nil)
    {:ok, pid} = GameEngine.continue_game(game)
    send(pid, {:session_claim, game.id, 7, 1, self()})
    assert_receive {:session_yield, _, _, _, ^pid, _}
    :ok = :sys.suspend(pid)
    drain = Task.async(fn -> SessionHost.drain(SessionHost, :stay, 30_000) end)
    wait_until(fn -> assert Hosts.info().draining end)
    {pid, drain}
  end

  defp call(request), do: GenServer.call(SessionHost, request)
end
