defmodule Minotaur.GameEngine.Settings do
  @moduledoc "The settings of this node that the game needs."

  @default_round_seconds 60

  @doc """
  The length of a round in seconds; 0 means that rounds have no timer.

  It is `config :minotaur, round_seconds: n`, else the environment variable
  `MINOTAUR_ROUND_SECONDS`, else #{@default_round_seconds}. Anything but a whole number of seconds
  raises an `ArgumentError` that names it, so that a node with a typing error does not start games.
  """
  @spec round_seconds() :: non_neg_integer
  def round_seconds do
    case Application.get_env(:minotaur, :round_seconds) do
      nil -> from_environment(System.get_env("MINOTAUR_ROUND_SECONDS"))
      seconds when is_integer(seconds) and seconds >= 0 -> seconds
      other -> refuse(other)
    end
  end

  defp from_environment(nil), do: @default_round_seconds

  defp from_environment(text) do
    case Integer.parse(text) do
      {seconds, ""} when seconds >= 0 -> seconds
      _ -> refuse(text)
    end
  end

  defp refuse(value) do
    raise ArgumentError, "round_seconds must be a whole number of seconds, got: #{inspect(value)}"
  end
end
