defmodule Minotaur.Parity do
  @moduledoc """
  Makes the same call to two nodes and gives what came of it in terms that can be compared: the
  asked node is `:THE_NODE` in both, its process `:THE_PID`.

  What runs here runs on the driver of `Minotaur.EchoHelper`, each call in a process of its own.
  """

  alias Minotaur.Cluster.Probe

  @wait_ms 10_000

  @type call :: {module, atom, [term]}

  @doc """
  Carries a call out and gives `{kind, result, messages}`: `:ok`, or the class of what was raised,
  and what is left in the mailbox. `terms` are the placeholders with what they stand for.
  """
  @spec observe(call, %{atom => term}) :: {atom, term, [term]}
  def observe({module, function, arguments}, terms) do
    me = self()

    {pid, monitor} =
      spawn_monitor(fn ->
        terms = Map.put(terms, :ME, self())
        outcome = Probe.attempt(module, function, fill(arguments, terms))
        send(me, {self(), plain({outcome, flush()}, terms)})
      end)

    receive do
      {^pid, {{kind, result}, messages}} ->
        Process.demonitor(monitor, [:flush])
        {kind, result, messages}

      {:DOWN, ^monitor, :process, ^pid, reason} ->
        {:died, plain(reason, Map.put(terms, :ME, pid)), []}
    end
  end

  @doc """
  The shape of an answer, for what two nodes cannot have in common: numbers, texts, the order of
  names, how many pids there are.
  """
  @spec shape(term) :: term
  def shape({kind, result, messages}), do: {kind, shape_of(result), messages}

  defp shape_of(integer) when is_integer(integer), do: :integer
  defp shape_of(%{} = map), do: Map.new(map, fn {key, value} -> {key, shape_of(value)} end)
  defp shape_of({:group_leader, _}), do: {:group_leader, :A_PID_THERE}
  defp shape_of({:monitored_by, _}), do: {:monitored_by, [:A_PID_THERE]}
  defp shape_of({:garbage_collection, _}), do: {:garbage_collection, []}

  defp shape_of({:dictionary, [{:"$initial_call", call} | _]}),
    do: {:initial_call, shape_of(call)}

  defp shape_of({item, {module, function, arity}})
       when item in [:current_function, :initial_call] and is_atom(module) and
              is_atom(function) and is_integer(arity),
       do: {item, :a_function}

  defp shape_of(tuple) when is_tuple(tuple),
    do: tuple |> Tuple.to_list() |> Enum.map(&shape_of/1) |> List.to_tuple()

  defp shape_of(list) when is_list(list) do
    cond do
      list == [] -> []
      List.ascii_printable?(list) -> :text
      Enum.all?(list, &is_atom/1) -> list |> Enum.sort() |> Enum.dedup()
      Keyword.keyword?(list) and Keyword.has_key?(list, :OTHER_NODE) -> Map.new(list)
      true -> Enum.map(list, &shape_of/1)
    end
  end

  defp shape_of(term), do: term

  # -- what rows of the table call

  @doc "Asks for a spawn with options, and gives the next `count` messages."
  @spec spawned(node, module, atom, [term], [term], non_neg_integer) :: [term]
  def spawned(node, module, function, arguments, options, count) do
    ref = :erlang.spawn_request(node, module, function, arguments, options)
    true = is_reference(ref)
    take(count)
  end

  @doc "Applies a function here with exits trapped, and gives the next `count` messages."
  @spec trapping(module, atom, [term], non_neg_integer) :: {term, [term]}
  def trapping(module, function, arguments, count) do
    Process.flag(:trap_exit, true)
    {apply(module, function, arguments), take(count)}
  end

  @doc "A request of `:erpc`, its response taken in one of the ways there are."
  @spec response(atom, node, module, atom, [term]) :: term
  def response(how, node, module, function, arguments) do
    id = :erpc.send_request(node, module, function, arguments)
    take_response(how, id)
  end

  defp take_response(:receive_response, id), do: :erpc.receive_response(id, @wait_ms)
  defp take_response(:wait_response, id), do: :erpc.wait_response(id, @wait_ms)
  defp take_response(:no_time, id), do: :erpc.wait_response(id, 0)
  defp take_response(:short_time, id), do: :erpc.receive_response(id, 50)

  defp take_response(:check_response, id) do
    receive do
      message -> :erpc.check_response(message, id)
    after
      @wait_ms -> :nothing
    end
  end

  @doc "Two requests of one collection, answered in the order in which they come."
  @spec collection(node, [{module, atom, [term]}]) :: [term]
  def collection(node, calls) do
    ids =
      for {{m, f, a}, label} <- Enum.with_index(calls), reduce: :erpc.reqids_new() do
        ids -> :erpc.send_request(node, m, f, a, label, ids)
      end

    taken(ids, [])
  end

  defp taken(ids, so_far) do
    case :erpc.receive_response(ids, @wait_ms, true) do
      {response, label, ids} -> taken(ids, [{label, response} | so_far])
      :no_request -> Enum.sort(so_far)
    end
  end

  @doc "`:rpc.async_call/4`, its answer polled."
  @spec polled(node, module, atom, [term]) :: term
  def polled(node, module, function, arguments) do
    key = :rpc.async_call(node, module, function, arguments)
    :rpc.nb_yield(key, @wait_ms)
  end

  @doc "A call of a caller that dies before the answer; gives what the next caller gets."
  @spec abandoned(node) :: term
  def abandoned(node) do
    slow = [:conformance_echo, {:sleep_echo, 500, :late}]
    {pid, ref} = spawn_monitor(fn -> :erpc.call(node, GenServer, :call, slow) end)
    Process.exit(pid, :kill)
    receive(do: ({:DOWN, ^ref, _, _, reason} -> {reason, :erpc.call(node, :erlang, :node, [])}))
  end

  @doc "What `:erpc.send_request/4` gives when the process that works for it is killed."
  @spec killed_worker(node) :: term
  def killed_worker(node) do
    before = :erpc.call(node, :erlang, :processes, [])
    slow = [:conformance_echo, {:noreply}]
    id = :erpc.send_request(node, GenServer, :call, slow ++ [:infinity])
    worker(node, before, id) |> Process.exit(:kill)
    :erpc.receive_response(id, @wait_ms)
  end

  defp worker(node, before, id) do
    self_call = :erpc.call(node, :erlang, :processes, [])

    case Enum.filter(self_call -- before, &:erpc.call(node, Process, :alive?, [&1])) do
      [pid | _] -> pid
      [] -> worker(node, before, id)
    end
  end

  defp take(0), do: []

  defp take(count) do
    receive do
      message -> [message | take(count - 1)]
    after
      @wait_ms -> [:nothing]
    end
  end

  defp flush do
    receive do
      message -> [message | flush()]
    after
      0 -> []
    end
  end

  # -- placeholders, in and out

  defp fill(term, terms), do: walk(term, &Map.get(terms, &1, &1))

  defp plain(term, terms) do
    names = Map.new(terms, fn {name, value} -> {value, name} end)
    term |> walk(&name(&1, names, terms))
  end

  defp name(term, names, _terms) when is_map_key(names, term), do: names[term]

  defp name(pid, _names, %{THE_NODE: node}) when is_pid(pid) and node(pid) == node,
    do: :A_PID_THERE

  defp name(pid, _names, _terms) when is_pid(pid), do: :A_PID
  defp name(ref, _names, _terms) when is_reference(ref), do: :A_REF
  defp name(term, _names, _terms), do: term

  # A place in a source file is nobody's business; what is wrong with the arguments is.
  defp walk({module, function, arity, [{:file, _} | _]}, fun) when is_atom(module),
    do: {module, function, walk(arity, fun), []}

  defp walk(tuple, fun) when is_tuple(tuple),
    do: fun.(tuple |> Tuple.to_list() |> walk(fun) |> List.to_tuple())

  defp walk([head | tail], fun), do: [walk(head, fun) | walk(tail, fun)]

  defp walk(%{} = map, fun),
    do: Map.new(map, fn {key, value} -> {walk(key, fun), walk(value, fun)} end)

  defp walk(term, fun), do: fun.(term)
end
