defmodule Minotaur.AtomTalk do
  @moduledoc """
  Random terms with many atoms, sent to `cnode-echo` and compared with what comes back. Runs on a
  node of the cluster.
  """

  # Atoms in all: a cache has 2,048 slots. Some are long, some are not ASCII.
  @atoms 6_000

  @doc """
  Exchanges `count` terms with a process, or with the second of two by way of the first; gives how
  many came back, and those that came back as something else.
  """
  @spec differences(
          GenServer.server() | {GenServer.server(), GenServer.server()},
          integer,
          integer
        ) ::
          {non_neg_integer, [{term, term}]}
  def differences(server, seed, count) do
    :rand.seed(:exsss, {seed, 2, 3})
    atoms = List.to_tuple(for n <- 1..@atoms, do: atom(n))
    pairs = for _ <- 1..count, term = term(atoms, 3), do: {term, exchange(server, term)}
    {length(pairs), Enum.take(for({term, other} <- pairs, term !== other, do: {term, other}), 3)}
  end

  defp exchange({{_, _} = first, second}, term) do
    {:ok, {:echo, other}} = GenServer.call(first, {:call, second, {:term, term}, 10_000}, 20_000)
    elem(other, 1)
  end

  defp exchange(server, term) do
    {:echo, {:term, other}} = GenServer.call(server, {:term, term}, 20_000)
    other
  end

  defp atom(n) when rem(n, 97) == 0, do: :"#{String.duplicate("é", 200)}#{n}"
  defp atom(n) when rem(n, 7) == 0, do: :"ünïcödé#{n}"
  defp atom(n), do: :"a#{n}"

  # Mostly a few near each other, as programs use them, and now and then more than a header holds.
  defp term(atoms, depth) do
    case :rand.uniform(20) do
      1 -> for _ <- 1..300, do: any(atoms)
      2 -> any(atoms)
      _ -> tree(atoms, :rand.uniform(@atoms), depth)
    end
  end

  defp tree(atoms, around, 0), do: near(atoms, around)

  defp tree(atoms, around, depth) do
    children = for _ <- 1..:rand.uniform(4), do: tree(atoms, around, depth - 1)

    case :rand.uniform(5) do
      1 -> children
      2 -> List.to_tuple(children)
      3 -> Map.new(children, &{near(atoms, around), &1})
      4 -> [near(atoms, around), :rand.uniform(1_000_000), "text", self() | children]
      5 -> {near(atoms, around), 1.5, make_ref(), children}
    end
  end

  defp any(atoms), do: elem(atoms, :rand.uniform(@atoms) - 1)
  defp near(atoms, around), do: elem(atoms, rem(around + :rand.uniform(30), @atoms))
end
