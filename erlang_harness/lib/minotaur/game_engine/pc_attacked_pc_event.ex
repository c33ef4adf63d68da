defmodule Minotaur.GameEngine.PCAttackedPCEvent do
  @moduledoc """
  A character was hit; seen by everyone in the attacker's hex. `round` is the round that ended with
  the attack.
  """

  alias Minotaur.GameEngine.{EventsLog, Player}

  defstruct [:id, :player_id, :target_id, :round]

  @type t :: %__MODULE__{
          id: EventsLog.event_id(),
          player_id: Player.id(),
          target_id: Player.id(),
          round: non_neg_integer
        }
end
