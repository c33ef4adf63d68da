defmodule Minotaur.SessionHost do
  @moduledoc """
  The host of this node: what other hosts, operators and the API talk to. It knows the other hosts,
  starts sessions here, takes offered ones in, and drains.

  The messages are those of `cnode/session/PROTOCOL.md`, spoken by C nodes alike. The host never
  waits for another node: starts and moves run in tasks, hellos go out without suspending.

  A drain is a state of the host, moved on by what happens to its sessions:

      serving ──► moving (64 tasks at most) ──► awaiting forwarders ──► drained
                     └──────────── deadline ───────────────────────────────┘

  How it fails: a host that crashes is restarted and finds its sessions again; the other hosts see
  its end and hear of its new life.
  """

  use GenServer

  require Logger

  alias Minotaur.GameEngine.{EndedSessions, Game, LocalSessions, NameKeeper, Session}
  alias Minotaur.GameEngine.SessionSupervisor
  alias Minotaur.Handoff.{Failpoint, Inquiry}
  alias Minotaur.SessionHost.{Conductor, Drain, LastWords, Members, Starter}
  alias Minotaur.Settings

  @hello_pause_ms 100
  @progress_ms 1_000
  @hurry_ms 1_000

  defstruct [
    :incarnation,
    :members,
    :drain,
    :hello_timer,
    :last_words,
    cordoned: false,
    conductor: %Conductor{},
    starts: %{},
    children: %{}
  ]

  @doc false
  def start_link(_options), do: GenServer.start_link(__MODULE__, nil, name: __MODULE__)

  @doc """
  Drains a host and waits for its summary. The node stops afterwards, or stays (it is stopping
  already). Exits as `GenServer.call/3` does.
  """
  @spec drain(GenServer.server(), :stop | :stay, timeout) :: {:ok, map}
  def drain(host, :stop, timeout), do: GenServer.call(host, :drain, timeout)

  def drain(host, :stay, timeout),
    do: GenServer.call(host, {__MODULE__, :drain_and_stay}, timeout)

  @doc "Tells this node's host what the calling session became."
  @spec role_changed(Session.t(), atom) :: :ok
  def role_changed(session, role) do
    send(__MODULE__, {__MODULE__, :role, self(), {role, session.id, session.epoch}})
    :ok
  rescue
    # The host is being restarted. It asks the supervisor for its sessions.
    ArgumentError -> :ok
  end

  @impl true
  def init(nil) do
    :ok = :net_kernel.monitor_nodes(true, node_type: :visible)
    host = %__MODULE__{incarnation: incarnation(), members: %Members{}}
    host = Enum.reduce(children(), host, fn {pid, child}, host -> watch(host, pid, child) end)
    say_hello(host, Node.list())
    {:ok, host}
  end

  @impl true
  def handle_call(:info, _from, host), do: {:reply, info(host), host}

  def handle_call(:hosts, _from, host) do
    {:reply, [info(host) | Members.infos(host.members)], host}
  end

  def handle_call(:sessions, _from, host), do: {:reply, LocalSessions.list(), host}

  def handle_call({:whereis, {kind, _} = key}, _from, host) when kind in [:id, :join_code] do
    {:reply, LocalSessions.whereis(key), host}
  end

  def handle_call({:ended, id}, _from, host), do: {:reply, EndedSessions.find(id), host}
  def handle_call({:owner, id}, _from, host), do: {:reply, LocalSessions.owner(id), host}

  # For somebody who cannot reach that node.
  def handle_call({:owner, id, node}, from, host) do
    Inquiry.relay(id, Enum.filter(Members.nodes(host.members), &(&1 == node)), from)
    {:noreply, host}
  end

  def handle_call({:start_session, join_code, game}, from, host) do
    case readiness(host) do
      :ok -> {:noreply, start_session(join_code, game, from, host)}
      refusal -> {:reply, {:error, refusal}, host}
    end
  end

  def handle_call(
        {:offer, %{protocol: _, id: _, transfer: transfer, source: source} = offer},
        _,
        host
      )
      when is_reference(transfer) and is_pid(source) do
    case Failpoint.pass?(:in_offer) and judge(offer, host) do
      :ok -> accept(offer, host)
      false -> {:noreply, host}
      reason -> {:reply, {:refuse, reason}, host}
    end
  end

  def handle_call(:cordon, _from, host), do: {:reply, :ok, set_cordon(true, host)}

  def handle_call(:uncordon, _from, %{drain: nil} = host),
    do: {:reply, :ok, set_cordon(false, host)}

  def handle_call(:uncordon, _from, host), do: {:reply, {:error, :draining}, host}

  def handle_call({:move, _id, target}, _from, host) when not is_atom(target),
    do: {:reply, {:error, {:invalid_node, target}}, host}

  def handle_call({:move, id, target}, from, host), do: move(id, target, from, host)

  def handle_call(request, _from, %{drain: %Drain{}} = host)
      when request in [:rebalance, :rehearse],
      do: {:reply, {:error, :draining}, host}

  def handle_call(:rebalance, from, host) do
    case Conductor.rebalance(host.conductor, from, open_sessions(host)) do
      {:ok, conductor} -> {:noreply, conduct(%{host | conductor: conductor})}
      error -> {:reply, error, host}
    end
  end

  def handle_call(:rehearse, from, host) do
    Conductor.rehearse(from, open_sessions(host), Members.infos(host.members))
    {:noreply, host}
  end

  def handle_call(:drain, from, host), do: {:noreply, begin_drain({from, :stop}, host)}

  def handle_call({__MODULE__, :drain_and_stay}, from, host) do
    {:noreply, begin_drain({from, :stay}, host)}
  end

  def handle_call({__MODULE__, :lost_lately?}, _from, host),
    do: {:reply, Members.lost_lately?(host.members), host}

  def handle_call(_unknown, _from, host), do: {:reply, {:error, :unknown_request}, host}

  @impl true
  def handle_cast(message, host), do: dropped(message, host)

  @impl true
  def handle_info({:host_hello, protocol, info}, host), do: hello(protocol, info, host)

  def handle_info({:host_bye, node, incarnation}, host) do
    NameKeeper.check()
    {:noreply, %{host | members: Members.bye(host.members, node, incarnation)}}
  end

  def handle_info({:nodeup, node, _info}, host) do
    say_hello(host, [node])
    {:noreply, host}
  end

  # The monitor of the other host tells.
  def handle_info({:nodedown, _node, _info}, host), do: {:noreply, host}

  def handle_info({__MODULE__, :role, pid, child}, host) do
    {:noreply, host |> note_child(pid, child) |> load_changed() |> progress()}
  end

  def handle_info({__MODULE__, :say_hello}, host) do
    say_hello(host, Members.nodes(host.members))
    {:noreply, %{host | hello_timer: nil}}
  end

  def handle_info({__MODULE__, :drain_progress}, host) do
    if line = Drain.progress(host.drain) do
      Logger.info("drain: " <> line)
      Process.send_after(self(), {__MODULE__, :drain_progress}, @progress_ms)
    end

    {:noreply, host}
  end

  def handle_info({__MODULE__, :drain_deadline}, host), do: {:noreply, drain_deadline(host)}

  def handle_info({__MODULE__, :hurry, how}, host), do: {:noreply, hurry(how, host)}

  def handle_info({ref, answer}, host) when is_reference(ref) do
    Process.demonitor(ref, [:flush])
    {:noreply, task_ended(ref, answer, host)}
  end

  def handle_info({:DOWN, ref, :process, pid, reason}, host) do
    {:noreply, down(ref, pid, reason, host)}
  end

  def handle_info(message, host), do: dropped(message, host)

  # -- what it says of itself

  defp info(host) do
    %{
      node: node(),
      pid: self(),
      incarnation: host.incarnation,
      protocol: Members.protocol(),
      app_version: Settings.app_version(),
      state_versions: Game.versions(),
      draining: host.drain != nil or host.cordoned,
      sessions: LocalSessions.count(),
      capacity: Settings.capacity()
    }
  end

  defp incarnation, do: System.os_time(:microsecond)

  # -- other hosts

  defp hello(protocol, info, host) do
    case Members.hello(host.members, protocol, info) do
      {:known, members} ->
        {:noreply, %{host | members: members}}

      {:new, members} ->
        say_hello(host, [info.node])
        contested = LocalSessions.contested(System.monotonic_time(:millisecond))
        for session <- contested, do: send(session, {__MODULE__, :host_met})
        {:noreply, %{host | members: members}}

      {:error, reason} ->
        Logger.warning("host: a hello was ignored (#{reason}): #{inspect(info, limit: 10)}")
        {:noreply, host}
    end
  end

  defp say_hello(host, nodes), do: tell(nodes, {:host_hello, Members.protocol(), info(host)})

  # A peer that does not read must not hold the host up: then a task waits for it.
  defp tell(nodes, message) do
    for node <- nodes, node != node() do
      destination = {__MODULE__, node}

      if :erlang.send(destination, message, [:noconnect, :nosuspend]) == :nosuspend do
        Task.Supervisor.start_child(Minotaur.TaskSupervisor, fn -> send(destination, message) end)
      end
    end

    :ok
  end

  defp load_changed(%{hello_timer: nil} = host) do
    timer = Process.send_after(self(), {__MODULE__, :say_hello}, @hello_pause_ms)
    %{host | hello_timer: timer}
  end

  defp load_changed(host), do: host

  # -- sessions

  defp session_pids do
    for {_, pid, _, _} when is_pid(pid) <- DynamicSupervisor.which_children(SessionSupervisor),
        do: pid
  end

  # After a restart of the host: who has no row is on its way in or out, and will tell.
  defp children do
    rows = Map.new(LocalSessions.list(), &{&1.pid, {:open, &1.id, &1.epoch}})
    for pid <- session_pids(), do: {pid, Map.get(rows, pid, {:opening, nil, 1})}
  end

  defp watch(host, pid, child) do
    Process.monitor(pid)
    note_child(%{host | children: Map.put(host.children, pid, child)}, pid, child)
  end

  # A session that is not watched yet is on its way to be.
  defp note_child(host, pid, {role, _id, _epoch} = child) when is_map_key(host.children, pid) do
    drain =
      case {elem(host.children[pid], 0), role} do
        {:forwarding, :open} -> Drain.is_back(host.drain, pid)
        {_before, :open} -> Drain.add(host.drain, pid)
        _other -> host.drain
      end

    %{host | children: Map.put(host.children, pid, child), drain: drain}
  end

  defp note_child(host, _pid, _child), do: host

  # What ends by itself notes that itself; one that its supervisor ends cannot.
  defp note_end({:open, id, epoch}, :shutdown), do: EndedSessions.note(id, epoch)
  defp note_end(_child, _reason), do: :ok

  defp readiness(%{drain: nil, cordoned: false} = host) do
    if map_size(host.children) + map_size(host.starts) < Settings.capacity(), do: :ok, else: :full
  end

  defp readiness(_host), do: :draining

  defp start_session(join_code, game, from, host) do
    task =
      Task.Supervisor.async_nolink(Minotaur.TaskSupervisor, Starter, :start, [join_code, game])

    %{host | starts: Map.put(host.starts, task.ref, from)}
  end

  defp judge(%{protocol: protocol}, _host) when protocol != 1, do: :unsupported_protocol

  defp judge(offer, host) do
    cond do
      Failpoint.refuses?(:in_offer) -> :failpoint
      Map.get(offer, :state_version) not in Game.versions() -> :unsupported_state_version
      LocalSessions.owner(offer.id) -> :already_owner
      true -> readiness(host)
    end
  end

  defp accept(offer, host) do
    {:ok, pid} = Starter.start_paused(Map.put_new(offer, :join_code, nil))
    {:reply, {:accept, pid}, watch(host, pid, {:arriving, offer.id, 1})}
  end

  defp task_ended(ref, answer, %{starts: starts} = host) when is_map_key(starts, ref) do
    {from, starts} = Map.pop!(starts, ref)
    GenServer.reply(from, answer)
    host = %{host | starts: starts}

    case answer do
      {:ok, pid} -> host |> watch(pid, {:open, nil, 1}) |> load_changed() |> progress()
      {:error, _reason} -> progress(host)
    end
  end

  defp task_ended(ref, outcome, host) when is_map_key(host.conductor.tasks, ref) do
    {session, conductor} = Conductor.ended(host.conductor, ref, outcome)
    drain = Drain.conducted(host.drain, session, outcome, is_map_key(host.children, session))
    progress(conduct(%{host | conductor: conductor, drain: drain}))
  end

  defp task_ended(ref, _outcome, %{last_words: ref} = host), do: drained(host)

  defp task_ended(ref, outcome, host) do
    session = Drain.session(host.drain, ref)
    drain = Drain.move_ended(host.drain, ref, outcome, is_map_key(host.children, session))
    progress(%{host | drain: drain})
  end

  defp down(ref, pid, reason, host) do
    cond do
      is_map_key(host.children, pid) ->
        note_end(host.children[pid], reason)
        drain = Drain.ended(host.drain, pid)
        host = %{host | children: Map.delete(host.children, pid), drain: drain}
        host |> load_changed() |> progress()

      is_map_key(host.starts, ref) or Drain.moves?(host.drain, ref) or
        Conductor.task?(host.conductor, ref) or ref == host.last_words ->
        task_ended(ref, {:error, reason}, host)

      true ->
        member_down(ref, host)
    end
  end

  defp member_down(ref, host) do
    with {:ok, members} <- Members.down(host.members, ref) do
      NameKeeper.check()
      %{host | members: members}
    else
      :unknown -> host
    end
  end

  defp dropped(message, host) do
    Logger.warning("host: dropped an unknown message: #{inspect(message, limit: 10)}")
    {:noreply, host}
  end

  # -- what an operator orders while it stays

  defp move(id, target, from, host) do
    case LocalSessions.whereis({:id, id}) do
      nil ->
        Conductor.look_elsewhere(from, id)
        {:noreply, host}

      pid when node(pid) != node() ->
        {:reply, {:error, {:not_here, pid}}, host}

      pid ->
        move_from_here(pid, target, from, host)
    end
  end

  defp move_from_here(pid, target, from, host) do
    info = Members.info(host.members, target)

    cond do
      target == node() -> {:reply, :ok, host}
      host.drain != nil -> {:reply, {:error, :draining}, host}
      Conductor.moves?(host.conductor, pid) -> {:reply, {:error, :busy}, host}
      info == nil -> {:reply, {:error, :no_such_host}, host}
      true -> {:noreply, %{host | conductor: Conductor.move(host.conductor, from, pid, info)}}
    end
  end

  defp conduct(host) do
    %{host | conductor: Conductor.progress(host.conductor, Members.infos(host.members))}
  end

  # The newest first: the last names that :global took are those it gives up fast.
  defp open_sessions(host) do
    Enum.sort(for({pid, {:open, _, _}} <- host.children, do: pid), :desc)
  end

  # -- cordon and drain

  defp set_cordon(cordoned, host) do
    host = %{host | cordoned: cordoned}
    say_hello(host, Members.nodes(host.members))
    host
  end

  defp begin_drain(waiter, %{drain: nil} = host) do
    # What the conductor moves is on its way already.
    host = %{host | conductor: Conductor.yield(host.conductor)}
    sessions = Enum.reject(open_sessions(host), &Conductor.moves?(host.conductor, &1))
    host = %{host | drain: sessions |> Enum.reverse() |> Drain.new()}
    say_hello(host, Members.nodes(host.members))
    Process.send_after(self(), {__MODULE__, :drain_deadline}, Settings.drain_ms())
    Process.send_after(self(), {__MODULE__, :drain_progress}, @progress_ms)
    begin_drain(waiter, host)
  end

  defp begin_drain(waiter, host) do
    progress(%{host | drain: Drain.await(host.drain, waiter)})
  end

  defp progress(%{drain: nil} = host), do: host

  defp progress(host) do
    drain = Drain.start_moves(host.drain, Members.infos(host.members))
    settle(Drain.phase(drain, map_size(host.children)), %{host | drain: drain})
  end

  defp settle(:done, %{starts: starts} = host) when map_size(starts) == 0, do: drained(host)
  defp settle(_busy, host), do: host

  defp drain_deadline(%{drain: %{expired: false}} = host) do
    forwarders = for {pid, {:forwarding, _, _}} <- host.children, do: pid
    task = Task.Supervisor.async_nolink(Minotaur.TaskSupervisor, LastWords, :hear, [forwarders])
    %{give_up(host) | last_words: task.ref}
  end

  defp drain_deadline(host), do: host

  defp give_up(host) do
    conducted = map_size(host.conductor.tasks)
    %{host | drain: Drain.give_up(host.drain, conducted)}
  end

  defp hurry(_how, %{drain: nil} = host), do: host
  defp hurry(:now, host), do: host |> give_up() |> drained()

  defp hurry(:soon, host) do
    Process.send_after(self(), {__MODULE__, :drain_deadline}, @hurry_ms)
    host
  end

  defp drained(host) do
    {first?, summary, waiters, drain} = Drain.finish(host.drain)
    if first?, do: say_bye(summary, host)
    for {from, _then} <- waiters, do: GenServer.reply(from, {:ok, summary})
    if Enum.any?(waiters, &match?({_from, :stop}, &1)), do: stop_node(summary)
    %{host | drain: drain}
  end

  defp say_bye(summary, host) do
    tell(Members.nodes(host.members), {:host_bye, node(), host.incarnation})

    Logger.info(
      "drain: #{summary.moved} of #{summary.sessions} sessions moved, " <>
        "#{summary.lost} lost, in #{summary.ms} ms"
    )
  end

  # From a process of its own: the stop waits for this application, and so for this host.
  defp stop_node(summary), do: spawn(fn -> System.stop(if summary.lost == 0, do: 0, else: 70) end)
end
