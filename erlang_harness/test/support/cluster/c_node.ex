defmodule Minotaur.Cluster.CNode do
  @moduledoc """
  A C node of a test cluster: `minotaur-node`, run through a port. It ends when its standard input
  closes (`MINOTAUR_NODE_STDIN=lifeline`), so also when the test VM is killed.

  The executable is named by `MINOTAUR_NODE_EXECUTABLE`, those of the kinds `:echo` and `:asker` by
  `CNODE_ECHO_EXECUTABLE` and `CNODE_ASKER_EXECUTABLE`. Its standard error is its log; on its
  standard output it says `ready NAME port=N`.
  """

  use GenServer, restart: :temporary

  alias Minotaur.Cluster.OsProcess

  @executables %{
    c: {"MINOTAUR_NODE_EXECUTABLE", "minotaur-node"},
    echo: {"CNODE_ECHO_EXECUTABLE", "cnode-echo"},
    asker: {"CNODE_ASKER_EXECUTABLE", "cnode-asker"}
  }

  # exec keeps the process id, so that signals reach the node.
  @script ~S(exec "$0" "$@" 2>>"$MINOTAUR_NODE_LOG")

  @doc "Starts the node; it tells the calling process how it gets on, as a `BeamNode` does."
  @spec start_link(map) :: GenServer.on_start()
  def start_link(config), do: GenServer.start_link(__MODULE__, Map.put(config, :manager, self()))

  @doc "Ends the node: `:graceful` by SIGTERM, or `:kill`."
  @spec stop(pid, :graceful | :kill) :: :ok
  def stop(node, how), do: GenServer.cast(node, {:stop, how})

  @doc "The path of the executable for this kind; raises with what to do when there is none."
  @spec executable!(:c | :echo | :asker) :: Path.t()
  def executable!(kind \\ :c) do
    {variable, program} = Map.fetch!(@executables, kind)
    path = System.get_env(variable, "")

    if Path.type(path) == :absolute and File.regular?(path) do
      path
    else
      raise "#{variable} must be the absolute path of #{program} (scripts/build prints it), " <>
              "got: #{inspect(path)}"
    end
  end

  @impl true
  def init(config) do
    Process.flag(:trap_exit, true)
    port = Port.open({:spawn_executable, "/bin/sh"}, port_options(config))
    os_pid = port |> Port.info(:os_pid) |> elem(1)
    {:ok, Map.merge(config, %{port: port, os_pid: os_pid})}
  end

  @impl true
  def handle_cast({:stop, how}, state) do
    OsProcess.signal(state.os_pid, if(how == :graceful, do: :term, else: :kill))
    {:noreply, state}
  end

  @impl true
  def handle_info({port, {:data, {_eol, line}}}, %{port: port} = state) do
    File.write!(state.log, [line, ?\n], [:append])
    if ready?(line, state.name), do: booted(state)
    {:noreply, state}
  end

  def handle_info({port, {:exit_status, status}}, %{port: port} = state) do
    send(state.manager, {:down, state.name, status})
    {:stop, :normal, Map.delete(state, :os_pid)}
  end

  def handle_info({:EXIT, port, _reason}, state) when is_port(port), do: {:noreply, state}
  def handle_info({:EXIT, _from, reason}, state), do: {:stop, reason, state}

  @impl true
  def terminate(_reason, %{os_pid: os_pid}), do: OsProcess.signal(os_pid, :kill)
  def terminate(_reason, _ended), do: :ok

  defp ready?(line, name), do: String.starts_with?(line, "ready #{name} port=")

  defp booted(state), do: send(state.manager, {:booted, state.name, %{os_pid: state.os_pid}})

  defp port_options(config) do
    command = OsProcess.command(config.executable, config.cpus)

    [
      :binary,
      :exit_status,
      {:line, 4_096},
      args: ["-c", @script] ++ command ++ arguments(config),
      env: OsProcess.environment(variables(config))
    ]
  end

  defp arguments(config) do
    ticktime = if config.net_ticktime, do: ["--net-ticktime", "#{config.net_ticktime}"], else: []
    connect = Enum.flat_map(config.connect, &["--connect", "#{&1}"])
    hidden = if config.hidden, do: ["--hidden"], else: []
    base = ["--name", "#{config.name}", "--cookie-file", config.cookie_file]
    base ++ hidden ++ ticktime ++ connect ++ config.arguments
  end

  defp variables(config) do
    settings =
      for {key, value} <- Keyword.get(config.environment, :minotaur, []),
          setting?(key),
          into: %{} do
        {"MINOTAUR_" <> String.upcase("#{key}"), value}
      end

    Map.merge(settings, %{
      "ERL_EPMD_PORT" => config.epmd_port,
      "MINOTAUR_NODE_STDIN" => "lifeline",
      "MINOTAUR_NODE_LOG" => config.log
    })
  end

  # A key that is a module (an endpoint's settings) means nothing to a C node.
  defp setting?(key), do: not String.starts_with?(Atom.to_string(key), "Elixir.")
end
