defmodule Minotaur.Handoff.MoverTest do
  @moduledoc "What a move takes of the node's bandwidth."

  use ExUnit.Case
  @moduletag :capture_log

  import Minotaur.GameEngineFixtures

  alias Minotaur.Handoff.Mover
  alias Minotaur.{GameEngine, Hosts}
  alias Minotaur.SessionHost.Bandwidth

  @rate 1_000_000

  setup do
    Application.put_env(:minotaur, :drain_bytes_per_second, @rate)
    on_exit(fn -> Application.delete_env(:minotaur, :drain_bytes_per_second) end)
    {:ok, pid} = GameEngine.continue_game(game_fixture(round_end_time: nil))
    on_exit(fn -> Process.exit(pid, :kill) end)
    # Far enough ahead that no time is kept.
    from_us = System.monotonic_time(:microsecond) + 200_000
    :atomics.put(clock(), 1, from_us)
    {:ok, %{bytes: bytes}} = GenServer.call(pid, {Minotaur.SessionHost, :describe})
    [pid: pid, from_us: from_us, bytes: bytes]
  end

  # This host owns it, and so refuses it three times.
  test "offers that are refused take nothing more", ctx do
    assert {:error, {:refused, :already_owner}} =
             Mover.move(ctx.pid, for(_ <- 1..3, do: Hosts.info()))

    assert taken(ctx) == ctx.bytes
  end

  defp taken(ctx), do: div((:atomics.get(clock(), 1) - ctx.from_us) * @rate, 1_000_000)
  defp clock, do: :persistent_term.get(Bandwidth)
end
