defmodule Minotaur.Cluster.LogFormatter do
  @moduledoc """
  An ExUnit formatter that prints what the nodes of a failed test have logged, and removes the logs
  of the others.
  """

  use GenServer

  alias Minotaur.Cluster.Logs

  @impl true
  def init(options), do: {:ok, options}

  @impl true
  def handle_cast({:test_finished, test}, state) do
    for {name, text} <- Logs.take(test), match?({:failed, _}, test.state) do
      IO.puts("\n     log of #{name} in #{inspect(test.name)}:\n" <> indent(text))
    end

    {:noreply, state}
  end

  def handle_cast({:suite_finished, _times}, state) do
    File.rm_rf!(Logs.root())
    {:noreply, state}
  end

  def handle_cast(_event, state), do: {:noreply, state}

  defp indent(text), do: String.replace(text, ~r/^/m, "       ")
end
