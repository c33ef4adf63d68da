defmodule Minotaur.GameEngine.Shapes do
  @moduledoc """
  The shapes of the game's structs (see `Minotaur.GameEngine.Shape`), their fields in the order in
  which they are checked.
  """

  alias Minotaur.GameEngine.{
    AttackAction,
    Coord,
    EventsLog,
    Game,
    GridHex,
    MoveAction,
    PCAttackedPCEvent,
    PCEnteredHexEvent,
    PCLeftHexEvent,
    Player,
    PlayerCharacter,
    Vector,
    World
  }

  @doc "A game; its `version` is not checked here, since older ones are upgraded first."
  def game do
    {:struct, Game,
     id: :uuid,
     status: {:one_of, [:active, :concluded]},
     round: :positive_integer,
     round_end_time: :datetime_or_nil,
     players: {:map_of, :integer, player(), :id},
     registered_actions: {:map_of, :integer, {:list, action()}},
     events_log: events_log(),
     world: world()}
  end

  @doc "What `create_game` reads of a user."
  def user, do: {:map, id: :any, display_name: :binary}

  defp player do
    {:struct, Player,
     id: :integer,
     user_id: :any,
     display_name: :binary,
     status: {:one_of, [:active, :eliminated, :won]}}
  end

  defp action do
    {:either, :action,
     [
       {:struct, MoveAction, player_id: :integer, vector: pair(Vector)},
       {:struct, AttackAction, player_id: :integer, target_id: :integer}
     ]}
  end

  defp events_log do
    {:struct, EventsLog,
     events: {:map_of, :non_neg_integer, event(), :id},
     events_visible_by_player: {:map_of, :integer, {:list, :non_neg_integer}}}
  end

  defp event do
    {:either, :event,
     [
       {:struct, PCEnteredHexEvent, hex_event()},
       {:struct, PCLeftHexEvent, hex_event()},
       {:struct, PCAttackedPCEvent,
        id: :non_neg_integer, player_id: :integer, target_id: :integer, round: :non_neg_integer}
     ]}
  end

  defp hex_event do
    [
      id: :non_neg_integer,
      player_id: :integer,
      to: pair(Coord),
      from: pair(Coord),
      round: :non_neg_integer
    ]
  end

  defp world do
    {:struct, World,
     grid: {:map_of, pair(Coord), grid_hex(), :coord},
     player_characters: characters(),
     dead_characters: characters()}
  end

  defp grid_hex,
    do: {:struct, GridHex, coord: pair(Coord), terrain: {:one_of, [:floor, :wall]}}

  defp characters, do: {:map_of, :integer, character(), :player_id}

  defp character do
    {:struct, PlayerCharacter,
     player_id: :integer,
     position: pair(Coord),
     health: :non_neg_integer,
     action_points: :non_neg_integer}
  end

  defp pair(module), do: {:struct, module, q: :integer, r: :integer}
end
