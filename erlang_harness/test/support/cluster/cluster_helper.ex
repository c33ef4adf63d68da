defmodule Minotaur.ClusterHelper do
  @moduledoc """
  Starts, stops and asks the nodes of a test cluster.

      alias Minotaur.ClusterHelper, as: Cluster

      setup ctx do
        [cluster: start_supervised!({Cluster.Manager, ctx})]
      end

      test "…", %{cluster: cluster} do
        node = Cluster.start_node(cluster, kind: :c, environment: [minotaur: [round_seconds: 0]])
        {:ok, pid} = Cluster.call(cluster, node, Minotaur.GameEngine, :continue_game, [game])
        Cluster.stop_node(cluster, node)
      end
  """

  import ExUnit.Assertions, only: [assert: 1]
  import Kernel, except: [send: 2]
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.{Manager, OsProcess, Probe}
  alias Minotaur.SessionHost

  @call_ms 30_000
  # Who wants a lock of :global that another has sleeps up to 8 s before he tries again.
  @global_ms 60_000

  @node_options [:kind, :environment, :applications, :hidden, :release, :net_ticktime] ++
                  [:name, :connect, :arguments, :cpus]

  @doc """
  Starts a node, connected to all nodes of the cluster, and returns its name.

  * `:kind` — `:beam`, `:c`, or `:echo` and `:asker` (`cnode-echo` and `cnode-asker`, which are no
    hosts); by default the test's tag
    `kind`, else `:beam`
  * `:environment` — settings by application. A C node gets those of `:minotaur` as variables:
    `round_seconds: 0` is `MINOTAUR_ROUND_SECONDS=0`
  * `:applications` — what a BEAM node starts, `[:minotaur]` by default. Without it it is no host
  * `:hidden` — whether the node is hidden
  * `:release` — whether a BEAM node runs on `:own` OTP or, where `MINOTAUR_OTHER_ERL` names one,
    on an `:other` release; by default half of them do
  * `:net_ticktime` — in seconds
  * `:name` — instead of a random one; without a dot in its host it is a short name
  * `:connect` — the nodes that a C node dials, instead of all that are there
  * `:arguments` — further ones of the command line
  * `:cpus` — the processors it may use, `"0"` or `"0,1"`

  Raises for other options, and when the node does not start.
  """
  @spec start_node(pid, keyword) :: node
  def start_node(cluster, options \\ []) do
    Keyword.validate!(options, @node_options)

    case Manager.start_node(cluster, options) do
      {:ok, node} -> join(cluster, node)
      {:error, reason} -> raise "the node did not start: #{reason}"
    end
  end

  @doc """
  Stops a node and returns its exit status.

  * `graceful_shutdown: true` — as an operator does: `:init.stop/0`, or SIGTERM for a C node;
    `false` kills it
  * `:exit_status` — what a graceful stop must end with, 0 by default; `:any`
  """
  @spec stop_node(pid, node, keyword) :: non_neg_integer
  def stop_node(cluster, node, options \\ []) do
    if Keyword.get(options, :graceful_shutdown, true) do
      cluster |> Manager.stop_node(node, :graceful) |> check_status(node, options)
    else
      cluster |> Manager.stop_node(node, :kill) |> check_status(node, exit_status: :any)
    end
  end

  @doc "Waits for the end of a node that something else stops. Options and result as `stop_node/3`."
  @spec await_stop(pid, node, keyword) :: non_neg_integer
  def await_stop(cluster, node, options \\ []) do
    cluster |> Manager.await_stop(node) |> check_status(node, options)
  end

  @doc """
  Applies a function on a node, as `:erpc.call/5` does: what it raises is raised here.
  """
  @spec call(pid, node, module, atom, [term]) :: term
  def call(cluster, node, module, function, arguments \\ []) do
    {:ok, peer} = Manager.route(cluster, node)
    :peer.call(peer, :erpc, :call, [node, module, function, arguments, @call_ms], :infinity)
  end

  @doc """
  A GenServer call to a process that may live on any node of the cluster. It may need a lock of
  `:global`, for which a BEAM that did not get it at once comes again some seconds later.
  """
  @spec genserver_call(pid, node, GenServer.server(), term) :: term
  def genserver_call(cluster, node, server, request) do
    {:ok, peer} = Manager.route(cluster, node)
    :peer.call(peer, GenServer, :call, [server, request, @call_ms], :infinity)
  end

  @doc "Sends a message to a process that may live on any node of the cluster."
  @spec send(pid, node, pid, term) :: :ok
  def send(cluster, node, pid, message) do
    {:ok, peer} = Manager.route(cluster, node)
    :peer.call(peer, :erlang, :send, [pid, message], :infinity)
    :ok
  end

  @doc "Connects a BEAM node to another one."
  @spec connect(pid, node, node) :: :ok
  def connect(cluster, node, other) do
    true = call(cluster, node, Node, :connect, [other])
    :ok
  end

  @doc """
  Stops a node in its tracks. Gives the function that lets it go on.

  A BEAM node goes on when the others have dropped it, and is connected with the BEAM nodes again
  when it has noticed. Not sooner: what it says about one whom it lost, on a connection to another
  that is still up, parts these two, as OTP's `:global` prevents overlapping partitions, and nobody
  joins them again.
  """
  @spec pause(pid, node) :: function
  def pause(cluster, node) do
    others = for %{name: name} = other <- Manager.nodes(cluster), name != node, do: other
    {:ok, %{kind: kind, os_pid: os_pid}} = Manager.fetch(cluster, node)
    probe = if kind == :beam, do: watch_beams(cluster, node, others)
    true = OsProcess.signal(os_pid, :stop)

    fn ->
      if probe, do: await_dropped(cluster, node, others)
      true = OsProcess.signal(os_pid, :cont)
      if probe, do: reconnect(cluster, node, probe, others)
      :ok
    end
  end

  defp beams(nodes), do: for(%{kind: :beam, hidden: false, name: name} <- nodes, do: name)

  defp watch_beams(cluster, node, others) do
    probe = Probe.start(cluster, node)
    for beam <- beams(others), do: Probe.run!(cluster, probe, Node, :monitor, [beam, true])
    probe
  end

  defp await_dropped(cluster, node, others) do
    for %{hidden: false, name: name} <- others do
      wait_until(fn -> assert node not in call(cluster, name, Node, :list) end)
    end
  end

  defp reconnect(cluster, node, probe, others) do
    for beam <- beams(others), do: Probe.await(cluster, probe, {:nodedown, beam})
    # What came before this question is behind it.
    known(cluster, node)
    for beam <- beams(others), do: wait_until(fn -> connect(cluster, node, beam) end)
  end

  defp known(cluster, node),
    do: genserver_call(cluster, node, {:global_name_server, node}, :get_known)

  @doc """
  Waits until these nodes are known to each other as members of `:global`: OTP joins them tenths of
  a second after they have met, and what one registers before is not yet known to the others.
  """
  @spec await_global(pid, [node]) :: :ok
  def await_global(cluster, nodes) do
    for node <- nodes do
      others = Enum.sort(nodes -- [node])
      seen = fn -> Enum.sort(known(cluster, node)) end
      wait_until(fn -> assert {node, seen.()} == {node, others} end, @global_ms)
    end

    :ok
  end

  @doc "What a node has written so far."
  @spec logs(pid, node) :: String.t()
  def logs(cluster, node) do
    {:ok, %{log: log}} = Manager.fetch(cluster, node)
    if File.exists?(log), do: File.read!(log), else: ""
  end

  @doc "The process of the operating system that is the node."
  @spec os_pid(pid, node) :: pos_integer
  def os_pid(cluster, node) do
    {:ok, %{os_pid: os_pid}} = Manager.fetch(cluster, node)
    os_pid
  end

  defp check_status({:ok, status}, node, options) do
    expected = Keyword.get(options, :exit_status, 0)

    if expected in [:any, status] do
      status
    else
      raise "#{node} ended with status #{inspect(status)}, not #{inspect(expected)}"
    end
  end

  defp check_status({:error, reason}, node, _options), do: raise("#{node}: #{inspect(reason)}")

  # A node has joined when it is connected with all others and all hosts know each other.
  defp join(cluster, name) do
    nodes = for node <- Manager.nodes(cluster), not node.hidden, do: node
    others = Enum.reject(nodes, &(&1.name == name))
    for other <- others, do: wait_until(fn -> true = connected?(cluster, name, other.name) end)
    names = for node <- nodes, host?(cluster, node), do: node.name
    if name in names, do: for(host <- names, do: await_hosts(cluster, host, names))
    name
  end

  defp connected?(cluster, name, other) do
    case {Manager.fetch(cluster, name), Manager.fetch(cluster, other)} do
      {{:ok, %{kind: :beam}}, _} -> call(cluster, name, Node, :connect, [other])
      {_, {:ok, %{kind: :beam}}} -> name in call(cluster, other, Node, :list, [:connected])
      # Two C nodes connect by themselves; their hosts show it below.
      _both_c -> true
    end
  end

  defp host?(_cluster, %{kind: :c}), do: true
  defp host?(_cluster, %{kind: kind}) when kind in [:echo, :asker], do: false

  defp host?(cluster, %{kind: :beam, name: name}) do
    call(cluster, name, Process, :whereis, [SessionHost]) != nil
  end

  defp await_hosts(cluster, host, names) do
    wait_until(fn ->
      known = genserver_call(cluster, host, {SessionHost, host}, :hosts)
      [] = names -- Enum.map(known, & &1.node)
    end)
  end
end

defmodule Minotaur.ClusterHelper.Manager do
  @moduledoc """
  `Minotaur.Cluster.Manager` under the name by which a test that says
  `alias Minotaur.ClusterHelper, as: Cluster` finds it.
  """

  defdelegate child_spec(ctx), to: Minotaur.Cluster.Manager
end
