defmodule Minotaur.Hosts do
  @moduledoc """
  What an operator asks the hosts of the cluster, from `iex` or by rpc.

      iex> Minotaur.Hosts.list()
      iex> Minotaur.Hosts.drain(:"n2@10.0.0.2")
      {:ok, %{lost: 0, moved: 12, ms: 41, sessions: 12}}
  """

  alias Minotaur.{GameEngine, SessionHost}

  @timeout_ms 5_000
  @move_ms 60_000
  @hops_max 5

  @doc "What is known of all hosts, this node's own entry first."
  @spec list :: [map]
  def list, do: GenServer.call(SessionHost, :hosts, @timeout_ms)

  @doc "What the host on `node` says of itself."
  @spec info(node) :: map
  def info(node \\ node()), do: GenServer.call({SessionHost, node}, :info, @timeout_ms)

  @doc "The sessions that live on `node`: `%{id, join_code, pid, epoch, version}` each."
  @spec sessions(node) :: [map]
  def sessions(node \\ node()), do: GenServer.call({SessionHost, node}, :sessions, @timeout_ms)

  @doc "The process of a session, wherever it lives, or nil."
  @spec whereis(String.t()) :: pid | nil
  defdelegate whereis(id), to: GameEngine

  @doc """
  Lets the host on `node` take no sessions in, neither new ones nor those that leave other hosts. It
  keeps its own.
  """
  @spec cordon(node) :: :ok
  def cordon(node \\ node()), do: GenServer.call({SessionHost, node}, :cordon, @timeout_ms)

  @doc "Lets it take sessions in again."
  @spec uncordon(node) :: :ok | {:error, :draining}
  def uncordon(node \\ node()), do: GenServer.call({SessionHost, node}, :uncordon, @timeout_ms)

  @doc """
  Moves one session to just that host, wherever it lives now; `:ok` when it lives there already.

  | reason | what is wrong |
  |---|---|
  | `:unknown_session` | no session of this id lives, or it ended meanwhile |
  | `{:invalid_node, term}` | `node` is not the name of a node |
  | `:no_such_host` | its host knows no host on `node` |
  | `:busy` | it moves already |
  | `:draining` | the host on `node` takes no sessions in, or its own host leaves |
  | `:full`, `:unsupported_state_version` | the host on `node` does not take it |
  | `:already_owner` | the host on `node` has it, by its own account |
  | `:handoff_failed`, `:unreachable` | the other host broke off, or its own did not answer |
  """
  @spec move(String.t(), node) :: :ok | {:error, term}
  def move(id, node) do
    case GameEngine.whereis(id) do
      nil -> {:error, :unknown_session}
      pid -> move(id, node, node(pid), @hops_max)
    end
  end

  # It may have moved since it was found: its former host knows where to.
  defp move(id, node, owner, hops) do
    case call(owner, {:move, id, node}, @move_ms) do
      {:error, {:not_here, pid}} when hops > 0 -> move(id, node, node(pid), hops - 1)
      answer -> answer
    end
  end

  @doc """
  Tells who would go where if the host on `node` drained now. Nothing moves.

  `bytes` is the size of all states, as offers tell it: without what goes with a snapshot (some
  hundred bytes each), as it is while the rehearsal lasts. `targets` counts sessions by the host
  that would get them, `refusals` those that nobody would take, by what the host would say that
  their placement names. It is as good as what the host has last been told of the others.
  """
  @spec rehearse(node) ::
          {:ok, %{sessions: integer, bytes: integer, targets: map, refusals: map}}
          | {:error, :draining | :unreachable}
  def rehearse(node \\ node()), do: call(node, :rehearse, @move_ms)

  @doc """
  Lets all hosts move those sessions whose placement names another host: after one has come, or has
  been uncordoned. Few move at a time, each once at most, and calls go on. Answers, when it is over,
  what was done in all; or, when a host did not take part, what each answered. `stayed` has those,
  too, that ended meanwhile, and those that a host got from another before it began itself. While a
  deploy is on nothing moves to a host with an older version of the application: call it once more
  when the deploy is over.
  """
  @spec rebalance ::
          {:ok, %{moved: integer, failed: integer, stayed: integer}}
          | {:error, %{node => {:ok, map} | {:error, term}}}
  def rebalance do
    nodes = for %{node: node} <- list(), do: node
    answers = nodes |> Task.async_stream(&rebalance/1, rebalance_options(nodes)) |> Enum.to_list()
    answers = for {node, {:ok, answer}} <- Enum.zip(nodes, answers), into: %{}, do: {node, answer}

    if Enum.all?(answers, &match?({_node, {:ok, _counts}}, &1)),
      do: {:ok, sum(for {_node, {:ok, counts}} <- answers, do: counts)},
      else: {:error, answers}
  end

  @doc "The same on the host on `node` alone. One rebalance of a host is on at a time."
  @spec rebalance(node) ::
          {:ok, %{moved: integer, failed: integer, stayed: integer}}
          | {:error, :busy | :draining | :unreachable}
  def rebalance(node), do: call(node, :rebalance, :infinity)

  defp rebalance_options(nodes), do: [timeout: :infinity, max_concurrency: max(length(nodes), 1)]

  defp sum(counts) do
    none = %{moved: 0, failed: 0, stayed: 0}
    Enum.reduce(counts, none, &Map.merge(&1, &2, fn _key, a, b -> a + b end))
  end

  defp call(node, request, timeout) do
    GenServer.call({SessionHost, node}, request, timeout)
  catch
    :exit, _reason -> {:error, :unreachable}
  end

  @doc """
  Hands all sessions of `node` over to the other hosts. The node stops after its answer.
  """
  @spec drain(node) :: {:ok, map} | {:error, :unreachable}
  def drain(node \\ node()) do
    SessionHost.drain({SessionHost, node}, :stop, :infinity)
  catch
    :exit, _reason -> {:error, :unreachable}
  end
end
