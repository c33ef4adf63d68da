defmodule Minotaur.Placement do
  @moduledoc """
  Where a session goes: rendezvous hashing, so that every host names the same place without asking.

  Pure. A host is the `info` map that hosts tell each other (see `Minotaur.SessionHost`).
  """

  @range 4_294_967_296

  @doc """
  The hosts that may carry session `id` with a state of `state_version`, best first: not draining,
  not full, knowing the version. Ties go to the greater node name.
  """
  @spec rank(term, [map], pos_integer) :: [map]
  def rank(id, hosts, state_version) do
    hosts
    |> Enum.filter(&candidate?(&1, state_version))
    |> Enum.sort_by(&{weight(id, &1.node), &1.node}, :desc)
  end

  @doc "How much `node` wants session `id`."
  @spec weight(term, node) :: non_neg_integer
  def weight(id, node), do: :erlang.phash2({id, node}, @range)

  defp candidate?(host, state_version) do
    not host.draining and host.sessions < host.capacity and state_version in host.state_versions
  end
end
