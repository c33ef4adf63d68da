defmodule Minotaur.Cluster.LockLoad do
  @moduledoc """
  Calls sessions without pause from a BEAM node, and sees how long a node takes meanwhile to answer
  for a lock of `:global`.
  """

  alias Minotaur.GameEngine.Names

  @doc "Starts `count` processes that call sessions until told to stop."
  @spec start_callers([term], pos_integer) :: [pid]
  def start_callers(ids, count), do: for(_ <- 1..count, do: spawn(fn -> call(ids, 0) end))

  defp call(ids, count) do
    %{} = GenServer.call({:global, Names.global_name({:id, Enum.random(ids)})}, :get_game)

    receive do
      {:stop, from} -> send(from, {self(), count + 1})
    after
      0 -> call(ids, count + 1)
    end
  end

  @doc "Stops them. Answers how often they called, in all."
  @spec stop_callers([pid]) :: non_neg_integer
  def stop_callers(callers) do
    for caller <- callers, do: send(caller, {:stop, self()})
    Enum.sum(for caller <- callers, do: receive(do: ({^caller, count} -> count)))
  end

  @doc "How long `node` takes to answer for a lock that nobody has, sorted, in microseconds."
  @spec lock_times(node, pos_integer) :: [non_neg_integer]
  def lock_times(node, samples) do
    server = {:global_name_server, node}

    Enum.sort(
      for sample <- 1..samples do
        id = {{__MODULE__, sample}, self()}
        {us, true} = :timer.tc(GenServer, :call, [server, {:set_lock, id}])
        true = GenServer.call(server, {:del_lock, id})
        us
      end
    )
  end
end
