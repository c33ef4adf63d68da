defmodule Minotaur.History.Clients do
  @moduledoc """
  Clients that call the sessions of a cluster all the time and write down each operation: when it
  was invoked, when it returned, and what came of it. They run on one BEAM node, whose clock is that
  of the history.

  Each session has a few clients, each of which is one player: it reads, registers moves, and ends
  the round now and then, with a pause after each call, as players do. An operation that ended
  without an answer may still be carried out: it has not returned. Why it did is kept in `why`.
  """

  alias Minotaur.GameEngine
  alias Minotaur.GameEngine.Vector
  alias Minotaur.History.Checker

  @pause_ms 25
  # Each may or may not have been carried out: too many are more than the checker can try.
  @unknown_pause_ms 1_000

  @doc "Starts this many clients for each of these games, whose rounds must have no timer."
  @spec start([struct], pos_integer) :: pid
  def start(games, each) do
    spawn(fn ->
      clients =
        for game <- games, n <- 1..each do
          {pid, monitor} = spawn_monitor(fn -> play(game.id, n, :rand.seed(:exsss), 0, []) end)
          {game.id, pid, monitor}
        end

      serve(clients)
    end)
  end

  @doc "How many operations the slowest client has made so far."
  @spec operations(pid) :: non_neg_integer
  def operations(clients), do: ask(clients, :operations)

  @doc "Ends the clients. Answers the history of each session, by id."
  @spec stop(pid) :: %{String.t() => [Checker.operation()]}
  def stop(clients), do: ask(clients, :stop)

  @doc "The time of the history."
  @spec now :: integer
  def now, do: System.monotonic_time(:microsecond)

  defp ask(clients, question) do
    monitor = Process.monitor(clients)
    send(clients, {question, self()})

    receive do
      {^clients, answer} ->
        Process.demonitor(monitor, [:flush])
        answer

      {:DOWN, ^monitor, _, _, reason} ->
        exit(reason)
    end
  end

  defp serve(clients) do
    receive do
      {:operations, from} ->
        counts = for {_id, pid, _monitor} <- clients, do: question(pid, :operations)
        send(from, {self(), Enum.min(counts)})
        serve(clients)

      {:stop, from} ->
        histories = for {id, pid, _monitor} <- clients, do: {id, question(pid, :stop)}
        send(from, {self(), Enum.group_by(histories, &elem(&1, 0), &elem(&1, 1)) |> flatten()})

      {:DOWN, _monitor, :process, pid, reason} ->
        exit({:client_down, pid, reason})
    end
  end

  defp flatten(histories), do: Map.new(histories, fn {id, lists} -> {id, Enum.concat(lists)} end)

  defp question(pid, question) do
    send(pid, {question, self()})

    receive do
      {^pid, answer} -> answer
      {:DOWN, _monitor, :process, ^pid, reason} -> exit({:client_down, reason})
    end
  end

  defp play(id, player, random, count, history) do
    {request, random} = next(player, random)
    invoked = now()
    outcome = attempt(fn -> request(id, request) end)
    operation = %{client: player, request: request, invoked: invoked, returned: now()}
    history = [Map.merge(operation, outcome) | history]

    receive do
      {:operations, from} ->
        send(from, {self(), count + 1})
        play(id, player, random, count + 1, history)

      {:stop, from} ->
        send(from, {self(), history})
    after
      pause_ms(outcome) -> play(id, player, random, count + 1, history)
    end
  end

  defp pause_ms(%{outcome: :unknown}), do: @unknown_pause_ms
  defp pause_ms(_answered), do: @pause_ms

  defp next(player, random) do
    {choice, random} = :rand.uniform_s(10, random)
    {direction, random} = :rand.uniform_s(6, random)
    {request(choice, player, direction), random}
  end

  defp request(choice, _player, _direction) when choice <= 4, do: :get_game
  defp request(10, _player, _direction), do: :end_round

  defp request(_choice, player, direction),
    do: {:register_move, "user-#{player}", Enum.at(Vector.directions(), direction - 1)}

  defp request(id, :get_game), do: GameEngine.get_game(id)
  defp request(id, :end_round), do: GameEngine.end_round(id)
  defp request(id, {:register_move, user, vector}), do: GameEngine.register_move(id, user, vector)

  # Nobody has the session: neither an answer of it, nor a proof that nobody ever will.
  defp attempt(fun) do
    case fun.() do
      {:error, reason} when reason in [:game_not_alive, :in_doubt] -> unknown(reason)
      answer -> %{outcome: {:answer, Checker.digest(answer)}}
    end
  catch
    :exit, {reason, _call} -> unknown(reason)
  end

  defp unknown(why), do: %{outcome: :unknown, returned: :infinity, why: why}
end
