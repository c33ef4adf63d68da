defmodule Minotaur.GameEngine.LocalSessions do
  @moduledoc """
  The sessions of this node by id and by join code: what the host answers from, without asking a
  session that may be busy.

  A stock `Registry`: each session writes its own row, and the row goes when the process does. An
  owner has a row under `{:id, id}` (and `{:join_code, code}`), a forwarder under `{:moved, key}`.
  An owner that may not be the only one has another under `{:contested, id}`.
  """

  @typedoc "What finds a session."
  @type key :: {:id, term} | {:join_code, term}

  @doc false
  def child_spec(_options), do: Registry.child_spec(keys: :unique, name: __MODULE__)

  @doc "Enters the calling process as the owner of a session."
  @spec own(map) :: :ok | {:error, {:already_registered, pid}}
  def own(session) do
    with {:ok, _} <- Registry.register(__MODULE__, {:id, session.id}, row(session)) do
      for key <- join_code_keys(session), do: Registry.register(__MODULE__, key, nil)
      :ok
    end
  end

  @doc "Writes the owner's new epoch and version."
  @spec update(map) :: :ok
  def update(session) do
    Registry.update_value(__MODULE__, {:id, session.id}, fn _old -> row(session) end)
    :ok
  end

  @doc "Turns the calling owner's rows into those of a forwarder to `new`."
  @spec moved(map, pid) :: :ok
  def moved(session, new) do
    Registry.unregister(__MODULE__, {:contested, session.id})

    for key <- [{:id, session.id} | join_code_keys(session)] do
      Registry.unregister(__MODULE__, key)
      Registry.register(__MODULE__, {:moved, key}, new)
    end

    :ok
  end

  @doc "Notes that the calling owner may not be the only one."
  @spec contest(term) :: :ok
  def contest(id) do
    Registry.register(__MODULE__, {:contested, id}, nil)
    :ok
  end

  @doc "The sessions of this node that may have another owner."
  @spec contested :: [pid]
  def contested,
    do: Registry.select(__MODULE__, [{{{:contested, :_}, :"$1", :_}, [], [:"$1"]}])

  @doc "Takes the calling forwarder's rows away: it is to be the owner again."
  @spec is_back(map) :: :ok
  def is_back(session) do
    for key <- [{:id, session.id} | join_code_keys(session)] do
      Registry.unregister(__MODULE__, {:moved, key})
    end

    :ok
  end

  @doc "Points the calling forwarder's rows to where the owner went next."
  @spec moved_on(map, pid) :: :ok
  def moved_on(session, newer) do
    for key <- [{:id, session.id} | join_code_keys(session)] do
      Registry.update_value(__MODULE__, {:moved, key}, fn _old -> newer end)
    end

    :ok
  end

  @doc "The owner here, or where it went while its forwarder is here, or nil."
  @spec whereis(key) :: pid | nil
  def whereis(key) do
    case {Registry.lookup(__MODULE__, key), Registry.lookup(__MODULE__, {:moved, key})} do
      {[{owner, _row}], _} -> owner
      {[], [{_forwarder, new}]} -> new
      {[], []} -> nil
    end
  end

  @doc "Whether a session of this id is owned here."
  @spec owner?(term) :: boolean
  def owner?(id), do: Registry.lookup(__MODULE__, {:id, id}) != []

  @doc "All sessions owned here."
  @spec list :: [map]
  def list do
    pattern = {{{:id, :"$1"}, :"$2", :"$3"}, [], [{{:"$1", :"$2", :"$3"}}]}

    for {id, pid, row} <- Registry.select(__MODULE__, [pattern]) do
      Map.merge(row, %{id: id, pid: pid})
    end
  end

  @doc "How many sessions are owned here."
  @spec count :: non_neg_integer
  def count, do: Registry.count_select(__MODULE__, [{{{:id, :_}, :_, :_}, [], [true]}])

  defp row(session), do: Map.take(session, [:join_code, :epoch, :version])

  defp join_code_keys(%{join_code: nil}), do: []
  defp join_code_keys(%{join_code: code}), do: [{:join_code, code}]
end
