defmodule Minotaur.SessionHost.Conductor do
  @moduledoc """
  The bookkeeping of moves that an operator orders while this host stays: of one session to one
  host, and the rebalance. The host asks after each event what to do next.

  The moves run in tasks, those of a rebalance as few at a time as in a drain. How it fails: a
  session that its target does not take runs on here, and the answer says why. When a drain begins
  nothing more is begun here; it waits for the moves that are under way.
  """

  alias Minotaur.Handoff.Mover
  alias Minotaur.SessionHost.{Errand, Window}

  defstruct tasks: %{}, window: %Window{}, rebalance: nil

  @type t :: %__MODULE__{}

  @doc "Begins to move `session` to the host of the known info `target`; `from` gets the outcome."
  @spec move(t, GenServer.from(), pid, map) :: t
  def move(conductor, from, session, target) do
    begin(conductor, session, {:reply, from}, [Mover, :move_to, [session, target]])
  end

  @doc "Looks for a session that does not live here, and answers `from`."
  @spec look_elsewhere(GenServer.from(), term) :: :ok
  def look_elsewhere(from, id), do: in_background(Errand, :not_here, [from, id])

  @doc "Finds out who of `sessions` would go to which of `hosts`, and answers `from`."
  @spec rehearse(GenServer.from(), [pid], [map]) :: :ok
  def rehearse(from, sessions, hosts),
    do: in_background(Errand, :rehearse, [from, sessions, hosts])

  @doc "Begins a rebalance of these sessions."
  @spec rebalance(t, GenServer.from(), [pid]) :: {:ok, t} | {:error, :busy}
  def rebalance(%{rebalance: nil} = conductor, from, sessions) do
    counts = %{moved: 0, failed: 0, stayed: 0}
    {:ok, %{conductor | rebalance: %{from: from, queue: sessions, moving: 0, counts: counts}}}
  end

  def rebalance(_conductor, _from, _sessions), do: {:error, :busy}

  @doc "Whether this session is on its way."
  @spec moves?(t, pid) :: boolean
  def moves?(conductor, session) do
    Enum.any?(conductor.tasks, &match?({_ref, {^session, _}}, &1))
  end

  @doc "Whether a task of this reference is the conductor's."
  @spec task?(t, reference) :: boolean
  def task?(conductor, ref), do: is_map_key(conductor.tasks, ref)

  @doc "Begins as many moves of the rebalance as may be, and answers when it is over."
  @spec progress(t, [map]) :: t
  def progress(%{rebalance: nil} = conductor, _hosts), do: conductor

  def progress(%{rebalance: %{queue: [session | queue], moving: moving}} = conductor, hosts)
      when moving < conductor.window.max do
    conductor = put_in(conductor.rebalance.queue, queue)

    if moves?(conductor, session) do
      conductor |> count(:stayed) |> progress(hosts)
    else
      conductor = put_in(conductor.rebalance.moving, moving + 1)
      move = [Mover, :rebalance, [session, hosts]]
      conductor |> begin(session, :rebalance, move) |> progress(hosts)
    end
  end

  def progress(%{rebalance: %{queue: [], moving: 0} = rebalance} = conductor, _hosts) do
    GenServer.reply(rebalance.from, {:ok, rebalance.counts})
    %{conductor | rebalance: nil}
  end

  def progress(conductor, _hosts), do: conductor

  @doc "A move has ended. Answers whose it was."
  @spec ended(t, reference, term) :: {pid, t}
  def ended(conductor, ref, outcome) do
    {{session, whose}, tasks} = Map.pop!(conductor.tasks, ref)
    {session, %{conductor | tasks: tasks} |> learn(outcome) |> tell(whose, outcome)}
  end

  @doc "A drain begins: what the rebalance has not begun stays as it is."
  @spec yield(t) :: t
  def yield(%{rebalance: nil} = conductor), do: conductor

  def yield(%{rebalance: rebalance} = conductor) do
    counts = Map.update!(rebalance.counts, :stayed, &(&1 + length(rebalance.queue)))
    progress(%{conductor | rebalance: %{rebalance | queue: [], counts: counts}}, [])
  end

  defp begin(conductor, session, whose, [module, function, arguments]) do
    task = Task.Supervisor.async_nolink(Minotaur.TaskSupervisor, module, function, arguments)
    put_in(conductor.tasks[task.ref], {session, whose})
  end

  defp in_background(module, function, arguments) do
    {:ok, _pid} =
      Task.Supervisor.start_child(Minotaur.TaskSupervisor, module, function, arguments)

    :ok
  end

  defp learn(conductor, {:moved, _bytes, stall_ms}) do
    %{conductor | window: Window.take_stall(conductor.window, stall_ms)}
  end

  defp learn(conductor, _outcome), do: conductor

  defp tell(conductor, {:reply, from}, outcome) do
    GenServer.reply(from, answer(outcome))
    conductor
  end

  defp tell(conductor, :rebalance, outcome) do
    conductor = put_in(conductor.rebalance.moving, conductor.rebalance.moving - 1)
    count(conductor, counter(outcome))
  end

  defp count(conductor, counter), do: update_in(conductor.rebalance.counts[counter], &(&1 + 1))

  defp counter({:moved, _bytes, _stall_ms}), do: :moved
  defp counter({:error, :busy}), do: :stayed
  defp counter({:error, _reason}), do: :failed
  defp counter(_stays_or_ended), do: :stayed

  defp answer({:moved, _bytes, _stall_ms}), do: :ok
  defp answer(:ended), do: {:error, :unknown_session}
  defp answer({:error, {:refused, reason}}) when is_atom(reason), do: {:error, reason}
  defp answer({:error, reason}) when reason in [:busy, :unreachable], do: {:error, reason}
  defp answer({:error, {:unexpected, _answer}}), do: {:error, :unreachable}
  defp answer({:error, _reason}), do: {:error, :handoff_failed}
end
