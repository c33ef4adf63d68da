defmodule Minotaur.Cluster.ReleasesTest do
  @moduledoc """
  One cluster of C nodes and BEAM nodes, these on two releases of OTP when `MINOTAUR_OTHER_ERL`
  names the `erl` of another one (else on one): all find, call, inspect and take over each other's
  sessions.
  """

  use ExUnit.Case
  @moduletag :cluster_test
  @moduletag timeout: 120_000

  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.GameEngine

  setup ctx do
    cluster = start_supervised!({Cluster.Manager, ctx})

    beam =
      for release <- [:own, :other, :other], do: start(cluster, kind: :beam, release: release)

    c = for _ <- 1..2, do: start(cluster, kind: :c)
    {:ok, cluster: cluster, beam: beam, c: c, nodes: Enum.flat_map(zip(beam, c), & &1)}
  end

  test "the other nodes run on the other release, if there is one", ctx do
    releases = for node <- ctx.beam, do: on(ctx, node, :erlang, :system_info, [:otp_release])
    other? = System.get_env("MINOTAUR_OTHER_ERL", "") != ""
    assert length(Enum.uniq(releases)) > 1 == other?
    if other?, do: IO.puts("releases of OTP in one cluster: #{Enum.join(releases, ", ")}")
  end

  test "every node finds, calls and inspects the sessions of every other", ctx do
    games = for node <- ctx.nodes, do: create(ctx, node)

    for game <- games, asker <- ctx.nodes do
      wait_until(fn -> assert {:ok, ^game} = engine(ctx, asker, :get_game, [game.id]) end)
    end

    for game <- games, asker <- ctx.beam do
      pid = engine(ctx, asker, :whereis, [game.id])
      assert {:status, ^pid, _, _} = on(ctx, asker, :sys, :get_status, [pid])

      # OTP 25 and 27 do not understand each other's answers; a C node answers each in its form.
      if node(pid) in ctx.c, do: assert(^game = on(ctx, asker, :sys, :get_state, [pid]))
    end
  end

  # The last node has what began on all the others, and what was done to it on its way.
  test "sessions go from node to node until one is left", ctx do
    games = for node <- ctx.nodes, do: create(ctx, node)
    for game <- games, asker <- ctx.nodes, do: found(ctx, asker, game.id)
    rounds = leave_one_by_one(ctx, ctx.nodes, Map.new(games, &{&1.id, &1.round}))
    last = List.last(ctx.nodes)
    for {id, round} <- rounds, do: assert(found(ctx, last, id).round == round)
  end

  defp leave_one_by_one(_ctx, [_last], rounds), do: rounds

  defp leave_one_by_one(ctx, [leaving | [next | _] = rest], rounds) do
    Cluster.stop_node(ctx.cluster, leaving)

    rounds =
      for {id, round} <- rounds, into: %{} do
        for node <- rest, do: assert(found(ctx, node, id).round == round)
        assert {:ok, game} = engine(ctx, next, :end_round, [id])
        {id, game.round}
      end

    leave_one_by_one(ctx, rest, rounds)
  end

  defp found(ctx, node, id) do
    wait_until(fn ->
      assert {:ok, game} = engine(ctx, node, :get_game, [id])
      game
    end)
  end

  defp start(cluster, options) do
    Cluster.start_node(cluster, [environment: [minotaur: [round_seconds: 0]]] ++ options)
  end

  defp create(ctx, node) do
    game = game_fixture()
    {:ok, _pid} = engine(ctx, node, :continue_game, [game])
    game
  end

  defp engine(ctx, node, function, arguments),
    do: on(ctx, node, GameEngine, function, arguments)

  defp on(ctx, node, module, function, arguments),
    do: Cluster.call(ctx.cluster, node, module, function, arguments)

  # A BEAM node, then a C node, as long as there are both.
  defp zip([beam | beams], [c | cs]), do: [[beam, c] | zip(beams, cs)]
  defp zip(rest, []), do: [rest]
end
