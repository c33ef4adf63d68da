defmodule Minotaur.GameEngine.PCLeftHexEvent do
  @moduledoc """
  A character went out of the hex `from`; seen by those who stood there before all moves and are
  not in `to` after them. It is not made when nobody sees it.
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
