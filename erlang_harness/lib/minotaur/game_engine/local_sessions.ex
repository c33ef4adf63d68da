defmodule Minotaur.GameEngine.LocalSessions do
  @moduledoc """
  The sessions of this node by id and by join code: what the host answers from, without asking a
  session that may be busy.

  Stock registries: each session writes its own row, and the row goes when the process does. An
  owner has a row under `{:id, id}` (and `{:join_code, code}`), and for some time another under
  `{:contested, id}` if it may not be the only one. Forwarders have theirs in a second registry,
  where a key may have several: a session may have left this node more than once.
  """

  @moved Module.concat(__MODULE__, Moved)

  @typedoc "What finds a session."
  @type key :: {:id, term} | {:join_code, term}

  @doc false
  def child_spec(_options) do
    registries =
      for {name, keys} <- [{__MODULE__, :unique}, {@moved, :duplicate}],
          do: Supervisor.child_spec({Registry, keys: keys, name: name}, id: name)

    start = {Supervisor, :start_link, [registries, [strategy: :one_for_one]]}
    %{id: __MODULE__, type: :supervisor, start: start}
  end

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

    for key <- keys(session) do
      Registry.register(@moved, key, {session.epoch, new})
      Registry.unregister(__MODULE__, key)
    end

    :ok
  end

  @doc "Notes that the calling owner may not be the only one, until then by the monotonic time."
  @spec contest(term, integer) :: :ok
  def contest(id, until_ms) do
    Registry.unregister(__MODULE__, {:contested, id})
    Registry.register(__MODULE__, {:contested, id}, until_ms)
    :ok
  end

  @doc "The sessions of this node that may have another owner at that time."
  @spec contested(integer) :: [pid]
  def contested(now_ms) do
    pattern = {{:contested, :_}, :"$1", :"$2"}
    Registry.select(__MODULE__, [{pattern, [{:>, :"$2", now_ms}], [:"$1"]}])
  end

  @doc "Takes the calling forwarder's rows away: it is the owner again."
  @spec is_back(map) :: :ok
  def is_back(session) do
    for key <- keys(session), do: Registry.unregister(@moved, key)
    :ok
  end

  @doc "Points the calling forwarder's rows to the owner of `epoch`, to which the last one went."
  @spec moved_on(map, pid, pos_integer) :: :ok
  def moved_on(session, newer, epoch) do
    for key <- keys(session) do
      old = Registry.values(@moved, key, self())
      Registry.register(@moved, key, {epoch, newer})
      for value <- old, do: Registry.unregister_match(@moved, key, value)
    end

    :ok
  end

  @doc "The owner here, or where it went while its forwarder is here, or nil."
  @spec whereis(key) :: pid | nil
  def whereis(key) do
    case Registry.lookup(__MODULE__, key) do
      [{owner, _row}] -> owner
      [] -> whereto(Registry.lookup(@moved, key))
    end
  end

  # Of several forwarders the one that gave the session away last knows.
  defp whereto([]), do: nil

  defp whereto(rows) do
    {_forwarder, {_epoch, new}} = Enum.max_by(rows, fn {_forwarder, {epoch, _new}} -> epoch end)
    new
  end

  @doc "The owner of a session, if it is owned here."
  @spec owner(term) :: pid | nil
  def owner(id) do
    case Registry.lookup(__MODULE__, {:id, id}) do
      [{owner, _row}] -> owner
      [] -> nil
    end
  end

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

  defp keys(session), do: [{:id, session.id} | join_code_keys(session)]

  defp join_code_keys(%{join_code: nil}), do: []
  defp join_code_keys(%{join_code: code}), do: [{:join_code, code}]
end
