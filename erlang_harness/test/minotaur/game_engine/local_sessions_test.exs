defmodule Minotaur.GameEngine.LocalSessionsTest do
  @moduledoc "Where sessions are that have left this node."

  use ExUnit.Case

  import Minotaur.TimeHelper

  alias Minotaur.GameEngine.LocalSessions

  # The one that gave it away last knows where it is, however long an earlier one stays.
  test "a session that left twice is found where it went last" do
    id = "twice-#{System.unique_integer()}"

    [earlier, later] =
      for _ <- 1..2, do: start_supervised!({Agent, fn -> nil end}, id: make_ref())

    [first, second, third] = for _ <- 1..3, do: spawn(fn -> receive(do: (:never -> :ok)) end)
    session = fn epoch -> %{id: id, join_code: "code-#{id}", epoch: epoch, version: 1} end

    for {owner, epoch, new} <- [{earlier, 2, first}, {later, 4, second}] do
      :ok = Agent.get(owner, fn _ -> LocalSessions.own(session.(epoch - 1)) end)
      assert LocalSessions.whereis({:id, id}) == owner
      :ok = Agent.get(owner, fn _ -> LocalSessions.moved(session.(epoch), new) end)

      for key <- [{:id, id}, {:join_code, "code-#{id}"}],
          do: assert(LocalSessions.whereis(key) == new)
    end

    :ok = Agent.get(later, fn _ -> LocalSessions.moved_on(session.(4), third, 5) end)
    assert LocalSessions.whereis({:id, id}) == third
    Agent.stop(earlier)
    assert LocalSessions.whereis({:id, id}) == third
    Agent.stop(later)
    wait_until(fn -> assert LocalSessions.whereis({:id, id}) == nil end)
  end
end
