defmodule Minotaur.Bench.Stream do
  @moduledoc """
  What runs on the calling BEAM node: messages in bulk and large binaries, to and from one server.

  Each function ends with a call, which the server answers when it has taken all that came before,
  checks what arrived, and answers the time, the server's CPU time and its memory.
  """

  alias Minotaur.Bench.Os

  # So many requests are under way at most when messages are asked for.
  @batch 1_000
  @call_ms 30_000

  @type target :: %{pid: pid, node: node, os_pid: pos_integer}
  @type result :: %{ns: pos_integer, cpu_ns: integer, peak_bytes: integer, ping_ns: integer | nil}

  @doc "`count` casts into an echo."
  @spec casts(target, pos_integer) :: result
  def casts(target, count) do
    result =
      timed(target, fn ->
        for n <- 1..count, do: GenServer.cast(target.pid, {:tick, n})
        barrier(target, {:whoami})
      end)

    inbox = GenServer.call(target.pid, {:inbox}, @call_ms)
    true = inbox == for(n <- 1..count, do: {:cast, {:tick, n}})
    result
  end

  @doc "`count` messages into a game session, which ignores them: timers of a round long past."
  @spec infos(target, pos_integer) :: result
  def infos(target, count) do
    timed(target, fn ->
      for _n <- 1..count, do: send(target.pid, {:round_timer_expired, 0})
      barrier(target, :get_game)
    end)
  end

  @doc """
  `count` messages out of an echo: half of them answers to requests to send, half what is sent.
  """
  @spec messages_out(target, pos_integer) :: result
  def messages_out(target, count) do
    timed(target, fn ->
      for _batch <- 1..div(count, 2 * @batch), do: send_and_receive(target.pid, @batch)
    end)
  end

  @doc "A binary of `size` bytes into an echo, in a cast."
  @spec binary_in(target, pos_integer) :: result
  def binary_in(target, size) do
    binary = blob(size)

    result =
      with_pings(target, fn ->
        GenServer.cast(target.pid, binary)
        barrier(target, {:whoami})
      end)

    [cast: ^binary] = GenServer.call(target.pid, {:inbox}, @call_ms)
    :erlang.garbage_collect()
    result
  end

  @doc "A binary of `size` bytes out of an echo, as the answer to a call."
  @spec binary_out(target, pos_integer) :: result
  def binary_out(target, size) do
    expected = blob(size)

    with_pings(target, fn ->
      {:blob, ^expected} = GenServer.call(target.pid, {:blob, size}, @call_ms)
    end)
  end

  # What an echo answers to {blob, size}.
  defp blob(size) do
    period = :binary.list_to_bin(Enum.to_list(0..250))
    period |> :binary.copy(div(size, 251) + 1) |> binary_part(0, size)
  end

  defp barrier(target, request), do: GenServer.call(target.pid, request, @call_ms)

  defp send_and_receive(pid, count) do
    tag = make_ref()
    request = {:"$gen_call", {self(), tag}, {:send, self(), :tick}}
    for _n <- 1..count, do: send(pid, request)
    for _n <- 1..count, do: receive(do: ({^tag, :ok} -> :ok))
    for _n <- 1..count, do: receive(do: (:tick -> :ok))
  end

  # With pings over the same connection meanwhile, as `Node.ping/1` does them.
  defp with_pings(target, fun) do
    pinger = start_pinger(target.node)
    result = timed(target, fun)
    send(pinger, {:stop, self()})
    receive do: ({^pinger, longest_ns} -> %{result | ping_ns: longest_ns})
  end

  defp start_pinger(node) do
    owner = self()

    pinger =
      spawn_link(fn ->
        :pong = Node.ping(node)
        send(owner, {self(), :runs})
        ping(node, 0)
      end)

    receive do: ({^pinger, :runs} -> pinger)
  end

  defp ping(node, longest_ns) do
    from = now_ns()
    :pong = Node.ping(node)
    longest_ns = max(longest_ns, now_ns() - from)

    receive do
      {:stop, owner} -> send(owner, {self(), longest_ns})
    after
      1 -> ping(node, longest_ns)
    end
  end

  defp timed(target, fun) do
    Os.forget_peak(target.os_pid)
    resident = Os.resident_bytes(target.os_pid)
    cpu = Os.cpu_ns(target.os_pid)
    from = now_ns()
    fun.()

    %{
      ns: now_ns() - from,
      cpu_ns: Os.cpu_ns(target.os_pid) - cpu,
      peak_bytes: Os.peak_bytes(target.os_pid) - resident,
      ping_ns: nil
    }
  end

  defp now_ns, do: System.monotonic_time(:nanosecond)
end
