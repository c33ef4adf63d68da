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
  alias Minotaur.GameEngine.{CarriedOut, LocalSessions, Names, SessionServer}
  alias Minotaur.Handoff.{Forwarder, Snapshot}
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

  # What it had kept before a claim it carries out, what came behind it is for the other owner.
  for how <- [:refused, :killed] do
    test "one that is back, its target #{how}, gives way to a claim it had kept", ctx do
      %{id: id, pid: pid} = ctx
      {target, outcome} = begin_handoff(pid)
      own = self()
      before = ask(pid, :end_round)
      send(pid, {:session_claim, id, 9, 1, own})
      behind = ask(pid, :end_round)
      GenServer.cast(pid, :behind)
      end_handoff(unquote(how), pid, target)

      assert {:failed, _reason} = Task.await(outcome)
      assert_receive {^before, %{round: 2}}
      assert_receive {:session_yield, ^id, _epoch, 2, ^pid, _done}
      assert_receive {:"$gen_call", {^own, ^behind}, :end_round}
      assert_receive {:"$gen_cast", :behind}
      assert %{role: :forwarding, timer: nil, game: %{round: 2}} = :sys.get_state(pid)
      refute_received {^behind, _answer}
      assert LocalSessions.whereis({:id, id}) == own
      refute pid in LocalSessions.contested(System.monotonic_time(:millisecond))
    end
  end

  # So does one that arrives with it.
  test "a target gives way to a claim that it had kept", %{id: id, pid: source} do
    {:ok, pid} = SessionServer.start_link({:arrive, offer(id)})
    %{chunks: [chunk], digest: digest, hash: hash} = Snapshot.encode(:sys.get_state(source), 0)
    transfer = :sys.get_state(pid).handoff.transfer
    Process.exit(source, :kill)
    wait_until(fn -> assert LocalSessions.whereis({:id, id}) == nil end)
    send(pid, {:handoff_state, transfer, 0, 1, chunk})
    send(pid, {:handoff_digest, transfer, digest, hash})
    send(pid, {:session_claim, id, 9, 1, self()})
    behind = ask(pid, :end_round)
    send(pid, {:handoff_activate, transfer})

    assert_receive {:session_yield, ^id, 2, 1, ^pid, _done}
    assert_receive {:"$gen_call", {_own, ^behind}, :end_round}
    assert_receive {:handoff_active, ^transfer, 2}
    assert %{role: :forwarding, game: %{round: 1}} = :sys.get_state(pid)
    refute_received {^behind, _answer}
  end

  # A claim below its own ends nobody then either.
  test "one that is back answers a lower claim that it had kept", %{id: id, pid: pid} do
    {target, _outcome} = begin_handoff(pid)
    send(pid, {:session_claim, id, 0, 9, self()})
    behind = ask(pid, :end_round)
    end_handoff(:refused, pid, target)
    assert_receive {:session_claim, ^id, 1, 1, ^pid}
    assert_receive {^behind, %{round: 2}}
    assert :sys.get_state(pid).role == :open
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

  defp begin_handoff(pid) do
    target = spawn(fn -> receive(do: (:never -> :ok)) end)
    request = {SessionHost, {:hand_off, make_ref(), target}}
    outcome = Task.async(fn -> GenServer.call(pid, request, :infinity) end)
    wait_until(fn -> assert :sys.get_state(pid).role == :leaving end)
    {target, outcome}
  end

  defp end_handoff(:killed, _pid, target), do: Process.exit(target, :kill)

  defp end_handoff(:refused, pid, target) do
    send(pid, {:handoff_refuse, :sys.get_state(pid).handoff.transfer, :bad_hash})
    Process.exit(target, :kill)
  end

  # Several calls by one process arrive in order.
  defp ask(pid, request) do
    tag = make_ref()
    send(pid, {:"$gen_call", {self(), tag}, request})
    tag
  end

  defp offer(id), do: %{transfer: make_ref(), source: self(), id: id, join_code: "code-#{id}"}

  defp end_of(pid) do
    monitor = Process.monitor(pid)
    receive do: ({:DOWN, ^monitor, _, _, reason} -> reason)
  end

  defp monitors_of(pid) do
    {:monitored_by, pids} = Process.info(pid, :monitored_by)
    pids
  end
end
