defmodule Minotaur.Handoff.EndedTest do
  @moduledoc "A session that ended while its forwarder was cut off; the test plays the new owner."

  use ExUnit.Case
  @moduletag :capture_log

  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.GameEngine
  alias Minotaur.GameEngine.{EndedSessions, LocalSessions, SessionSupervisor}
  alias Minotaur.SessionHost

  setup do
    game = game_fixture(round_end_time: nil)
    {:ok, pid} = GameEngine.continue_game(game)
    on_exit(fn -> Process.exit(pid, :kill) end)
    [id: game.id, pid: pid, owner: spawn(fn -> receive(do: (:never -> :ok)) end)]
  end

  # It is not brought back with what the forwarder keeps; who waits there is told at once.
  test "a forwarder that is told so ends", %{id: id, pid: pid, owner: owner} do
    give_way(id, pid, owner)
    monitor = Process.monitor(pid)
    EndedSessions.note(id, 7)
    lose(pid, :noconnection)
    caller = Task.async(fn -> catch_exit(GenServer.call(pid, :get_game)) end)
    wait_until(fn -> assert caller.pid in monitors_of(pid) end)
    lose(pid, :noproc)
    assert_receive {:DOWN, ^monitor, _, _, {:shutdown, {:session_conflict, ^owner}}}, 5_000
    wait_until(fn -> refute LocalSessions.whereis({:id, id}) end)
    Process.exit(owner, :kill)
    assert {_reason, _call} = Task.await(caller)
    wait_until(fn -> assert GameEngine.get_game(id) == {:error, :game_not_alive} end)
  end

  # An end before it stopped, or at a lower epoch, was that of another session.
  for {epoch, when_it_was} <- [{9, :before}, {6, :later}] do
    test "a forwarder takes no end at epoch #{epoch}, #{when_it_was}, for its own", ctx do
      if unquote(when_it_was) == :before, do: EndedSessions.note(ctx.id, unquote(epoch))
      wait_until(fn -> assert age(ctx.id) > 5 end)
      give_way(ctx.id, ctx.pid, ctx.owner)
      if unquote(when_it_was) == :later, do: EndedSessions.note(ctx.id, unquote(epoch))
      for reason <- [:noconnection, :noproc], do: lose(ctx.pid, reason)
      wait_until(fn -> assert LocalSessions.whereis({:id, ctx.id}) == ctx.pid end)
    end
  end

  # A session that stops, or that its supervisor ends; not one that is killed, nor one that has
  # never moved: of that nobody has a copy.
  for {how, moved?, noted?} <- [
        {:stop, true, true},
        {:terminate, true, true},
        {:kill, true, false},
        {:stop, false, false}
      ] do
    test "#{how}, moved before: #{moved?}, is an end to be noted: #{noted?}", ctx do
      if unquote(moved?), do: come_back(ctx)
      monitor = Process.monitor(ctx.pid)

      case unquote(how) do
        :stop -> GenServer.stop(ctx.pid)
        :terminate -> DynamicSupervisor.terminate_child(SessionSupervisor, ctx.pid)
        :kill -> Process.exit(ctx.pid, :kill)
      end

      assert_receive {:DOWN, ^monitor, _, _, _}
      # Behind what the host has heard of its end.
      wait_until(fn -> refute ctx.pid in children() end)

      assert match?({:ended, 7, _}, GenServer.call(SessionHost, {:ended, ctx.id})) ==
               unquote(noted?)
    end
  end

  # An owner again, after another one.
  defp come_back(%{id: id, pid: pid, owner: owner}) do
    give_way(id, pid, owner)
    Process.exit(owner, :kill)
    wait_until(fn -> assert LocalSessions.whereis({:id, id}) == pid end)
  end

  defp children, do: Map.keys(:sys.get_state(SessionHost).children)

  defp age(id) do
    case EndedSessions.find(id) do
      {:ended, _epoch, age_ms} -> age_ms
      nil -> 6
    end
  end

  defp give_way(id, pid, owner) do
    send(pid, {:session_claim, id, 7, 1, owner})
    wait_until(fn -> assert LocalSessions.whereis({:id, id}) == owner end)
  end

  # As if the connection with its owner broke (`:noconnection`), or the owner was gone after that.
  defp lose(pid, reason) do
    %{monitor: monitor, new: new} = :sys.get_state(pid).handoff
    send(pid, {:DOWN, monitor, :process, new, reason})
  end

  defp monitors_of(pid) do
    {:monitored_by, pids} = Process.info(pid, :monitored_by)
    pids
  end
end
