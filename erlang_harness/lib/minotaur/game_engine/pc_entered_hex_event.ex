defmodule Minotaur.GameEngine.PCEnteredHexEvent do
  @moduledoc """
  A character came into the hex `to`; seen by everyone who is there after all moves.
  `round` is the round that ended with the move.
  """

  alias Minotaur.GameEngine.{Coord, EventsLog, Player}

  defstruct [:id, :player_id, :to, :from, :round]

  @type t :: %__MODULE__{
          id: EventsLog.event_id(),
          player_id: Player.id(),
          to: Coord.t(),
          from: Coord.t(),
          round: non_neg_integer
        }
end
