defmodule Minotaur.GameEngine.StateImportTest do
  use ExUnit.Case, async: true

  import Minotaur.GameEngineFixtures

  alias Minotaur.GameEngine.{Coord, EventsLog, Game, StateImport}

  defp import!(game) do
    assert {:ok, game} = StateImport.import_game(game)
    game
  end

  defp invalid(game) do
    assert {:error, {:invalid_game, path, reason}} = StateImport.import_game(game)
    {path, reason}
  end

  describe "a game of this version" do
    test "comes back unchanged, with every field that nobody knows" do
      game = played_game_fixture()
      assert import!(game) === game
      assert StateImport.export_game(game) === game
    end

    test "loses the parts of a second of the round's end" do
      game = game_fixture(round_end_time: ~U[2024-06-19 15:51:09.987654Z])
      assert import!(game).round_end_time === ~U[2024-06-19 15:51:09Z]
    end

    test "gets the round's end in the form in which every node writes it" do
      odd = ~U[2024-06-19 15:51:09Z] |> unknown(:era, 1) |> Map.put(:zone_abbr, "Z")

      assert import!(game_fixture(round_end_time: odd)).round_end_time ===
               ~U[2024-06-19 15:51:09Z]
    end

    test "may have no timer, and ends of rounds from 1970 to 9999" do
      for time <- [
            nil,
            ~U[1970-01-01 00:00:00Z],
            ~U[2024-02-29 00:00:00Z],
            ~U[9999-12-31 23:59:59Z]
          ] do
        assert import!(game_fixture(round_end_time: time)).round_end_time === time
      end
    end

    test "may have fields at the limits of 64 bits" do
      max = 0x7FFFFFFFFFFFFFFF
      game = small_game_fixture(positions: %{1 => {max, -max - 1}}, health: %{1 => max})

      assert import!(%{game | round: max}) === %{game | round: max}
    end

    test "may have any user id" do
      for user_id <- [nil, 1.5, {:a, ["b"]}, %{c: 1}, self(), make_ref()] do
        game = game_fixture(players: %{1 => player(1, user_id)})
        assert import!(game).players[1].user_id === user_id
      end
    end
  end

  describe "upgrades" do
    test "from 1 add an empty log, with a list for every player" do
      game = import!(old_game_fixture(1))

      assert game.version == 4

      assert game.events_log === %EventsLog{
               events: %{},
               events_visible_by_player: %{1 => [], 2 => [], 3 => [], 4 => []}
             }
    end

    test "from 1 keep a log that is there" do
      log = old_game_fixture(2).events_log
      game = import!(Map.put(old_game_fixture(1), :events_log, log))

      assert map_size(game.events_log.events) == 3
      assert game.events_log.events_visible_by_player[2] == [1, 0]
    end

    test "from 2 give every player without one an empty list" do
      assert import!(old_game_fixture(2)).events_log.events_visible_by_player ===
               %{1 => [], 2 => [1, 0], 3 => [], 4 => []}
    end

    test "from 3 date the events: their round - 1, or the game's where they have none" do
      game = old_game_fixture(3)
      refute Map.has_key?(game.events_log.events[0], :round)
      assert game.events_log.events[1].round == 4

      assert for({_id, event} <- import!(game).events_log.events, do: event.round) == [3, 3, 3]
      assert import!(%{game | round: 9}).events_log.events[0].round == 8
    end

    test "reach version 4 from every older one, and keep unknown fields" do
      for version <- 1..3 do
        game = import!(old_game_fixture(version))

        assert game.version == 4
        assert game.season == "winter"
        assert game.world.weather == {:rain, 0.5}
        assert import!(game) === game
      end

      assert import!(old_game_fixture(3)).events_log.events[0].damage == 1
    end

    test "of this version are none" do
      game = played_game_fixture()
      game = put_in(game.events_log.events_visible_by_player, %{})
      assert import!(game).events_log === game.events_log
    end

    test "from 3 of an event of round 0 make an invalid one" do
      game = put_in(old_game_fixture(3).events_log.events[1].round, 0)

      assert invalid(game) ==
               {[:events_log, :events, 1, :round], {:expected, :non_neg_integer}}
    end

    test "leave what is malformed for the check to name" do
      assert invalid(%{old_game_fixture(3) | events_log: 7}) ==
               {[:events_log], {:expected, {:struct, EventsLog}}}

      assert invalid(Map.delete(old_game_fixture(2), :events_log)) == {[:events_log], :missing}
    end
  end

  describe "the order of checks" do
    test "a game first, then its version, then its fields" do
      assert invalid(%{version: 9}) == {[], {:expected, {:struct, Game}}}

      for bad <- [nil, 0, 5, 4.0, "4"] do
        game = game_fixture(version: bad, id: nil)
        assert StateImport.import_game(game) == {:error, :invalid_game_version}
      end

      game = Map.delete(game_fixture(id: nil), :version)
      assert StateImport.import_game(game) == {:error, :invalid_game_version}
    end

    test "a field is read to its end before the next" do
      game = game_fixture(world: nil, players: %{1 => %{player(1, "u") | status: :sleepy}})

      assert invalid(game) ==
               {[:players, 1, :status], {:expected, {:one_of, [:active, :eliminated, :won]}}}
    end

    test "a bad key is named before its value, an equal one after its type" do
      assert invalid(game_fixture(players: %{1.0 => nil})) ==
               {[:players, 1.0], {:expected, :integer}}

      assert invalid(game_fixture(players: %{2 => player(1, "u")})) ==
               {[:players, 2, :id], {:expected, {:equal, 2}}}

      assert invalid(game_fixture(players: %{2 => player("1", "u")})) ==
               {[:players, 2, :id], {:expected, :integer}}
    end
  end

  describe "the key of a hex" do
    defp with_hex(key, coord) do
      game = game_fixture()
      hex = %{game.world.grid[coord({0, 0})] | coord: coord}
      put_in(game.world.grid, %{key => hex})
    end

    test "is its coordinate, whatever else either carries" do
      key = unknown(coord({1, -1}), :s, 0)
      assert import!(with_hex(key, coord({1, -1}))).world.grid |> Map.keys() === [key]

      assert invalid(with_hex(coord({1, 0}), coord({0, 0}))) ==
               {[:world, :grid, coord({1, 0}), :coord], {:expected, {:equal, coord({1, 0})}}}
    end

    test "is named as a whole when something in it is wrong" do
      for key <- [%Coord{q: 1.0, r: 0}, %{__struct__: Coord, q: 1}, {1, 0}] do
        assert invalid(with_hex(key, coord({0, 0}))) ==
                 {[:world, :grid, key], {:expected, {:struct, Coord}}}
      end
    end
  end
end
