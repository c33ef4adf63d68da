defmodule Minotaur.GameEngine.PlayerCharacter do
  @moduledoc """
  A player's figure. It starts with 3 `health` and 2 `action_points`; each action costs one point
  when it is registered, each round gives one back, up to 3.
  """

  alias Minotaur.GameEngine.{Coord, Player}

  defstruct [:player_id, :position, health: 3, action_points: 2]

  @type t :: %__MODULE__{
          player_id: Player.id(),
          position: Coord.t(),
          health: non_neg_integer,
          action_points: non_neg_integer
        }
end
