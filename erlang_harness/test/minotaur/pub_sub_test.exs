defmodule Minotaur.PubSubTest do
  @moduledoc "Subscribing on one node, and what goes to a Phoenix.PubSub, if there is one."

  use ExUnit.Case

  alias Minotaur.{PubSub, Settings}

  setup do
    on_exit(fn ->
      System.delete_env("MINOTAUR_PUBSUB")
      Application.delete_env(:minotaur, :pubsub)
    end)

    [id: "game-#{System.unique_integer([:positive])}"]
  end

  # Both functions may be called as often as one likes.
  test "an event comes once to who subscribed, and not after the unsubscribe", %{id: id} do
    assert Minotaur.subscribe(id) == :ok
    assert Minotaur.subscribe(id) == :ok
    PubSub.round_started(id, 2)
    assert_received {:next_round_started, ^id, 2}
    refute_received _again

    assert Minotaur.unsubscribe(id) == :ok
    assert Minotaur.unsubscribe(id) == :ok
    PubSub.session_moved(id)
    refute_received _anything
  end

  # The end of a subscriber needs no word.
  test "who ends is no subscriber any more", %{id: id} do
    task = Task.async(fn -> Minotaur.subscribe(id) end)
    Task.await(task)
    Minotaur.TimeHelper.wait_until(fn -> [] = :pg.get_members(PubSub, {:session, id}) end)
  end

  # A plain process is registered as Phoenix's adapter registers its own.
  test "with a Phoenix.PubSub set, its adapter gets the event to forward", %{id: id} do
    start_supervised!(%{id: :phoenix, start: {:pg, :start_link, [Phoenix.PubSub]}})
    :ok = :pg.join(Phoenix.PubSub, MyApp.PubSub.Adapter, self())
    PubSub.session_moved(id)
    refute_received _nobody_asked_for_it

    Application.put_env(:minotaur, :pubsub, MyApp.PubSub)
    PubSub.round_started(id, 2)
    topic = "session:" <> id
    event = {:next_round_started, id, 2}
    assert_received {:forward_to_local, ^topic, ^event, Phoenix.PubSub}
    refute_received _again
  end

  # The variable names a module with or without what Elixir puts before it.
  test "the Phoenix.PubSub comes from the application, else from the environment" do
    assert Settings.pubsub() == nil
    assert PubSub.phoenix_children() == []

    for text <- ["MyApp.PubSub", "Elixir.MyApp.PubSub"] do
      System.put_env("MINOTAUR_PUBSUB", text)
      assert Settings.pubsub() == MyApp.PubSub
      assert [%{id: {:pg, Phoenix.PubSub}}] = PubSub.phoenix_children()
    end

    Application.put_env(:minotaur, :pubsub, Other.PubSub)
    assert Settings.pubsub() == Other.PubSub
    Application.put_env(:minotaur, :pubsub, "text")
    assert_raise ArgumentError, ~r/pubsub/, &Settings.pubsub/0
  end
end
