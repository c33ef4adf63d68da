defmodule Minotaur.GameEngine.RulesTest do
  use ExUnit.Case, async: true

  import Minotaur.GameEngineFixtures

  alias Minotaur.GameEngine.{AttackAction, MoveAction, Rules, Vector}

  @east %Vector{q: 1, r: 0}
  @west %Vector{q: -1, r: 0}
  @now ~U[2024-06-19 15:51:09Z]

  defp move_answer(game, vector \\ @east, user_id \\ "user-1"),
    do: Rules.register_move(game, user_id, vector)

  defp attack_answer(game, target \\ 2, user_id \\ "user-1"),
    do: Rules.register_attack(game, user_id, target)

  defp answers(game), do: {move_answer(game), attack_answer(game)}

  defp both(error), do: {{:error, error}, {:error, error}}

  defp with_status(game, player_id, status),
    do: put_in(game, [Access.key(:players), player_id, Access.key(:status)], status)

  defp with_user_id(game, player_id, user_id),
    do: put_in(game, [Access.key(:players), player_id, Access.key(:user_id)], user_id)

  describe "who may act" do
    test "nobody in a concluded game, not even a stranger" do
      game = small_game_fixture() |> Map.put(:status, :concluded)

      assert answers(game) == both(:game_concluded)
      assert move_answer(game, nil, "nobody") == {:error, :game_concluded}
    end

    test "only users who play, found before their request is looked at" do
      game = small_game_fixture()

      assert move_answer(game, :nonsense, "nobody") == {:error, :player_not_found}
      assert attack_answer(game, :nonsense, "nobody") == {:error, :player_not_found}
    end

    test "user ids are compared exactly" do
      game = small_game_fixture() |> with_user_id(1, 1)

      assert move_answer(game, @east, 1.0) == {:error, :player_not_found}
      assert {:ok, _game} = move_answer(game, @east, 1)
    end

    test "of several players of one user the lowest player id counts" do
      game = small_game_fixture() |> with_user_id(3, "user-2") |> with_user_id(4, "user-2")

      assert {:ok, %{registered_actions: %{2 => [_]}}} = move_answer(game, @east, "user-2")

      game = with_status(game, 2, :eliminated)
      assert move_answer(game, @east, "user-2") == {:error, :player_eliminated}
    end

    test "no player who is eliminated, although the character lives" do
      game = small_game_fixture() |> with_status(1, :eliminated)

      assert answers(game) == both(:player_eliminated)
      assert move_answer(game, :nonsense) == {:error, :player_eliminated}
    end

    test "no player without a living character" do
      assert answers(small_game_fixture(positions: %{2 => {0, 0}})) == both(:player_eliminated)
    end

    test "a character with health 0 acts until the round ends, a winner as long as the game runs" do
      game = small_game_fixture() |> with_status(1, :won)
      game = put_in(game.world.player_characters[1].health, 0)

      assert {{:ok, _}, {:ok, _}} = answers(game)
    end
  end

  describe "register_move" do
    test "takes each of the six directions" do
      game = small_game_fixture()

      for direction <- Vector.directions() do
        assert {:ok, after_move} = move_answer(game, direction)

        assert after_move.registered_actions === %{
                 1 => [%MoveAction{player_id: 1, vector: direction}]
               }
      end

      assert Enum.sort(for v <- Vector.directions(), do: {v.q, v.r}) ==
               [{-1, 0}, {-1, 1}, {0, -1}, {0, 1}, {1, -1}, {1, 0}]
    end

    test "takes nothing else, before action points are looked at" do
      game = small_game_fixture(action_points: %{1 => 0})

      for nonsense <- [
            vector({0, 0}),
            vector({1, 1}),
            vector({2, 0}),
            %Vector{q: 1.0, r: 0},
            %Vector{},
            coord({1, 0}),
            %{q: 1, r: 0},
            %{__struct__: Vector, q: 1},
            {1, 0},
            nil
          ] do
        assert move_answer(game, nonsense) == {:error, :illegal_move}
      end
    end

    test "keeps only q and r of the vector" do
      {:ok, game} = move_answer(small_game_fixture(), unknown(@east, :speed, 9))

      assert [%MoveAction{vector: vector}] = game.registered_actions[1]
      assert vector === @east
    end

    test "costs one action point at once, and moves nobody yet" do
      game = small_game_fixture(action_points: %{1 => 2})

      {:ok, after_move} = move_answer(game)
      assert after_move.world.player_characters[1].action_points == 1
      assert after_move.world.player_characters[1].position == coord({0, 0})

      {:ok, after_move} = move_answer(after_move, @west)
      assert move_answer(after_move) == {:error, :not_enough_action_points}
    end

    test "asks for an action point before it looks at the destination" do
      game = small_game_fixture(action_points: %{1 => 0}, positions: %{1 => {1, 0}})
      assert move_answer(game) == {:error, :not_enough_action_points}
    end

    test "leads to floor only: no wall, nothing beyond the grid" do
      game = small_game_fixture(walls: [{1, 0}])
      assert move_answer(game) == {:error, :illegal_move}

      game = small_game_fixture(positions: %{1 => {1, 0}})
      assert move_answer(game) == {:error, :illegal_move}
    end

    test "counts from where the player's registered moves lead" do
      {:ok, game} = move_answer(small_game_fixture())
      assert move_answer(game) == {:error, :illegal_move}

      {:ok, game} = move_answer(game, @west)
      assert game.registered_actions === %{1 => [move(1, {1, 0}), move(1, {-1, 0})]}
    end

    test "does not count moves that will be dropped, attacks, or moves of others" do
      game = %{
        small_game_fixture(walls: [{0, 1}])
        | registered_actions: %{
            1 => [move(1, {0, 1}), move(2, {1, 0}), attack(1, 2)],
            2 => [move(1, {1, 0}), move(2, {1, 0})]
          }
      }

      assert {:ok, game} = move_answer(game)
      assert List.last(game.registered_actions[1]) === move(1, {1, 0})
      assert move_answer(game) == {:error, :illegal_move}
    end

    test "finds a floor hex whose coordinate carries fields that we do not know" do
      game = small_game_fixture()
      {hex, grid} = Map.pop!(game.world.grid, coord({1, 0}))
      key = unknown(coord({1, 0}), :s, -1)
      grid = Map.put(grid, key, %{hex | coord: key})

      assert {:ok, _game} = move_answer(%{game | world: %{game.world | grid: grid}})
    end
  end

  describe "a hex under several keys" do
    defp grid_with(game, levels) do
      hex = game.world.grid[coord({1, 0})]

      for {level, terrain} <- levels, into: Map.delete(game.world.grid, coord({1, 0})) do
        key = if level, do: unknown(coord({1, 0}), :level, level), else: coord({1, 0})
        {key, %{hex | coord: key, terrain: terrain}}
      end
    end

    test "is what the key of q and r alone says, else floor when any is" do
      for {levels, floor?} <- [
            {%{nil => :wall, 1 => :floor}, false},
            {%{nil => :floor, 1 => :wall}, true},
            {%{1 => :wall, 2 => :floor}, true},
            {%{1 => :floor, 2 => :wall}, true},
            {%{1 => :wall, 2 => :wall}, false}
          ] do
        game = small_game_fixture()
        world = %{game.world | grid: grid_with(game, levels)}
        assert match?({:ok, _game}, move_answer(%{game | world: world})) == floor?
      end
    end
  end

  describe "register_attack" do
    test "appends the attack to the player's list and costs one action point" do
      {:ok, game} = move_answer(small_game_fixture())
      {:ok, game} = attack_answer(game, 3)

      assert game.registered_actions === %{1 => [move(1, {1, 0}), attack(1, 3)]}
      assert %AttackAction{} = List.last(game.registered_actions[1])
      assert game.world.player_characters[1].action_points == 0
      assert game.world.player_characters[3].health == 3
    end

    test "asks for an action point before it looks for the target" do
      game = small_game_fixture(action_points: %{1 => 0})
      assert attack_answer(game, 999) == {:error, :not_enough_action_points}
    end

    test "finds no target that is the player itself, unknown, dead, or no player id" do
      game = small_game_fixture(positions: %{1 => {0, 0}, 2 => {0, 0}})
      dead = %{game.world.player_characters[2] | player_id: 3}
      game = put_in(game.world.dead_characters[3], dead)

      for target <- [1, 3, 4, 999, 2.0, "2", nil] do
        assert attack_answer(game, target) == {:error, :target_not_found}
      end
    end

    test "reaches only into the same hex, as the characters stand now" do
      game = small_game_fixture(positions: %{1 => {0, 0}, 2 => {1, 0}, 3 => {0, 0}})
      assert attack_answer(game, 2) == {:error, :target_out_of_reach}

      {:ok, game} = move_answer(game)
      assert attack_answer(game, 2) == {:error, :target_out_of_reach}
      assert {:ok, _game} = attack_answer(game, 3)
    end

    test "compares hexes by q and r alone" do
      game = small_game_fixture()
      position = unknown(coord({0, 0}), :floor_number, 1)
      game = put_in(game.world.player_characters[2].position, position)

      assert {:ok, _game} = attack_answer(game)
    end
  end

  test "fields that nobody knows survive a registration" do
    game = played_game_fixture()
    {:ok, after_move} = Rules.register_move(game, "user-2", @west)

    assert after_move.season == "winter"
    assert after_move.world.weather == {:rain, 0.5}
    assert after_move.world.player_characters[1].armour == 2
    assert hd(after_move.registered_actions[2]).weapon == :axe
  end

  describe "requests" do
    setup do
      [game: small_game_fixture()]
    end

    test "get_game answers the game", %{game: game} do
      assert Rules.handle_call(:get_game, game, @now, 60) === {game, game}
    end

    test "end_round answers the game after the round", %{game: game} do
      assert {%{round: 2} = answer, answer} = Rules.handle_call(:end_round, game, @now, 60)
      assert answer === Rules.end_round(game, @now, 60)
    end

    test "registrations answer ok with the game, or an error and leave it", %{game: game} do
      assert {{:ok, after_move}, after_move} =
               Rules.handle_call({:register_move, "user-1", @east}, game, @now, 60)

      assert {:ok, after_move} === move_answer(game)

      assert {{:ok, after_attack}, after_attack} =
               Rules.handle_call({:register_attack, "user-1", 2}, game, @now, 60)

      assert {:ok, after_attack} === attack_answer(game)

      assert Rules.handle_call({:register_move, "user-1", nil}, game, @now, 60) ===
               {{:error, :illegal_move}, game}

      assert Rules.handle_call({:register_attack, "user-1", 1}, game, @now, 60) ===
               {{:error, :target_not_found}, game}
    end

    test "anything else is an unknown request", %{game: game} do
      for request <- [:end_session, {:register_move, "user-1"}, {:end_round}, nil, "get_game"] do
        assert Rules.handle_call(request, game, @now, 60) === {{:error, :unknown_request}, game}
      end
    end
  end

  describe "messages" do
    setup do
      [game: %{small_game_fixture() | round: 3}]
    end

    test "the timer of the current round ends it", %{game: game} do
      assert Rules.handle_info({:round_timer_expired, 3}, game, @now, 60) ===
               {:ok, Rules.end_round(game, @now, 60)}
    end

    test "a timer of another round is ignored", %{game: game} do
      for round <- [2, 4, 3.0, nil] do
        assert Rules.handle_info({:round_timer_expired, round}, game, @now, 60) === {:ok, game}
      end
    end

    test "a timer in a concluded game is ignored", %{game: game} do
      game = %{game | status: :concluded}
      assert Rules.handle_info({:round_timer_expired, 3}, game, @now, 60) === {:ok, game}
    end

    test "end_session ends the session, all else is unknown", %{game: game} do
      assert Rules.handle_info(:end_session, game, @now, 60) == :end_session

      for message <- [:get_game, {:round_timer_expired}, {:end_session, 1}, nil] do
        assert Rules.handle_info(message, game, @now, 60) == :unknown
      end
    end
  end

  describe "player_status" do
    test "is the status of the user's player" do
      game = played_game_fixture()

      assert Rules.player_status(game, "user-1") == :active
      assert Rules.player_status(game, "user-4") == :eliminated
      assert Rules.player_status(with_status(game, 1, :won), "user-1") == :won
    end

    test "takes the lowest player id of several, and says when there is none" do
      game = played_game_fixture() |> with_user_id(2, "user-4")

      assert Rules.player_status(game, "user-4") == :active
      assert Rules.player_status(game, "nobody") == {:error, :player_not_found}
    end

    test "imports the game first" do
      assert Rules.player_status(old_game_fixture(1), "user-4") == :eliminated

      assert Rules.player_status(%{game_fixture() | version: 9}, "user-4") ==
               {:error, :invalid_game_version}

      assert Rules.player_status(%{game_fixture() | players: nil}, "user-4") ==
               {:error, {:invalid_game, [:players], {:expected, :map}}}
    end
  end
end
