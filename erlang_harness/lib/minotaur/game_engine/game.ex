defmodule Minotaur.GameEngine.Game do
  @moduledoc """
  The whole state of a session, as it travels between nodes.

  * `id`: a UUID v4 in lower case
  * `status`: `:active`, or `:concluded` when fewer than two characters live
  * `round`: counts from 1
  * `round_end_time`: a UTC `DateTime` in whole seconds, or nil when rounds have no timer
  * `players`: by player id
  * `registered_actions`: what each player has registered for this round, oldest first
  * `version`: of these shapes; older ones are upgraded by `Minotaur.GameEngine.StateImport`

  Every struct may carry fields that this version does not know. They survive every change, so all
  changes here are made with `%{struct | field: value}` and never by building a struct anew.
  """

  alias Minotaur.GameEngine.{AttackAction, EventsLog, MoveAction, Player, World}

  @version 4

  defstruct [
    :id,
    :round_end_time,
    status: :active,
    round: 1,
    players: %{},
    registered_actions: %{},
    version: @version,
    events_log: %EventsLog{},
    world: %World{}
  ]

  @type id :: String.t()
  @type status :: :active | :concluded
  @type action :: MoveAction.t() | AttackAction.t()
  @type t :: %__MODULE__{
          id: id,
          status: status,
          round: pos_integer,
          round_end_time: DateTime.t() | nil,
          players: %{Player.id() => Player.t()},
          registered_actions: %{Player.id() => [action]},
          version: pos_integer,
          events_log: EventsLog.t(),
          world: World.t()
        }

  @doc "The version of the shapes that this code writes."
  @spec version() :: pos_integer
  def version, do: @version

  @doc "The versions that an import accepts, oldest first."
  @spec versions() :: [pos_integer]
  def versions, do: Enum.to_list(1..@version)

  @doc "The moment at which a round of `round_seconds` that starts at `now` ends; nil for 0."
  @spec round_end_time(DateTime.t(), non_neg_integer) :: DateTime.t() | nil
  def round_end_time(_now, 0), do: nil

  def round_end_time(now, round_seconds),
    do: DateTime.from_unix!(DateTime.to_unix(now) + round_seconds)
end
