defmodule Minotaur.LargeHelper do
  @moduledoc """
  What runs on the driver of `Minotaur.EchoHelper` when terms are large: they are made, sent and
  compared there, and only the outcome goes to the test.
  """

  @ask_ms 60_000

  @doc "A binary of `size` bytes that has every byte in many places; `seed` tells two apart."
  @spec bytes(non_neg_integer, non_neg_integer) :: binary
  def bytes(size, seed \\ 0) do
    period = for byte <- 0..250, into: <<>>, do: <<rem(byte + seed, 256)>>
    period |> :binary.copy(div(size, 251) + 1) |> binary_part(0, size)
  end

  @doc "Whether `asker`, asked for it from here, has `server` echo a term with so many bytes."
  @spec echoed?(pid, GenServer.server(), non_neg_integer) :: boolean
  def echoed?(asker, server, size) do
    term = {:large, bytes(size), [:atoms, :after, self()]}
    ask(asker, {:call, server, term, @ask_ms}) === {:ok, {:echo, term}}
  end

  @doc """
  Lets each of `senders` send the messages of these sizes to `server`, all at the same time; gives
  what is then wrong with its inbox, where each sender's must be whole and in order.
  """
  @spec wrong_in_inbox([pid], pid, [non_neg_integer]) :: [term]
  def wrong_in_inbox(senders, server, sizes) do
    senders
    |> Enum.map(&Task.async(fn -> send_all(&1, server, sizes) end))
    |> Task.await_many(@ask_ms)

    inbox = ask(server, {:inbox})

    for sender <- senders do
      expected = for size <- sizes, do: {:cast, {sender, bytes(size)}}

      if Enum.filter(inbox, &match?({:cast, {^sender, _}}, &1)) == expected,
        do: [],
        else: [sender]
    end
    |> Enum.concat()
  end

  # The call behind the last message is answered when it has come.
  defp send_all(sender, server, sizes) do
    for size <- sizes do
      :ok = ask(sender, {:send, server, {:"$gen_cast", {sender, bytes(size)}}})
    end

    {:ok, _pid} = ask(sender, {:call, server, {:whoami}, @ask_ms})
  end

  @doc """
  Lets new processes of `node` end for reasons of these sizes; gives those of which `watcher`,
  linked to each and monitoring it, hears something else.
  """
  @spec wrong_exits(pid, node, [non_neg_integer]) :: [non_neg_integer]
  def wrong_exits(watcher, node, sizes) do
    :ok = ask(watcher, {:trap_exit, true})

    Enum.reject(sizes, fn size ->
      {:ok, pid} = ask({:conformance_echo, node}, {:start_target})
      reason = {:shutdown, bytes(size)}
      {:ok, ref} = ask(watcher, {:monitor, pid})
      :ok = ask(watcher, {:link_me, pid})
      {:ok, :ok} = ask(watcher, {:call, pid, {:exit, reason}, @ask_ms})
      seen = collect(watcher, 2)

      Enum.sort(seen) ==
        Enum.sort(info: {:DOWN, ref, :process, pid, reason}, info: {:EXIT, pid, reason})
    end)
  end

  defp collect(_pid, count) when count <= 0, do: []

  defp collect(pid, count) do
    some = ask(pid, {:inbox})
    some ++ collect(pid, count - length(some))
  end

  @doc "Asks `server` for blobs, then for something small, at once: the order of the answers."
  @spec order_of_answers(pid, [non_neg_integer]) :: [non_neg_integer]
  def order_of_answers(server, sizes) do
    refs =
      for {size, nth} <- Enum.with_index(sizes) do
        ref = make_ref()
        send(server, {:"$gen_call", {self(), {ref, nth}}, {:blob, size}})
        {ref, size}
      end

    for _ref <- refs do
      receive do
        {{ref, nth}, {:blob, blob}} ->
          {^ref, size} = Enum.at(refs, nth)
          true = blob == bytes(size)
          nth
      after
        @ask_ms -> :nothing
      end
    end
  end

  @doc "How often the node answers a ping while a blob of `size` bytes is on its way from `server`."
  @spec pings_meanwhile(pid, non_neg_integer) :: non_neg_integer
  def pings_meanwhile(server, size) do
    task = Task.async(fn -> ask(server, {:blob, size}) == {:blob, bytes(size)} end)
    pings(task, node(server), 0)
  end

  defp pings(task, node, count) do
    :pong = Node.ping(node)

    case Task.yield(task, 0) do
      nil -> pings(task, node, count + 1)
      {:ok, true} -> count
    end
  end

  @doc """
  Sends large casts to `server` from many processes, without end; gives the pid that ends them when
  it is killed.
  """
  @spec flood(pid, pos_integer, pos_integer) :: pid
  def flood(server, processes, size) do
    spawn(fn ->
      blob = bytes(size)
      for _nth <- 1..processes, do: spawn_link(fn -> pour(server, blob) end)
      receive do: (:never -> :ok)
    end)
  end

  # A request that a server answers to nobody.
  defp pour(server, blob) do
    send(server, {:"$gen_call", {self(), :flood}, {:whoami, blob}})

    receive do
      {:flood, {:echo, {:whoami, ^blob}}} -> pour(server, blob)
    end
  end

  @doc "The times of `count` pings, in milliseconds, shortest first."
  @spec ping_times(node, pos_integer) :: [float]
  def ping_times(node, count) do
    for(_nth <- 1..count, do: ping_time(node)) |> Enum.sort()
  end

  defp ping_time(node) do
    from = System.monotonic_time(:microsecond)
    :pong = Node.ping(node)
    (System.monotonic_time(:microsecond) - from) / 1_000
  end

  defp ask(server, request), do: GenServer.call(server, request, @ask_ms)
end
