defmodule Minotaur.Cluster.PhoenixTest do
  @moduledoc """
  Events of sessions on a `Phoenix.PubSub` that two other nodes run, for each pairing of BEAM and C
  nodes that are set to it: each of the two hears each event once.

  A plain process that is registered and joined as Phoenix's adapter registers and joins its own
  stands in for it. With `PHOENIX_PUBSUB_EBIN` naming a folder with the compiled modules of
  phoenix_pubsub (2.0 or later), the same runs with the real one.
  """

  use ExUnit.Case, async: true
  @moduletag :cluster_test
  @moduletag timeout: 120_000

  import Minotaur.GameEngineFixtures
  import Minotaur.TimeHelper

  alias Minotaur.Cluster.Probe
  alias Minotaur.ClusterHelper, as: Cluster
  alias Minotaur.GameEngine

  @env [minotaur: [round_seconds: 0, pubsub: MyApp.PubSub]]
  @ebin System.get_env("PHOENIX_PUBSUB_EBIN")

  setup ctx do
    cluster = start_supervised!({Cluster.Manager, ctx})
    options = [kind: :beam, environment: [minotaur: [capacity: 0]]]
    webs = for _ <- 1..2, do: Cluster.start_node(cluster, options)
    ctx = Map.merge(ctx, %{cluster: cluster, webs: webs})
    node1 = Cluster.start_node(cluster, kind: ctx.kind1, environment: @env)
    game = game_fixture(round_end_time: nil)
    {:ok, _pid} = on_web(ctx, :continue_game, [game])
    ctx = Map.put(ctx, :node1, node1)
    probes = for web <- webs, do: subscriber(ctx, web, game.id)
    [cluster: cluster, webs: webs, node1: node1, game: game, probes: probes]
  end

  for phoenix <- if(@ebin, do: [:stand_in, :real], else: [:stand_in]),
      kind1 <- [:beam, :c],
      kind2 <- [:beam, :c] do
    describe "#{phoenix}, from a #{kind1} node to a #{kind2} node" do
      @describetag kind1: kind1, kind2: kind2, phoenix: phoenix

      # Rounds before and after the move, and the move itself.
      test "each node hears each event once", ctx do
        {:ok, %{round: 2}} = on_web(ctx, :end_round, [ctx.game.id])
        await(ctx, [{:next_round_started, ctx.game.id, 2}])
        node2 = Cluster.start_node(ctx.cluster, kind: ctx.kind2, environment: @env)
        for web <- ctx.webs, do: await_adapters(ctx, node2, web)
        Cluster.stop_node(ctx.cluster, ctx.node1)
        pid = on_web(ctx, :whereis, [ctx.game.id])
        {:ok, %{round: 3}} = on_web(ctx, :end_round, [ctx.game.id])

        await(ctx, [
          {:next_round_started, ctx.game.id, 2},
          {:session_moved, ctx.game.id, pid},
          {:next_round_started, ctx.game.id, 3}
        ])
      end
    end
  end

  defp await(ctx, events) do
    for probe <- ctx.probes do
      expected = Enum.map(events, &as_sent(ctx, &1))
      wait_until(fn -> assert Probe.messages(ctx.cluster, probe) == expected end)
    end
  end

  # The real one has forwarded it already.
  defp as_sent(%{phoenix: :real}, event), do: event

  defp as_sent(ctx, event),
    do: {:forward_to_local, "session:" <> ctx.game.id, event, Phoenix.PubSub}

  defp subscriber(%{phoenix: :stand_in} = ctx, web, _id) do
    probe = Probe.start(ctx.cluster, web)
    {:ok, {:ok, _scope}} = run(ctx, probe, :pg, :start, [Phoenix.PubSub])
    {:ok, true} = run(ctx, probe, Process, :register, [probe, MyApp.PubSub.Adapter])
    {:ok, :ok} = run(ctx, probe, :pg, :join, [Phoenix.PubSub, MyApp.PubSub.Adapter, probe])
    await_adapters(ctx, ctx.node1, web)
    probe
  end

  defp subscriber(ctx, web, id) do
    probe = Probe.start(ctx.cluster, web)
    true = Cluster.call(ctx.cluster, web, :code, :add_patha, [to_charlist(@ebin)])
    {:ok, {:ok, _}} = run(ctx, probe, Phoenix.PubSub.Application, :start, [:normal, []])
    options = [[name: MyApp.PubSub, pool_size: 2]]
    {:ok, {:ok, _}} = run(ctx, probe, Phoenix.PubSub.Supervisor, :start_link, options)
    topic = "session:" <> id
    {:ok, :ok} = run(ctx, probe, Phoenix.PubSub, :subscribe, [MyApp.PubSub, topic])
    await_adapters(ctx, ctx.node1, web)
    probe
  end

  # The host knows the adapter of that node.
  defp await_adapters(ctx, host, web) do
    wait_until(fn ->
      arguments = [Phoenix.PubSub, MyApp.PubSub.Adapter]
      pids = Cluster.call(ctx.cluster, host, :pg, :get_members, arguments)
      assert web in Enum.map(pids, &node/1)
    end)
  end

  defp run(ctx, probe, module, function, arguments) do
    Probe.run(ctx.cluster, probe, module, function, arguments)
  end

  defp on_web(ctx, function, arguments) do
    Cluster.call(ctx.cluster, hd(ctx.webs), GameEngine, function, arguments)
  end
end
