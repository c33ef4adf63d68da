defmodule Minotaur.GameEngine.EventsLog do
  @moduledoc """
  What has happened, and who saw it: the ids in a player's visible list are newest first.
  """

  alias Minotaur.GameEngine.{PCAttackedPCEvent, PCEnteredHexEvent, PCLeftHexEvent, Player}

  defstruct events: %{}, events_visible_by_player: %{}

  @type event_id :: non_neg_integer
  @type event :: PCEnteredHexEvent.t() | PCLeftHexEvent.t() | PCAttackedPCEvent.t()
  @type t :: %__MODULE__{
          events: %{event_id => event},
          events_visible_by_player: %{Player.id() => [event_id]}
        }

  @doc """
  Add `event`, which the players `viewers` see.

  Its id is the number of events before it, so in an imported log with gaps it may replace one. A
  viewer without a visible list gets one.
  """
  @spec append(t, event, [Player.id()]) :: t
  def append(%__MODULE__{} = log, event, viewers) do
    id = map_size(log.events)
    visible = Enum.reduce(viewers, log.events_visible_by_player, &see(&2, &1, id))
    events = Map.put(log.events, id, %{event | id: id})
    %{log | events: events, events_visible_by_player: visible}
  end

  defp see(visible, player_id, event_id),
    do: Map.update(visible, player_id, [event_id], &[event_id | &1])
end
