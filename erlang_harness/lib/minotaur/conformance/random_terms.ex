defmodule Minotaur.Conformance.RandomTerms do
  @moduledoc """
  Terms of every kind that can be written down: what the game keeps without understanding it (user
  ids, unknown fields) must come back unchanged. Processes, references and functions are left out,
  since they do not follow from a seed.
  """

  import Minotaur.Conformance.Gen

  @int64_min -0x8000000000000000
  @int64_max 0x7FFFFFFFFFFFFFFF

  @doc "A term of any kind, containers nested up to `depth` deep."
  def term(depth \\ 2)
  def term(0), do: frequency([{4, number()}, {3, text()}, {3, atom()}])

  def term(depth) do
    inner = term(depth - 1)

    frequency([
      {6, term(0)},
      {2, list(inner, 0..4)},
      {1, map(list(integer(0..255), 1..300), & &1)},
      {1, map(list(inner, 1..3), &(&1 ++ :tail))},
      {2, map(list(inner, 0..4), &List.to_tuple/1)},
      {2, map(pairs(inner, 0..4), &Map.new/1)},
      {1, map(pairs(inner, 33..40), &Map.new/1)}
    ])
  end

  @doc "An integer at or beyond the limits that matter, or a float."
  def number do
    frequency([
      {6, integer(-3..300)},
      {1, integer(-0x80000000..0x80000000)},
      {1, integer(@int64_min..@int64_max)},
      {1, member([@int64_min - 1, @int64_max + 1, Bitwise.bsl(1, 200), -Bitwise.bsl(1, 2100)])},
      {1, member([1.0, 0.5, -3.25, 1.0e300])}
    ])
  end

  @doc "A binary or a bit string."
  def text do
    frequency([
      {5, member(["", "a", "user-1", "Ariadne", "Θησεύς", <<0, 255, 1>>])},
      {1, map(list(integer(0..255), 60..300), &:binary.list_to_bin/1)},
      {1, member([<<5::3>>, <<1, 2, 1::1>>])}
    ])
  end

  @doc "An atom, also one outside Latin-1."
  def atom, do: member([:a, :ok, nil, true, false, :"", :"with space", :ü, :Μίνως, Enum])

  defp pairs(inner, lengths), do: list(map(all([term(0), inner]), &List.to_tuple/1), lengths)
end
