defmodule Minotaur.SessionHost.LastWords do
  @moduledoc """
  The end of forwarders whose time is over. Who watches one is told by it where to go, and not by a
  supervisor that ends it: the stop of the application must not overtake them.

  Runs in a task of the host, which may have a long mailbox and goes on answering. How it fails: a
  forwarder that says nothing for a second is ended by its supervisor, with the application.
  """

  alias Minotaur.SessionHost

  @wait_ms 1_000

  @doc "Tells these forwarders to end, and waits until they have, a second at most."
  @spec hear([pid]) :: :ok
  def hear(forwarders) do
    monitors = for pid <- forwarders, into: MapSet.new(), do: Process.monitor(pid)
    for pid <- forwarders, do: send(pid, {SessionHost, :hurry})
    await(monitors, now_ms() + @wait_ms)
  end

  defp await(monitors, over_ms) do
    if MapSet.size(monitors) > 0 do
      receive do
        {:DOWN, monitor, _, _, _} -> monitors |> MapSet.delete(monitor) |> await(over_ms)
      after
        max(over_ms - now_ms(), 0) -> :ok
      end
    else
      :ok
    end
  end

  defp now_ms, do: System.monotonic_time(:millisecond)
end
