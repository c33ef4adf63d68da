defmodule Minotaur.Cluster.LogFormatter do
  @moduledoc """
  An ExUnit formatter that prints what the nodes of a failed test have logged, as much of it as one
  can read, with how busy the machine was, and removes the logs of the others.
  """

  use GenServer

  alias Minotaur.Cluster.Logs

  # Lines of each log, and how long they may be.
  @first 60
  @last 240
  @columns 500

  @impl true
  def init(options), do: {:ok, options}

  @impl true
  def handle_cast({:test_finished, test}, state) do
    logs = Logs.take(test)

    if match?({:failed, _}, test.state) and logs != [] do
      for {name, text} <- logs do
        IO.puts("\n     log of #{name} in #{inspect(test.name)}:\n" <> readable(text))
      end

      IO.puts("\n     load after #{inspect(test.name)}: #{load()}")
    end

    {:noreply, state}
  end

  def handle_cast({:suite_finished, _times}, state) do
    File.rm_rf!(Logs.root())
    {:noreply, state}
  end

  def handle_cast(_event, state), do: {:noreply, state}

  defp readable(text) do
    lines = String.split(text, "\n")
    left_out = length(lines) - @first - @last

    lines =
      if left_out > 0,
        do: Enum.take(lines, @first) ++ ["[#{left_out} lines]"] ++ Enum.take(lines, -@last),
        else: lines

    Enum.map_join(lines, "\n", &("       " <> String.slice(&1, 0, @columns)))
  end

  defp load do
    case File.read("/proc/loadavg") do
      {:ok, text} -> String.trim(text)
      {:error, _no_linux} -> "unknown"
    end
  end
end
