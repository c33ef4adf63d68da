defmodule Minotaur.GameEngine.StateUpgrade do
  @moduledoc """
  Turns games of older versions into the current shapes, one version at a time.

  * 1 → 2 adds an empty `events_log`, where there is none
  * 2 → 3 gives every player without one an empty list of visible events
  * 3 → 4 gives every event the `round` that ended with it: its `round` - 1 (older games wrote the
    round that began), or the game's `round` - 1 where it has none

  The game is not yet validated here: what is malformed is left as it is, for the check that
  follows (`Minotaur.GameEngine.StateImport`) to name.
  """

  import Minotaur.GameEngine.Shape, only: [is_int64: 1]

  alias Minotaur.GameEngine.{EventsLog, Game}

  @current Game.version()

  @doc "Upgrade `game` to the current version, or answer `{:error, :invalid_game_version}`."
  @spec upgrade(map) :: {:ok, map} | {:error, :invalid_game_version}
  def upgrade(%{version: @current} = game), do: {:ok, game}

  def upgrade(%{version: version} = game) when version in 1..(@current - 1)//1,
    do: upgrade(%{step(version, game) | version: version + 1})

  def upgrade(_game), do: {:error, :invalid_game_version}

  defp step(1, game), do: Map.put_new(game, :events_log, %EventsLog{})

  defp step(2, %{players: players, events_log: %{events_visible_by_player: visible}} = game)
       when is_map(players) and is_map(visible) do
    missing = Map.new(players, fn {player_id, _player} -> {player_id, []} end)
    put_in_log(game, :events_visible_by_player, Map.merge(missing, visible))
  end

  defp step(3, %{round: round, events_log: %{events: events}} = game) when is_map(events) do
    events = Map.new(:maps.to_list(events), fn {id, event} -> {id, date(event, round)} end)
    put_in_log(game, :events, events)
  end

  defp step(_version, game), do: game

  defp date(%{round: round} = event, _game_round) when is_int64(round),
    do: %{event | round: round - 1}

  defp date(%{round: _malformed} = event, _game_round), do: event

  defp date(%{} = event, game_round) when is_int64(game_round),
    do: Map.put(event, :round, game_round - 1)

  defp date(event, _game_round), do: event

  defp put_in_log(game, field, value),
    do: %{game | events_log: %{game.events_log | field => value}}
end
