defmodule Minotaur.SessionHost.Drain do
  @moduledoc """
  The bookkeeping of a drain: which sessions move, which have moved, who waits for the summary.

  The host asks after each event what to do next. Sessions that open while it lasts (a start or an
  offer that was under way) join it.
  """

  alias Minotaur.Handoff.Mover

  @moves_max 64

  defstruct moves: %{},
            seen: MapSet.new(),
            moved: 0,
            lost: 0,
            waiters: [],
            began_ms: 0,
            summary: nil

  @type t :: %__MODULE__{}

  @doc "A drain that begins now."
  @spec new :: t
  def new, do: %__MODULE__{began_ms: now_ms()}

  @doc "Notes that somebody waits for the summary."
  @spec await(t, {GenServer.from(), :stop | :stay}) :: t
  def await(drain, waiter), do: %{drain | waiters: [waiter | drain.waiters]}

  @doc "Starts to move open sessions that were not tried yet, as many at a time as may be."
  @spec start_moves(t, %{pid => atom}, [map]) :: t
  def start_moves(%{summary: nil} = drain, children, hosts) do
    waiting = for {pid, :open} <- children, not MapSet.member?(drain.seen, pid), do: pid

    waiting
    |> Enum.take(@moves_max - map_size(drain.moves))
    |> Enum.reduce(drain, &start_move(&1, &2, hosts))
  end

  def start_moves(drained, _children, _hosts), do: drained

  @doc "Whether a task of this reference moves a session."
  @spec moves?(t | nil, reference) :: boolean
  def moves?(nil, _ref), do: false
  def moves?(drain, ref), do: is_map_key(drain.moves, ref)

  @doc "The session that a task moves."
  @spec session(t | nil, reference) :: pid | nil
  def session(%{moves: moves}, ref) when is_map_key(moves, ref), do: elem(moves[ref], 1)
  def session(_drain, _ref), do: nil

  @doc "Counts the outcome of a move."
  @spec move_ended(t | nil, reference, term) :: t | nil
  def move_ended(%{moves: moves} = drain, ref, outcome) when is_map_key(moves, ref) do
    count(outcome, %{drain | moves: Map.delete(moves, ref)})
  end

  def move_ended(drain, _unknown, _outcome), do: drain

  @doc "`:done` when nothing moves, starts or arrives, and no forwarder is left."
  @spec phase(t, %{pid => atom}, non_neg_integer) :: :busy | :done
  def phase(drain, children, starts) do
    pending = for {pid, role} <- children, role != :open or not seen?(drain, pid), do: pid
    if map_size(drain.moves) + starts == 0 and pending == [], do: :done, else: :busy
  end

  @doc "At the deadline: what has not moved is lost."
  @spec give_up(t, %{pid => atom}) :: t
  def give_up(%{summary: nil} = drain, children) do
    for {_ref, {task, _session}} <- drain.moves, do: Process.exit(task, :kill)
    unseen = Enum.count(children, fn {pid, role} -> role == :open and not seen?(drain, pid) end)
    %{drain | lost: drain.lost + map_size(drain.moves) + unseen, moves: %{}}
  end

  def give_up(drained, _children), do: drained

  @doc "Ends the drain. Answers whether it ended just now, its summary, and who waits for it."
  @spec finish(t) :: {boolean, map, [{GenServer.from(), :stop | :stay}], t}
  def finish(%{summary: nil} = drain) do
    summary = %{
      sessions: drain.moved + drain.lost,
      moved: drain.moved,
      lost: drain.lost,
      ms: now_ms() - drain.began_ms
    }

    {true, summary, drain.waiters, %{drain | summary: summary, waiters: []}}
  end

  def finish(drain), do: {false, drain.summary, drain.waiters, %{drain | waiters: []}}

  defp start_move(pid, drain, hosts) do
    task = Task.Supervisor.async_nolink(Minotaur.TaskSupervisor, Mover, :move, [pid, hosts])
    moves = Map.put(drain.moves, task.ref, {task.pid, pid})
    %{drain | moves: moves, seen: MapSet.put(drain.seen, pid)}
  end

  defp count(:moved, drain), do: %{drain | moved: drain.moved + 1}
  defp count(:ended, drain), do: drain
  defp count({:error, _reason}, drain), do: %{drain | lost: drain.lost + 1}

  defp seen?(drain, pid), do: MapSet.member?(drain.seen, pid)

  defp now_ms, do: System.monotonic_time(:millisecond)
end
