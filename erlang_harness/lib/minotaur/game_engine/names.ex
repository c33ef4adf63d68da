defmodule Minotaur.GameEngine.Names do
  @moduledoc """
  The names of a session in `:global`: its id under `Minotaur.GameEngine.SessionRegistry`, its join
  code, if it has one, under `Minotaur.GameEngine.SessionJoinCodeRegistry`.

  `:global` asks all nodes, so every function that writes may block as long as a node is silent (a
  lookup never does). Hosts and sessions therefore write through `move_async/4`, or from a task.
  """

  alias Minotaur.GameEngine.{Names, SessionJoinCodeRegistry, SessionRegistry}

  # For so long nobody waits for names after one has waited in vain.
  @late_ms 1_000

  @typedoc "The two things by which a session is found."
  @type key :: {:id, term} | {:join_code, term}

  @doc "The term that is registered in `:global`."
  @spec global_name(key) :: {module, term}
  def global_name({:id, id}), do: {SessionRegistry, id}
  def global_name({:join_code, code}), do: {SessionJoinCodeRegistry, code}

  @doc "The process that has the name, as far as this node knows, or nil."
  @spec whereis(key) :: pid | nil
  def whereis(key) do
    case :global.whereis_name(global_name(key)) do
      :undefined -> nil
      pid -> pid
    end
  end

  @doc """
  Who keeps a name that two took while their nodes were apart, for `:global`, which calls this by
  the name of the function, also on C nodes: one of the two, so that nobody ever misses the name.
  Both are told, as by `:global.notify_all_name/3`, and settle it (`Minotaur.Handoff.Conflict`).
  """
  @spec resolve(term, pid, pid) :: pid
  def resolve(name, pid, other) do
    send(pid, {:global_name_conflict, name, other})
    send(other, {:global_name_conflict, name, pid})
    Enum.min_by([pid, other], &node/1)
  end

  @doc "Gives both names to `pid`, or none."
  @spec register(term, term, pid) ::
          :ok | {:error, {:already_started, pid}} | {:error, :join_code_taken}
  def register(id, join_code, pid) do
    with :ok <- register_id(id, pid) do
      register_join_code(id, join_code, pid)
    end
  end

  @doc "Gives the names to `pid`, whoever has them: only who owns the session may say so."
  @spec move(term, term, pid) :: :ok
  def move(id, join_code, pid), do: move_all([{id, join_code, pid}])

  @doc "As `move/3`, for many sessions under as few locks as can be."
  @spec move_all([{term, term, pid}]) :: :ok
  def move_all(sessions) do
    Names.Batch.move(
      for {id, join_code, pid} <- sessions,
          key <- keys(id, join_code),
          do: {global_name(key), pid}
    )
  end

  @doc "Whether all names of the session lead to `pid` on this node."
  @spec held_by?(term, term, pid) :: boolean
  def held_by?(id, join_code, pid), do: Enum.all?(keys(id, join_code), &(whereis(&1) == pid))

  @doc "Whether any name of the session leads to `pid` on this node."
  @spec leads_to?(term, term, pid) :: boolean
  def leads_to?(id, join_code, pid), do: Enum.any?(keys(id, join_code), &(whereis(&1) == pid))

  @doc "Moves the names in a process of its own, after `earlier` if there is one, and watches it."
  @spec move_async(term, term, pid, pid | nil) :: {pid, reference}
  def move_async(id, join_code, pid, earlier \\ nil) do
    spawn_monitor(fn ->
      await_end(earlier)
      move(id, join_code, pid)
    end)
  end

  @doc "Notes that a session has waited for its names in vain."
  @spec note_late :: :ok
  def note_late, do: :persistent_term.get(__MODULE__) |> :atomics.put(1, now_ms() + @late_ms)

  @doc "Whether one has just now: then there is no use in waiting behind it."
  @spec late? :: boolean
  def late?, do: :persistent_term.get(__MODULE__) |> :atomics.get(1) > now_ms()

  @doc "To be called once, before the first session starts."
  @spec init :: :ok
  def init do
    times = :atomics.new(1, signed: true)
    :atomics.put(times, 1, now_ms())
    :persistent_term.put(__MODULE__, times)
  end

  defp now_ms, do: System.monotonic_time(:millisecond)

  defp keys(id, nil), do: [{:id, id}]
  defp keys(id, join_code), do: [{:id, id}, {:join_code, join_code}]

  defp await_end(nil), do: :ok

  defp await_end(pid) do
    monitor = Process.monitor(pid)
    receive do: ({:DOWN, ^monitor, _, _, _} -> :ok)
  end

  defp register_id(id, pid) do
    case :global.register_name(global_name({:id, id}), pid, &Names.resolve/3) do
      :yes -> :ok
      :no -> taken(whereis({:id, id}), id, pid)
    end
  end

  # Freed again since.
  defp taken(nil, id, pid), do: register_id(id, pid)
  defp taken(owner, _id, _pid), do: {:error, {:already_started, owner}}

  defp register_join_code(_id, nil, _pid), do: :ok

  defp register_join_code(id, join_code, pid) do
    case :global.register_name(global_name({:join_code, join_code}), pid, &Names.resolve/3) do
      :yes ->
        :ok

      :no ->
        :global.unregister_name(global_name({:id, id}))
        {:error, :join_code_taken}
    end
  end
end
