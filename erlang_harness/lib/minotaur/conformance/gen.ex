defmodule Minotaur.Conformance.Gen do
  @moduledoc """
  Random values from a seed. A generator is a function from the state of a random number generator
  to a value and the next state, so the same seed gives the same value on every node.
  """

  @type rng :: :rand.state()
  @type t :: (rng -> {term, rng})

  @doc "The state that belongs to `seed`."
  @spec seeded(integer) :: rng
  def seeded(seed), do: :rand.seed_s(:exsss, seed)

  @doc "Draw one value."
  @spec run(t, rng) :: {term, rng}
  def run(gen, rng), do: gen.(rng)

  @doc "Always `value`."
  def constant(value), do: fn rng -> {value, rng} end

  @doc "An integer from `first` to `last`."
  def integer(first..last//1) when last >= first do
    fn rng ->
      {n, rng} = :rand.uniform_s(last - first + 1, rng)
      {first + n - 1, rng}
    end
  end

  @doc "An element of the list, which is not empty."
  def member(list) do
    tuple = List.to_tuple(list)
    map(integer(0..(tuple_size(tuple) - 1)), &elem(tuple, &1))
  end

  @doc "A value of one of the generators, each taken as often as its weight says."
  def frequency(weighted) do
    total = weighted |> Enum.map(&elem(&1, 0)) |> Enum.sum()
    bind(integer(1..total), &pick(weighted, &1))
  end

  @doc "`true` in `percent` of 100 draws."
  def chance(percent), do: map(integer(1..100), &(&1 <= percent))

  @doc "What `fun` makes of a value of `gen`."
  def map(gen, fun) do
    fn rng ->
      {value, rng} = gen.(rng)
      {fun.(value), rng}
    end
  end

  @doc "A value of the generator that `fun` makes of a value of `gen`."
  def bind(gen, fun) do
    fn rng ->
      {value, rng} = gen.(rng)
      fun.(value).(rng)
    end
  end

  @doc "A list of one value of each generator."
  def all(gens), do: fn rng -> Enum.map_reduce(gens, rng, fn gen, rng -> gen.(rng) end) end

  @doc "A list whose length is drawn from `lengths`."
  def list(gen, lengths),
    do: bind(integer(lengths), fn length -> all(List.duplicate(gen, length)) end)

  @doc "A list of what `fun` generates for each element of `list`."
  def each(list, fun), do: all(Enum.map(list, fun))

  @doc "The elements of `list` that `percent` of 100 draws keep, in their order."
  def some_of(list, percent) do
    map(each(list, fn element -> map(chance(percent), &{&1, element}) end), fn drawn ->
      for {true, element} <- drawn, do: element
    end)
  end

  @doc "`struct` with its fields drawn from the generators of the keyword list."
  def struct_of(struct, fields) do
    map(all(Keyword.values(fields)), &struct!(struct, Enum.zip(Keyword.keys(fields), &1)))
  end

  defp pick([{weight, gen} | rest], n), do: if(n <= weight, do: gen, else: pick(rest, n - weight))
end
