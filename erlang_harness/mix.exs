defmodule Minotaur.MixProject do
  @moduledoc """
  The BEAM half of the project: the game as an OTP application, the cluster manager and the
  ExUnit tests. It has no dependencies, so that it builds offline with a distribution's Elixir.
  """

  use Mix.Project

  def project do
    [
      app: :minotaur,
      version: "0.1.0",
      elixir: "~> 1.14",
      elixirc_paths: elixirc_paths(Mix.env()),
      test_ignore_filters: [~r"/fixtures/"],
      start_permanent: Mix.env() == :prod,
      deps: []
    ]
  end

  def application do
    [mod: {Minotaur.Application, []}, extra_applications: [:logger, :crypto]]
  end

  defp elixirc_paths(:test), do: ["lib", "test/support"]
  defp elixirc_paths(:bench), do: ["lib", "test/support", "bench"]
  defp elixirc_paths(_env), do: ["lib"]
end
