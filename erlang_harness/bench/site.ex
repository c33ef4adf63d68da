defmodule Minotaur.Bench.Site do
  @moduledoc """
  The nodes of a measurement, on loopback: a BEAM node and a C node that serve, and BEAM nodes that
  call them. In mode

  * `:pinned` one calling node has the first processor, both servers have the second
  * `:unpinned` one calling node and the servers share both
  * `:shared` two calling nodes and the servers share both

  One server is asked at a time; the other one is idle and, with `+sbwt none`, takes no CPU time.
  """

  alias Minotaur.Bench.Os
  alias Minotaur.Cluster.Manager
  alias Minotaur.ClusterHelper, as: Cluster

  @environment [minotaur: [round_seconds: 3_600]]

  @type mode :: :pinned | :unpinned | :shared
  @type server :: %{node: node, os_pid: pos_integer}
  @type t :: %{
          cluster: pid,
          mode: mode,
          callers: [node],
          beam: server,
          c: server
        }

  @doc "How the nodes are placed, in words."
  @spec describe(mode) :: String.t()
  def describe(:pinned), do: "Pinned: one calling BEAM node on a core, the server on the other"
  def describe(:unpinned), do: "Unpinned: one calling BEAM node and the server share both cores"
  def describe(:shared), do: "Unpinned: two calling BEAM nodes and the server share both cores"

  @doc "The flags of the BEAM nodes."
  @spec beam_flags(mode) :: String.t()
  def beam_flags(mode),
    do: Enum.join(["+sbwt none +sbwtdcpu none +sbwtdio none" | flags(mode)], " ")

  @doc "Starts the nodes, calls `fun` with them, and ends them."
  @spec with_site(mode, (t -> result)) :: result when result: term
  def with_site(mode, fun) do
    {:ok, cluster} = Manager.start_link(%{})
    beam = start(cluster, mode, :server, kind: :beam, environment: @environment)
    c = start(cluster, mode, :server, kind: :c, environment: @environment)
    callers = for _n <- 1..count(mode), do: start_caller(cluster, mode)
    site = %{cluster: cluster, mode: mode, callers: callers, beam: beam, c: c}

    try do
      fun.(site)
    after
      GenServer.stop(cluster, :normal, 60_000)
    end
  end

  @doc "Starts `cnode-echo` as a further server."
  @spec start_echo(t) :: server
  def start_echo(site), do: start(site.cluster, site.mode, :server, kind: :echo)

  @doc "Applies a function on a calling node."
  @spec call(t, node, module, atom, [term]) :: term
  def call(site, caller, module, function, arguments),
    do: Cluster.call(site.cluster, caller, module, function, arguments)

  defp start_caller(cluster, mode),
    do: start(cluster, mode, :caller, kind: :beam, applications: []).node

  defp start(cluster, mode, place, options) do
    arguments =
      if options[:kind] == :beam, do: Enum.flat_map(flags(mode), &String.split/1), else: []

    node = Cluster.start_node(cluster, options ++ [arguments: arguments, cpus: cpus(mode, place)])
    %{node: node, os_pid: Cluster.os_pid(cluster, node)}
  end

  defp count(:shared), do: 2
  defp count(_one), do: 1

  defp flags(:pinned), do: ["+S 1:1"]
  defp flags(_both), do: ["+S 2:2"]

  defp cpus(mode, place) do
    case {Os.cpus(), mode, place} do
      {[first, _ | _], :pinned, :caller} -> "#{first}"
      {[_, second | _], :pinned, :server} -> "#{second}"
      {[first, second | _], _both, _place} -> "#{first},#{second}"
      _one -> raise "two processors are needed"
    end
  end
end
