defmodule Minotaur.GameEngine.GridHex do
  @moduledoc "One hex of the grid: where it is, and whether one can stand on it."

  alias Minotaur.GameEngine.Coord

  defstruct [:coord, terrain: :floor]

  @type terrain :: :floor | :wall
  @type t :: %__MODULE__{coord: Coord.t(), terrain: terrain}
end
