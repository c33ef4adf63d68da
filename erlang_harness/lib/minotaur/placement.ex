defmodule Minotaur.Placement do
  @moduledoc """
  Where a session goes: rendezvous hashing, so that every host names the same place without asking.

  Pure. A host is the `info` map that hosts tell each other (see `Minotaur.SessionHost`).
  """

  @range 4_294_967_296
  @number_max 1_000_000_000_000_000_000

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

  @doc """
  The hosts for a session that leaves a host of `app_version`: while a deploy is on, those with a
  newer version first, so that it moves once.
  """
  @spec rank_leaving(term, [map], pos_integer, String.t()) :: [map]
  def rank_leaving(id, hosts, state_version, app_version) do
    {newer, others} =
      id |> rank(hosts, state_version) |> Enum.split_with(&newer?(&1, numbers(app_version)))

    newer ++ others
  end

  @doc """
  The first host of the ranking, when this node, which counts as taking its own, comes after it. Of
  `hosts` those of other nodes count, and, while a deploy is on, none of a version older than
  `app_version`, this node's.
  """
  @spec better(term, [map], pos_integer, String.t()) :: map | nil
  def better(id, hosts, state_version, app_version) do
    here = {weight(id, node()), node()}
    hosts = Enum.reject(hosts, &older?(&1, numbers(app_version)))

    with [host | _rest] <- rank(id, hosts, state_version),
         true <- {weight(id, host.node), host.node} > here do
      host
    else
      _none_or_worse -> nil
    end
  end

  @doc "How much `node` wants session `id`."
  @spec weight(term, node) :: non_neg_integer
  def weight(id, node), do: :erlang.phash2({id, node}, @range)

  defp newer?(%{app_version: version}, numbers) when is_binary(version) do
    compare(numbers(version), numbers) == :newer
  end

  defp newer?(_says_none, _numbers), do: false

  defp older?(%{app_version: version}, numbers) when is_binary(version) do
    compare(numbers, numbers(version)) == :newer
  end

  defp older?(_says_none, _numbers), do: false

  # Of a version its numbers count, from left to right; one that is missing is smaller than any.
  defp numbers(version) do
    for [digits] <- Regex.scan(~r/[0-9]+/, version),
        do: min(String.to_integer(digits), @number_max)
  end

  defp compare([same | a], [same | b]), do: compare(a, b)
  defp compare([a | _], [b | _]) when a > b, do: :newer
  defp compare([_ | _], []), do: :newer
  defp compare(_a, _b), do: :not_newer

  defp candidate?(host, state_version) do
    not host.draining and host.sessions < host.capacity and state_version in host.state_versions
  end
end
