defmodule Minotaur.GameEngine.NameKeeper do
  @moduledoc """
  Looks after the names of sessions that arrived on this node.

  The source of a handoff moves the names. But a node that has just joined may not be among the
  nodes of which the source's `:global` knows, and the source may leave before they have met: then
  this node would be the only one to have the session and nobody would have its name. So once
  `:global` is in sync, names that do not lead to their session are taken from here.

  Not at once, and not by each session for itself: two nodes that register names at the same time
  make each other wait, with pauses of seconds. Until then callers find the session by asking the
  hosts. How it fails: with a node that is silent, `:global` is slow, and so is this; it holds
  nobody up.
  """

  use GenServer

  alias Minotaur.GameEngine.{LocalSessions, Names}

  @doc false
  def start_link(_options), do: GenServer.start_link(__MODULE__, nil, name: __MODULE__)

  @doc "Sees to it that the names of a session lead to `pid`, which owns it from now on."
  @spec keep(term, term, pid) :: :ok
  def keep(id, join_code, pid) do
    unless Names.held_by?(id, join_code, pid) do
      GenServer.cast(__MODULE__, {:keep, {id, join_code, pid}})
    end

    :ok
  end

  @impl true
  def init(nil), do: {:ok, %{waiting: [], task: nil}}

  @impl true
  def handle_cast({:keep, session}, state) do
    {:noreply, work(%{state | waiting: [session | state.waiting]})}
  end

  @impl true
  def handle_info({:DOWN, monitor, _, _, _reason}, %{task: monitor} = state) do
    {:noreply, work(%{state | task: nil})}
  end

  def handle_info(_stranger, state), do: {:noreply, state}

  defp work(%{waiting: [_ | _] = sessions, task: nil} = state) do
    {_pid, monitor} = spawn_monitor(fn -> take_names(sessions) end)
    %{state | waiting: [], task: monitor}
  end

  defp work(state), do: state

  defp take_names(sessions) do
    :global.sync()

    for {id, join_code, pid} <- Enum.reverse(sessions),
        Process.alive?(pid),
        owner?(id, pid),
        not Names.held_by?(id, join_code, pid) do
      Names.move(id, join_code, pid)
    end
  end

  # A session that has moved on has given its names away.
  defp owner?(id, pid), do: LocalSessions.whereis({:id, id}) == pid
end
