defmodule Minotaur.GameEngine.RoundEndTest do
  use ExUnit.Case, async: true

  import Minotaur.GameEngineFixtures

  alias Minotaur.GameEngine.{
    Game,
    PCAttackedPCEvent,
    PCEnteredHexEvent,
    PCLeftHexEvent,
    RoundEnd
  }

  @now ~U[2024-06-19 15:51:09.987654Z]

  defp end_round(game, round_seconds \\ 60), do: RoundEnd.end_round(game, @now, round_seconds)

  defp game(actions, options \\ []),
    do: %{small_game_fixture(options) | round: 5, registered_actions: by_player(actions)}

  defp by_player(actions), do: Enum.group_by(actions, & &1.player_id)

  defp events(game), do: for({_id, event} <- Enum.sort(game.events_log.events), do: event)

  defp events(game, module), do: Enum.filter(events(game), &(&1.__struct__ == module))

  defp seen_by(game, event) do
    for {id, seen} <- Enum.sort(game.events_log.events_visible_by_player),
        event.id in seen,
        do: id
  end

  defp positions(game) do
    Map.new(game.world.player_characters, fn {id, %{position: at}} -> {id, {at.q, at.r}} end)
  end

  defp health(game, id), do: game.world.player_characters[id].health

  defp statuses(game), do: for({_id, player} <- Enum.sort(game.players), do: player.status)

  defp attacked(id, player_id, target_id),
    do: %PCAttackedPCEvent{id: id, player_id: player_id, target_id: target_id, round: 5}

  defp entered(id, player_id, from, to),
    do: struct!(PCEnteredHexEvent, hex_event(id, player_id, from, to))

  defp left(id, player_id, from, to),
    do: struct!(PCLeftHexEvent, hex_event(id, player_id, from, to))

  defp hex_event(id, player_id, from, to),
    do: [id: id, player_id: player_id, from: coord(from), to: coord(to), round: 5]

  describe "the round" do
    test "is counted, and the next one gets its end in whole seconds" do
      assert %Game{round: 6, round_end_time: end_time} = end_round(game([]))
      assert end_time === ~U[2024-06-19 15:52:09Z]
    end

    test "has no end when rounds have no timer" do
      game = %{game([]) | round_end_time: ~U[2024-06-19 15:51:09Z]}
      assert %Game{round: 6, round_end_time: nil} = end_round(game, 0)
    end

    test "does not end in a concluded game" do
      game = %{
        game([move(1, {1, 0})])
        | status: :concluded,
          round_end_time: ~U[2024-06-19 15:51:09Z]
      }

      assert end_round(game) === game
    end

    test "forgets the registered actions" do
      assert end_round(game([move(1, {1, 0}), attack(2, 3)])).registered_actions === %{}
    end
  end

  describe "attacks" do
    test "take 1 health each and are seen by everyone in the attacker's hex" do
      game =
        game([attack(1, 2)], positions: %{1 => {0, 0}, 2 => {0, 0}, 3 => {0, 0}, 4 => {1, 0}})

      ended = end_round(game)

      assert health(ended, 2) == 2
      assert events(ended) === [attacked(0, 1, 2)]

      assert ended.events_log.events_visible_by_player === %{
               1 => [0],
               2 => [0],
               3 => [0],
               4 => []
             }
    end

    test "come player by player, each player's in the order of registration" do
      game = game([attack(2, 1), attack(1, 3), attack(1, 2)])

      assert events(end_round(game)) === [attacked(0, 1, 3), attacked(1, 1, 2), attacked(2, 2, 1)]
    end

    test "hit where the target is by now, since reach was a matter of registration" do
      game = game([attack(1, 2)], positions: %{1 => {0, 0}, 2 => {1, 0}})
      ended = end_round(game)

      assert health(ended, 2) == 2
      assert [event] = events(ended)
      assert seen_by(ended, event) == [1]
    end

    test "never take health below 0, and are events all the same" do
      game = game([attack(1, 4), attack(2, 4), attack(3, 4)], health: %{4 => 1})
      ended = end_round(game)

      assert ended.world.dead_characters[4].health == 0
      assert length(events(ended, PCAttackedPCEvent)) == 3
    end

    test "are made and seen by characters that have health 0 by then" do
      game = game([attack(1, 2), attack(2, 1)], health: %{2 => 1})
      ended = end_round(game)

      assert health(ended, 1) == 2
      assert [_, second] = events(ended)
      assert seen_by(ended, second) == [1, 2, 3, 4]
    end

    test "come before all moves" do
      game =
        game([move(1, {1, 0}), attack(1, 2)], positions: %{1 => {0, 0}, 2 => {0, 0}, 3 => {1, 0}})

      ended = end_round(game)

      assert [%PCAttackedPCEvent{} = event, %PCLeftHexEvent{}, %PCEnteredHexEvent{}] =
               events(ended)

      assert seen_by(ended, event) == [1, 2]
    end

    test "without a living attacker or target are dropped" do
      game =
        game([attack(1, 9), attack(9, 1), attack(4, 1), attack(1, 4)],
          positions: %{1 => {0, 0}, 2 => {0, 0}}
        )

      ended = end_round(game)

      assert events(ended) == []
      assert health(ended, 1) == 3
    end

    test "belong to the player they name, under whatever key they lie" do
      game = %{game([]) | registered_actions: %{1 => [attack(3, 2)], 2 => [attack(1, 3)]}}
      assert events(end_round(game)) === [attacked(0, 3, 2), attacked(1, 1, 3)]
    end
  end

  describe "moves" do
    test "of one player follow each other" do
      game = game([move(1, {1, 0}), move(1, {-1, 1})], positions: %{1 => {0, 0}, 2 => {-1, 0}})
      ended = end_round(game)

      assert positions(ended) == %{1 => {0, 1}, 2 => {-1, 0}}

      assert events(ended, PCEnteredHexEvent) === [
               entered(1, 1, {0, 0}, {1, 0}),
               entered(2, 1, {1, 0}, {0, 1})
             ]
    end

    test "that lead to a wall or off the grid are dropped, the following ones count from there" do
      game =
        game([move(1, {1, 0}), move(1, {0, -1}), move(1, {0, -1})],
          walls: [{1, 0}],
          positions: %{1 => {0, 0}, 2 => {-1, 0}}
        )

      ended = end_round(game)
      assert positions(ended)[1] == {0, -1}
      assert [%{to: to}] = events(ended, PCEnteredHexEvent)
      assert to === coord({0, -1})
    end

    test "of a player without a living character are dropped" do
      game = game([move(9, {1, 0}), move(3, {1, 0})], positions: %{1 => {0, 0}, 2 => {0, 0}})
      assert events(end_round(game)) == []
    end

    test "are taken as they are, also when they are no directions" do
      game = game([move(1, {1, -2}), move(1, {2, 2})], positions: %{1 => {-1, 1}, 2 => {-1, 0}})
      ended = end_round(game)

      assert positions(ended)[1] == {0, -1}

      assert events(ended, PCEnteredHexEvent) === [entered(0, 1, {-1, 1}, {0, -1})]
    end

    test "to the same hex are entered there, and left by nobody who stays" do
      ended = end_round(game([move(1, {0, 0})]))

      assert [%PCEnteredHexEvent{} = event] = events(ended)
      assert seen_by(ended, event) == [1, 2, 3, 4]
    end

    test "beyond 64 bits lead nowhere" do
      limit = 0x7FFFFFFFFFFFFFFF
      game = game([move(1, {1, 0})], positions: %{1 => {limit, 0}, 2 => {0, 0}})

      assert positions(end_round(game))[1] == {limit, 0}
    end

    test "are made by characters with health 0 too" do
      game = game([attack(1, 2), move(2, {1, 0})], health: %{2 => 1})
      ended = end_round(game)

      assert ended.world.dead_characters[2].position == coord({1, 0})
      assert [_, %PCLeftHexEvent{}, %PCEnteredHexEvent{} = event] = events(ended)
      assert seen_by(ended, event) == [2]
    end
  end

  describe "what is seen of moves" do
    test "left: by those who were there before and are not in the destination after" do
      game = game([move(1, {1, 0}), move(2, {1, 0}), move(3, {0, 1})])
      ended = end_round(game)

      assert [first, second, third] = events(ended, PCLeftHexEvent)
      assert first === left(0, 1, {0, 0}, {1, 0})
      assert {seen_by(ended, first), seen_by(ended, second)} == {[3, 4], [3, 4]}
      assert third === left(2, 3, {0, 0}, {0, 1})
      assert seen_by(ended, third) == [1, 2, 4]
    end

    test "left: not made when nobody sees it, so that no id is lost" do
      game = game([move(1, {1, 0})], positions: %{1 => {0, 0}, 2 => {1, 0}})
      ended = end_round(game)

      assert events(ended) === [entered(0, 1, {0, 0}, {1, 0})]
    end

    test "left: by the mover itself, when it does not stay in the destination" do
      game = game([move(1, {1, 0}), move(1, {-1, 1})], positions: %{1 => {0, 0}, 2 => {-1, 0}})
      ended = end_round(game)

      assert [event] = events(ended, PCLeftHexEvent)
      assert event === left(0, 1, {0, 0}, {1, 0})
      assert seen_by(ended, event) == [1]
    end

    test "entered: by everyone who is there after all moves, the mover included" do
      game =
        game([move(1, {1, 0}), move(2, {-1, 0}), move(3, {1, 0})],
          positions: %{1 => {0, 0}, 2 => {1, 0}, 3 => {0, 0}, 4 => {1, 0}}
        )

      ended = end_round(game)

      assert [first, second, third] = events(ended, PCEnteredHexEvent)
      assert {first.player_id, seen_by(ended, first)} == {1, [1, 3, 4]}
      assert {second.player_id, seen_by(ended, second)} == {2, [2]}
      assert {third.player_id, seen_by(ended, third)} == {3, [1, 3, 4]}
    end

    test "entered: made even when nobody sees it" do
      game = game([move(1, {1, 0}), move(1, {-1, 0})], positions: %{1 => {0, 0}, 2 => {-1, 0}})
      ended = end_round(game)

      assert [first, second] = events(ended, PCEnteredHexEvent)
      assert {seen_by(ended, first), seen_by(ended, second)} == {[], [1]}
    end

    test "all left events come before all entered ones, each in the order of the moves" do
      game = game([move(2, {0, 1}), move(1, {1, 0})])

      assert events(end_round(game)) === [
               left(0, 1, {0, 0}, {1, 0}),
               left(1, 2, {0, 0}, {0, 1}),
               entered(2, 1, {0, 0}, {1, 0}),
               entered(3, 2, {0, 0}, {0, 1})
             ]
    end

    test "players who pass each other do not see each other, players who swap do" do
      game = game([move(1, {1, 0}), move(2, {-1, 0})], positions: %{1 => {0, 0}, 2 => {1, 0}})
      ended = end_round(game)

      assert events(ended, PCLeftHexEvent) == []
      assert Enum.map(events(ended), &seen_by(ended, &1)) == [[1], [2]]
    end
  end

  describe "the log" do
    test "numbers events by its size, and puts the newest in front" do
      game = %{played_game_fixture() | registered_actions: %{1 => [attack(1, 2), attack(1, 2)]}}
      ended = end_round(game)

      assert Map.keys(ended.events_log.events) == [0, 1, 2, 3, 4]
      assert ended.events_log.events_visible_by_player[1] == [4, 3, 1, 0]
      assert ended.events_log.events_visible_by_player[3] == [2, 0]
    end

    test "gives a viewer without a list one" do
      game = game([attack(1, 2)])
      game = put_in(game.events_log.events_visible_by_player, %{3 => []})

      assert end_round(game).events_log.events_visible_by_player ==
               %{1 => [0], 2 => [0], 3 => [0], 4 => [0]}
    end

    test "replaces an event in an imported log with gaps" do
      game = game([attack(1, 2)])
      game = put_in(game.events_log.events, %{1 => attacked(1, 4, 3)})

      assert end_round(game).events_log.events === %{1 => attacked(1, 1, 2)}
    end

    test "carries the round that just ended" do
      assert [%{round: 5}] = events(end_round(game([attack(1, 2)])))
    end
  end

  describe "after the actions" do
    test "every living character gets an action point, at most 3" do
      points = %{1 => 0, 2 => 2, 3 => 3, 4 => 9}
      ended = end_round(game([], action_points: points))

      assert for({id, pc} <- ended.world.player_characters, do: {id, pc.action_points}) ==
               [{1, 1}, {2, 3}, {3, 3}, {4, 3}]
    end

    test "the dead get no action points, those who die now still do" do
      game = game([attack(1, 2)], health: %{2 => 1}, action_points: %{2 => 0})
      long_dead = %{game.world.player_characters[4] | player_id: 9, action_points: 0}
      ended = end_round(put_in(game.world.dead_characters[9], long_dead))

      assert ended.world.dead_characters[2].action_points == 1
      assert ended.world.dead_characters[9].action_points == 0
    end

    test "characters with health 0 go to the dead, and their players are eliminated" do
      ended = end_round(game([attack(1, 2)], health: %{2 => 1}))

      assert Map.keys(ended.world.player_characters) == [1, 3, 4]
      assert Map.keys(ended.world.dead_characters) == [2]
      assert statuses(ended) == [:active, :eliminated, :active, :active]
      assert ended.status == :active
    end

    test "a dead character may have no player" do
      game = game([], positions: %{1 => {0, 0}, 2 => {0, 0}, 9 => {0, 0}})
      ended = end_round(put_in(game.world.player_characters[9].health, 0))

      assert Map.keys(ended.world.dead_characters) == [9]
      assert Map.keys(ended.players) == [1, 2, 3, 4]
    end

    test "the last one wins, and the game is over" do
      game =
        game([attack(1, 2), attack(1, 3)],
          positions: %{1 => {0, 0}, 2 => {0, 0}, 3 => {0, 0}},
          health: %{2 => 1, 3 => 1}
        )

      ended = end_round(game)

      assert statuses(ended) == [:won, :eliminated, :eliminated, :active]
      assert %Game{status: :concluded, round: 6, round_end_time: nil} = ended
    end

    test "nobody wins when the last ones kill each other" do
      game =
        game([attack(1, 2), attack(2, 1)],
          positions: %{1 => {0, 0}, 2 => {0, 0}},
          health: %{1 => 1, 2 => 1}
        )

      ended = end_round(game)

      assert statuses(ended) == [:eliminated, :eliminated, :active, :active]
      assert %Game{status: :concluded, round_end_time: nil} = ended
      assert ended.world.player_characters == %{}
    end

    test "a character without a player may be the last one" do
      ended = end_round(game([], positions: %{9 => {0, 0}}))

      assert ended.status == :concluded
      assert statuses(ended) == [:active, :active, :active, :active]
    end

    test "two are enough to go on" do
      assert end_round(game([], positions: %{1 => {0, 0}, 2 => {1, 0}})).status == :active
    end
  end

  test "fields that nobody knows survive a round, in every struct" do
    game = played_game_fixture()
    position = unknown(coord({0, 0}), :floor_number, 7)
    game = put_in(game.world.player_characters[1].position, position)

    game = %{
      game
      | players: Map.update!(game.players, 1, &unknown(&1, :rank, :captain)),
        events_log: unknown(game.events_log, :archive, [1]),
        registered_actions: %{1 => [move(1, {1, 0})]}
    }

    ended = end_round(game)

    assert get_in(ended, [Access.key(:season)]) == "winter"
    assert ended.world.weather == {:rain, 0.5}
    assert ended.players[1].rank == :captain
    assert ended.events_log.archive == [1]
    assert ended.events_log.events[0].damage == 1

    moved = ended.world.player_characters[1]
    assert moved.armour == 2
    assert moved.position === unknown(coord({1, 0}), :floor_number, 7)

    assert [%{from: from}] = for(%PCLeftHexEvent{round: 4} = event <- events(ended), do: event)
    assert from === coord({0, 0})
  end
end
