defmodule Minotaur.Conformance.MalformedValues do
  @moduledoc "For every kind of field, values that are not of that kind."

  alias Minotaur.GameEngine.{Coord, MoveAction, PCLeftHexEvent, Vector}

  @too_large 0x8000000000000000
  @too_small -0x8000000000000001
  @utc ~U[2100-01-01 00:00:00Z]

  @doc "Values that a field of `kind` must not have; the first one stands for all."
  @spec of(term) :: [term]
  def of(:any), do: []
  def of(:integer), do: [nil, 1.0, "1", :one, [], @too_large, @too_small, Bitwise.bsl(1, 64) + 1]
  def of(:non_neg_integer), do: [-1, nil, 0.0, "0", @too_large, @too_small, Bitwise.bsl(1, 64)]
  def of(:positive_integer), do: [0, -1, nil, 4.0, "4", @too_large, Bitwise.bsl(1, 64) + 4]
  def of(:binary), do: [nil, :name, ~c"name", 1, <<1::3>>, ["name"]]
  def of(:map), do: [nil, [], {}, 1, "map", [{1, 2}]]
  def of(:list), do: [nil, %{}, {}, 1, "list", [0 | 1], [0 | :tail]]
  def of({:one_of, _values}), do: [:other, nil, "active", 1, [], true]

  def of({:struct, :action}), do: of_struct(PCLeftHexEvent)
  def of({:struct, :event}), do: of_struct(MoveAction)
  def of({:struct, Coord}), do: [%Vector{q: 0, r: 0}, {0, 0} | of_struct(PCLeftHexEvent)]
  def of({:struct, Vector}), do: [%Coord{q: 0, r: 0}, {0, 0} | of_struct(PCLeftHexEvent)]
  def of({:struct, _module}), do: of_struct(Coord)

  def of(:uuid) do
    [
      "8A3B1C5D-0E2F-4A6B-9C8D-7E6F5A4B3C2D",
      "8a3b1c5d0e2f4a6b9c8d7e6f5a4b3c2d",
      "8a3b1c5d-0e2f-4a6b-9c8d-7e6f5a4b3c2",
      "8a3b1c5d-0e2f-4a6b-9c8d-7e6f5a4b3c2d0",
      "8a3b1c5d-0e2f-4a6b-9c8d-7e6f5a4b3c2g",
      "8a3b1c5d--e2f-4a6b-9c8d-7e6f5a4b3c2d",
      "8a3b1c5d00e2f-4a6b-9c8d-7e6f5a4b3c2d",
      ~c"8a3b1c5d-0e2f-4a6b-9c8d-7e6f5a4b3c2d",
      "",
      nil,
      1
    ]
  end

  def of(:datetime_or_nil) do
    [
      0,
      "2100-01-01T00:00:00Z",
      ~D[2100-01-01],
      ~N[2100-01-01 00:00:00],
      Map.from_struct(@utc),
      ~U[1969-12-31 23:59:59Z],
      %{@utc | year: 10_000},
      %{@utc | month: 13},
      %{@utc | month: 0},
      %{@utc | month: 2, day: 29},
      %{@utc | month: 4, day: 31},
      %{@utc | day: 0},
      %{@utc | day: 1.0},
      %{@utc | hour: 24},
      %{@utc | minute: 60},
      %{@utc | second: 60},
      %{@utc | second: -1},
      %{@utc | second: nil},
      %{@utc | microsecond: {1_000_000, 6}},
      %{@utc | microsecond: {0, 7}},
      %{@utc | microsecond: 0},
      %{@utc | utc_offset: 3_600},
      %{@utc | std_offset: 3_600},
      %{@utc | time_zone: "Europe/Athens"},
      %{@utc | calendar: Minotaur.LabyrinthCalendar},
      Map.delete(@utc, :hour),
      Map.delete(@utc, :microsecond)
    ]
  end

  @doc "Keys that a map must not have whose keys are of `kind`."
  @spec keys(term) :: [term]
  def keys({:struct, Coord}) do
    [%Coord{q: 0, r: 1.0}, %Coord{q: @too_large, r: 0}, %{__struct__: Coord, q: 0}] ++
      of({:struct, Coord})
  end

  def keys(kind), do: of(kind)

  defp of_struct(other),
    do: [nil, %{}, [], 1, :struct, struct(other), %{__struct__: Minotaur.Nothing}]
end
