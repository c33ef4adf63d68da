defmodule Minotaur.SessionHost.Bandwidth do
  @moduledoc """
  How many bytes of states may leave in a second (`Settings.drain_bytes_per_second/0`), so that
  moves leave room on the network.

  Each move takes the time that its bytes need from one clock of the node, and waits until that is
  due before it offers its session, which runs on meanwhile. Time that was not used is kept for
  10 ms.
  """

  alias Minotaur.Settings

  @kept_us 10_000

  @doc "To be called once, before the first session moves."
  @spec init :: :ok
  def init do
    clock = :atomics.new(1, signed: true)
    :atomics.put(clock, 1, now_us())
    :persistent_term.put(__MODULE__, clock)
  end

  @doc "Waits until a move of so many bytes may begin."
  @spec await(non_neg_integer) :: :ok
  def await(bytes) do
    case Settings.drain_bytes_per_second() do
      0 -> :ok
      rate -> rate |> take(bytes) |> sleep_until()
    end
  end

  # Who comes at the same time comes behind.
  defp take(rate, bytes) do
    clock = :persistent_term.get(__MODULE__)
    next_us = :atomics.get(clock, 1)
    begin_us = max(next_us, now_us() - @kept_us)
    after_us = begin_us + div(bytes * 1_000_000, rate)

    case :atomics.compare_exchange(clock, 1, next_us, after_us) do
      :ok -> begin_us
      _another_was_faster -> take(rate, bytes)
    end
  end

  defp sleep_until(begin_us), do: Process.sleep(max(div(begin_us - now_us() + 999, 1_000), 0))

  defp now_us, do: System.monotonic_time(:microsecond)
end
