defmodule Minotaur.Cluster.HandoffSilenceTest do
  @moduledoc """
  A target that says nothing, at each step of a handoff, for each pairing: it costs the source its
  5 s and nothing else.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test
  @moduletag timeout: 120_000

  import Minotaur.Cluster.HandoffHelper

  alias Minotaur.ClusterHelper, as: Cluster

  @silent ~w(in_offer=silent in_digest=silent in_activate=silent)

  setup ctx do
    cluster = start_supervised!({Cluster.Manager, ctx})
    [cluster: cluster, third: start_third(cluster)]
  end

  for kind1 <- [:beam, :c], kind2 <- [:beam, :c] do
    # Who waits meanwhile is answered once, by whoever has the session then.
    @tag kind1: kind1, kind2: kind2
    test "silent #{kind2} targets of a #{kind1} source are passed over", ctx do
      source = start_host(ctx, ctx.kind1)
      silent = for failpoint <- @silent, do: start_host(ctx, ctx.kind2, failpoint)
      good = start_host(ctx, ctx.kind2)
      game = start_session(ctx, source, silent ++ [good])
      old = on_third(ctx, :whereis, [game.id])
      stop = Task.async(fn -> Cluster.stop_node(ctx.cluster, source) end)
      waiting = Task.async(fn -> end_rounds(ctx, old, []) end)
      Task.await(stop, :infinity)

      rounds = Task.await(waiting, :infinity)
      assert rounds == Enum.to_list(2..(length(rounds) + 1))
      assert {:ok, %{round: round}} = on_third(ctx, :get_game, [game.id])
      assert round == List.last(rounds)
      assert node(on_third(ctx, :whereis, [game.id])) == good
      # An attempt that failed for another reason than a refusal raises the epoch: two did.
      assert [%{epoch: 4}] = sessions(ctx, good)
      for node <- silent, do: assert(sessions(ctx, node) == [])
    end
  end

  for kind1 <- [:beam, :c], kind2 <- [:beam, :c] do
    # It runs, so the source that asks is told, and nobody else gets the session.
    @tag kind1: kind1, kind2: kind2
    test "a #{kind2} target of a #{kind1} source that runs and does not say so keeps it", ctx do
      source = start_host(ctx, ctx.kind1)
      target = start_host(ctx, ctx.kind2, "in_active=silent")
      other = start_host(ctx, ctx.kind2)
      game = start_session(ctx, source, [target, other])
      players = start_players(ctx, game)
      Cluster.stop_node(ctx.cluster, source)

      assert_played_on(ctx, game, players, target)
      assert [%{epoch: 2}] = sessions(ctx, target)
      assert sessions(ctx, other) == []
    end
  end

  # One call at a time to the old process, without a time limit, until it has gone.
  defp end_rounds(ctx, old, rounds) do
    arguments = [old, :end_round, :infinity]

    case Cluster.call(ctx.cluster, ctx.third, Minotaur.Cluster.Probe, :attempt, [
           GenServer,
           :call,
           arguments
         ]) do
      {:ok, %{round: round}} -> end_rounds(ctx, old, [round | rounds])
      {:exit, {reason, _call}} -> end_of(reason, rounds)
    end
  end

  # It ends when nobody watches it; a call that came just then has reached nobody.
  defp end_of(reason, rounds) do
    assert match?({:shutdown, {:moved, _}}, reason) or match?(:noproc, reason) or
             match?({:nodedown, _}, reason)

    Enum.reverse(rounds)
  end
end
