defmodule Minotaur.Cluster.Manager do
  @moduledoc """
  A cluster for one test: `start_supervised!({Cluster.Manager, ctx})`.

  It has an epmd, a cookie and node names of its own, and ends everything when it ends. Nodes are
  BEAM nodes with the application `:minotaur`, or C nodes; each new one is connected to those that
  are there, and counts as started when all hosts know each other. Use it through
  `Minotaur.ClusterHelper`.

  The test VM is not distributed. What is asked of a C node goes through a *driver*: a hidden BEAM
  node that is no host. With `wires: true` in the context a test can cut connections
  (`Minotaur.Cluster.Wires`).
  """

  use GenServer, restart: :temporary, shutdown: 30_000

  alias Minotaur.Cluster.{BeamNode, CNode, Epmd, Logs, Wires}

  @boot_ms 60_000
  @stop_ms 60_000
  @kinds %{beam: BeamNode, c: CNode, echo: CNode, asker: CNode}

  @doc "Starts a cluster without nodes for the test with this context."
  @spec start_link(map) :: GenServer.on_start()
  def start_link(ctx), do: GenServer.start_link(__MODULE__, ctx)

  @doc "Starts a node. See `Minotaur.ClusterHelper.start_node/2`."
  @spec start_node(pid, keyword) :: {:ok, node} | {:error, String.t()}
  def start_node(manager, options) do
    GenServer.call(manager, {:start_node, options}, @boot_ms + 5_000)
  end

  @doc "Stops a node and answers its exit status. See `Minotaur.ClusterHelper.stop_node/3`."
  @spec stop_node(pid, node, :graceful | :kill) :: {:ok, non_neg_integer} | {:error, term}
  def stop_node(manager, node, how) do
    GenServer.call(manager, {:stop_node, node, how}, @stop_ms + 5_000)
  end

  @doc "Waits for the end of a node that is stopped by other means, and answers its exit status."
  @spec await_stop(pid, node) :: {:ok, non_neg_integer} | {:error, term}
  def await_stop(manager, node) do
    GenServer.call(manager, {:stop_node, node, :wait}, @stop_ms + 5_000)
  end

  @doc "The peer that calls to `node` go through: its own, or the driver's."
  @spec route(pid, node) :: {:ok, pid} | {:error, :unknown_node}
  def route(manager, node), do: GenServer.call(manager, {:route, node}, @boot_ms)

  @doc "What the node is: `%{kind, name, log, os_pid, ...}`."
  @spec fetch(pid, node) :: {:ok, map} | :error
  def fetch(manager, node), do: GenServer.call(manager, {:fetch, node})

  @doc "The nodes that run, in the order of their start."
  @spec nodes(pid) :: [map]
  def nodes(manager), do: GenServer.call(manager, :nodes)

  @doc "The wires of a cluster that has them."
  @spec wires(pid) :: pid
  def wires(manager), do: GenServer.call(manager, :wires)

  @impl true
  def init(ctx) do
    Process.flag(:trap_exit, true)
    logs = Logs.new!(ctx)
    home = Path.join(logs, "home-#{random(4)}")
    cookie_file = write_cookie!(home)
    epmd = Epmd.start!(if Logs.kept?(ctx), do: home, else: logs)
    wires = if ctx[:wires], do: elem(Wires.start_link(epmd.number), 1)

    {:ok,
     %{
       ctx: ctx,
       logs: logs,
       home: home,
       cookie_file: cookie_file,
       epmd: epmd,
       epmd_port: if(wires, do: Wires.port(wires), else: epmd.number),
       wires: wires,
       nodes: %{},
       order: [],
       driver: nil,
       waiting: %{}
     }}
  end

  @impl true
  def handle_call({:start_node, options}, from, state) do
    {name, state} = launch(options, state)
    {:noreply, await({:started, name}, from, state)}
  rescue
    error -> {:reply, {:error, Exception.message(error)}, state}
  end

  def handle_call({:stop_node, name, how}, from, state) do
    case state.nodes do
      %{^name => %{status: nil} = node} ->
        if how != :wait, do: node.module.stop(node.server, how)
        {:noreply, await({:stopped, name}, from, state)}

      %{^name => %{status: status}} ->
        {:reply, {:ok, status}, state}

      _unknown ->
        {:reply, {:error, :unknown_node}, state}
    end
  end

  def handle_call({:route, name}, from, state) do
    case state.nodes do
      %{^name => %{kind: :beam, status: nil, peer: peer}} -> {:reply, {:ok, peer}, state}
      %{^name => _c_or_stopped} -> route_through_driver(from, state)
      _unknown -> {:reply, {:error, :unknown_node}, state}
    end
  end

  def handle_call({:fetch, name}, _from, state), do: {:reply, Map.fetch(state.nodes, name), state}

  def handle_call(:nodes, _from, state), do: {:reply, running(state), state}
  def handle_call(:wires, _from, state), do: {:reply, state.wires, state}

  @impl true
  def handle_info({:booted, name, details}, state) do
    state = update_node(state, name, &Map.merge(&1, Map.put(details, :booted, true)))
    {:noreply, state |> note_driver(name) |> reply({:started, name}, {:ok, name})}
  end

  def handle_info({:down, name, status}, state) do
    state = update_node(state, name, &%{&1 | status: status})
    state = reply(state, {:stopped, name}, {:ok, status})
    {:noreply, reply(state, {:started, name}, {:error, "#{name} ended with #{inspect(status)}"})}
  end

  def handle_info({:EXIT, server, reason}, state) do
    case Enum.find(state.nodes, fn {_name, node} -> node.server == server end) do
      {name, %{status: nil}} -> handle_info({:down, name, reason}, state)
      _ended_or_stranger -> {:noreply, state}
    end
  end

  def handle_info({port, {:exit_status, status}}, %{epmd: %{port: port}} = state) do
    {:stop, {:epmd_ended, status}, %{state | epmd: nil}}
  end

  @impl true
  def terminate(_reason, state) do
    for %{status: nil} = node <- Map.values(state.nodes), do: end_now(node)
    if state.epmd, do: Epmd.stop(state.epmd)
    File.rm_rf!(state.home)
    Logs.release(state.ctx, state.logs)
  end

  defp write_cookie!(home) do
    File.mkdir_p!(home)
    File.chmod!(home, 0o700)
    file = Path.join(home, ".erlang.cookie")
    File.write!(file, "")
    File.chmod!(file, 0o600)
    File.write!(file, random(20))
    file
  end

  defp launch(options, state) do
    kind = Keyword.get(options, :kind) || Map.get(state.ctx, :kind, :beam)
    name = Keyword.get_lazy(options, :name, fn -> :"n#{random(6)}@127.0.0.1" end)
    module = Map.fetch!(@kinds, kind)
    executable = module == CNode and CNode.executable!(kind)
    log = Path.join(state.logs, "#{map_size(state.nodes) + 1}-#{kind}-#{name}.log")

    config = %{
      name: name,
      log: log,
      home: state.home,
      cookie_file: state.cookie_file,
      epmd_port: state.epmd_port,
      environment: Keyword.get(options, :environment, []),
      applications: Keyword.get(options, :applications, [:minotaur]),
      net_ticktime: Keyword.get(options, :net_ticktime),
      hidden: Keyword.get(options, :hidden, false),
      release: Keyword.get(options, :release),
      arguments: Keyword.get(options, :arguments, []),
      executable: executable,
      cpus: Keyword.get(options, :cpus),
      connect: Keyword.get(options, :connect) || for(node <- hosts(state), do: node.name)
    }

    {:ok, server} = module.start_link(config)

    node = %{
      kind: kind,
      name: name,
      module: module,
      server: server,
      log: log,
      hidden: config.hidden
    }

    node = Map.merge(node, %{status: nil, booted: false, peer: nil, os_pid: nil})
    nodes = Map.put(state.nodes, name, node)
    {name, %{state | nodes: nodes, order: List.delete(state.order, name) ++ [name]}}
  end

  defp route_through_driver(from, %{driver: nil} = state) do
    {name, state} = launch([kind: :beam, hidden: true, applications: []], state)
    route_through_driver(from, %{state | driver: name})
  end

  defp route_through_driver(from, %{driver: driver} = state) do
    case state.nodes[driver] do
      %{booted: true, peer: peer} -> {:reply, {:ok, peer}, state}
      _booting -> {:noreply, await(:driver, from, state)}
    end
  end

  defp note_driver(%{driver: name} = state, name) do
    reply(state, :driver, {:ok, state.nodes[name].peer})
  end

  defp note_driver(state, _other), do: state

  defp hosts(state), do: for(node <- running(state), not node.hidden, do: node)

  defp running(state) do
    for name <- state.order, %{status: nil, booted: true} = node <- [state.nodes[name]], do: node
  end

  defp end_now(node) do
    node.module.stop(node.server, :kill)
    name = node.name

    receive do
      {:down, ^name, _status} -> :ok
      {:EXIT, server, _reason} when server == node.server -> :ok
    end
  end

  defp update_node(state, name, change) do
    %{state | nodes: Map.update!(state.nodes, name, change)}
  end

  defp await(event, from, state) do
    %{state | waiting: Map.update(state.waiting, event, [from], &[from | &1])}
  end

  defp reply(state, event, answer) do
    {waiting, rest} = Map.pop(state.waiting, event, [])
    for from <- waiting, do: GenServer.reply(from, answer)
    %{state | waiting: rest}
  end

  defp random(bytes), do: Base.encode16(:crypto.strong_rand_bytes(bytes), case: :lower)
end
