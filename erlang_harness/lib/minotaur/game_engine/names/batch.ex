defmodule Minotaur.GameEngine.Names.Batch do
  @moduledoc """
  Moves many names of `:global` under one lock.

  `:global.re_register_name/2` takes the lock of all nodes for each name, one after the other for
  all processes of a node: thousands of sessions that leave a node would wait for thousands of
  locks. Here, what is asked while a lock is held goes under the next one, together: the lock is
  taken by the documented functions of `:global`, and each server is told of a thousand names in one
  message, as it is when partitions join, then of the last one by the call that `re_register_name`
  makes, whose answers say that all are done.

  The lock is given back after 36 ms even when more is to be done, and left to others for a
  while. Each name moves in one step, nobody ever finds it missing; but not all move in the same.

  How it fails: with a node that is silent, `:global` is slow, and so is this; whoever asked waits.
  When the process that does it ends, `:global` with it, say, whoever waits exits with its reason.
  """

  use GenServer

  alias Minotaur.GameEngine.Names

  @slice_ms 36
  @rest_ms 20
  @bundle_ms 10
  @first_bundle 16
  @bundle_min 2
  @bundle_max 1000
  @retry_ms 125
  @doubles_max 4

  @typedoc "A name, and who shall have it."
  @type move :: {term, pid}

  @doc false
  def start_link(_options), do: GenServer.start_link(__MODULE__, nil, name: __MODULE__)

  @doc """
  Gives each name to its pid, whoever has it, and returns when all nodes know. Exits when `:global`
  of this node does: some of the names may have moved.
  """
  @spec move([move]) :: :ok
  def move([]), do: :ok

  def move(moves) do
    case GenServer.call(__MODULE__, {:move, moves}, :infinity) do
      :ok -> :ok
      {:error, reason} -> exit(reason)
    end
  end

  # The server keeps what is asked; a process of its own, which may wait, fetches and does it.

  @impl true
  def init(nil), do: {:ok, %{waiting: [], fetched: [], worker: nil}}

  @impl true
  def handle_call({:move, moves}, from, state) do
    {:noreply, work(%{state | waiting: [state.waiting | tag(moves, from)]})}
  end

  def handle_call(:fetch, _from, state) do
    moves = List.flatten(state.waiting)
    {:reply, moves, %{state | waiting: [], fetched: [askers(moves) | state.fetched]}}
  end

  @impl true
  def handle_info({:DOWN, monitor, _, _, reason}, %{worker: monitor} = state) do
    # Who was answered already does not hear of this.
    if reason != :normal,
      do: for(from <- Enum.concat(state.fetched), do: GenServer.reply(from, {:error, reason}))

    {:noreply, work(%{state | worker: nil, fetched: []})}
  end

  def handle_info(_stranger, state), do: {:noreply, state}

  defp work(%{waiting: [_ | _], worker: nil} = state) do
    {_pid, monitor} = spawn_monitor(fn -> move_all(fetch(), @first_bundle) end)
    %{state | worker: monitor}
  end

  defp work(state), do: state

  # Who asked is answered with the last of his names.
  defp tag(moves, from) do
    {first, [{name, pid}]} = Enum.split(moves, -1)
    for({name, pid} <- first, do: {name, pid, nil}) ++ [{name, pid, from}]
  end

  defp askers(moves), do: for({_name, _pid, from} <- moves, from != nil, do: from)

  defp fetch, do: GenServer.call(__MODULE__, :fetch, :infinity)

  defp move_all([], _size), do: :ok

  defp move_all(moves, size) do
    {rest, size} =
      under_lock(fn nodes, answer_ms -> slice(moves, {nodes, answer_ms}, size, now_ms()) end)

    if rest != [], do: Process.sleep(@rest_ms)
    move_all(rest, size)
  end

  defp slice([], _lock, size, _since_ms), do: {[], size}

  defp slice(moves, {nodes, answer_ms} = lock, size, since_ms) do
    {bundle, rest} = Enum.split(moves, size)
    told_ms = now_ms()
    tell(bundle, nodes)
    for from <- askers(bundle), do: GenServer.reply(from, :ok)
    rest = rest ++ fetch()
    size = next_size(length(bundle), size, now_ms() - told_ms, answer_ms)

    if now_ms() - since_ms + @bundle_ms > @slice_ms,
      do: {rest, size},
      else: slice(rest, lock, size, since_ms)
  end

  # As many as servers lately took in @bundle_ms, without the time that any answer takes; a small
  # bundle says nothing about large ones.
  defp next_size(told, size, took_ms, answer_ms) do
    fitting = div(told * @bundle_ms, max(took_ms - answer_ms, 1))

    if told < size and fitting > size,
      do: size,
      else: fitting |> min(told * 4) |> min(@bundle_max) |> max(@bundle_min)
  end

  defp tell(bundle, nodes) do
    {ops, [{name, pid, _from}]} = Enum.split(bundle, -1)
    method = &Names.resolve/3

    if ops != [] do
      inserts = for {name, pid, _from} <- ops, do: {:insert, {name, pid, method}}
      extra = [{:vsn, 8}, {:lock, lock_id()}]
      message = {:new_nodes, node(), inserts, [], [], extra}
      GenServer.abcast(nodes, :global_name_server, message)
    end

    GenServer.multi_call(nodes, :global_name_server, {:register, name, pid, method})
  end

  # The lock.

  # Held by the process that changes names: servers check.
  defp lock_id, do: {:global, self()}

  # Takes the lock at the greatest node first, as everybody does: of two that want it one fails
  # before it has bothered the others.
  defp under_lock(work, failures \\ 0) do
    nodes = known_nodes()
    boss = Enum.max(nodes)
    asked_ms = now_ms()

    cond do
      not :global.set_lock(lock_id(), [boss], 0) -> retry(work, failures)
      :global.set_lock(lock_id(), nodes, 0) -> work_and_release(work, nodes, asked_ms, failures)
      true -> retry(work, failures, [boss])
    end
  end

  # A node that has become known meanwhile would not hear of the change.
  defp work_and_release(work, nodes, asked_ms, failures) do
    boss = Enum.max(nodes)
    # Two answers, one after the other.
    answer_ms = div(now_ms() - asked_ms, 2)

    if known_nodes() -- nodes == [] do
      result = work.(nodes, answer_ms)
      :global.del_lock(lock_id(), List.delete(nodes, boss))
      :global.del_lock(lock_id(), [boss])
      result
    else
      retry(work, failures, nodes)
    end
  end

  defp retry(work, failures, locked \\ []) do
    if locked != [], do: :global.del_lock(lock_id(), locked)
    Process.sleep(:rand.uniform(@retry_ms * Integer.pow(2, min(failures, @doubles_max))))
    under_lock(work, failures + 1)
  end

  defp known_nodes do
    [node() | GenServer.call(:global_name_server, :get_known, :infinity)]
  end

  defp now_ms, do: System.monotonic_time(:millisecond)
end
