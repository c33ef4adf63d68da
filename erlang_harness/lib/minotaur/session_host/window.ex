defmodule Minotaur.SessionHost.Window do
  @moduledoc """
  How many sessions move at a time: more while none stands still for longer than is good, since
  what is frozen waits for what was frozen before it.
  """

  @max 64
  @min 8
  @first 16
  @stall_good_ms 10

  defstruct max: @first, since_change: 0, worst_ms: 0

  @type t :: %__MODULE__{}

  @doc "Takes note that a move has succeeded, and for how long its session stood still."
  @spec take_stall(t, non_neg_integer) :: t
  def take_stall(window, stall_ms) do
    worst_ms = max(window.worst_ms, stall_ms)
    adapt(%{window | since_change: window.since_change + 1, worst_ms: worst_ms})
  end

  defp adapt(%{since_change: moves, max: max} = window) when moves < max, do: window

  defp adapt(%{worst_ms: worst_ms, max: max} = window) do
    max = if worst_ms > @stall_good_ms, do: max(max - div(max, 4), @min), else: max + 1
    %{window | max: min(max, @max), since_change: 0, worst_ms: 0}
  end
end
