defmodule Minotaur.GameEngine.World do
  @moduledoc """
  What the players move in: the grid and the characters, the living apart from the dead. A
  character is living when it is in `player_characters`, even with health 0 (until the round ends).
  """

  alias Minotaur.GameEngine.{Coord, GridHex, Player, PlayerCharacter}

  defstruct grid: %{}, player_characters: %{}, dead_characters: %{}

  @type t :: %__MODULE__{
          grid: %{Coord.t() => GridHex.t()},
          player_characters: %{Player.id() => PlayerCharacter.t()},
          dead_characters: %{Player.id() => PlayerCharacter.t()}
        }

  @doc """
  Tell whether `hex` is a `:floor` hex of the grid.

  Keys of the grid may carry fields that we do not know. Of several that are the same hex the one of
  `q` and `r` alone counts; without it the hex is floor when any of them is.
  """
  @spec floor?(t, Coord.hex()) :: boolean
  def floor?(%__MODULE__{grid: grid}, hex) do
    case Map.fetch(grid, Coord.from_hex(hex)) do
      {:ok, grid_hex} ->
        grid_hex.terrain == :floor

      :error ->
        Enum.any?(grid, fn {key, it} -> Coord.hex(key) == hex and it.terrain == :floor end)
    end
  end

  @doc "Where every living character stands, by player id."
  @spec positions(t) :: %{Player.id() => Coord.hex()}
  def positions(%__MODULE__{player_characters: characters}) do
    Map.new(characters, fn {player_id, pc} -> {player_id, Coord.hex(pc.position)} end)
  end

  @doc "The ids of the players whose characters stand in `hex`, in no order."
  @spec player_ids_in(%{Player.id() => Coord.hex()}, Coord.hex()) :: [Player.id()]
  def player_ids_in(positions, hex) do
    for {player_id, ^hex} <- positions, do: player_id
  end
end
