defmodule Minotaur.Cluster.ConformanceTest do
  @moduledoc """
  Sessions on nodes of both kinds answer as the rules do (cnode/minotaur/RULES.md), term by term.

  The reference runs on an observer that is no host, so that every session is on the one node that
  is tested. A mismatch names the seed that shows it again (`Minotaur.Conformance.play/4`).
  """

  use ExUnit.Case, async: true

  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.Conformance

  @moduletag :cluster_test
  @moduletag timeout: 600_000

  @games 1_000
  @games_at_once 25
  @rounds 20

  for kind <- [:beam, :c] do
    describe "a #{kind} node" do
      @describetag kind: kind

      test "plays #{@games} random games of #{@rounds} rounds as the reference does", ctx do
        start_cluster(ctx, 0)
        |> play(1..@games)
      end

      test "plays with timers as the reference does", ctx do
        start_cluster(ctx, 3_600)
        |> play((@games + 1)..(@games + 100))
      end

      test "names what is malformed", ctx do
        cluster = start_cluster(ctx, 0)
        assert ask(cluster, :check_malformed_node, [cluster.node]) == :ok
      end

      test "makes the same new games", ctx do
        for seconds <- [0, 3_600] do
          cluster = start_cluster(ctx, seconds)
          assert ask(cluster, :check_new_games_node, [cluster.node, seconds]) == :ok
          stop_supervised!(cluster.child)
        end
      end
    end
  end

  defp start_cluster(ctx, round_seconds) do
    child = {__MODULE__, round_seconds}
    manager = start_supervised!(Supervisor.child_spec({Cluster.Manager, ctx}, id: child))
    environment = [minotaur: [round_seconds: round_seconds]]

    %{
      child: child,
      manager: manager,
      round_seconds: round_seconds,
      observer: Cluster.start_node(manager, kind: :beam, applications: []),
      node: Cluster.start_node(manager, kind: ctx.kind, environment: environment)
    }
  end

  # A few games a call, so that no call takes long.
  defp play(cluster, seeds) do
    for seeds <- Enum.chunk_every(seeds, @games_at_once) do
      arguments = [cluster.node, seeds, @rounds, cluster.round_seconds]
      assert ask(cluster, :play_node, arguments) == :ok
    end
  end

  defp ask(cluster, function, arguments),
    do: Cluster.call(cluster.manager, cluster.observer, Conformance, function, arguments)
end
