defmodule Minotaur.HistoryTest do
  @moduledoc """
  The checker of histories: it accepts what clients may see, and rejects what was broken on purpose.
  """

  use ExUnit.Case, async: true

  import Minotaur.GameEngineFixtures

  alias Minotaur.GameEngine.{Rules, Vector}
  alias Minotaur.History.Checker

  setup do
    [game: small_game_fixture()]
  end

  # Whatever the interleaving was: clients whose calls overlap, answers that come late.
  test "histories of one order are accepted", %{game: game} do
    for seed <- 1..40 do
      assert Checker.check(game, random_history(game, seed, 120)) == :ok
    end
  end

  # A call without an answer may have been carried out or not: both are possible, and nothing else.
  test "calls without an answer are accepted as done and as not done", %{game: game} do
    moved = after_all(game, [step_of(1)])
    lost = operation(1, step_of(1), 1, :infinity, :unknown)
    assert Checker.check(game, [lost, read(2, 5, 6, moved)]) == :ok
    assert Checker.check(game, [lost, read(2, 5, 6, game)]) == :ok
    assert Checker.check(game, [lost, read(2, 5, 6, game), read(2, 7, 8, moved)]) == :ok
    assert {:error, _} = Checker.check(game, [lost, read(2, 5, 6, moved), read(2, 7, 8, game)])
    assert {:error, _} = Checker.check(game, [lost, read(2, -5, -4, moved)])
  end

  # An update that was answered and that nobody sees.
  test "a lost update is found", %{game: game} do
    history = [update(game, 1, step_of(1), 1, 2), read(2, 3, 4, game)]
    assert {:error, %{done: 1, next: [%{client: 2}]}} = Checker.check(game, history)
    assert_all_found(game, fn history -> lose_one(game, history) end)
  end

  # An update that was carried out twice: the round goes up by two, a move is there two times.
  test "a repeated update is found", %{game: game} do
    once = after_all(game, [:end_round])
    twice = after_all(game, [:end_round, :end_round])

    assert {:error, _} =
             Checker.check(game, [update(game, 1, :end_round, 1, 2), read(1, 3, 4, twice)])

    assert :ok = Checker.check(game, [update(game, 1, :end_round, 1, 2), read(1, 3, 4, once)])
    assert_all_found(game, fn history -> repeat_one(game, history) end)
  end

  # A state that was there once, and that somebody has seen replaced already.
  test "a stale read is found", %{game: game} do
    moved = after_all(game, [step_of(1)])

    history = [
      update(game, 1, step_of(1), 1, 10),
      read(2, 2, 3, moved),
      read(3, 4, 5, game)
    ]

    assert {:error, _} = Checker.check(game, history)

    assert :ok =
             Checker.check(
               game,
               Enum.map(history, &if(&1.client == 3, do: overlap(&1), else: &1))
             )

    assert_all_found(game, fn history -> make_stale(game, history) end)
  end

  # An answer that no state gives.
  test "a wrong answer is found", %{game: game} do
    wrong = operation(1, step_of(1), 1, 2, {:answer, Checker.digest({:error, :illegal_move})})
    assert {:error, %{done: 0}} = Checker.check(game, [wrong])
  end

  # A crash may take the session back to any state that it had, not to one that it had not.
  test "after a crash the session may go on with a state of before", %{game: game} do
    [one, two] = [after_all(game, [:end_round]), after_all(game, [:end_round, :end_round])]
    crash = operation(:cluster, :crash, 5, :infinity, :unknown)
    before = [update(game, 1, :end_round, 1, 2), update(one, 1, :end_round, 3, 4)]
    assert :ok = Checker.check(game, before ++ [crash, read(1, 6, 7, one)])
    assert {:error, _} = Checker.check(game, before ++ [read(1, 6, 7, one)])

    late = %{crash | invoked: 9}
    assert {:error, _} = Checker.check(game, before ++ [late, read(1, 6, 7, one)])

    never = after_all(two, [step_of(1)])
    assert {:error, _} = Checker.check(game, before ++ [crash, read(1, 6, 7, never)])
  end

  # An update that was asked for again is answered with the state as it is by then.
  test "the answer of a repetition may be later than its own", %{game: game} do
    both = after_all(game, [step_of(1), step_of(2)])
    repeated = operation(1, step_of(1), 1, 9, {:answer, Checker.digest({:ok, both})})
    other = update(after_all(game, [step_of(1)]), 2, step_of(2), 3, 4)
    assert {:error, _} = Checker.check(game, [repeated, other])
    assert :ok = Checker.check(game, [repeated, other], lenient: true)
    assert {:error, _} = Checker.check(game, [%{repeated | returned: 2}, other], lenient: true)

    assert {:error, _} =
             Checker.check(game, [repeated, other, read(3, 5, 6, game)], lenient: true)
  end

  # Breaks valid histories, of many interleavings, each of which must then be rejected.
  defp assert_all_found(game, break) do
    broken = for seed <- 1..20, history = break.(random_history(game, seed, 80)), do: history
    assert length(broken) >= 10
    for history <- broken, do: assert({:error, _} = Checker.check(game, history, lenient: true))
  end

  # The clients' calls, in an order that chance makes: each is invoked, carried out and answered at
  # moments of its own.
  defp random_history(game, seed, count) do
    random = :rand.seed_s(:exsss, seed)
    state = %{game: game, time: 0, clients: %{}, done: [], left: count, random: random}

    state
    |> Stream.iterate(&step/1)
    |> Enum.find(&(&1.left == 0 and &1.clients == %{}))
    |> finished()
  end

  defp finished(state), do: Enum.reverse(state.done)

  defp step(state) do
    {client, random} = :rand.uniform_s(4, state.random)
    state = %{state | random: random, time: state.time + 1}

    case state.clients do
      %{^client => %{outcome: nil} = operation} -> carry_out(client, operation, state)
      %{^client => operation} -> answer(client, operation, state)
      _idle when state.left > 0 -> invoke(client, state)
      _idle -> state
    end
  end

  defp invoke(client, state) do
    {request, random} = request(client, state.random)
    operation = operation(client, request, state.time, nil, nil)
    clients = Map.put(state.clients, client, operation)
    %{state | clients: clients, random: random, left: state.left - 1}
  end

  defp carry_out(client, operation, state) do
    {answer, game} = answer(operation.request, state.game)
    operation = %{operation | outcome: {:answer, Checker.digest(answer)}}
    operation = Map.merge(operation, %{changed: game != state.game, at: state.time})
    %{state | game: game, clients: Map.put(state.clients, client, operation)}
  end

  defp answer(client, operation, state) do
    done = [%{operation | returned: state.time} | state.done]
    %{state | done: done, clients: Map.delete(state.clients, client)}
  end

  defp request(client, random) do
    {choice, random} = :rand.uniform_s(10, random)

    cond do
      choice <= 5 -> {:get_game, random}
      choice == 10 -> {:end_round, random}
      true -> {step_of(client, choice), random}
    end
  end

  # The update in the middle is taken out, and all that came after it is answered without it.
  defp lose_one(game, history),
    do: rewrite(game, history, fn update -> [{update, :answer_only}] end)

  defp repeat_one(game, history), do: rewrite(game, history, fn update -> [update, update] end)

  # All operations in the order in which they were carried out, one of them changed.
  defp rewrite(game, history, change) do
    in_order = Enum.sort_by(history, & &1.at)
    updates = Enum.filter(in_order, & &1.changed)
    victim = Enum.at(updates, div(length(updates), 2))

    {_game, rewritten} =
      Enum.reduce(in_order, {game, []}, fn operation, {game, done} ->
        {answer, next} = answer(operation.request, game)

        cond do
          operation != victim ->
            {next, [%{operation | outcome: {:answer, Checker.digest(answer)}} | done]}

          match?([{_, :answer_only}], change.(operation)) ->
            {game, [operation | done]}

          true ->
            {_answer, twice} = answer(operation.request, next)
            {twice, [operation | done]}
        end
      end)

    # A victim after which nobody looks proves nothing, nor does one that cannot be done twice.
    if outcomes(rewritten) != outcomes(history), do: rewritten
  end

  defp outcomes(history), do: history |> Enum.map(&{&1.invoked, &1.outcome}) |> Enum.sort()

  # A read is answered with a state that an update had replaced before the read was invoked.
  defp make_stale(_game, history) do
    reads = Enum.filter(history, &(&1.request == :get_game))

    Enum.find_value(Enum.reverse(reads), fn read ->
      older = Enum.find(reads, &stale_for?(&1, read, history))
      older && Enum.map(history, &if(&1 == read, do: %{read | outcome: older.outcome}, else: &1))
    end)
  end

  defp stale_for?(older, read, history) do
    older.outcome != read.outcome and
      Enum.any?(history, &(&1.changed and &1.at > older.at and &1.returned < read.invoked))
  end

  defp overlap(operation), do: %{operation | invoked: 0}

  defp step_of(player, choice \\ 0) do
    {:register_move, "user-#{player}", Enum.at(Vector.directions(), rem(choice, 6))}
  end

  defp read(client, invoked, returned, game),
    do: operation(client, :get_game, invoked, returned, {:answer, Checker.digest({:ok, game})})

  defp update(game, client, request, invoked, returned) do
    {answer, changed} = answer(request, game)
    true = changed != game
    operation(client, request, invoked, returned, {:answer, Checker.digest(answer)})
  end

  defp after_all(game, requests), do: Enum.reduce(requests, game, &elem(answer(&1, &2), 1))

  defp answer(request, game) do
    {answer, game} = Rules.handle_call(request, game, DateTime.utc_now(), 0)
    {if(request in [:get_game, :end_round], do: {:ok, answer}, else: answer), game}
  end

  defp operation(client, request, invoked, returned, outcome) do
    %{client: client, request: request, invoked: invoked, returned: returned, outcome: outcome}
  end
end
