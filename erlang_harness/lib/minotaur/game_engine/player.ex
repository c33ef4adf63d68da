defmodule Minotaur.GameEngine.Player do
  @moduledoc """
  Somebody who plays: `id` counts from 1 within the game, `user_id` is any term (compared with
  `===`) and tells whose requests are theirs, `display_name` is a binary.
  """

  defstruct [:id, :user_id, :display_name, status: :active]

  @type id :: integer
  @type status :: :active | :eliminated | :won
  @type t :: %__MODULE__{id: id, user_id: term, display_name: binary, status: status}
end
