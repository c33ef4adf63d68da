defmodule Minotaur.GameEngine.Coord do
  @moduledoc """
  A place on the grid, in axial coordinates of pointy-topped hexes.

  Two coordinates are the same hex when `q` and `r` are equal, whatever else they carry, so the
  rules compare and look up `{q, r}` pairs (`t:hex/0`) and never whole structs.
  """

  defstruct [:q, :r]

  @type t :: %__MODULE__{q: integer, r: integer}
  @type hex :: {integer, integer}

  @doc "The pair that tells which hex `coord` is."
  @spec hex(t) :: hex
  def hex(%__MODULE__{q: q, r: r}), do: {q, r}

  @doc "A coordinate of `q` and `r` alone."
  @spec from_hex(hex) :: t
  def from_hex({q, r}), do: %__MODULE__{q: q, r: r}

  @doc "Move `coord` to `hex`, keeping its other fields."
  @spec put_hex(t, hex) :: t
  def put_hex(%__MODULE__{} = coord, {q, r}), do: %{coord | q: q, r: r}
end
