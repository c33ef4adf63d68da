defmodule Minotaur.GameEngine.MoveAction do
  @moduledoc "A step that a player has registered for the end of the round."

  alias Minotaur.GameEngine.{Player, Vector}

  defstruct [:player_id, :vector]

  @type t :: %__MODULE__{player_id: Player.id(), vector: Vector.t()}
end
