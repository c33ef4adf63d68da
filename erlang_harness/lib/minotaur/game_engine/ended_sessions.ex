defmodule Minotaur.GameEngine.EndedSessions do
  @moduledoc """
  Sessions that have ended on this node, for a while.

  A session ends for good when its game does, or when its supervisor is told so. Whoever watches
  sees it. A forwarder that is cut off just then does not: it finds nobody when it is back, and
  would own the session again with the game that it kept; so would a copy whose source ended. So
  they ask (`Minotaur.Handoff.Inquiry`), and are told at which epoch it ended, and how long ago.
  The twin of `cnode/session/ended.h`.

  Only sessions of a second owner or a later one are noted: nobody can have a copy of others. How it
  fails: the oldest of #{65_536}, and those that ended ten minutes ago, are forgotten, and the
  session may come back.
  """

  @by_id __MODULE__
  @by_age Module.concat(__MODULE__, Ages)
  @max 65_536
  @kept_ms 600_000

  @doc "To be called once, by a process that lives as long as the application."
  @spec init :: :ok
  def init do
    for {name, type} <- [{@by_id, :set}, {@by_age, :ordered_set}],
        do: :ets.new(name, options(type))

    :ok
  end

  @doc "Notes that a session, whose owner was of this epoch, has ended here for good."
  @spec note(term, non_neg_integer) :: :ok
  def note(_id, epoch) when epoch < 2, do: :ok

  def note(id, epoch) do
    forget(id)
    age = {now_ms(), make_ref()}
    :ets.insert(@by_age, {age, id})
    :ets.insert(@by_id, {id, epoch, age})
    forget_oldest(now_ms() - @kept_ms)
  end

  @doc "At which epoch a session ended here, and how many milliseconds ago; nil: not that I know."
  @spec find(term) :: {:ended, pos_integer, non_neg_integer} | nil
  def find(id) do
    now_ms = now_ms()

    case :ets.lookup(@by_id, id) do
      [{_id, epoch, {at_ms, _}}] when now_ms - at_ms < @kept_ms -> {:ended, epoch, now_ms - at_ms}
      _unknown -> nil
    end
  end

  @doc "Whether a process has ended for good that ends with this reason."
  @spec in_order?(term) :: boolean
  def in_order?({:shutdown, _why}), do: true
  def in_order?(reason), do: reason in [:normal, :shutdown]

  defp forget(id) do
    for {_id, _epoch, age} <- :ets.take(@by_id, id), do: :ets.delete(@by_age, age)
  end

  defp forget_oldest(before_ms) do
    case :ets.first(@by_age) do
      {at_ms, _} = age when at_ms < before_ms -> forget_one(age, before_ms)
      {_at_ms, _} = age -> if :ets.info(@by_age, :size) > @max, do: forget_one(age, before_ms)
      :"$end_of_table" -> :ok
    end

    :ok
  end

  defp forget_one(age, before_ms) do
    for {_age, id} <- :ets.take(@by_age, age), do: :ets.match_delete(@by_id, {id, :_, age})
    forget_oldest(before_ms)
  end

  defp options(type), do: [type, :public, :named_table]

  defp now_ms, do: System.monotonic_time(:millisecond)
end
