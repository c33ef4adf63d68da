defmodule Minotaur.GameEngine.Names.Batch do
  @moduledoc """
  Moves many names of `:global` under one lock.

  `:global.re_register_name/2` takes the lock of all nodes for each name, one after the other for
  all processes of a node: thousands of sessions that leave a node would wait for thousands of
  locks. Here, what is asked while a lock is held goes under the next one, together: the lock is
  taken by the documented functions of `:global`, and each server is told of a thousand names in one
  message, as it is when partitions join, then of the last one by the call that `re_register_name`
  makes, whose answers say that all are done.

  The lock is given back after some 30 ms even when more is to be done. Each name moves in one step,
  nobody ever finds it missing; but not all move in the same. How many names that are follows from
  how long the slowest server needs for one: a BEAM node's needs ever longer the more names the
  processes of one node have. Three bundles are under way at a time, so that servers have the next
  when they have done with one. When these are expected to take the rest of the time, what gives the
  lock back goes right behind them, and it is asked for again when one is left: so others may take
  it while servers are busy. The rule and its numbers are those of C nodes
  (`cnode/registry/slice.h`).

  How it fails: with a node that is silent, `:global` is slow, and so is this; whoever asked waits.
  When the process that does it ends, `:global` with it, say, whoever waits exits with its reason.
  """

  use GenServer

  alias Minotaur.GameEngine.Names

  @slice_us 30_000
  @bundles 3
  @bundle_us 5_000
  @bundle_max 1000
  # The first of a slice; with those behind it, before it is answered, so many names.
  @first_us 2_000
  @first_names 8
  # How long servers worked on how many names: the mean of the last 20 to 40 ms.
  @window_us 40_000
  # Before it is known better.
  @speed %{
    name_us: 600,
    busy_us: @bundle_us,
    names: div(@bundle_us, 600),
    nodes: [],
    known: false
  }
  @name_us_max 50_000
  @before %{open: [], released: [], told: false, answered: false, answered_us: 0, speed: @speed}
  # How long the lock is left to others when they had no chance while bundles were under way.
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
    {_pid, monitor} = spawn_monitor(fn -> move_all(fetch(), @before) end)
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

  defp move_all([], slice), do: settle(slice)

  defp move_all(moves, before) do
    {lock, before} = take_lock(before)
    # Answers that came before the lock: how long these names took is not known.
    settle(before)
    {rest, slice} = slice(moves, begin(lock, before.speed))
    move_all(rest, give_back(rest, slice))
  end

  # The lock stands longer than names are told: while others are asked for it.
  defp begin(%{nodes: nodes, began_us: began_us}, speed) do
    now_us = now_us()
    answer_us = min(now_us - began_us, div(@slice_us, 4))
    # Who has joined may be slower than all others.
    speed = if speed.nodes == nodes, do: speed, else: %{@speed | nodes: nodes}
    slice = %{nodes: nodes, end_us: now_us - answer_us + @slice_us, answer_us: answer_us}
    Map.merge(@before, Map.merge(slice, %{answered_us: now_us, speed: speed}))
  end

  defp slice(moves, slice) do
    size = room(slice)

    cond do
      moves != [] and size > 0 and length(slice.open) < @bundles ->
        {bundle, rest} = Enum.split(moves, size)
        slice(rest, %{slice | open: slice.open ++ [tell(bundle, slice)], told: true})

      slice.open == [] or over?(slice) ->
        {moves, slice}

      true ->
        slice = await(slice)
        slice(append(moves, fetch()), slice)
    end
  end

  # Behind what is under way, if anything is. The next lock is not asked for before others had a
  # chance: while the last bundles but one are under way, or later.
  defp give_back(rest, %{nodes: nodes, open: open} = slice) do
    released = for node <- Enum.sort(nodes), do: request(node, {:del_lock, lock_id()})
    slice = %{slice | released: released}

    cond do
      rest == [] -> slice
      Node.list() -- nodes != [] -> sleep(settle(slice), @wanted_ms)
      length(open) < 2 -> sleep(settle(slice), @rest_ms)
      true -> await_last(slice)
    end
  end

  defp sleep(slice, ms) do
    Process.sleep(ms)
    slice
  end

  defp await_last(%{open: [_last]} = slice), do: slice
  defp await_last(slice), do: slice |> await() |> await_last()

  # All that is under way is answered, the release too.
  defp settle(%{open: []} = slice) do
    for request <- slice.released, do: :gen_server.receive_response(request, :infinity)
    %{slice | released: []}
  end

  defp settle(slice), do: slice |> await() |> settle()

  defp append(moves, []), do: moves
  defp append(moves, more), do: moves ++ more

  # How many names the next bundle may have: one at least in each slice.
  defp room(%{told: false} = slice), do: max(names_in(slice, @first_us), 1)
  defp room(%{answered: true} = slice), do: names_in(slice, @bundle_us)
  defp room(%{speed: %{known: false}}), do: 0
  defp room(slice), do: max(min(names_in(slice, @bundle_us), @first_names - under_way(slice)), 0)

  defp names_in(%{speed: %{name_us: name_us}} = slice, most_us) do
    most = div(most_us, name_us) |> max(1) |> min(@bundle_max)
    min(div(left_us(slice), name_us), most)
  end

  # What is under way is expected to take the rest of the time.
  defp over?(slice), do: left_us(slice) < slice.speed.name_us

  defp left_us(slice),
    do: max(slice.end_us - now_us() - under_way(slice) * slice.speed.name_us, 0)

  defp under_way(slice), do: Enum.sum(for bundle <- slice.open, do: bundle.count)

  defp tell(bundle, slice) do
    {ops, [{name, pid, _from}]} = Enum.split(bundle, -1)
    method = &Names.resolve/3

    if ops != [] do
      inserts = for {name, pid, _from} <- ops, do: {:insert, {name, pid, method}}
      extra = [{:vsn, 8}, {:lock, lock_id()}]
      message = {:new_nodes, node(), inserts, [], [], extra}
      GenServer.abcast(slice.nodes, :global_name_server, message)
    end

    requests = for node <- slice.nodes, do: request(node, {:register, name, pid, method})
    told = %{requests: requests, askers: askers(bundle), count: length(bundle)}
    # What servers that have nothing to do are told is on its way first.
    way_us = if slice.open == [], do: slice.answer_us, else: 0
    Map.merge(told, %{told_us: now_us(), way_us: way_us})
  end

  defp request(node, request), do: :gen_server.send_request({:global_name_server, node}, request)

  # The first of those under way; who has gone needs not answer.
  defp await(%{open: [bundle | open]} = slice) do
    for request <- bundle.requests, do: :gen_server.receive_response(request, :infinity)
    for from <- bundle.askers, do: GenServer.reply(from, :ok)
    now_us = now_us()
    took_us = now_us - max(bundle.told_us, slice.answered_us) - bundle.way_us
    speed = speed(slice.speed, bundle.count, max(took_us, 0))
    %{slice | open: open, answered_us: now_us, answered: true, speed: speed}
  end

  # In the mean: time that was lost by waiting for a processor has passed, and shortens the slice.
  defp speed(%{busy_us: busy_us, names: names} = speed, count, took_us) do
    {busy_us, names} = {busy_us + took_us, names + count}
    name_us = div(busy_us, names) |> max(1) |> min(@name_us_max)
    speed = %{speed | name_us: name_us, busy_us: busy_us, names: names, known: true}
    if busy_us > @window_us, do: halve(speed), else: speed
  end

  defp halve(%{busy_us: busy_us, names: names} = speed),
    do: %{speed | busy_us: div(busy_us, 2), names: max(div(names, 2), 1)}

  # The lock.

  # Held by the process that changes names: servers check.
  defp lock_id, do: {:global, self()}

  # Takes the lock at the greatest node first, as everybody does: of two that want it one fails
  # before it has bothered the others. A node that has become known meanwhile would not hear of what
  # is done.
  defp take_lock(before, failures \\ 0) do
    nodes = known_nodes()
    boss = Enum.max(nodes)

    if :global.set_lock(lock_id(), [boss], 0),
      do: take_others(%{nodes: nodes, began_us: now_us()}, boss, before, failures),
      else: retry(before, failures, [])
  end

  defp take_others(%{nodes: nodes} = lock, boss, before, failures) do
    cond do
      not :global.set_lock(lock_id(), nodes, 0) -> retry(before, failures, [boss])
      known_nodes() -- nodes != [] -> retry(before, failures, nodes)
      true -> {lock, before}
    end
  end

  defp retry(before, failures, locked) do
    if locked != [], do: :global.del_lock(lock_id(), locked)
    # These answers, too, came long before they are looked at.
    before = %{settle(before) | speed: before.speed}
    Process.sleep(:rand.uniform(@retry_ms * Integer.pow(2, min(failures, @doubles_max))))
    take_lock(before, failures + 1)
  end

  defp known_nodes do
    [node() | GenServer.call(:global_name_server, :get_known, :infinity)]
  end

  defp now_us, do: System.monotonic_time(:microsecond)
end
