defmodule Minotaur.Bench.Floor do
  @moduledoc """
  What a BEAM node's own `:global` spends on names, whoever has them registered or moved: no change
  of names in a cluster with this node is over before.
  """

  @doc """
  Tells this node's `global_name_server`, and nobody else, many changes in one message under one
  lock, as another node would, but without that node, its lock and the wire. `operations` are
  `{:insert, {name, pid, method}}` and `{:delete, name}`. Gives microseconds.
  """
  @spec change_us([{:insert, {term, pid, fun}} | {:delete, term}]) :: non_neg_integer
  def change_us(operations) do
    id = {:global, self()}
    message = {:new_nodes, node(), operations, [], [], [vsn: 8, lock: id]}
    {us, true} = :timer.tc(fn -> change(id, message) end)
    us
  end

  @doc "Measures on all BEAM members at once; the slowest counts. nil: there is none."
  @spec slowest([node], (node -> number)) :: number | nil
  def slowest(members, measure) do
    members
    |> Enum.map(&Task.async(fn -> measure.(&1) end))
    |> Task.await_many(:infinity)
    |> Enum.max(fn -> nil end)
  end

  defp change(id, message) do
    true = :global.set_lock(id, [node()])
    GenServer.cast(:global_name_server, message)
    # It answers when it has done what came before.
    8 = GenServer.call(:global_name_server, :get_protocol_version, :infinity)
    :global.del_lock(id, [node()])
  end
end
