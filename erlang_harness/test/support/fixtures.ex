defmodule Minotaur.GameEngineFixtures do
  @moduledoc """
  Games for tests. Every fixture takes attributes that replace fields of the game.
  """

  alias Minotaur.GameEngine.{
    AttackAction,
    Coord,
    EventsLog,
    Game,
    GridHex,
    MoveAction,
    NewGame,
    PCAttackedPCEvent,
    PCEnteredHexEvent,
    PCLeftHexEvent,
    Player,
    PlayerCharacter,
    Vector,
    World
  }

  @users for n <- 1..4, do: %{id: "user-#{n}", display_name: "Player #{n}"}

  @doc """
  A new game of 37 hexes and four players ("user-1" to "user-4"), with a random UUID. Its first
  round ends in an hour, so that no timer disturbs a test.
  """
  @spec game_fixture(Enumerable.t()) :: Game.t()
  def game_fixture(attrs \\ %{}) do
    {:ok, game} = NewGame.create(@users, DateTime.utc_now(), 3_600)
    struct!(game, attrs)
  end

  @doc """
  A game in its fourth round, in which every kind of struct occurs: players 1 and 2 stand in the
  same hex, player 3 is a hex away, player 4 is dead; there are registered actions, past events
  and fields that nobody knows.
  """
  @spec played_game_fixture(Enumerable.t()) :: Game.t()
  def played_game_fixture(attrs \\ %{}) do
    game = small_game_fixture(positions: %{1 => {0, 0}, 2 => {0, 0}, 3 => {0, -1}})
    dead = %PlayerCharacter{player_id: 4, position: coord({1, 0}), health: 0, action_points: 1}

    world = %{
      game.world
      | dead_characters: %{4 => dead},
        player_characters: Map.update!(game.world.player_characters, 1, &unknown(&1, :armour, 2))
    }

    struct!(
      unknown(game, :season, "winter"),
      Map.merge(
        %{
          round: 4,
          players: Map.update!(game.players, 4, &%{&1 | status: :eliminated}),
          registered_actions: %{
            1 => [move(1, {1, 0}), attack(1, 2)],
            2 => [unknown(attack(2, 1), :weapon, :axe)]
          },
          events_log: past_events(),
          world: unknown(world, :weather, {:rain, 0.5})
        },
        Map.new(attrs)
      )
    )
  end

  @doc """
  A game on the seven hexes around (0,0), all of them floor, with four players.

  Options: `:positions` (player id => `{q, r}`; those without one have no character), `:walls` (a
  list of `{q, r}`), `:health` and `:action_points` (player id => value).
  """
  @spec small_game_fixture(keyword) :: Game.t()
  def small_game_fixture(options \\ []) do
    positions = Keyword.get(options, :positions, Map.new(1..4, &{&1, {0, 0}}))
    game = game_fixture(round_end_time: nil)

    characters =
      Map.new(positions, fn {id, hex} ->
        {id,
         %PlayerCharacter{
           player_id: id,
           position: coord(hex),
           health: get_in(options, [:health, id]) || 3,
           action_points: get_in(options, [:action_points, id]) || 2
         }}
      end)

    walls = Keyword.get(options, :walls, [])
    %{game | world: %World{grid: small_grid(walls), player_characters: characters}}
  end

  @doc "A game of `version` 1, 2 or 3, as that version wrote it, with unknown fields."
  @spec old_game_fixture(1..3, Enumerable.t()) :: map
  def old_game_fixture(version, attrs \\ %{})

  def old_game_fixture(3, attrs) do
    game = played_game_fixture(attrs)
    %{game | version: 3, events_log: %{game.events_log | events: old_events(game)}}
  end

  def old_game_fixture(2, attrs) do
    game = old_game_fixture(3, attrs)

    %{
      game
      | version: 2,
        events_log: %{game.events_log | events_visible_by_player: %{2 => [1, 0]}}
    }
  end

  def old_game_fixture(1, attrs),
    do: %{Map.delete(old_game_fixture(2, attrs), :events_log) | version: 1}

  @doc "A coordinate from a pair."
  def coord({q, r}), do: %Coord{q: q, r: r}

  @doc "A vector from a pair."
  def vector({q, r}), do: %Vector{q: q, r: r}

  @doc "A move of the player `id` along the pair."
  def move(id, pair), do: %MoveAction{player_id: id, vector: vector(pair)}

  @doc "An attack of the player `id` on `target`."
  def attack(id, target), do: %AttackAction{player_id: id, target_id: target}

  @doc "`struct` with a field that no version knows."
  def unknown(struct, field, value), do: Map.put(struct, field, value)

  @doc "A player with a user id of its own."
  def player(id, user_id), do: %Player{id: id, user_id: user_id, display_name: "Player #{id}"}

  defp small_grid(walls) do
    for q <- -1..1, r <- -1..1, abs(q + r) <= 1, into: %{} do
      {coord({q, r}),
       %GridHex{coord: coord({q, r}), terrain: if({q, r} in walls, do: :wall, else: :floor)}}
    end
  end

  # As version 3 wrote them: the round that began, or none at all.
  defp old_events(game) do
    Map.new(game.events_log.events, fn
      {0, event} -> {0, Map.delete(event, :round)}
      {id, event} -> {id, %{event | round: event.round + 1}}
    end)
  end

  defp past_events do
    %EventsLog{
      events: %{
        0 => unknown(%PCAttackedPCEvent{id: 0, player_id: 3, target_id: 4, round: 3}, :damage, 1),
        1 => %PCLeftHexEvent{
          id: 1,
          player_id: 3,
          from: coord({0, 0}),
          to: coord({0, -1}),
          round: 3
        },
        2 => %PCEnteredHexEvent{
          id: 2,
          player_id: 3,
          from: coord({0, 0}),
          to: coord({0, -1}),
          round: 3
        }
      },
      events_visible_by_player: %{1 => [1, 0], 2 => [1, 0], 3 => [2, 0], 4 => []}
    }
  end
end
