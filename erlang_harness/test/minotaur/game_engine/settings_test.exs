defmodule Minotaur.GameEngine.SettingsTest do
  # Not async: it changes the environment of this node.
  use ExUnit.Case

  alias Minotaur.GameEngine.Settings

  setup do
    before = Application.get_env(:minotaur, :round_seconds)
    variable = System.get_env("MINOTAUR_ROUND_SECONDS")
    Application.delete_env(:minotaur, :round_seconds)
    System.delete_env("MINOTAUR_ROUND_SECONDS")

    on_exit(fn ->
      Application.delete_env(:minotaur, :round_seconds)
      System.delete_env("MINOTAUR_ROUND_SECONDS")
      if before, do: Application.put_env(:minotaur, :round_seconds, before)
      if variable, do: System.put_env("MINOTAUR_ROUND_SECONDS", variable)
    end)
  end

  test "a round lasts 60 seconds" do
    assert Settings.round_seconds() == 60
  end

  test "the environment variable sets the length of a round, the application's setting wins" do
    System.put_env("MINOTAUR_ROUND_SECONDS", "5")
    assert Settings.round_seconds() == 5

    Application.put_env(:minotaur, :round_seconds, 0)
    assert Settings.round_seconds() == 0
  end

  test "what is no number of seconds is refused by name" do
    for text <- ["", "-1", "1.5", "soon", "5s"] do
      System.put_env("MINOTAUR_ROUND_SECONDS", text)
      assert_raise ArgumentError, ~r/round_seconds.*#{text}/, &Settings.round_seconds/0
    end

    Application.put_env(:minotaur, :round_seconds, :soon)
    assert_raise ArgumentError, ~r/:soon/, &Settings.round_seconds/0
  end
end
