defmodule Minotaur.Cluster.BeamNode do
  @moduledoc """
  A BEAM node of a test cluster: an OTP `:peer` that is controlled over its standard input and
  output, so that the test VM need not be distributed, and that ends when they close.

  It has the code of the test VM, its output is written to its log, its cookie is in its home
  directory. Speaks to the manager as `Minotaur.Cluster.CNode` does: `{:booted, name}` once it runs,
  `{:down, name, exit_status}` when it ended.
  """

  use GenServer, restart: :temporary

  alias Minotaur.Cluster.OsProcess

  @boot_ms 60_000

  # The VM has the shell's input and output. A peer does not tell the exit status: the shell does.
  @script ~S({ "$0" "$@"; echo $? >"$MINOTAUR_NODE_LOG.status"; } 2>>"$MINOTAUR_NODE_LOG")

  @doc "Starts the node; it tells the calling process how it gets on."
  @spec start_link(map) :: GenServer.on_start()
  def start_link(config), do: GenServer.start_link(__MODULE__, Map.put(config, :manager, self()))

  @doc "Ends the node: `:graceful` as an operator does, or `:kill`."
  @spec stop(pid, :graceful | :kill) :: :ok
  def stop(node, how), do: GenServer.cast(node, {:stop, how})

  @impl true
  def init(config) do
    Process.flag(:trap_exit, true)
    {:ok, config, {:continue, :boot}}
  end

  @impl true
  def handle_continue(:boot, config) do
    {:ok, log} = File.open(config.log, [:append, :utf8])
    Process.group_leader(self(), log)
    {:ok, peer, _node} = :peer.start(peer_options(config))
    monitor = Process.monitor(peer)
    set_up(peer, config)
    os_pid = peer |> :peer.call(:os, :getpid, [], @boot_ms) |> List.to_integer()
    send(config.manager, {:booted, config.name, %{peer: peer, os_pid: os_pid}})
    {:noreply, Map.merge(config, %{peer: peer, monitor: monitor, os_pid: os_pid})}
  end

  @impl true
  def handle_cast({:stop, :graceful}, state) do
    :peer.cast(state.peer, :init, :stop, [])
    {:noreply, state}
  end

  def handle_cast({:stop, :kill}, state) do
    OsProcess.signal(state.os_pid, :kill)
    {:noreply, state}
  end

  @impl true
  def handle_info({:DOWN, monitor, _, _, _reason}, %{monitor: monitor} = state) do
    send(state.manager, {:down, state.name, exit_status(state.log)})
    {:stop, :normal, state}
  end

  # Of the commands that send signals.
  def handle_info({:EXIT, port, _reason}, state) when is_port(port), do: {:noreply, state}
  def handle_info({:EXIT, _from, reason}, state), do: {:stop, reason, state}

  @impl true
  def terminate(_reason, %{os_pid: os_pid}), do: OsProcess.signal(os_pid, :kill)
  def terminate(_reason, _booting), do: :ok

  defp exit_status(log),
    do: (log <> ".status") |> File.read!() |> String.trim() |> String.to_integer()

  defp peer_options(config) do
    [name, host] = config.name |> Atom.to_charlist() |> :string.lexemes(~c"@")
    dotted? = ?. in host

    %{
      name: name,
      host: host,
      longnames: dotted?,
      connection: :standard_io,
      wait_boot: @boot_ms,
      exec: {~c"/bin/sh", Enum.map(["-c", @script | erl(config)], &to_charlist/1)},
      args: Enum.map(arguments(config), &to_charlist/1),
      env: environment(config)
    }
  end

  defp erl(config) do
    [erl | arguments] =
      if other?(config), do: words("MINOTAUR_OTHER_ERL"), else: [System.find_executable("erl")]

    OsProcess.command(erl, config.cpus) ++ arguments
  end

  # Without being told, half of the nodes run on the other release of OTP, if there is one.
  defp other?(config) do
    release = config.release || Enum.at([:own, :other], :erlang.phash2(config.name, 2))
    release == :other and words("MINOTAUR_OTHER_ERL") != []
  end

  defp words(variable), do: variable |> System.get_env("") |> String.split()

  # The other release finds its own code.
  defp code_path(config), do: if(other?(config), do: [], else: :code.get_path())

  defp arguments(config) do
    ticktime =
      if config.net_ticktime, do: ~w(-kernel net_ticktime #{config.net_ticktime}), else: []

    hidden = if config.hidden, do: ["-hidden"], else: []
    base = ~w(-start_epmd false +sbwt none +sbwtdcpu none +sbwtdio none)
    base ++ hidden ++ ticktime ++ config.arguments
  end

  defp environment(config) do
    OsProcess.environment(%{
      "ERL_EPMD_PORT" => config.epmd_port,
      "HOME" => config.home,
      "MINOTAUR_NODE_LOG" => config.log
    })
  end

  defp set_up(peer, config) do
    :ok = :peer.call(peer, :code, :add_pathsz, [code_path(config)], @boot_ms)
    {:ok, _} = :peer.call(peer, :application, :ensure_all_started, [:elixir], @boot_ms)

    for {app, settings} <- [logger: [level: :info]] ++ config.environment,
        {key, value} <- settings do
      :peer.call(peer, Application, :put_env, [app, key, value, [persistent: true]], @boot_ms)
    end

    for app <- config.applications do
      {:ok, _} = :peer.call(peer, :application, :ensure_all_started, [app], @boot_ms)
    end
  end
end
