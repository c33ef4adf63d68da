defmodule Minotaur.GameEngine.ConformanceTest do
  @moduledoc """
  Tests the conformance suite itself: it must pass for equal rules and fail for every wrong one.
  """

  use ExUnit.Case, async: true

  alias Minotaur.Conformance
  alias Minotaur.Conformance.{Diff, Driver, Gen}
  alias Minotaur.GameEngine.{Coord, Game, PCLeftHexEvent, Player, Rules, StateImport}

  @rounds 20

  describe "equal rules" do
    @tag timeout: 300_000
    test "pass 1,000 random games of 20 rounds" do
      assert Conformance.play_all(Driver.pure(), Driver.pure(), 1..1_000, @rounds) == :ok
    end

    test "pass with timers that start a second apart" do
      late = Driver.pure(round_seconds: 61)
      assert Conformance.play_all(Driver.pure(round_seconds: 60), late, 1..30, @rounds) == :ok
    end

    test "name every malformed game as the rules say" do
      assert Conformance.check_malformed(Driver.pure()) == :ok
    end

    test "make equal new games" do
      for seconds <- [0, 60] do
        driver = Driver.pure(round_seconds: seconds)
        assert Conformance.check_new_games(driver, driver) == :ok
      end
    end
  end

  describe "random games" do
    test "follow from their seed" do
      for seed <- 1..50 do
        assert Conformance.random_game(seed) === Conformance.random_game(seed)
      end

      assert Conformance.random_game(1) !== Conformance.random_game(2)
    end

    test "are valid, of all versions, with 1 to 6 players" do
      games = for seed <- 1..300, do: Conformance.random_game(seed)

      assert Enum.all?(games, &match?({:ok, _}, StateImport.import_game(&1)))
      assert games |> Enum.map(& &1.version) |> Enum.uniq() |> Enum.sort() == [1, 2, 3, 4]

      assert games |> Enum.map(&map_size(&1.players)) |> Enum.uniq() |> Enum.sort() ==
               Enum.to_list(1..6)
    end

    test "bring about every answer and every kind of event" do
      seen = Enum.reduce(1..60, MapSet.new(), &MapSet.union(&2, what_happens(&1)))

      for what <- [
            :ok,
            :game_concluded,
            :player_not_found,
            :player_eliminated,
            :illegal_move,
            :not_enough_action_points,
            :target_not_found,
            :target_out_of_reach,
            :unknown_request,
            :won,
            :eliminated,
            Minotaur.GameEngine.PCAttackedPCEvent,
            Minotaur.GameEngine.PCEnteredHexEvent,
            PCLeftHexEvent
          ] do
        assert what in seen, "no random play shows #{inspect(what)}"
      end
    end
  end

  describe "wrong rules are caught:" do
    mutants = [
      {"one action point too many", :more_action_points},
      {"action points beyond 3", :more_than_three},
      {"a registration for nothing", :free_actions},
      {"health taken twice", :double_damage},
      {"a round that does not count", :same_round},
      {"events of the new round", :new_round_events},
      {"the oldest event in front", :oldest_first},
      {"viewers without lists left out", :lost_viewer},
      {"the left event told differently", :left_swapped},
      {"actions that are not forgotten", :kept_actions},
      {"a winner who is not named", :no_winner},
      {"a game that goes on alone", :no_end},
      {"dead who stay", :undead},
      {"user ids compared loosely", :loose_user_ids},
      {"errors in another order", :other_error},
      {"unknown fields lost", :lost_fields},
      {"unknown fields of a position lost", :lost_position_fields},
      {"an unknown request that crashes nothing but says so otherwise", :other_unknown},
      {"a game under another id", :other_id},
      {"an end of the round 3 s late", :late}
    ]

    for {name, mutant} <- mutants do
      test name do
        assert {:mismatch, mismatch} = play_mutant(unquote(mutant))
        assert %{seed: seed, step: step, drivers: {:pure, :mutant}} = mismatch
        assert is_list(mismatch.path_of_first_difference)
        assert mismatch.left !== mismatch.right

        # The seed alone leads there again.
        assert {:mismatch, %{seed: ^seed, step: ^step}} = play_mutant(unquote(mutant), seed..seed)
      end
    end

    test "an import that loses a field, or is not strict" do
      lossy = fn game ->
        with {:ok, game} <- StateImport.import_game(game),
             do: {:ok, Map.delete(game, :unheard_of)}
      end

      assert {:mismatch, %{request: :get_game, path_of_first_difference: [:unheard_of]}} =
               Conformance.play_all(Driver.pure(), Driver.pure(import: lossy), 1..300, 1)

      lax = fn game ->
        with {:error, {:invalid_game, [:round_end_time], _}} <- StateImport.import_game(game),
             do: {:ok, game}
      end

      assert {:mismatch, %{left: :error, right: :ok, request: "[:round_end_time] is 0"}} =
               Conformance.check_malformed(Driver.pure(import: lax))
    end

    test "an import that refuses" do
      refuses = fn _game -> {:error, :no} end

      assert {:mismatch, %{request: :continue_game, right: {:error, :no}}} =
               Conformance.play(Driver.pure(), Driver.pure(import: refuses), 1, 1)
    end

    test "new games that differ, or whose id is no UUID of version 4" do
      for change <- [&%{&1 | id: "1"}, &%{&1 | round: 2}, &put_in(&1.players[1].user_id, 1.0)] do
        wrong = fn users, now, seconds ->
          with {:ok, game} <- Minotaur.GameEngine.NewGame.create(users, now, seconds),
               do: {:ok, change.(game)}
        end

        assert {:mismatch, %{request: {:create_game, _users}}} =
                 Conformance.check_new_games(Driver.pure(), Driver.pure(create: wrong))
      end
    end
  end

  describe "the first difference" do
    test "is found in fields, keys, lists and tuples" do
      assert Diff.first(%{a: [1, %{b: 2}]}, %{a: [1, %{b: 2.0}]}) == {[:a, 1, :b], 2, 2.0}
      assert Diff.first({:ok, %Coord{q: 1}}, {:ok, %Coord{q: 2}}) == {[1, :q], 1, 2}
      assert Diff.first([1, 2], [1]) == {[1], 2, :absent}
      assert Diff.first(%{1 => :a}, %{1.0 => :a}) == {[1], :a, :absent}
      assert Diff.first([1 | 2], [1 | 3]) == {[], [1 | 2], [1 | 3]}
      assert Diff.first(%{a: :absent}, %{}) == {[], %{a: :absent}, %{}}
      assert Diff.first(%{a: {1, "x"}}, %{a: {1, "x"}}) == nil
    end
  end

  # --- Mutants: the rules, and one thing wrong with them ---

  defp play_mutant(mutant, seeds \\ 1..400) do
    wrong =
      Driver.pure(name: :mutant, round_seconds: 60, handle_call: &mutated(mutant, &1, &2, &3, &4))

    Conformance.play_all(Driver.pure(round_seconds: 60), wrong, seeds, @rounds)
  end

  defp mutated(:loose_user_ids, {name, user_id, argument}, game, now, seconds)
       when name in [:register_move, :register_attack] do
    same = for {_id, player} <- game.players, player.user_id == user_id, do: player.user_id
    Rules.handle_call({name, List.first(same, user_id), argument}, game, now, seconds)
  end

  defp mutated(mutant, request, game, now, seconds) do
    case Rules.handle_call(request, game, now, seconds) do
      {%Game{}, ended} when request == :end_round ->
        wrong = end_wrongly(mutant, game, ended)
        {wrong, wrong}

      {{:ok, _}, registered} ->
        wrong = register_wrongly(mutant, game, registered)
        {{:ok, wrong}, wrong}

      {{:error, reason}, _game} ->
        {{:error, refuse_wrongly(mutant, reason)}, game}

      {answer, game} ->
        {answer, game}
    end
  end

  defp end_wrongly(_mutant, %{status: :concluded}, ended), do: ended

  defp end_wrongly(:more_action_points, _game, ended),
    do: each_character(ended, &%{&1 | action_points: &1.action_points + 1})

  defp end_wrongly(:more_than_three, game, ended) do
    each_character(ended, fn pc ->
      %{pc | action_points: game.world.player_characters[pc.player_id].action_points + 1}
    end)
  end

  defp end_wrongly(:double_damage, game, ended) do
    each_character(ended, fn pc ->
      taken = game.world.player_characters[pc.player_id].health - pc.health
      %{pc | health: max(pc.health - taken, 0)}
    end)
  end

  defp end_wrongly(:same_round, game, ended), do: %{ended | round: game.round}

  defp end_wrongly(:new_round_events, game, ended) do
    each_event(ended, fn event ->
      if event.round == game.round, do: %{event | round: ended.round}, else: event
    end)
  end

  defp end_wrongly(:oldest_first, _game, ended), do: each_list(ended, &Enum.sort/1)

  defp end_wrongly(:lost_viewer, game, ended) do
    had = Map.keys(game.events_log.events_visible_by_player)
    update_in(ended.events_log.events_visible_by_player, &Map.take(&1, had))
  end

  defp end_wrongly(:left_swapped, _game, ended) do
    each_event(ended, fn
      %PCLeftHexEvent{} = event -> %{event | from: event.to, to: event.from}
      event -> event
    end)
  end

  defp end_wrongly(:kept_actions, game, ended),
    do: %{ended | registered_actions: game.registered_actions}

  defp end_wrongly(:no_winner, game, ended), do: %{ended | players: keep_won(ended, game)}

  defp end_wrongly(:no_end, game, ended), do: %{ended | status: game.status}

  defp end_wrongly(:undead, game, ended) do
    put_in(ended.world.dead_characters, game.world.dead_characters)
  end

  defp end_wrongly(:lost_position_fields, game, ended) do
    each_character(ended, fn pc ->
      before = game.world.player_characters[pc.player_id].position
      if before == pc.position, do: pc, else: %{pc | position: plain(pc.position)}
    end)
  end

  defp end_wrongly(:late, _game, %{round_end_time: %DateTime{} = time} = ended),
    do: %{ended | round_end_time: DateTime.add(time, 4)}

  defp end_wrongly(:lost_fields, _game, ended),
    do: each_character(ended, &Map.delete(&1, :unheard_of))

  defp end_wrongly(:other_id, _game, ended), do: %{ended | id: "another"}
  defp end_wrongly(_mutant, _game, ended), do: ended

  defp register_wrongly(:free_actions, game, registered),
    do: %{registered | world: game.world}

  defp register_wrongly(_mutant, _game, registered), do: registered

  defp refuse_wrongly(:other_error, :not_enough_action_points), do: :illegal_move
  defp refuse_wrongly(:other_unknown, :unknown_request), do: :unknown
  defp refuse_wrongly(_mutant, reason), do: reason

  defp each_character(game, fun) do
    update_in(game.world.player_characters, &Map.new(&1, fn {id, pc} -> {id, fun.(pc)} end))
  end

  defp each_event(game, fun) do
    update_in(game.events_log.events, &Map.new(&1, fn {id, event} -> {id, fun.(event)} end))
  end

  defp each_list(game, fun) do
    update_in(game.events_log.events_visible_by_player, fn lists ->
      Map.new(lists, fn {id, list} -> {id, fun.(list)} end)
    end)
  end

  defp keep_won(ended, game) do
    Map.new(ended.players, fn
      {id, %Player{status: :won} = player} -> {id, %{player | status: game.players[id].status}}
      {id, player} -> {id, player}
    end)
  end

  defp plain(coord), do: Coord.from_hex(Coord.hex(coord))

  # --- What a random play shows ---

  defp what_happens(seed) do
    {:ok, game} = StateImport.import_game(Conformance.random_game(seed))
    happens(game, Gen.seeded(seed + 1), @rounds, MapSet.new())
  end

  defp happens(game, _rng, 0, seen) do
    statuses = for {_id, player} <- game.players, do: player.status
    events = for {_id, event} <- game.events_log.events, do: event.__struct__
    MapSet.union(seen, MapSet.new(statuses ++ events))
  end

  defp happens(game, rng, rounds, seen) do
    {steps, rng} = Conformance.random_requests(rng, game)

    {game, seen} =
      Enum.reduce(steps, {game, seen}, fn
        {:call, request}, {game, seen} ->
          {answer, game} = Rules.handle_call(request, game, DateTime.utc_now(), 0)
          {game, MapSet.put(seen, kind(answer))}

        _message, unchanged ->
          unchanged
      end)

    happens(game, rng, rounds - 1, seen)
  end

  defp kind({:ok, _game}), do: :ok
  defp kind({:error, reason}), do: reason
  defp kind(%Game{status: status}), do: status
end
