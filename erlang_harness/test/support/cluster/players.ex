defmodule Minotaur.Cluster.Players do
  @moduledoc """
  Clients of a session that keep calling from a BEAM node of a test cluster, and judge what they
  get.

  One *writer* plays the game and plays it again on its own copy, with the rules alone: each answer
  must be equal to the copy's, so an update that is lost, done twice or out of order shows at once.
  A *reader* sees the rounds go up, never down.
  """

  alias Minotaur.GameEngine
  alias Minotaur.GameEngine.{Names, Rules, Vector}

  @directions [{0, -1}, {1, -1}, {-1, 0}, {1, 0}, {-1, 1}, {0, 1}]

  @doc """
  Starts a writer and `readers` readers on this node. The rounds of `game` must have no timer.
  """
  @spec start(struct, pos_integer) :: [pid]
  def start(game, readers \\ 2) do
    writer = spawn(fn -> write(game, 0, []) end)
    [writer | for(n <- 1..readers, do: spawn(fn -> read(reader(n, game.id), 0, 0, []) end))]
  end

  @doc "How many calls each has made so far."
  @spec calls([pid]) :: [non_neg_integer]
  def calls(players), do: for({calls, _failures, _} <- ask(players, :report), do: calls)

  @doc "What went wrong so far, in all."
  @spec failures([pid]) :: [term]
  def failures(players), do: Enum.flat_map(ask(players, :report), &elem(&1, 1))

  @doc "Ends the players. Answers the writer's copy of the game, and what went wrong."
  @spec stop([pid]) :: {struct, [term]}
  def stop(players) do
    [{_calls, _failures, game} | _readers] = reports = ask(players, :stop)
    {game, Enum.flat_map(reports, &elem(&1, 1))}
  end

  @doc "Holds the lock of `:global` under which names are registered, until `release_names/1`."
  @spec hold_names :: pid
  def hold_names do
    caller = self()

    holder =
      spawn(fn ->
        true = :global.set_lock({:global, self()})
        send(caller, {:held, self()})
        receive do: (:release -> :global.del_lock({:global, self()}))
      end)

    receive do: ({:held, ^holder} -> holder)
  end

  @doc "Lets names be registered again."
  @spec release_names(pid) :: :ok
  def release_names(holder) do
    send(holder, :release)
    :ok
  end

  defp ask(players, question) do
    for player <- players do
      monitor = Process.monitor(player)
      send(player, {question, self()})

      receive do
        {^player, report} ->
          Process.demonitor(monitor, [:flush])
          report

        {:DOWN, ^monitor, _, _, reason} ->
          {0, [{:player_down, reason}], nil}
      end
    end
  end

  defp write(game, calls, failures) do
    request = next_request(game, calls)
    {expected, copy} = Rules.handle_call(request, game, DateTime.utc_now(), 0)
    failures = judge(request, attempt(fn -> request(game.id, request) end), expected, failures)
    answer_questions({calls + 1, failures, copy})
    write(copy, calls + 1, failures)
  end

  defp next_request(_game, calls) when rem(calls, 7) == 6, do: :end_round

  defp next_request(game, calls) do
    users = game.players |> Map.values() |> Enum.map(& &1.user_id)
    {q, r} = Enum.at(@directions, rem(calls, 6))
    {:register_move, Enum.at(users, rem(calls, length(users))), %Vector{q: q, r: r}}
  end

  defp request(id, :end_round), do: with({:ok, game} <- GameEngine.end_round(id), do: game)
  defp request(id, {:register_move, user, v}), do: GameEngine.register_move(id, user, v)

  defp judge(_request, {:ok, expected}, expected, failures), do: failures
  defp judge(request, answer, _expected, failures), do: [{request, answer} | failures]

  # By the API, and by the plain name as any Elixir process may.
  defp reader(n, id) when rem(n, 2) == 1 do
    fn -> with {:ok, game} <- GameEngine.get_game(id), do: game end
  end

  defp reader(_n, id) do
    fn -> GenServer.call({:via, :global, Names.global_name({:id, id})}, :get_game) end
  end

  defp read(fun, round, calls, failures) do
    {round, failures} =
      case attempt(fun) do
        {:ok, %{round: now}} when now >= round -> {now, failures}
        other -> {round, [{:read, round, other} | failures]}
      end

    answer_questions({calls + 1, failures, nil})
    read(fun, round, calls + 1, failures)
  end

  defp attempt(fun) do
    {:ok, fun.()}
  catch
    kind, reason -> {kind, reason}
  end

  defp answer_questions(report) do
    receive do
      {:report, from} ->
        send(from, {self(), report})

      {:stop, from} ->
        send(from, {self(), report})
        exit(:normal)
    after
      0 -> :ok
    end
  end
end
