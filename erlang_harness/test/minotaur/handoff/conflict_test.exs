defmodule Minotaur.Handoff.ConflictTest do
  @moduledoc """
  Two owners of one session, word by word: the test plays the other one.
  """

  use ExUnit.Case
  @moduletag :capture_log

  import ExUnit.CaptureLog
  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.GameEngine
  alias Minotaur.GameEngine.{CarriedOut, LocalSessions, Names, Session}
  alias Minotaur.Handoff.Forwarder
  alias Minotaur.SessionHost

  setup do
    game = game_fixture(round_end_time: nil)
    {:ok, pid} = GameEngine.continue_game("code-#{game.id}", game)
    on_exit(fn -> Process.exit(pid, :kill) end)
    [id: game.id, pid: pid]
  end

  # Whoever calls the one that ended is answered by the other; who watched it learns where to go.
  for {what, epoch, version} <- [{"epoch", 2, 1}, {"version", 1, 3}] do
    test "an owner of a lower #{what} ends", %{id: id, pid: pid} do
      own = self()
      # An update of which the other side knows nothing: version 2.
      %{round: 2} = GenServer.call(pid, :end_round)
      Minotaur.subscribe(id)

      log =
        capture_log(fn ->
          send(pid, {:session_claim, id, unquote(epoch), unquote(version), own})
          assert_receive {:session_yield, ^id, 1, 2, ^pid, done}
          assert {:ok, %{count: 1}} = CarriedOut.import_from(done, 0)
        end)

      assert log =~ "ends at epoch 1, version 2"
      assert_receive {:session_moved, ^id, ^own}
      wait_until(fn -> assert LocalSessions.whereis({:id, id}) == own end)
      caller = Task.async(fn -> GenServer.call(pid, :get_game) end)
      assert_receive {:"$gen_call", from, :get_game}
      GenServer.reply(from, :from_the_other)
      assert Task.await(caller) == :from_the_other

      watcher = Task.async(fn -> end_of(pid) end)
      wait_until(fn -> assert watcher.pid in monitors_of(pid) end)
      send(pid, {SessionHost, :hurry})
      assert Task.await(watcher) == {:shutdown, {:session_conflict, own}}
    end
  end

  # It says that it stays, says what only the other had done, and has its names.
  test "an owner of a higher version stays", %{id: id, pid: pid} do
    %{round: 2} = GenServer.call(pid, :end_round)
    send(pid, {:session_claim, id, 1, 1, self()})
    assert_receive {:session_claim, ^id, 1, 2, ^pid}
    Names.move(id, "code-#{id}", self())
    done = CarriedOut.add(%CarriedOut{}, make_ref(), 0)

    log =
      capture_log(fn ->
        send(pid, {:session_yield, id, 1, 1, self(), CarriedOut.export(done, 0)})
        wait_until(fn -> assert Names.held_by?(id, "code-#{id}", pid) end)
      end)

    assert log =~ "updates that only it had carried out: 1"
    assert %{round: 2} = GenServer.call(pid, :get_game)
  end

  # Alike in both, the order of nodes decides, which here are one: then that of the processes.
  test "of two that are alike one ends", %{id: id, pid: pid} do
    send(pid, {:session_claim, id, 1, 1, self()})

    if self() > pid,
      do: assert_receive({:session_yield, ^id, 1, 1, ^pid, _done}),
      else: assert_receive({:session_claim, ^id, 1, 1, ^pid})
  end

  # `:global` calls it while two clusters become one; both owners claim, and one has the name.
  test "a name in two hands is one's, and both are told", %{id: id, pid: pid} do
    name = Names.global_name({:id, id})
    assert Names.resolve(name, self(), pid) in [self(), pid]
    assert_receive {:global_name_conflict, ^name, ^pid}
    assert_receive {:session_claim, ^id, 1, 1, ^pid}
  end

  # Who says nothing is no owner: the names are looked up in a second, and taken.
  test "names that lead elsewhere come back", %{id: id, pid: pid} do
    silent = spawn(fn -> receive(do: (:never -> :ok)) end)
    Names.move(id, nil, silent)
    send(pid, {:global_name_conflict, Names.global_name({:id, id}), silent})
    wait_until(fn -> assert Names.held_by?(id, "code-#{id}", pid) end)
    Process.exit(silent, :kill)
  end

  # Kept while the session was on its way, they are for the owner that it is then.
  test "words that were kept are heard when the session is open", %{id: id, pid: pid} do
    session = :sys.get_state(pid)
    words = [{:session_claim, id, 1, 1, self()}, {:global_name_conflict, :name, self()}]
    assert {:cont, ^session} = Session.execute_all(words, session)
    for word <- words, do: assert_received(^word)
  end

  # Words of other sessions, or without sense, end nobody.
  test "nonsense changes nothing", %{id: id, pid: pid} do
    for claim <- [
          {:session_claim, "another", 9, 9, self()},
          {:session_claim, id, :nine, 9, self()},
          {:session_claim, id, 9, 9, :nobody},
          {:session_yield, id, 9, 9, self(), :nothing},
          {:global_name_conflict, :name, :nobody}
        ],
        do: send(pid, claim)

    assert %{round: 2} = GenServer.call(pid, :end_round)
    refute_received {:session_yield, _, _, _, _, _}
  end

  # What the winner did is lost with it; what was here is not, and goes on in its place.
  test "the one that ended goes on when the other is gone", %{id: id, pid: pid} do
    other = spawn(fn -> receive(do: (:never -> :ok)) end)
    send(pid, {:session_claim, id, 7, 1, other})
    wait_until(fn -> assert LocalSessions.whereis({:id, id}) == other end)
    Process.exit(other, :kill)
    wait_until(fn -> assert LocalSessions.whereis({:id, id}) == pid end)
    assert %{round: 2} = GenServer.call(pid, :end_round)
    assert [%{epoch: 7}] = for(s <- LocalSessions.list(), s.pid == pid, do: s)
    # It asks for an hour whether there is another.
    now_ms = System.monotonic_time(:millisecond)
    assert pid in LocalSessions.contested(now_ms + 3_590_000)
    refute pid in LocalSessions.contested(now_ms + 3_600_000)
  end

  # It stays for longer than a caller waits, but not for a watcher that never goes.
  test "the one that ended stays for 6.5 s", %{id: id, pid: pid} do
    send(pid, {:session_claim, id, 7, 1, self()})
    assert_receive {:session_yield, ^id, 1, 1, ^pid, _done}
    Names.move(id, "code-#{id}", self())
    watcher = spawn(fn -> end_of(pid) end)
    wait_until(fn -> assert watcher in monitors_of(pid) end)
    wait_until(fn -> assert %{handoff: %{names: nil}} = :sys.get_state(pid) end)
    session = :sys.get_state(pid)
    assert {:noreply, _session} = look(session, 6_400, pid)
    assert {:stop, {:shutdown, {:session_conflict, _}}, _session} = look(session, 6_500, pid)
  end

  # What the forwarder `pid` does when it looks around, so long after it gave way.
  defp look(session, ms, pid) do
    aged = fn at_ms -> at_ms - ms end
    handoff = session.handoff |> Map.update!(:since_ms, aged) |> Map.update!(:named_ms, aged)
    own = self()

    :sys.replace_state(pid, fn state ->
      send(own, {:looked, Forwarder.info({Forwarder, :look}, %{session | handoff: handoff})})
      state
    end)

    receive do: ({:looked, answer} -> answer)
  end

  defp end_of(pid) do
    monitor = Process.monitor(pid)
    receive do: ({:DOWN, ^monitor, _, _, reason} -> reason)
  end

  defp monitors_of(pid) do
    {:monitored_by, pids} = Process.info(pid, :monitored_by)
    pids
  end
end
