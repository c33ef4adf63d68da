defmodule Minotaur.Cluster.HandoffFailureTest do
  @moduledoc """
  A node dies in the middle of a handoff. The middle is made long by holding the lock of `:global`,
  for which the source waits after the target was ready, here for 5 s.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test

  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.Players
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.{GameEngine, Placement}

  @env [minotaur: [round_seconds: 0, names_wait_ms: 5_000]]
  @no_sessions [minotaur: [round_seconds: 0, capacity: 0]]

  setup ctx do
    cluster = start_supervised!({Cluster.Manager, ctx})
    third = Cluster.start_node(cluster, kind: :beam, environment: @no_sessions)
    source = Cluster.start_node(cluster, kind: ctx.kind1, environment: @env)
    game = game_fixture(round_end_time: nil)
    {:ok, _pid} = Cluster.call(cluster, third, GameEngine, :continue_game, ["its code", game])
    {:ok, game} = Cluster.call(cluster, third, GameEngine, :end_round, [game.id])
    [cluster: cluster, third: third, source: source, game: game]
  end

  for kind1 <- [:beam, :c], kind2 <- [:beam, :c] do
    describe "from a #{kind1} node to a #{kind2} node" do
      @describetag kind1: kind1, kind2: kind2

      # The session goes on where it is, and then to the next host; who waited is answered.
      test "a target that dies costs nothing", ctx do
        targets = for _ <- 1..2, do: start_target(ctx)
        [first, second] = Enum.sort_by(targets, &{Placement.weight(ctx.game.id, &1), &1}, :desc)
        holder = Cluster.call(ctx.cluster, ctx.third, Players, :hold_names)
        stop = Task.async(fn -> Cluster.stop_node(ctx.cluster, ctx.source) end)
        caller = wait_for_waiting_caller(ctx)
        Cluster.stop_node(ctx.cluster, first, graceful_shutdown: false)
        Cluster.call(ctx.cluster, ctx.third, Players, :release_names, [holder])

        assert Task.await(caller, 20_000) == {:ok, ctx.game}
        Task.await(stop, :infinity)
        assert on_third(ctx, :get_game) == {:ok, ctx.game}
        assert node(on_third(ctx, :whereis)) == second
      end

      # What the target holds is the newest state there is: it goes on with it.
      test "a source that dies leaves its session to the target that is ready", ctx do
        target = start_target(ctx)
        holder = Cluster.call(ctx.cluster, ctx.third, Players, :hold_names)
        stop = Task.async(fn -> Cluster.stop_node(ctx.cluster, ctx.source, exit_status: 137) end)
        caller = wait_for_waiting_caller(ctx)
        Cluster.stop_node(ctx.cluster, ctx.source, graceful_shutdown: false)
        Cluster.call(ctx.cluster, ctx.third, Players, :release_names, [holder])

        Task.await(stop, :infinity)
        wait_until(fn -> assert on_third(ctx, :get_game) == {:ok, ctx.game} end)
        assert node(on_third(ctx, :whereis)) == target
        # It had asked while nobody owned the session: it looks again until the new owner answers.
        assert Task.await(caller, 20_000) == {:ok, ctx.game}
      end
    end
  end

  defp start_target(ctx) do
    Cluster.start_node(ctx.cluster, kind: ctx.kind2, environment: @env)
  end

  defp wait_for_waiting_caller(ctx) do
    caller = Task.async(fn -> on_third(ctx, :get_game) end)
    if Task.yield(caller, 200), do: wait_for_waiting_caller(ctx), else: caller
  end

  defp on_third(ctx, function) do
    Cluster.call(ctx.cluster, ctx.third, GameEngine, function, [ctx.game.id])
  end
end
