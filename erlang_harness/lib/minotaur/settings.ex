defmodule Minotaur.Settings do
  @moduledoc """
  The settings of a host: from the application environment, else from the variable of the same
  name (`config :minotaur, drain_seconds: 10` or `MINOTAUR_DRAIN_SECONDS=10`), else a default.
  """

  @doc "How long a drain may take in all, in milliseconds (30 s)."
  @spec drain_ms :: non_neg_integer
  def drain_ms, do: non_neg_integer(:drain_seconds, 30) * 1_000

  @doc "How many bytes of states may leave in a second; 0, no limit, by default."
  @spec drain_bytes_per_second :: non_neg_integer
  def drain_bytes_per_second, do: non_neg_integer(:drain_bytes_per_second, 0)

  @doc "For how long a session that moves waits for its names at most, in milliseconds (4)."
  @spec names_wait_ms :: non_neg_integer
  def names_wait_ms, do: non_neg_integer(:names_wait_ms, 4)

  @doc "The version of the application, as other hosts hear it (that of `:minotaur`)."
  @spec app_version :: String.t()
  def app_version do
    own = to_string(Application.spec(:minotaur, :vsn) || "0")
    Application.get_env(:minotaur, :app_version) || System.get_env("MINOTAUR_APP_VERSION", own)
  end

  @doc "How many sessions this host carries at most (100,000). 0: none, it only finds them."
  @spec capacity :: non_neg_integer
  def capacity, do: non_neg_integer(:capacity, 100_000)

  @doc "The `Phoenix.PubSub` on which the events of sessions are broadcast too, or nil."
  @spec pubsub :: module | nil
  def pubsub do
    case Application.fetch_env(:minotaur, :pubsub) do
      {:ok, name} when is_atom(name) -> name
      {:ok, other} -> raise ArgumentError, "pubsub must be a module, got: #{inspect(other)}"
      :error -> "MINOTAUR_PUBSUB" |> System.get_env("") |> to_module()
    end
  end

  defp to_module(""), do: nil
  defp to_module(text), do: Module.concat([text])

  defp non_neg_integer(key, default) do
    variable = "MINOTAUR_" <> String.upcase("#{key}")

    case {Application.fetch_env(:minotaur, key), System.get_env(variable)} do
      {{:ok, value}, _} -> check(key, value)
      {:error, nil} -> default
      {:error, text} -> parse(key, text)
    end
  end

  defp parse(key, text) do
    case Integer.parse(text) do
      {value, ""} -> check(key, value)
      _no_integer -> invalid(key, text)
    end
  end

  defp check(_key, value) when is_integer(value) and value >= 0, do: value
  defp check(key, value), do: invalid(key, value)

  defp invalid(key, value) do
    raise ArgumentError, "#{key} must be an integer from 0, got: #{inspect(value)}"
  end
end
