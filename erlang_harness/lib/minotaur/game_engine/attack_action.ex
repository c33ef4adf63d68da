defmodule Minotaur.GameEngine.AttackAction do
  @moduledoc "An attack that a player has registered for the end of the round."

  alias Minotaur.GameEngine.Player

  defstruct [:player_id, :target_id]

  @type t :: %__MODULE__{player_id: Player.id(), target_id: Player.id()}
end
