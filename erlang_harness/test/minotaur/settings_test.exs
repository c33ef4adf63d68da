defmodule Minotaur.SettingsTest do
  @moduledoc "A setting comes from the application, else from the environment, else from here."

  use ExUnit.Case

  alias Minotaur.Settings

  setup do
    on_exit(fn ->
      System.delete_env("MINOTAUR_DRAIN_SECONDS")
      Application.delete_env(:minotaur, :drain_seconds)
    end)
  end

  # The nearer one wins.
  test "the application's setting comes before the variable, that before the default" do
    assert Settings.drain_ms() == 30_000
    System.put_env("MINOTAUR_DRAIN_SECONDS", "7")
    assert Settings.drain_ms() == 7_000
    Application.put_env(:minotaur, :drain_seconds, 2)
    assert Settings.drain_ms() == 2_000
  end

  # A typing error is named, not replaced by something.
  test "what is no number is refused" do
    for text <- ["", "x", "1s", "-1"] do
      System.put_env("MINOTAUR_DRAIN_SECONDS", text)
      assert_raise ArgumentError, ~r/drain_seconds/, fn -> Settings.drain_ms() end
    end

    Application.put_env(:minotaur, :drain_seconds, "5")
    assert_raise ArgumentError, fn -> Settings.drain_ms() end
  end
end
