defmodule Minotaur.Bench.Histogram do
  @moduledoc """
  Durations counted in buckets of 1 %, so that those of several nodes can be put together.
  """

  @buckets_per_e 100

  @type t :: %{integer => pos_integer}

  @doc "Counts durations in nanoseconds."
  @spec new([pos_integer]) :: t
  def new(durations), do: Enum.frequencies_by(durations, &bucket/1)

  @doc "All durations of several histograms."
  @spec merge([t]) :: t
  def merge(histograms) do
    Enum.reduce(histograms, %{}, &Map.merge(&1, &2, fn _bucket, a, b -> a + b end))
  end

  @doc "How many durations there are."
  @spec count(t) :: non_neg_integer
  def count(histogram), do: histogram |> Map.values() |> Enum.sum()

  @doc "The duration, in nanoseconds, below which the part `part` of all lies."
  @spec percentile(t, float) :: float
  def percentile(histogram, part) when map_size(histogram) > 0 do
    wanted = part * count(histogram)

    histogram
    |> Enum.sort()
    |> Enum.reduce_while(0, fn {bucket, count}, below ->
      if below + count >= wanted, do: {:halt, {bucket, :found}}, else: {:cont, below + count}
    end)
    |> then(fn {bucket, :found} -> :math.exp((bucket + 0.5) / @buckets_per_e) end)
  end

  defp bucket(ns), do: trunc(:math.log(max(ns, 1)) * @buckets_per_e)
end
