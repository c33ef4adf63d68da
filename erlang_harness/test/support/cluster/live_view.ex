defmodule Minotaur.Cluster.LiveView do
  @moduledoc """
  What a LiveView does with a game: it subscribes, fetches the game, fetches it again on each event,
  and calls the session when its user does something, which here is all the time.

  It keeps the pid of the session as a careless one would, and calls that as well until it is told
  another. What it heard, and what it was not given, is its report.
  """

  use GenServer

  alias Minotaur.GameEngine
  alias Minotaur.GameEngine.Vector

  @call_ms 20_000
  # What the rules may answer to a move.
  @refusals [:not_enough_action_points, :illegal_move, :player_eliminated, :game_concluded]

  @doc "Starts so many views of a session on this node, whose user is `user_id`."
  @spec start(String.t(), term, pos_integer) :: [pid]
  def start(id, user_id, count) do
    for _ <- 1..count do
      {:ok, view} = GenServer.start(__MODULE__, {id, user_id})
      view
    end
  end

  @doc "What a view got: the rounds and the pids in their order, its calls, and what went wrong."
  @spec report(pid) :: %{
          rounds: [pos_integer],
          moves: [pid],
          calls: non_neg_integer,
          errors: list
        }
  def report(view), do: GenServer.call(view, :report, @call_ms)

  @doc "Subscribes the view once more, past the API, so that it is twice in its group."
  @spec join_twice(pid) :: :ok
  def join_twice(view), do: GenServer.call(view, :join_twice, @call_ms)

  @doc "Ends the subscription."
  @spec unsubscribe(pid) :: :ok
  def unsubscribe(view), do: GenServer.call(view, :unsubscribe, @call_ms)

  @impl true
  def init({id, user_id}) do
    :ok = Minotaur.subscribe(id)
    view = %{id: id, user_id: user_id, rounds: [], moves: [], calls: 0, errors: []}
    view = view |> Map.put(:pid, GameEngine.whereis(id)) |> fetch()
    send(self(), :user)
    {:ok, view}
  end

  @impl true
  def handle_call(:report, _from, view) do
    report = Map.take(view, [:rounds, :moves, :calls, :errors])
    report = Map.new(report, fn {key, value} -> {key, ordered(value)} end)
    {:reply, report, view}
  end

  def handle_call(:join_twice, _from, view) do
    {:reply, :pg.join(Minotaur.PubSub, {:session, view.id}, self()), view}
  end

  def handle_call(:unsubscribe, _from, view) do
    {:reply, Minotaur.unsubscribe(view.id), view}
  end

  @impl true
  def handle_info({:next_round_started, id, round}, %{id: id} = view) do
    {:noreply, fetch(%{view | rounds: [round | view.rounds]}, round)}
  end

  def handle_info({:session_moved, id, pid}, %{id: id} = view) do
    {:noreply, fetch(%{view | moves: [pid | view.moves], pid: pid})}
  end

  def handle_info(:user, view) do
    move = fn -> GameEngine.register_move(view.id, view.user_id, %Vector{q: -1, r: 0}) end
    kept = fn -> GenServer.call(view.pid, :get_game) end
    view = view |> expect(move, &moved?/1) |> expect(kept, &is_struct/1)
    Process.send_after(self(), :user, 5)
    {:noreply, view}
  end

  def handle_info(other, view), do: {:noreply, wrong(view, {:message, other})}

  # The game is at least as far as the event said.
  defp fetch(view, round \\ 1) do
    expect(view, fn -> GameEngine.get_game(view.id) end, fn
      {:ok, game} -> game.round >= round
      _error -> false
    end)
  end

  defp expect(view, fun, good?) do
    answer = attempt(fun)
    view = %{view | calls: view.calls + 1}
    if good?.(answer), do: view, else: wrong(view, answer)
  end

  defp attempt(fun) do
    fun.()
  catch
    kind, reason -> {kind, reason}
  end

  defp moved?({:ok, _game}), do: true
  defp moved?({:error, reason}), do: reason in @refusals
  defp moved?(_other), do: false

  defp wrong(view, what), do: %{view | errors: [what | view.errors]}

  defp ordered(list) when is_list(list), do: Enum.reverse(list)
  defp ordered(other), do: other
end
