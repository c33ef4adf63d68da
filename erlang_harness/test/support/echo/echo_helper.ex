defmodule Minotaur.EchoHelper do
  @moduledoc """
  Two BEAM nodes and two C nodes with `:conformance_echo`, and what asks them: a *driver*, a hidden
  BEAM node whose processes are the test's own on the network.
  """

  alias Minotaur.Cluster.Manager
  alias Minotaur.ClusterHelper, as: Cluster

  @name :conformance_echo
  @ask_ms 30_000

  @doc "Starts the nodes: `%{cluster, driver, beam: [node, node], c: [node, node]}`."
  @spec start(pid) :: map
  def start(cluster) do
    [beam, c] = for kind <- [:beam, :c], do: for(_nth <- 1..2, do: start_node(cluster, kind))
    {:ok, driver} = Manager.route(cluster, hd(c))
    echo = %{cluster: cluster, driver: driver, beam: beam, c: c}
    for a <- beam ++ c, b <- beam ++ c, a != b, do: {:ok, _} = via(echo, name(a), name(b), :hello)
    Cluster.await_global(cluster, beam ++ c)
    echo
  end

  @doc "Starts one more node of this kind."
  @spec start_node(pid, :beam | :c) :: node
  def start_node(cluster, :c), do: Cluster.start_node(cluster, kind: :echo)

  def start_node(cluster, :beam) do
    node = Cluster.start_node(cluster, kind: :beam, applications: [])
    {:ok, _pid} = Cluster.call(cluster, node, @name, :start)
    node
  end

  @doc "The process that every node has."
  @spec name(node) :: {atom, node}
  def name(node), do: {@name, node}

  @doc "Starts a new process on a node."
  @spec start_target(map, node) :: pid
  def start_target(echo, node) do
    {:ok, pid} = ask(echo, name(node), {:start_target})
    pid
  end

  @doc "Asks a process, from the driver."
  @spec ask(map, GenServer.server(), term) :: term
  def ask(echo, server, request), do: run(echo, GenServer, :call, [server, request, @ask_ms])

  @doc "Lets a process ask another one: `{:ok, reply}` or `{:exit, reason}`."
  @spec via(map, GenServer.server(), GenServer.server(), term, non_neg_integer) :: term
  def via(echo, asker, server, request, ms \\ 4_000) do
    ask(echo, asker, {:call, server, request, ms})
  end

  @doc "Applies a function on the driver."
  @spec run(map, module, atom, [term]) :: term
  def run(echo, module, function, arguments) do
    :peer.call(echo.driver, module, function, arguments, :infinity)
  end

  # What follows runs on the driver.

  @doc "Asks all at once, and gives the replies in the order in which they come."
  @spec replies_as_they_come(GenServer.server(), [term]) :: [term]
  def replies_as_they_come(server, requests) do
    me = self()
    for request <- requests, do: spawn_link(fn -> send(me, {:got, ask_now(server, request)}) end)
    for _request <- requests, do: receive(do: ({:got, reply} -> reply))
  end

  @doc """
  Lets `server` send to an alias of the calling process, first a living and then a dead one, and
  gives what has come.
  """
  @spec sent_to_alias(GenServer.server()) :: [term]
  def sent_to_alias(server) do
    alias_ref = :erlang.alias()
    :ok = ask_now(server, {:send, alias_ref, :alive})
    true = :erlang.unalias(alias_ref)
    :ok = ask_now(server, {:send, alias_ref, :dead})
    :ok = ask_now(server, {:send, self(), :last})
    messages_until(:last)
  end

  @doc "Links, monitors and unlinks the process from here, lets it end, and gives what has come."
  @spec watched(pid, term) :: [term]
  def watched(pid, reason) do
    Process.flag(:trap_exit, true)
    true = Process.link(pid)
    ref = Process.monitor(pid)
    named = Process.monitor({@name, node(pid)})
    true = Process.demonitor(named, [:flush])
    :ok = ask_now(pid, {:exit, reason})

    [
      receive(do: ({:EXIT, ^pid, exit} -> {:exit, exit})),
      receive(do: ({:DOWN, ^ref, :process, ^pid, down} -> {:down, down}))
    ]
  end

  @doc "Asks for a blob, by way of another process or `:direct`; gives the SHA-256 of its bytes."
  @spec blob_hash(pid | :direct, pid, non_neg_integer) :: binary
  def blob_hash(:direct, server, size) do
    {:blob, blob} = ask_now(server, {:blob, size})
    :crypto.hash(:sha256, blob)
  end

  def blob_hash(asker, server, size) do
    {:ok, {:blob, blob}} = ask_now(asker, {:call, server, {:blob, size}, @ask_ms})
    :crypto.hash(:sha256, blob)
  end

  defp ask_now(server, request), do: GenServer.call(server, request, @ask_ms)

  defp messages_until(last) do
    receive do
      ^last -> [last]
      message -> [message | messages_until(last)]
    end
  end
end
