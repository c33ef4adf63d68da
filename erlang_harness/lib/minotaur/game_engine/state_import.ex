defmodule Minotaur.GameEngine.StateImport do
  @moduledoc """
  The one way by which a game enters a node: every state that arrives, whether from a player's
  tool, another host or a stash, is upgraded and checked here before a session runs it.

  After an import every rule may rely on the shapes of `Minotaur.GameEngine.Shapes`.
  """

  alias Minotaur.GameEngine.{Game, Shape, Shapes, StateUpgrade}

  @type error ::
          {:error, :invalid_game_version}
          | {:error, {:invalid_game, Shape.path(), Shape.reason()}}

  @doc """
  Make a game of the current version from `term`.

  Fields that we do not know are kept. `round_end_time` loses its parts of a second.

  Errors: `{:invalid_game, [], {:expected, {:struct, Game}}}` when `term` is no game at all;
  `:invalid_game_version` for a version that is not in `Game.versions/0` or missing;
  `{:invalid_game, path, reason}` names the first field that does not fit, in the order of
  cnode/minotaur/RULES.md.
  """
  @spec import_game(term) :: {:ok, Game.t()} | error
  def import_game(%{__struct__: Game} = term) do
    with {:ok, game} <- StateUpgrade.upgrade(term), :ok <- Shape.check(game, Shapes.game()) do
      {:ok, %{game | round_end_time: whole_seconds(game.round_end_time)}}
    else
      {:error, path, reason} -> {:error, {:invalid_game, path, reason}}
      {:error, :invalid_game_version} = error -> error
    end
  end

  def import_game(_term), do: {:error, {:invalid_game, [], {:expected, {:struct, Game}}}}

  @doc "The term that another node imports: the game as it is, since states travel as plain terms."
  @spec export_game(Game.t()) :: Game.t()
  def export_game(%Game{} = game), do: game

  # Built anew from the seconds, so that every node writes the same term.
  defp whole_seconds(nil), do: nil
  defp whole_seconds(datetime), do: datetime |> DateTime.to_unix() |> DateTime.from_unix!()
end
