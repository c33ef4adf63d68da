defmodule Minotaur.SessionHost.Drain do
  @moduledoc """
  The bookkeeping of a drain: which sessions move, which have moved, who waits for the summary.

  The host asks after each event what to do next. Sessions that open while it lasts (a start or an
  offer that was under way) join it.
  """

  alias Minotaur.Handoff.Mover
  alias Minotaur.SessionHost.Window

  defstruct queue: [],
            seen: MapSet.new(),
            moves: %{},
            failed: MapSet.new(),
            moved: 0,
            lost: 0,
            window: %Window{},
            bytes: 0,
            stalls: %{},
            waiters: [],
            began_ms: 0,
            expired: false,
            summary: nil

  @type t :: %__MODULE__{}

  @doc "A drain of these sessions that begins now."
  @spec new([pid]) :: t
  def new(sessions), do: Enum.reduce(sessions, %__MODULE__{began_ms: now_ms()}, &add(&2, &1))

  @doc "Adds a session that opened meanwhile, once."
  @spec add(t | nil, pid) :: t | nil
  def add(nil, _session), do: nil

  def add(drain, session) do
    if MapSet.member?(drain.seen, session),
      do: drain,
      else: %{drain | queue: [session | drain.queue], seen: MapSet.put(drain.seen, session)}
  end

  @doc "A session that had moved is here again, for its new owner died: it is to move once more."
  @spec is_back(t | nil, pid) :: t | nil
  def is_back(nil, _session), do: nil

  def is_back(drain, session) do
    %{drain | queue: [session | drain.queue], moved: max(drain.moved - 1, 0)}
  end

  @doc "Notes that a session has ended."
  @spec ended(t | nil, pid) :: t | nil
  def ended(nil, _session), do: nil
  def ended(drain, session), do: %{drain | failed: MapSet.delete(drain.failed, session)}

  @doc "Notes that somebody waits for the summary."
  @spec await(t, {GenServer.from(), :stop | :stay}) :: t
  def await(drain, waiter), do: %{drain | waiters: [waiter | drain.waiters]}

  @doc "Starts to move the sessions that were not tried yet, as many at a time as may be."
  @spec start_moves(t, [map]) :: t
  def start_moves(%{queue: [session | queue], moves: moves, expired: false} = drain, hosts)
      when map_size(moves) < drain.window.max do
    task = Task.Supervisor.async_nolink(Minotaur.TaskSupervisor, Mover, :move, [session, hosts])
    moves = Map.put(moves, task.ref, {task.pid, session})
    start_moves(%{drain | queue: queue, moves: moves}, hosts)
  end

  def start_moves(drain, _hosts), do: drain

  @doc "Whether a task of this reference moves a session."
  @spec moves?(t | nil, reference) :: boolean
  def moves?(nil, _ref), do: false
  def moves?(drain, ref), do: is_map_key(drain.moves, ref)

  @doc "The session that a task moves."
  @spec session(t | nil, reference) :: pid | nil
  def session(%{moves: moves}, ref) when is_map_key(moves, ref), do: elem(moves[ref], 1)
  def session(_drain, _ref), do: nil

  @doc "Counts the outcome of a move. What could not move and still lives stays here."
  @spec move_ended(t | nil, reference, term, boolean) :: t | nil
  def move_ended(%{moves: moves} = drain, ref, outcome, alive?) when is_map_key(moves, ref) do
    {{_task, session}, moves} = Map.pop!(moves, ref)
    count(outcome, session, alive?, %{drain | moves: moves})
  end

  def move_ended(drain, _unknown, _outcome, _alive?), do: drain

  @doc """
  `:done` when nothing moves and, of the `sessions` processes of this host, none is left but those
  that could not move: nothing starts, arrives or forwards any more.
  """
  @spec phase(t, non_neg_integer) :: :busy | :done
  def phase(%{queue: [], moves: moves, failed: failed}, sessions) when map_size(moves) == 0 do
    if sessions == MapSet.size(failed), do: :done, else: :busy
  end

  def phase(_drain, _sessions), do: :busy

  @doc "How far it is, and how long the rest takes at the speed so far; nil when it is over."
  @spec progress(t) :: String.t() | nil
  def progress(%{summary: nil} = drain) do
    moving = map_size(drain.moves)
    waiting = length(drain.queue)
    over_ms = now_ms() - drain.began_ms
    left_ms = if drain.moved == 0, do: 0, else: div((moving + waiting) * over_ms, drain.moved)

    "moved=#{drain.moved} moving=#{moving} waiting=#{waiting} lost=#{drain.lost} " <>
      "left_s=#{div(left_ms + 999, 1_000)}"
  end

  def progress(_drained), do: nil

  @doc "At the deadline: what has not moved is lost, with what the conductor still moves."
  @spec give_up(t, non_neg_integer) :: t
  def give_up(%{expired: false} = drain, conducted) do
    for {_ref, {task, _session}} <- drain.moves, do: Process.exit(task, :kill)
    lost = drain.lost + map_size(drain.moves) + length(drain.queue) + conducted
    %{drain | lost: lost, moves: %{}, queue: [], expired: true}
  end

  def give_up(over, _conducted), do: over

  @doc "Ends the drain. Answers whether it ended just now, its summary, and who waits for it."
  @spec finish(t) :: {boolean, map, [{GenServer.from(), :stop | :stay}], t}
  def finish(%{summary: nil} = drain) do
    # Those that opened when its time was over.
    lost = drain.lost + length(drain.queue)

    summary = %{
      sessions: drain.moved + lost,
      moved: drain.moved,
      lost: lost,
      ms: now_ms() - drain.began_ms,
      bytes: drain.bytes,
      stall_ms: stall_ms(drain.stalls)
    }

    {true, summary, drain.waiters, %{drain | summary: summary, waiters: [], expired: true}}
  end

  def finish(drain), do: {false, drain.summary, drain.waiters, %{drain | waiters: []}}

  @doc """
  A move that the conductor had begun before the drain has ended: who has not moved must go all the
  same.
  """
  @spec conducted(t | nil, pid, term, boolean) :: t | nil
  def conducted(nil, _session, _outcome, _alive?), do: nil

  def conducted(drain, session, {:moved, _bytes, _stall_ms} = outcome, alive?) do
    count(outcome, session, alive?, drain)
  end

  def conducted(drain, session, _not_moved, true), do: add(drain, session)
  def conducted(drain, _session, _ended, false), do: drain

  defp count({:moved, bytes, stall_ms}, _session, _alive?, drain) do
    stalls = Map.update(drain.stalls, stall_ms, 1, &(&1 + 1))
    drain = %{drain | moved: drain.moved + 1, bytes: drain.bytes + bytes, stalls: stalls}
    %{drain | window: Window.take_stall(drain.window, stall_ms)}
  end

  defp count(:ended, _session, _alive?, drain), do: drain

  defp count({:error, _reason}, session, true, drain) do
    %{drain | lost: drain.lost + 1, failed: MapSet.put(drain.failed, session)}
  end

  defp count({:error, _reason}, _session, false, drain), do: %{drain | lost: drain.lost + 1}

  # Of the sessions that moved, by milliseconds: the middle one, the 99th of 100, the longest.
  defp stall_ms(stalls) do
    sorted = Enum.sort(stalls)
    count = stalls |> Map.values() |> Enum.sum()

    %{
      p50: within(sorted, count, 50),
      p99: within(sorted, count, 99),
      max: within(sorted, count, 100)
    }
  end

  defp within([], 0, _percent), do: 0

  defp within(sorted, count, percent) do
    wanted = div(count * percent + 99, 100)

    Enum.reduce_while(sorted, 0, fn {ms, times}, counted ->
      if counted + times >= wanted, do: {:halt, ms}, else: {:cont, counted + times}
    end)
  end

  defp now_ms, do: System.monotonic_time(:millisecond)
end
