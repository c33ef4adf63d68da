defmodule Minotaur.GameEngine.Names.Batch do
  @moduledoc """
  Moves many names of `:global` under one lock.

  `:global.re_register_name/2` takes the lock of all nodes for each name, one after the other for
  all processes of a node: thousands of sessions that leave a node would wait for thousands of
  locks. Here, what is asked while a lock is held goes under the next one, together: the lock is
  taken by the documented functions of `:global`, and each server is told of a thousand names in one
  message, as it is when partitions join, then of the last one by the call that `re_register_name`
  makes, whose answers say that all are done.

  The lock is given back after some 30 ms even when more is to be done, and left to others for a
  while. Each name moves in one step, nobody ever finds it missing; but not all move in the same.
  How many names that are follows from how long the slowest server needs for one: a BEAM node's
  needs ever longer the more names the processes of one node have. Two bundles are under way at a
  time, so that servers have the next when they have done with one. The rule and its numbers are
  those of C nodes (`cnode/registry/slice.h`).

  How it fails: with a node that is silent, `:global` is slow, and so is this; whoever asked waits.
  When the process that does it ends, `:global` with it, say, whoever waits exits with its reason.
  """

  use GenServer

  alias Minotaur.GameEngine.Names

  @slice_us 28_000
  @bundles 2
  @bundle_us 5_000
  @bundle_max 1000
  # The first of a slice, which is answered before the next is told.
  @first_us 2_000
  # How long servers worked on how many names: the mean of the last 10 to 20 ms.
  @window_us 20_000
  # Before it is known better.
  @speed %{name_us: 600, busy_us: @bundle_us, names: div(@bundle_us, 600), nodes: []}
  @name_us_max 50_000
  @rest_ms 5
  # The same, when somebody is about to join, which needs the lock.
  @wanted_ms 20
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
    {:reply, moves, %{state | waiting: [], fetched: askers(moves) ++ state.fetched}}
  end

  @impl true
  def handle_info({:DOWN, monitor, _, _, reason}, %{worker: monitor} = state) do
    # Who was answered already does not hear of this.
    if reason != :normal,
      do: for(from <- state.fetched, do: GenServer.reply(from, {:error, reason}))

    {:noreply, work(%{state | worker: nil, fetched: []})}
  end

  def handle_info(_stranger, state), do: {:noreply, state}

  defp work(%{waiting: [_ | _], worker: nil} = state) do
    {_pid, monitor} = spawn_monitor(fn -> move_all(fetch(), @speed) end)
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

  defp move_all([], _speed), do: :ok

  defp move_all(moves, speed) do
    {rest, speed} = under_lock(fn lock -> slice(moves, begin(lock, speed)) end)
    if rest != [], do: Process.sleep(rest_ms())
    move_all(rest, speed)
  end

  defp rest_ms, do: if(Node.list() -- known_nodes() == [], do: @rest_ms, else: @wanted_ms)

  # The lock stands longer than names are told: while others are asked for it, and until all have
  # heard that it is given back.
  defp begin(%{nodes: nodes, asked_us: asked_us}, speed) do
    now_us = now_us()
    answer_us = min(div(now_us - asked_us, 2), div(@slice_us, 4))
    end_us = now_us + @slice_us - 2 * answer_us
    # Who has joined may be slower than all others.
    speed = if speed.nodes == nodes, do: speed, else: %{@speed | nodes: nodes}
    slice = %{nodes: nodes, end_us: end_us, answered_us: now_us, speed: speed}
    Map.merge(slice, %{open: [], told: false, answered: false})
  end

  defp slice(moves, slice) do
    size = room(slice)

    cond do
      moves != [] and size > 0 and length(slice.open) < @bundles ->
        {bundle, rest} = Enum.split(moves, size)
        slice(rest, %{slice | open: slice.open ++ [tell(bundle, slice)], told: true})

      slice.open != [] ->
        slice = await(slice)
        slice(append(moves, fetch()), slice)

      true ->
        {moves, slice.speed}
    end
  end

  defp append(moves, []), do: moves
  defp append(moves, more), do: moves ++ more

  # How many names the next bundle may have: one at least in each slice.
  defp room(%{told: true, answered: false}), do: 0

  defp room(slice) do
    name_us = slice.speed.name_us
    open_us = Enum.sum(for bundle <- slice.open, do: bundle.count) * name_us
    left_us = slice.end_us - now_us() - open_us
    most_us = if slice.answered, do: @bundle_us, else: @first_us
    names = left_us |> max(0) |> min(most_us) |> div(name_us) |> min(@bundle_max)
    if slice.told, do: names, else: max(names, 1)
  end

  defp tell(bundle, slice) do
    {ops, [{name, pid, _from}]} = Enum.split(bundle, -1)
    method = &Names.resolve/3

    if ops != [] do
      inserts = for {name, pid, _from} <- ops, do: {:insert, {name, pid, method}}
      extra = [{:vsn, 8}, {:lock, lock_id()}]
      message = {:new_nodes, node(), inserts, [], [], extra}
      GenServer.abcast(slice.nodes, :global_name_server, message)
    end

    requests =
      for node <- slice.nodes,
          do:
            :gen_server.send_request({:global_name_server, node}, {:register, name, pid, method})

    %{requests: requests, askers: askers(bundle), count: length(bundle), told_us: now_us()}
  end

  # The first of those under way; who has gone needs not answer.
  defp await(%{open: [bundle | open]} = slice) do
    for request <- bundle.requests, do: :gen_server.receive_response(request, :infinity)
    for from <- bundle.askers, do: GenServer.reply(from, :ok)
    now_us = now_us()
    took_us = now_us - max(bundle.told_us, slice.answered_us)
    speed = speed(slice.speed, bundle.count, took_us)
    %{slice | open: open, answered_us: now_us, answered: true, speed: speed}
  end

  # Names that took longer are believed at once, those that took less in the mean.
  defp speed(%{busy_us: busy_us, names: names} = speed, count, took_us) do
    {busy_us, names} = {busy_us + took_us, names + count}
    name_us = max(div(busy_us, names), div(took_us, count))
    name_us = name_us |> max(1) |> min(@name_us_max)
    speed = %{speed | name_us: name_us, busy_us: busy_us, names: names}
    if busy_us > @window_us, do: halve(speed), else: speed
  end

  defp halve(%{busy_us: busy_us, names: names} = speed),
    do: %{speed | busy_us: div(busy_us, 2), names: max(div(names, 2), 1)}

  # The lock.

  # Held by the process that changes names: servers check.
  defp lock_id, do: {:global, self()}

  # Takes the lock at the greatest node first, as everybody does: of two that want it one fails
  # before it has bothered the others.
  defp under_lock(work, failures \\ 0) do
    nodes = known_nodes()
    boss = Enum.max(nodes)
    lock = %{nodes: nodes, asked_us: now_us()}

    cond do
      not :global.set_lock(lock_id(), [boss], 0) -> retry(work, failures)
      :global.set_lock(lock_id(), nodes, 0) -> work_and_release(work, lock, failures)
      true -> retry(work, failures, [boss])
    end
  end

  # A node that has become known meanwhile would not hear of the change.
  defp work_and_release(work, %{nodes: nodes} = lock, failures) do
    boss = Enum.max(nodes)

    if known_nodes() -- nodes == [] do
      result = work.(lock)
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

  defp now_us, do: System.monotonic_time(:microsecond)
end
