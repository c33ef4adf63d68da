defmodule Minotaur.Hosts do
  @moduledoc """
  What an operator asks the hosts of the cluster, from `iex` or by rpc.

      iex> Minotaur.Hosts.list()
      iex> Minotaur.Hosts.drain(:"n2@10.0.0.2")
      {:ok, %{lost: 0, moved: 12, ms: 41, sessions: 12}}
  """

  alias Minotaur.{GameEngine, SessionHost}

  @timeout_ms 5_000

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
  Hands all sessions of `node` over to the other hosts. The node stops after its answer.
  """
  @spec drain(node) :: {:ok, map} | {:error, :unreachable}
  def drain(node \\ node()) do
    SessionHost.drain({SessionHost, node}, :stop, :infinity)
  catch
    :exit, _reason -> {:error, :unreachable}
  end
end
