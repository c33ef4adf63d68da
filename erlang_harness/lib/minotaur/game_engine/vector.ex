defmodule Minotaur.GameEngine.Vector do
  @moduledoc """
  A step on the grid. A player may step in one of the six directions; imported games may hold
  other vectors, which the end of a round takes as they are.
  """

  alias Minotaur.GameEngine.Coord

  defstruct [:q, :r]

  @type t :: %__MODULE__{q: integer, r: integer}

  # NW, NE, W, E, SW, SE
  @directions [{0, -1}, {1, -1}, {-1, 0}, {1, 0}, {-1, 1}, {0, 1}]

  @doc "The six directions: north-west, north-east, west, east, south-west, south-east."
  @spec directions() :: [t]
  def directions, do: for({q, r} <- @directions, do: %__MODULE__{q: q, r: r})

  @doc """
  Read a direction from any term.

  Answers `{:ok, vector}` with a vector of `q` and `r` alone, or `:error` when `term` is not a
  `Vector` or leads anywhere but to a neighbouring hex.
  """
  @spec direction(term) :: {:ok, t} | :error
  def direction(%__MODULE__{q: q, r: r}) when {q, r} in @directions,
    do: {:ok, %__MODULE__{q: q, r: r}}

  def direction(_term), do: :error

  @doc "The hex to which `vector` leads from `hex`."
  @spec lead(t, Coord.hex()) :: Coord.hex()
  def lead(%__MODULE__{q: dq, r: dr}, {q, r}), do: {q + dq, r + dr}
end
