defmodule Minotaur.SessionHost.Members do
  @moduledoc """
  The other hosts that a host knows, from their hellos. Pure but for the monitors.

  A host is known by its process: a new pid on a known node is a new life of that host.
  """

  @protocol 1
  @lost_lately_ms 2_000

  defstruct by_node: %{}, lost_ms: nil

  @type t :: %__MODULE__{by_node: %{node => {map, reference}}, lost_ms: integer | nil}

  @doc "The version of the protocol between hosts."
  @spec protocol :: pos_integer
  def protocol, do: @protocol

  @doc "What is known of the others."
  @spec infos(t) :: [map]
  def infos(members), do: for({info, _monitor} <- Map.values(members.by_node), do: info)

  @doc "Their nodes."
  @spec nodes(t) :: [node]
  def nodes(members), do: Map.keys(members.by_node)

  @doc """
  Takes a hello in: `:new` when its host was not known, so that it should hear of us.
  """
  @spec hello(t, term, term) :: {:new | :known, t} | {:error, :unsupported_protocol | :malformed}
  def hello(members, @protocol, info) do
    if info?(info), do: take_in(members, info), else: {:error, :malformed}
  end

  def hello(_members, _other, _info), do: {:error, :unsupported_protocol}

  @doc "Forgets a host that said good-bye, if it is still that life of it."
  @spec bye(t, node, integer) :: t
  def bye(members, node, incarnation) do
    case members.by_node do
      %{^node => {%{incarnation: ^incarnation}, monitor}} -> forget(members, node, monitor)
      _unknown -> members
    end
  end

  @doc "Forgets the host whose monitor fired; `:unknown` if it is none of theirs."
  @spec down(t, reference) :: {:ok, t} | :unknown
  def down(members, monitor) do
    case Enum.find(members.by_node, fn {_node, {_info, ref}} -> ref == monitor end) do
      {node, _host} -> {:ok, %{forget(members, node, monitor) | lost_ms: now_ms()}}
      nil -> :unknown
    end
  end

  @doc """
  Whether a host was lost, without a bye, in the last two seconds: others may be about to take its
  sessions over.
  """
  @spec lost_lately?(t) :: boolean
  def lost_lately?(%{lost_ms: nil}), do: false
  def lost_lately?(%{lost_ms: lost_ms}), do: now_ms() - lost_ms < @lost_lately_ms

  defp now_ms, do: System.monotonic_time(:millisecond)

  defp take_in(members, %{node: node, pid: pid} = info) do
    case members.by_node do
      %{^node => {%{pid: ^pid}, monitor}} -> {:known, put(members, info, monitor)}
      %{^node => {_earlier_life, monitor}} -> {:new, meet(forget(members, node, monitor), info)}
      _unknown -> {:new, meet(members, info)}
    end
  end

  @doc "What the host on `node` said of itself last; nil when it is not known."
  @spec info(t, node) :: map | nil
  def info(members, node) do
    case members.by_node do
      %{^node => {info, _monitor}} -> info
      _unknown -> nil
    end
  end

  defp meet(members, info), do: put(members, info, Process.monitor(info.pid))

  defp put(members, info, monitor) do
    %{members | by_node: Map.put(members.by_node, info.node, {info, monitor})}
  end

  defp forget(members, node, monitor) do
    Process.demonitor(monitor, [:flush])
    %{members | by_node: Map.delete(members.by_node, node)}
  end

  defp info?(%{node: node, pid: pid, incarnation: incarnation, draining: draining} = info) do
    is_atom(node) and is_pid(pid) and node(pid) == node and is_integer(incarnation) and
      is_boolean(draining) and load?(info)
  end

  defp info?(_other), do: false

  defp load?(%{sessions: sessions, capacity: capacity, state_versions: versions}) do
    is_integer(sessions) and is_integer(capacity) and is_list(versions)
  end

  defp load?(_other), do: false
end
