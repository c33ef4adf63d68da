defmodule Minotaur.Conformance.Diff do
  @moduledoc "Finds where two terms differ, so that a failure names a field instead of two pages."

  @doc """
  The first difference of two terms: `{path, left, right}`, or nil when they are equal (`===`).

  The path has map keys and struct fields as they are, and indices from 0 into lists and tuples. A
  side without the key, or that ends earlier, is `:absent`.
  """
  @spec first(term, term) :: {path :: [term], term, term} | nil
  def first(left, right) when left === right, do: nil

  def first(left, right) when is_map(left) and is_map(right) do
    keys = Enum.uniq(Enum.sort(Map.keys(left)) ++ Enum.sort(Map.keys(right)))
    among(keys, &Map.get(left, &1, :absent), &Map.get(right, &1, :absent), {[], left, right})
  end

  def first(left, right) when is_tuple(left) and is_tuple(right),
    do: first(Tuple.to_list(left), Tuple.to_list(right))

  def first([_ | _] = left, [_ | _] = right) do
    if List.improper?(left) or List.improper?(right) do
      {[], left, right}
    else
      indices = 0..(max(length(left), length(right)) - 1)
      among(indices, &Enum.at(left, &1, :absent), &Enum.at(right, &1, :absent), {[], left, right})
    end
  end

  def first(left, right), do: {[], left, right}

  # Keys as 1 and 1.0 are different keys, but a value that is the atom :absent hides nothing: then
  # the whole terms are named.
  defp among(keys, left, right, whole) do
    Enum.find_value(keys, whole, fn key ->
      with {path, l, r} <- first(left.(key), right.(key)), do: {[key | path], l, r}
    end)
  end
end
