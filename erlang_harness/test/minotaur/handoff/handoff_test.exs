defmodule Minotaur.Handoff.HandoffTest do
  @moduledoc """
  Both ends of a handoff, word by word: the test plays the other end.
  """

  use ExUnit.Case
  @moduletag :capture_log

  import ExUnit.CaptureLog
  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.GameEngine
  alias Minotaur.GameEngine.{CarriedOut, Names, SessionServer, SessionSupervisor}
  alias Minotaur.Handoff.{Forwarder, Snapshot}
  alias Minotaur.SessionHost

  # Otherwise the names move ahead or not as chance will have it.
  setup do
    Names.init()
    Application.put_env(:minotaur, :names_wait_ms, 5_000)
    on_exit(fn -> Application.delete_env(:minotaur, :names_wait_ms) end)
  end

  describe "the source" do
    setup do
      game = game_fixture(round_end_time: nil)
      {:ok, pid} = GameEngine.continue_game("code-#{game.id}", game)
      on_exit(fn -> Process.exit(pid, :kill) end)
      [game: game, pid: pid]
    end

    # The state arrives in order, whole, and proven.
    test "sends its state in chunks that the digest proves", %{pid: pid, game: game} do
      %{transfer: transfer} = begin_handoff(pid)
      {bytes, digest, hash} = receive_state(transfer)

      assert :crypto.hash(:blake2b, bytes) == digest
      assert {:ok, snapshot} = Snapshot.decode(bytes, digest, hash)
      assert %{epoch: 1, version: 1, state_version: 4, mailbox_digest: 0} = snapshot
      assert snapshot.state == game
      assert snapshot.join_code == "code-#{game.id}"
    end

    # Nothing is executed after the freeze: it all goes to the new owner, in the order in which it
    # came, before it is activated.
    test "forwards its queue before it activates, and all later messages", %{pid: pid} = ctx do
      handoff = begin_handoff(pid)
      receive_state(handoff.transfer)
      send(pid, :first)
      GenServer.cast(pid, :second)
      caller = Task.async(fn -> GenServer.call(pid, :get_game) end)
      wait_until(fn -> assert length(:sys.get_state(pid).queue) == 3 end)
      refute_received :first

      send(pid, {:handoff_ready, handoff.transfer, self()})
      assert_receive :first
      assert {:"$gen_cast", :second} = next_message()
      assert {:"$gen_call", from, :get_game} = next_message()
      assert_receive {:handoff_activate, transfer} when transfer == handoff.transfer
      assert Names.whereis({:id, ctx.game.id}) == self()
      assert Names.whereis({:join_code, "code-#{ctx.game.id}"}) == self()

      send(pid, {:handoff_active, handoff.transfer, 2})
      assert Task.await(handoff.outcome) == :moved
      GenServer.reply(from, :from_the_new_owner)
      assert Task.await(caller) == :from_the_new_owner

      send(pid, :later)
      assert_receive :later
    end

    # Somebody who still waits for an answer watches the old process.
    test "stays as a forwarder while somebody watches it, then says where to go", %{pid: pid} do
      own = self()
      watcher = spawn_watcher(pid)
      monitor = move_to(pid, own)
      wait_until(fn -> assert [_ | _] = watchers(pid) -- [Process.whereis(SessionHost), own] end)
      let_stay_pass(pid)
      assert :sys.get_state(pid).role == :forwarding
      Process.exit(watcher, :kill)
      assert_receive {:DOWN, ^monitor, _, _, {:shutdown, {:moved, ^own}}}
    end

    # Names that came back to a forwarder would end with it.
    test "a forwarder that has a name again gives it away again", %{pid: pid, game: game} do
      own = self()
      move_to(pid, own)
      Names.move(game.id, nil, pid)
      wait_until(fn -> refute Process.alive?(pid) end)
      assert Names.whereis({:id, game.id}) == own
    end

    # A refusal costs nothing: who called meanwhile gets an answer, the names are back.
    test "goes on when the target refuses", %{pid: pid, game: game} do
      handoff = begin_handoff(pid)
      caller = Task.async(fn -> GameEngine.end_round(game.id) end)
      wait_until(fn -> assert length(:sys.get_state(pid).queue) == 1 end)
      send(pid, {:handoff_refuse, handoff.transfer, :bad_digest})

      assert Task.await(handoff.outcome) == {:failed, {:refused, :bad_digest}}
      assert {:ok, %{round: 2}} = Task.await(caller)
      assert_receive {:handoff_cancel, transfer} when transfer == handoff.transfer
      assert [%{epoch: 1}] = for(s <- sessions(), s.pid == pid, do: s)
    end

    # What was forwarded is executed here after all, once.
    test "takes its names and its queue back when the target dies", %{pid: pid, game: game} do
      target = spawn(fn -> receive(do: (:never -> :ok)) end)
      handoff = begin_handoff(pid, target)
      send(pid, {:handoff_ready, handoff.transfer, target})
      wait_until(fn -> assert Names.whereis({:id, game.id}) == target end)
      caller = Task.async(fn -> GenServer.call(pid, :end_round) end)
      wait_until(fn -> assert length(:sys.get_state(pid).queue) == 1 end)
      Process.exit(target, :kill)

      assert {:failed, {:target_down, :killed}} = Task.await(handoff.outcome)
      assert %{round: 2} = Task.await(caller)
      wait_until(fn -> assert GameEngine.whereis(game.id) == pid end)
      # The target may have owned it with epoch 2.
      assert [%{epoch: 2}] = for(s <- sessions(), s.pid == pid, do: s)
    end

    # 5 s without a word are made short here.
    test "goes on when the target says nothing", %{pid: pid, game: game} do
      handoff = begin_handoff(pid)
      let_step_pass(pid)
      assert Task.await(handoff.outcome) == {:failed, {:silent, :sending}}
      assert GameEngine.get_game(game.id) == {:ok, game}
    end

    # A third node that is silent holds :global up; the session does not wait for it.
    test "activates its target before the names have moved when that takes long", ctx do
      holder = hold_names()
      handoff = begin_handoff(ctx.pid)
      send(ctx.pid, {:handoff_ready, handoff.transfer, self()})
      wait_until(fn -> assert :sys.get_state(ctx.pid).handoff.step == :naming end)
      let_step_pass(ctx.pid)
      assert_receive {:handoff_activate, transfer} when transfer == handoff.transfer
      send(ctx.pid, {:handoff_active, handoff.transfer, 2})
      assert Task.await(handoff.outcome) == :moved

      assert Names.whereis({:id, ctx.game.id}) == ctx.pid
      send(holder, :release)
      wait_until(fn -> assert Names.whereis({:id, ctx.game.id}) == self() end)
    end

    # A target that was ready owns the session since: it is told once more, gets the queue again,
    # and the session here is a forwarder.
    test "asks once more when only the connection is lost", %{pid: pid} do
      handoff = begin_handoff(pid)
      receive_state(handoff.transfer)
      send(pid, :queued)
      wait_until(fn -> assert length(:sys.get_state(pid).queue) == 1 end)
      send(pid, {:DOWN, :sys.get_state(pid).handoff.monitor, :process, self(), :noconnection})
      assert_receive {:handoff_activate, transfer} when transfer == handoff.transfer
      send(pid, {:handoff_active, handoff.transfer, 2})
      assert_receive :queued
      assert Task.await(handoff.outcome) == :moved
      wait_until(fn -> assert :sys.get_state(pid).handoff.names == nil end)
    end

    # Calls are known by their tags; anything else might be carried out twice.
    test "sends calls twice over a lost connection, and nothing else", %{pid: pid} do
      handoff = begin_handoff(pid)
      receive_state(handoff.transfer)
      send(pid, {:handoff_ready, handoff.transfer, self()})
      assert_receive {:handoff_activate, _transfer}
      caller = Task.async(fn -> GenServer.call(pid, :get_game) end)
      assert_receive {:"$gen_call", from, :get_game}
      GenServer.cast(pid, :cast)
      send(pid, :message)
      assert_receive {:"$gen_cast", :cast}
      assert_receive :message
      send(pid, {:DOWN, :sys.get_state(pid).handoff.monitor, :process, self(), :noconnection})
      send(pid, :later)
      assert_receive {:handoff_activate, _transfer}
      assert :sys.get_state(pid).role == :leaving
      refute_received :later
      send(pid, {:handoff_active, handoff.transfer, 2})
      assert Task.await(handoff.outcome) == :moved
      assert_receive {:"$gen_call", ^from, :get_game}
      assert_receive :later
      refute_received {:"$gen_cast", :cast}
      refute_received :message
      GenServer.reply(from, :answer)
      assert Task.await(caller) == :answer
    end

    # The second time it is the target that is lost.
    test "goes on when its target is lost for good", %{pid: pid, game: game} do
      handoff = begin_handoff(pid)

      for _ <- 1..2 do
        send(pid, {:DOWN, :sys.get_state(pid).handoff.monitor, :process, self(), :noconnection})
      end

      assert Task.await(handoff.outcome) == {:failed, {:target_down, :noconnection}}
      assert GameEngine.get_game(game.id) == {:ok, game}
      assert [%{epoch: 2}] = for(s <- sessions(), s.pid == pid, do: s)
      # Nobody is told that it may end: it may own the session. One that is only ready is told.
      refute_received {:handoff_cancel, _transfer}
      send(pid, {:handoff_ready, handoff.transfer, self()})
      assert_receive {:handoff_cancel, transfer} when transfer == handoff.transfer
    end

    # What the new owner did is lost with it; the state that was given away is not.
    test "a forwarder owns the session again when the new owner crashes", ctx do
      target = spawn(fn -> receive(do: (:never -> :ok)) end)
      move_away(ctx.pid, target)

      log =
        capture_log(fn ->
          Process.exit(target, :kill)
          wait_until(fn -> assert GameEngine.whereis(ctx.game.id) == ctx.pid end)
        end)

      assert log =~ "it goes on here"
      assert GameEngine.get_game(ctx.game.id) == {:ok, ctx.game}
      assert [%{epoch: 2}] = for(s <- sessions(), s.pid == ctx.pid, do: s)
    end

    # A frozen session still obeys the system.
    test "ends at once when it is told to during a handoff", %{pid: pid} do
      begin_handoff(pid)
      assert :ok = DynamicSupervisor.terminate_child(SessionSupervisor, pid)
      refute Process.alive?(pid)
    end
  end

  describe "the target" do
    setup do
      game = game_fixture(round_end_time: nil)

      session = %{
        id: game.id,
        join_code: nil,
        epoch: 7,
        version: 30,
        game: game,
        carried_out: %CarriedOut{}
      }

      [game: game, session: session, transfer: make_ref()]
    end

    # It runs when it is told, not before, and answers who waited in the source's queue.
    test "executes what was forwarded when it is activated", ctx do
      new = accept(ctx)
      send_snapshot(new, ctx.transfer, ctx.session)
      assert_receive {:handoff_ready, transfer, ^new} when transfer == ctx.transfer
      caller = Task.async(fn -> GenServer.call(new, :end_round) end)
      send(new, {:handoff_activate, ctx.transfer})

      assert_receive {:handoff_active, transfer, 8} when transfer == ctx.transfer
      assert %{round: 2} = Task.await(caller)
      wait_until(fn -> assert GameEngine.whereis(ctx.game.id) == new end)
      assert [%{epoch: 8, version: 31}] = for(s <- sessions(), s.pid == new, do: s)
      GenServer.stop(new)
    end

    # Bytes that are not what the source digested are never run.
    test "refuses a state whose digest or hash is wrong", ctx do
      new = accept(ctx)
      send_snapshot(new, ctx.transfer, ctx.session, digest: <<0::512>>)
      assert_receive {:handoff_refuse, transfer, :bad_digest} when transfer == ctx.transfer

      new = accept(ctx)
      send_snapshot(new, ctx.transfer, ctx.session, hash: 1)
      assert_receive {:handoff_refuse, transfer, :bad_hash} when transfer == ctx.transfer
      wait_until(fn -> refute Process.alive?(new) end)
    end

    # A state that is no game is refused with the error of its import.
    test "refuses a state that cannot be imported", ctx do
      new = accept(ctx)
      bad = %{ctx.session | game: %{ctx.game | round: 0}}
      send_snapshot(new, ctx.transfer, bad)
      assert_receive {:handoff_refuse, transfer, {:invalid_game, [:round], _}}
      assert transfer == ctx.transfer
    end

    # A source that is gone while it could have gone on has not left the session to anybody.
    test "ends when its source cancels or ends", ctx do
      new = accept(ctx)
      monitor = Process.monitor(new)
      send(new, {:handoff_cancel, ctx.transfer})
      assert_receive {:DOWN, ^monitor, _, _, :normal}

      source = spawn(fn -> receive(do: (:never -> :ok)) end)
      new = accept(ctx, source)
      monitor = Process.monitor(new)
      Process.exit(source, :kill)
      assert_receive {:DOWN, ^monitor, _, _, :normal}
    end

    # The source waited 5 s for a word, took the session back, and said so: one owner remains.
    test "ends when its source takes the session back after it was activated", ctx do
      new = accept(ctx)
      send_snapshot(new, ctx.transfer, ctx.session)
      send(new, {:handoff_activate, ctx.transfer})
      assert_receive {:handoff_active, _, 8}
      monitor = Process.monitor(new)
      send(new, {:handoff_cancel, make_ref()})
      assert %{round: 1} = GenServer.call(new, :get_game)
      send(new, {:handoff_cancel, ctx.transfer})
      send(new, :later)
      assert_receive :later
      send(new, {SessionHost, :hurry})
      reason = {:shutdown, {:session_conflict, self()}}
      assert_receive {:DOWN, ^monitor, _, _, ^reason}
    end

    # The same while it is itself on its way to a third host.
    test "ends when its source takes the session back while it moves on", ctx do
      new = accept(ctx)
      send_snapshot(new, ctx.transfer, ctx.session)
      send(new, {:handoff_activate, ctx.transfer})
      assert_receive {:handoff_active, _, 8}
      begin_handoff(new)
      monitor = Process.monitor(new)
      send(new, {:handoff_cancel, ctx.transfer})
      assert_receive {:DOWN, ^monitor, _, _, :normal}
    end

    # 10 s and 15 s without a word are made short here; who has been activated waits for nothing.
    test "ends when its source is silent", ctx do
      new = accept(ctx)
      monitor = Process.monitor(new)
      let_silence_pass(new)
      assert_receive {:DOWN, ^monitor, _, _, :normal}

      new = accept(ctx)
      monitor = Process.monitor(new)
      {stale, _timer} = :sys.get_state(new).handoff.silence
      send_snapshot(new, ctx.transfer, ctx.session)
      assert_receive {:handoff_ready, _, ^new}
      send(new, {:handoff_silence, stale})
      assert %{handoff: %{step: :ready, silence: {_key, timer}}} = :sys.get_state(new)
      assert Process.read_timer(timer) in 10_001..15_000
      let_silence_pass(new)
      assert_receive {:DOWN, ^monitor, _, _, :normal}
    end

    # The newest state there is must not be dropped because a cable was.
    test "activates itself when it is ready and only the connection is lost", ctx do
      new = accept(ctx)
      send_snapshot(new, ctx.transfer, ctx.session)
      assert_receive {:handoff_ready, _, ^new}
      monitor = :sys.get_state(new).handoff.monitor

      assert capture_log(fn ->
               send(new, {:DOWN, monitor, :process, self(), :noconnection})
               wait_until(fn -> assert GameEngine.whereis(ctx.game.id) == new end)
             end) =~ "out of reach"

      assert [%{epoch: 8}] = for(s <- sessions(), s.pid == new, do: s)
      GenServer.stop(new)
    end

    # Offers that cannot be taken cost the source nothing.
    test "the host refuses what it cannot take", ctx do
      assert {:refuse, :unsupported_protocol} = offer(ctx, protocol: 2)
      assert {:refuse, :unsupported_state_version} = offer(ctx, state_version: 9)
      {:ok, pid} = GameEngine.continue_game(ctx.game)
      assert {:refuse, :already_owner} = offer(ctx, [])
      GenServer.stop(pid)
    end
  end

  defp begin_handoff(pid, target \\ self()) do
    transfer = make_ref()

    # Not linked: the session may be ended before it answers.
    outcome =
      Task.Supervisor.async_nolink(Minotaur.TaskSupervisor, fn ->
        try do
          GenServer.call(pid, {SessionHost, {:hand_off, transfer, target}})
        catch
          :exit, reason -> {:exit, reason}
        end
      end)

    wait_until(fn -> assert :sys.get_state(pid).role == :leaving end)
    %{transfer: transfer, outcome: outcome}
  end

  # As if the time of the step had passed.
  defp let_step_pass(pid) do
    %{step: step, timer: {key, _timer}} = :sys.get_state(pid).handoff
    send(pid, {:handoff_step_over, key, step})
  end

  # As if its names had moved long ago.
  defp let_stay_pass(pid) do
    :sys.replace_state(pid, &put_in(&1.handoff.named_ms, &1.handoff.named_ms - 60_000))
    send(pid, {Forwarder, :look})
  end

  defp let_silence_pass(pid) do
    {key, _timer} = :sys.get_state(pid).handoff.silence
    send(pid, {:handoff_silence, key})
  end

  defp hold_names do
    holder =
      spawn_link(fn ->
        true = :global.set_lock({:global, self()})
        receive do: (:release -> :global.del_lock({:global, self()}))
      end)

    wait_until(fn -> assert [_ | _] = :ets.lookup(:global_locks, :global) end)
    holder
  end

  # The same to a process that says nothing itself.
  defp move_away(pid, target) do
    handoff = begin_handoff(pid, target)
    send(pid, {:handoff_ready, handoff.transfer, target})
    wait_until(fn -> assert :sys.get_state(pid).handoff.step == :activating end)
    send(pid, {:handoff_active, handoff.transfer, 2})
    assert Task.await(handoff.outcome) == :moved
  end

  defp move_to(pid, own) do
    monitor = Process.monitor(pid)
    handoff = begin_handoff(pid, own)
    send(pid, {:handoff_ready, handoff.transfer, own})
    assert_receive {:handoff_activate, _transfer}
    send(pid, {:handoff_active, handoff.transfer, 2})
    assert Task.await(handoff.outcome) == :moved
    monitor
  end

  defp receive_state(transfer, chunks \\ []) do
    receive do
      {:handoff_state, ^transfer, index, count, chunk} ->
        assert index == length(chunks) and index < count
        assert byte_size(chunk) <= 65_536
        receive_state(transfer, [chunk | chunks])

      {:handoff_digest, ^transfer, digest, hash} ->
        {chunks |> Enum.reverse() |> IO.iodata_to_binary(), digest, hash}
    after
      10_000 -> flunk("no state")
    end
  end

  defp next_message, do: assert_receive(_message)

  defp spawn_watcher(pid) do
    spawn(fn ->
      Process.monitor(pid)
      receive(do: (:never -> :ok))
    end)
  end

  defp watchers(pid), do: pid |> Process.info(:monitored_by) |> elem(1)

  defp offer(ctx, changes) do
    GenServer.call(SessionHost, {:offer, Map.merge(offer_of(ctx, self()), Map.new(changes))})
  end

  defp accept(ctx, source \\ self()) do
    {:accept, new} = GenServer.call(SessionHost, {:offer, offer_of(ctx, source)})
    new
  end

  defp offer_of(ctx, source) do
    %{
      protocol: 1,
      transfer: ctx.transfer,
      id: ctx.game.id,
      join_code: nil,
      epoch: 7,
      version: 30,
      state_version: 4,
      bytes: 10_000,
      source: source
    }
  end

  defp send_snapshot(new, transfer, session, changes \\ []) do
    proven = session |> Snapshot.encode(0) |> Map.merge(Map.new(changes))
    count = length(proven.chunks)

    for {chunk, index} <- Enum.with_index(proven.chunks) do
      send(new, {:handoff_state, transfer, index, count, chunk})
    end

    send(new, {:handoff_digest, transfer, proven.digest, proven.hash})
  end

  defp sessions, do: GenServer.call(SessionHost, :sessions)

  # Crash recovery is another matter than a restart with the first state.
  test "a session is never restarted by its supervisor" do
    assert %{restart: :temporary} = SessionServer.child_spec({:start, nil, nil})
  end
end
