defmodule Minotaur.GameEngine.FixturesTest do
  use ExUnit.Case, async: true

  import Minotaur.GameEngineFixtures

  alias Minotaur.GameEngine.StateImport

  test "a game fixture has 37 hexes, four players and an id of its own" do
    game = game_fixture()

    assert map_size(game.world.grid) == 37
    assert map_size(game.players) == 4
    assert game.id != game_fixture().id
    assert StateImport.import_game(game) === {:ok, game}
  end

  test "attributes replace fields, and unknown ones are a mistake" do
    assert %{round: 9, status: :concluded} = game_fixture(%{round: 9, status: :concluded})
    assert_raise KeyError, fn -> game_fixture(rond: 9) end
  end

  test "the other fixtures are valid games too" do
    for game <- [played_game_fixture(), small_game_fixture()] do
      assert StateImport.import_game(game) === {:ok, game}
    end

    for version <- 1..3 do
      assert %{version: ^version} = game = old_game_fixture(version)
      assert {:ok, %{version: 4}} = StateImport.import_game(game)
    end
  end
end
