defmodule Minotaur.GameEngine.NewGameTest do
  use ExUnit.Case, async: true

  import Minotaur.GameEngineFixtures, only: [coord: 1]

  alias Minotaur.GameEngine.{EventsLog, Game, NewGame, Player, PlayerCharacter, StateImport}

  @now ~U[2024-06-19 15:51:09.987654Z]

  defp users(count), do: for(n <- 1..count, do: %{id: "user-#{n}", display_name: "Player #{n}"})

  defp new_game(count) do
    {:ok, game} = NewGame.create(users(count), @now, 60)
    game
  end

  defp starts(count) do
    characters = new_game(count).world.player_characters
    for n <- 1..count, do: {characters[n].position.q, characters[n].position.r}
  end

  test "the grid is every hex within three steps of the middle, under its own coordinate" do
    grid = new_game(2).world.grid

    assert map_size(grid) == 37
    assert Enum.all?(grid, fn {key, hex} -> hex.coord === key end)

    for q <- -4..4, r <- -4..4 do
      distance = Enum.max([abs(q), abs(r), abs(q + r)])
      assert Map.has_key?(grid, coord({q, r})) == distance <= 3
    end
  end

  test "the six corners of ring 2 are walls, all else is floor" do
    walls = for {key, %{terrain: :wall}} <- new_game(2).world.grid, do: key
    corners = Enum.map([{2, 0}, {0, 2}, {-2, 2}, {-2, 0}, {0, -2}, {2, -2}], &coord/1)

    assert Enum.sort(walls) == Enum.sort(corners)
    assert Enum.count(new_game(2).world.grid, fn {_, hex} -> hex.terrain == :floor end) == 31
  end

  test "18 players stand on the outer ring, walked clockwise from (3,-3)" do
    assert starts(18) == [
             {3, -3},
             {3, -2},
             {3, -1},
             {3, 0},
             {2, 1},
             {1, 2},
             {0, 3},
             {-1, 3},
             {-2, 3},
             {-3, 3},
             {-3, 2},
             {-3, 1},
             {-3, 0},
             {-2, -1},
             {-1, -2},
             {0, -3},
             {1, -3},
             {2, -3}
           ]
  end

  test "fewer players are spread evenly over the ring" do
    assert starts(1) == [{3, -3}]
    assert starts(2) == [{3, -3}, {-3, 3}]
    assert starts(4) == [{3, -3}, {2, 1}, {-3, 3}, {-2, -1}]
    assert starts(5) == [{3, -3}, {3, 0}, {-1, 3}, {-3, 2}, {-1, -2}]
  end

  test "players are numbered in the order of the users, and active" do
    users = [%{id: {:any, 1.0}, display_name: "A"}, %{id: nil, display_name: <<255>>}]
    {:ok, game} = NewGame.create(users, @now, 60)

    assert game.players === %{
             1 => %Player{id: 1, user_id: {:any, 1.0}, display_name: "A", status: :active},
             2 => %Player{id: 2, user_id: nil, display_name: <<255>>, status: :active}
           }
  end

  test "only id and display_name of a user are read, structs included" do
    user = %Player{id: 7, user_id: "other", display_name: "B", status: :won}
    {:ok, game} = NewGame.create([user, %{"id" => 1, id: 1, display_name: "C"}], @now, 60)

    assert %{1 => %Player{user_id: 7, display_name: "B", status: :active}, 2 => second} =
             game.players

    assert second === %Player{id: 2, user_id: 1, display_name: "C"}
  end

  test "each character has health 3 and 2 action points" do
    for {id, pc} <- new_game(3).world.player_characters do
      assert %PlayerCharacter{player_id: ^id, health: 3, action_points: 2} = pc
    end
  end

  test "the rest of a new game is as the rules say" do
    game = new_game(2)

    assert %Game{status: :active, round: 1, version: 4, registered_actions: none} = game
    assert none === %{}
    assert game.world.dead_characters === %{}

    assert game.events_log === %EventsLog{
             events: %{},
             events_visible_by_player: %{1 => [], 2 => []}
           }

    assert game.round_end_time === ~U[2024-06-19 15:52:09Z]
  end

  test "without a timer there is no end of the round" do
    assert {:ok, %Game{round_end_time: nil}} = NewGame.create(users(2), @now, 0)
  end

  test "the id is a fresh UUID of version 4" do
    ids = for _ <- 1..200, do: new_game(1).id

    assert Enum.uniq(ids) == ids

    for id <- ids do
      assert id =~ ~r/\A[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\z/
    end
  end

  test "a new game can be imported, unchanged" do
    game = new_game(18)
    assert StateImport.import_game(game) === {:ok, game}
  end

  test "users are a proper list" do
    for users <- [nil, %{}, "users", [hd(users(1)) | :more]] do
      assert NewGame.create(users, @now, 60) ==
               {:error, {:invalid_users, [], {:expected, :list}}}
    end
  end

  test "there are 1 to 18 users, counted before they are looked at" do
    for users <- [[], users(19), List.duplicate(nil, 19)] do
      assert NewGame.create(users, @now, 60) ==
               {:error, {:invalid_users, [], {:expected, {:length, 1, 18}}}}
    end
  end

  test "the error names the first wrong field of the first wrong user" do
    good = %{id: 1, display_name: "A"}

    for {bad, path, reason} <- [
          {nil, [1], {:expected, :map}},
          {%{}, [1, :id], :missing},
          {%{id: 1}, [1, :display_name], :missing},
          {%{id: 1, display_name: :a}, [1, :display_name], {:expected, :binary}}
        ] do
      assert NewGame.create([good, bad, nil], @now, 60) ==
               {:error, {:invalid_users, path, reason}}
    end
  end

  test "a join code is nil, or a binary of 1 to 64 bytes" do
    for code <- [nil, "a", "a b", <<255>>, String.duplicate("x", 64)] do
      assert NewGame.check_join_code(code) == :ok
    end

    for code <- ["", String.duplicate("x", 65), :code, 1, <<1::3>>, ~c"code"] do
      assert NewGame.check_join_code(code) == {:error, :invalid_join_code}
    end
  end
end
