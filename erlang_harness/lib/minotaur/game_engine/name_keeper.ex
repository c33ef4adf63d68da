defmodule Minotaur.GameEngine.NameKeeper do
  @moduledoc """
  Looks after the names of the sessions of this node.

  The host that a session left moves its names, after the session runs here. When that host is gone
  it has done so, or never will: it crashed, its time was over, or its `:global` did not know all
  nodes of the cluster. So whenever a host is gone, once `:global` is in sync, the names of all
  sessions here are looked up, and those that do not lead to them are taken. Until then callers find
  the session by asking the hosts.

  How it fails: with a node that is silent, `:global` is slow, and so is this; it holds nobody up.
  """

  use GenServer

  alias Minotaur.GameEngine.{LocalSessions, Names}

  @soon_ms 1_000

  @doc false
  def start_link(_options), do: GenServer.start_link(__MODULE__, nil, name: __MODULE__)

  @doc "A host is gone, or may be: sees to it that the names of all sessions here lead to them."
  @spec check :: :ok
  def check, do: GenServer.cast(__MODULE__, :check)

  @doc "The same in a second, when what is in dispute is settled."
  @spec check_soon :: :ok
  def check_soon do
    Process.send_after(__MODULE__, :check, @soon_ms)
    :ok
  end

  @impl true
  def init(nil), do: {:ok, %{again?: false, task: nil}}

  @impl true
  def handle_cast(:check, %{task: nil} = state), do: {:noreply, start(state)}
  def handle_cast(:check, state), do: {:noreply, %{state | again?: true}}

  @impl true
  def handle_info({:DOWN, monitor, _, _, _reason}, %{task: monitor} = state) do
    state = %{state | task: nil}
    {:noreply, if(state.again?, do: start(state), else: state)}
  end

  def handle_info(:check, state), do: handle_cast(:check, state)
  def handle_info(_stranger, state), do: {:noreply, state}

  defp start(state) do
    {_pid, monitor} = spawn_monitor(&take_names/0)
    %{state | task: monitor, again?: false}
  end

  # A session that has moved on meanwhile has given its names away.
  defp take_names do
    :global.sync()
    strays = for session <- LocalSessions.list(), stray?(session), do: session
    Names.move_all(for session <- strays, owned?(session), do: names(session))
  end

  defp stray?(%{pid: pid} = session) do
    not Names.held_by?(session.id, session.join_code, pid) and Process.alive?(pid)
  end

  defp owned?(session), do: LocalSessions.whereis({:id, session.id}) == session.pid
  defp names(session), do: {session.id, session.join_code, session.pid}
end
