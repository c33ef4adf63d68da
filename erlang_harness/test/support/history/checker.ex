defmodule Minotaur.History.Checker do
  @moduledoc """
  Proves that the answers which the clients of one session got fit one order of its updates, or
  finds that they do not.

  A history is a list of operations `%{client, request, invoked, returned, outcome}` with times of
  one clock. The order must be such that

  * an operation that returned before another was invoked comes before it;
  * carried out in this order by the rules of the game alone, each gives the answer that it gave.

  This is linearizability (Herlihy and Wing), searched for as Wing and Gong do. It is sound, for an
  answer of the game is the whole state, or an error that depends on the whole state: the model is
  not an abstraction of the game but `Minotaur.GameEngine.Rules` itself, and answers are compared by
  two independent hashes of the whole term. An update that is lost, done twice, or seen and then not
  seen is therefore a state that no order gives.

  What is not an answer:

  * `:unknown` (a timeout, `:in_doubt`, an end of the client's call): may have been carried out at
    any time after it was invoked, or never.
  * `:crash`, not a client's operation but the end of the owner's node by a kill: from then on the
    session may go on with any state that it had (without a stash its forwarder has an old one).
  * an update that was asked for again after its call broke off is answered with the state as it is
    by then. So an update's answer may show a later state than its own, if `lenient: true`; without
    it (the default) it must be its own.
  """

  alias Minotaur.GameEngine.Rules

  @type operation :: %{
          client: term,
          request: term,
          invoked: integer,
          returned: integer,
          outcome: {:answer, {integer, integer}} | :unknown
        }

  @doc "What is kept of an answer: enough to tell it from any other."
  @spec digest(term) :: {non_neg_integer, non_neg_integer}
  def digest(answer) do
    {:erlang.phash2(answer, 4_294_967_296), :erlang.phash2([:again | answer], 4_294_967_296)}
  end

  @doc """
  Whether the history of a session that began with `game` fits one order. `{:error, where}` names
  the operations of which none could come next, in the search that came furthest.
  """
  @spec check(struct, [operation], keyword) :: :ok | {:error, map}
  def check(game, operations, options \\ []) do
    pending = operations |> Enum.sort_by(& &1.invoked) |> Enum.with_index(&Map.put(&1, :id, &2))

    search = %{
      seen: MapSet.new(),
      furthest: {-1, nil},
      lenient: Keyword.get(options, :lenient, false)
    }

    case linearize(pending, start(game), search) do
      :ok -> :ok
      {:stuck, %{furthest: {_depth, where}}} -> {:error, where}
    end
  end

  # What a path through the search knows: the game, what is done, what each answered later may see.
  defp start(game), do: %{game: game, earlier: [game], depth: 0, owed: []}

  defp linearize(pending, path, search) do
    {pending, path} = take_reads(pending, path)

    cond do
      path.owed == [] and Enum.all?(pending, &optional?/1) -> :ok
      MapSet.member?(search.seen, key(pending, path)) -> {:stuck, search}
      true -> try_next(candidates(pending, path), pending, path, note(pending, path, search))
    end
  end

  defp try_next([], _pending, _path, search), do: {:stuck, search}

  defp try_next([operation | others], pending, path, search) do
    rest = List.delete(pending, operation)

    result =
      Enum.reduce_while(steps(operation, path, search), {:stuck, search}, fn path, {_, search} ->
        case linearize(rest, path, search) do
          :ok -> {:halt, :ok}
          stuck -> {:cont, stuck}
        end
      end)

    with {:stuck, search} <- result, do: try_next(others, pending, path, search)
  end

  # An operation that changes nothing and gives its answer now may come now, whatever follows.
  defp take_reads(pending, path) do
    path = settle(path)
    due = candidates(pending, path)

    case Enum.find(due, &reads_now?(&1, path.game)) do
      nil -> {pending, path}
      read -> take_reads(List.delete(pending, read), %{path | depth: path.depth + 1})
    end
  end

  defp reads_now?(%{outcome: {:answer, digest}, request: request}, game) do
    {answer, after_it} = carry_out(request, game)
    after_it == game and digest(answer) == digest
  end

  defp reads_now?(_unknown, _game), do: false

  # Those that were invoked before any other, that must still come, had returned.
  defp candidates(pending, path) do
    limit = Enum.min([:infinity | Enum.map(pending ++ path.owed, & &1.returned)])
    Enum.filter(pending, &(&1.invoked <= limit))
  end

  # The states to which carrying the operation out may lead; none when its answer is another.
  defp steps(%{request: :crash}, path, _search) do
    for game <- Enum.uniq(path.earlier), do: %{path | game: game, depth: path.depth + 1}
  end

  defp steps(operation, path, search) do
    {answer, game} = carry_out(operation.request, path.game)
    path = %{path | game: game, earlier: [game | path.earlier], depth: path.depth + 1}

    cond do
      operation.outcome == :unknown -> if game == hd(tl(path.earlier)), do: [], else: [path]
      operation.outcome == {:answer, digest(answer)} -> [path]
      search.lenient and changed?(path) -> [%{path | owed: [operation | path.owed]}]
      true -> []
    end
  end

  defp changed?(%{earlier: [now, before | _]}), do: now != before

  # Answers that show a later state than their own are given when that state is there.
  defp settle(%{owed: []} = path), do: path

  defp settle(path) do
    owed = Enum.reject(path.owed, &shows?(&1, path.game))
    %{path | owed: owed}
  end

  defp shows?(%{outcome: {:answer, digest}}, game), do: digest({:ok, game}) == digest

  defp optional?(operation), do: operation.outcome == :unknown

  # All answers are those of `Minotaur.GameEngine`, which wraps what the session answers bare.
  defp carry_out(request, game) do
    {answer, game} = Rules.handle_call(request, game, DateTime.utc_now(), 0)
    {if(request in [:get_game, :end_round], do: {:ok, answer}, else: answer), game}
  end

  defp key(pending, path) do
    {Enum.map(pending, & &1.id), Enum.map(path.owed, & &1.id), digest(path.game)}
  end

  defp note(pending, path, %{furthest: {depth, _where}} = search) do
    seen = MapSet.put(search.seen, key(pending, path))

    if path.depth > depth do
      where = %{
        done: path.depth,
        round: path.game.round,
        registered: path.game.registered_actions,
        next: Enum.map(candidates(pending, path), &Map.delete(&1, :id))
      }

      %{search | seen: seen, furthest: {path.depth, where}}
    else
      %{search | seen: seen}
    end
  end
end
